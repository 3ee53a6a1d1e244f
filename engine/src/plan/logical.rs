//! The relational plan: what is computed, not how. Every column reference is an index into the input's schema.

mod over;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::retention::{GroupClean, Retention};
use crate::catalog::TableRef;
use crate::expr::{Expr, Value};
use crate::function::table::TableFunctionRef;
use crate::types::{Schema, Type};

pub use over::{Edge, Extent, Frame, OverCall, OverSpec};

/// A relational operator with its output schema.
#[derive(Clone, Debug)]
pub struct Rel {
    pub node: RelNode,
    pub schema: Schema,
}

#[derive(Clone, Debug)]
pub enum RelNode {
    /// All columns of the table, computed ones included, watermark assigned. Options of a hint are merged into the definition.
    Scan {
        table: TableRef,
    },
    Values {
        rows: Vec<Vec<Value>>,
    },
    Project {
        input: Box<Rel>,
        exprs: Vec<Expr>,
    },
    /// Keeps rows where the predicate is TRUE.
    Filter {
        input: Box<Rel>,
        predicate: Expr,
    },
    /// The column becomes the time at which a row passes here, and the time of the stream.
    ProcessingTime {
        input: Box<Rel>,
        column: usize,
    },
    /// Appends `window_start`, `window_end` and `window_time`; a row may be repeated, once per window.
    Window {
        input: Box<Rel>,
        window: WindowSpec,
    },
    /// Every row once per row that a table function gives for it, with the columns of that row behind its own.
    TableCall {
        input: Box<Rel>,
        call: TableCallSpec,
    },
    Aggregate {
        input: Box<Rel>,
        aggregate: AggregateSpec,
    },
    /// Every row once per grouping set. Behind its own columns stand those keys that some set leaves out, NULL where the
    /// row's set does, and the numbers of the set.
    Expand {
        input: Box<Rel>,
        expand: ExpandSpec,
    },
    /// All inputs have the same types.
    UnionAll {
        inputs: Vec<Rel>,
    },
    /// What MERGE does to its target, by primary key. Input: an action of [`merge_action`], the row of the target, the
    /// row that it becomes.
    Merge {
        input: Box<Rel>,
        /// Output columns.
        key: Vec<usize>,
    },
    /// Each row as often as this BIGINT column says.
    Repeat {
        input: Box<Rel>,
        times: usize,
    },
    /// Rows sorted and cut; in a streaming query an updating Top-N.
    Limit {
        input: Box<Rel>,
        sort: Vec<SortKey>,
        offset: u64,
        fetch: Option<u64>,
    },
    /// Bounded input only, unless on an event-time column ascending.
    Sort {
        input: Box<Rel>,
        sort: Vec<SortKey>,
    },
    /// Rows of both sides next to each other where the condition holds; outer joins pad with NULLs.
    Join {
        left: Box<Rel>,
        right: Box<Rel>,
        join: JoinSpec,
    },
    /// Appends one column per call, computed over the rows around each row.
    Over {
        input: Box<Rel>,
        over: OverSpec,
    },
    /// Rows numbered within their partition; those outside the range are left out. The number is the last column.
    Rank {
        input: Box<Rel>,
        rank: RankSpec,
    },
}

#[derive(Clone, Debug)]
pub struct TableCallSpec {
    pub function: TableFunctionRef,
    /// Over the input, cast to what the function wants.
    pub args: Vec<Expr>,
    /// A row for which the function gives nothing comes once, with NULLs.
    pub outer: bool,
    /// Input columns that somebody reads behind this; the others are NULL there.
    pub passed: Vec<usize>,
}

/// What becomes of a row of a MERGE; NULL leaves it alone.
pub mod merge_action {
    pub const INSERT: i32 = 0;
    pub const UPDATE: i32 = 1;
    pub const DELETE: i32 = 2;
}

#[derive(Clone, Debug)]
pub struct JoinSpec {
    pub kind: JoinKind,
    /// Columns that must be equal. The binder leaves them in the condition; a rewrite finds them.
    pub keys: Vec<JoinKey>,
    /// What else must be TRUE, over the left columns followed by the right ones.
    pub condition: Option<Expr>,
    /// Both inputs carry windows: where.
    pub windows: Option<(WindowBounds, WindowBounds)>,
    /// The event times of rows that match are this close. Found by a rewrite.
    pub time: Option<TimeBound>,
    /// What hints say about the rows that are kept of the left and of the right side; conditions are over the columns
    /// of that side.
    pub retention: Box<[Retention<Expr>; 2]>,
    /// `FOR SYSTEM_TIME AS OF`: a left row meets one state of the right side.
    pub as_of: Option<AsOf>,
}

/// Which state of the right side a left row meets.
#[derive(Clone, Debug, PartialEq)]
pub enum AsOf {
    /// The one at its event time.
    Version(VersionTimes),
    /// The one that the table has when the row comes: it is asked for by key.
    Now(Box<LookupSpec>),
}

/// Event-time columns of the left and of the right input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionTimes {
    pub left: usize,
    pub right: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LookupSpec {
    pub hint: LookupHint,
    /// Columns of the table that are read. Found by pruning.
    pub columns: Vec<usize>,
}

/// What `/*+ LOOKUP(…) */` says.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupHint {
    /// More than one request at a time.
    pub asynchronous: bool,
    /// Rows leave as soon as they are answered, up to a watermark.
    pub unordered: bool,
    /// Requests under way at most.
    pub capacity: usize,
    pub timeout: Duration,
    /// Keys without rows are asked for again.
    pub retry: Option<LookupRetry>,
    /// Rows of a key go to the same task.
    pub shuffle: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupRetry {
    pub delay: Duration,
    pub attempts: u32,
}

impl Default for LookupHint {
    fn default() -> Self {
        LookupHint {
            asynchronous: true,
            unordered: false,
            capacity: 100,
            timeout: Duration::from_secs(180),
            retry: None,
            shuffle: false,
        }
    }
}

/// `low <= left - right <= high`, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeBound {
    /// Event-time columns of the left and of the right input.
    pub left: usize,
    pub right: usize,
    pub low: i64,
    pub high: i64,
}

impl JoinSpec {
    /// Rows match only within the same window.
    pub fn by_window(&self) -> Option<(WindowBounds, WindowBounds)> {
        let equal = |left: usize, right: usize| self.keys.iter().any(|key| (key.left, key.right) == (left, right));
        self.windows.filter(|(left, right)| equal(left.start, right.start) && equal(left.end, right.end))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    /// Left rows that match. The output has the left columns only.
    Semi,
    /// Left rows that match nothing.
    Anti,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinKey {
    /// Columns of the left and of the right input, of one type.
    pub left: usize,
    pub right: usize,
    /// NULL equals NULL.
    pub null_safe: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandSpec {
    /// Columns of the input.
    pub keys: Vec<usize>,
    pub sets: Vec<GroupingSet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupingSet {
    /// For each key, whether the set groups by it.
    pub kept: Vec<bool>,
    /// BIGINTs: the number of the set, then what each GROUPING of the query gives.
    pub numbers: Vec<i64>,
}

/// The number of a row counts from 1, by sort key, then by arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct RankSpec {
    pub partition: Vec<usize>,
    pub sort: Vec<SortKey>,
    /// First and last number that stays.
    pub from: u64,
    pub to: u64,
    /// Somebody reads the number. Otherwise its column is NULL.
    pub number: bool,
    pub window: Option<WindowBounds>,
}

/// Columns that hold the window of a row.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowBounds {
    pub start: usize,
    pub end: usize,
    /// Windows over `TIMESTAMP_LTZ`: the bounds are local times.
    pub local: bool,
    /// Windows that end alike may begin differently.
    pub session: bool,
}

/// Part of the texts by which a checkpoint knows its operators: without `session` as it was before there were any.
impl std::fmt::Debug for WindowBounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = f.debug_struct("WindowBounds");
        text.field("start", &self.start).field("end", &self.end).field("local", &self.local);
        if self.session {
            text.field("session", &true);
        }
        text.finish()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct WindowSpec {
    pub kind: WindowKind,
    /// The event-time column of the input. Windows over `TIMESTAMP_LTZ` give local `TIMESTAMP` bounds.
    pub time_column: usize,
}

/// Milliseconds throughout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WindowKind {
    Tumble { size: i64, offset: i64 },
    Hop { slide: i64, size: i64, offset: i64 },
    Cumulate { step: i64, size: i64, offset: i64 },
    Session { gap: i64, partition: Vec<usize> },
}

/// Output: the group columns in order, then the aggregates.
#[derive(Clone, Debug)]
pub struct AggregateSpec {
    /// Input columns. For a window aggregation they include the window bounds it groups by.
    pub group: Vec<usize>,
    pub calls: Vec<AggregateCall>,
    /// Set when the input carries a window and both bounds are grouped by: state is kept per window and each window
    /// fires once. Otherwise the aggregation is updating.
    pub window: Option<WindowGroup>,
    /// What a hint says about the groups that are kept.
    pub retention: Box<Retention<GroupClean>>,
}

/// Positions of the window columns in the aggregate's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowGroup {
    pub spec: WindowKind,
    pub time_column: usize,
    pub start: usize,
    pub end: usize,
    pub time: Option<usize>,
    /// Windows over `TIMESTAMP_LTZ`: the bounds are local times.
    pub local: bool,
}

#[derive(Clone, PartialEq)]
pub struct AggregateCall {
    pub function: AggregateFunction,
    /// Input columns (the binder projects expressions first). Empty for `COUNT(*)`.
    pub args: Vec<usize>,
    pub distinct: bool,
    /// A BOOLEAN input column; rows where it is not TRUE do not count.
    pub filter: Option<usize>,
    /// Arguments that are the same for every row: the separator of LISTAGG, the percentages of PERCENTILE.
    pub constants: Vec<Value>,
    pub return_type: Type,
    /// For [`AggregateFunction::User`].
    pub(crate) user: Option<Arc<crate::udf::AggregateFunction>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    Count,
    Sum,
    /// `SUM` that gives 0 over no rows.
    Sum0,
    Min,
    Max,
    Avg,
    FirstValue,
    LastValue,
    /// One constant: the separator.
    ListAgg,
    Collect,
    ArrayAgg(Nulls),
    StddevPop,
    StddevSamp,
    VarPop,
    VarSamp,
    /// One constant: a percentage, or an array of them. A second argument is how often the value counts.
    Percentile,
    ApproxCountDistinct,
    /// The value of the only row; more than one fail the job. What a query as a value is.
    SingleValue,
    /// Over a key and a value, both texts, the latter of JSON.
    JsonObjectAgg(Nulls),
    /// Over texts of JSON.
    JsonArrayAgg(Nulls),
    /// A user's.
    User,
}

/// What becomes of NULLs that are gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nulls {
    Kept,
    LeftOut,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    pub column: usize,
    pub ascending: bool,
    /// Flink: NULLs first when ascending, last when descending, unless said otherwise.
    pub nulls_first: bool,
}

/// What a script asks for, bound and ready to be planned.
#[derive(Clone, Debug)]
pub struct BoundScript {
    /// In the order of the script. Several INSERTs form one job that reads every common source once.
    pub sinks: Vec<BoundSink>,
    /// `SET` and script options.
    pub settings: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct BoundSink {
    pub target: SinkTarget,
    /// Columns in the order and with the types of the sink's write columns.
    pub query: Rel,
}

#[derive(Clone, Debug)]
pub enum SinkTarget {
    Table(TableRef),
    /// A bare SELECT: rows go to whoever asked (preview, `millrace run`, tests).
    Collect,
}

/// Part of the text that says whether a checkpoint fits an operator: what is there only since later is left out where
/// it says nothing.
impl fmt::Debug for AggregateCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut call = f.debug_struct("AggregateCall");
        call.field("function", &self.function).field("args", &self.args).field("distinct", &self.distinct);
        call.field("filter", &self.filter);
        if !self.constants.is_empty() {
            call.field("constants", &self.constants);
        }
        if let Some(user) = &self.user {
            call.field("user", &user.state_text());
        }
        call.field("return_type", &self.return_type).finish()
    }
}

impl Rel {
    pub fn inputs(&self) -> Vec<&Rel> {
        match &self.node {
            RelNode::Scan { .. } | RelNode::Values { .. } => Vec::new(),
            RelNode::Project { input, .. }
            | RelNode::Filter { input, .. }
            | RelNode::ProcessingTime { input, .. }
            | RelNode::Window { input, .. }
            | RelNode::TableCall { input, .. }
            | RelNode::Aggregate { input, .. }
            | RelNode::Expand { input, .. }
            | RelNode::Limit { input, .. }
            | RelNode::Merge { input, .. }
            | RelNode::Repeat { input, .. }
            | RelNode::Sort { input, .. }
            | RelNode::Over { input, .. }
            | RelNode::Rank { input, .. } => vec![input],
            RelNode::UnionAll { inputs } => inputs.iter().collect(),
            RelNode::Join { left, right, .. } => vec![&**left, &**right],
        }
    }

    pub fn inputs_mut(&mut self) -> Vec<&mut Rel> {
        match &mut self.node {
            RelNode::Scan { .. } | RelNode::Values { .. } => Vec::new(),
            RelNode::Project { input, .. }
            | RelNode::Filter { input, .. }
            | RelNode::ProcessingTime { input, .. }
            | RelNode::Window { input, .. }
            | RelNode::TableCall { input, .. }
            | RelNode::Aggregate { input, .. }
            | RelNode::Expand { input, .. }
            | RelNode::Limit { input, .. }
            | RelNode::Merge { input, .. }
            | RelNode::Repeat { input, .. }
            | RelNode::Sort { input, .. }
            | RelNode::Over { input, .. }
            | RelNode::Rank { input, .. } => vec![&mut **input],
            RelNode::UnionAll { inputs } => inputs.iter_mut().collect(),
            RelNode::Join { left, right, .. } => vec![&mut **left, &mut **right],
        }
    }

    /// The same rows in processing time, which a column is to hold.
    pub fn in_processing_time(self, column: usize) -> Self {
        let schema = Schema { event_time: vec![column], ..self.schema.clone() };
        Rel { node: RelNode::ProcessingTime { input: Box::new(self), column }, schema }
    }

    pub fn scan(table: TableRef) -> Self {
        let schema = table.schema();
        Rel { node: RelNode::Scan { table: Arc::clone(&table) }, schema }
    }
}
