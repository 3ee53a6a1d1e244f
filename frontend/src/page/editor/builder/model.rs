//! What the form holds: a plain value without signals, from which the SQL is written.

use std::collections::{BTreeMap, BTreeSet};

use super::value::Kind;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    /// As the planner names it: `DECIMAL(10, 2) NOT NULL`.
    pub(super) data_type: String,
    pub(super) event_time: bool,
    /// Can be written: neither computed nor metadata.
    pub(super) physical: bool,
}

impl Column {
    pub(super) fn kind(&self) -> Kind {
        Kind::of(&self.data_type)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Source {
    pub(super) database: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

impl Source {
    pub(super) fn full(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub(super) fn event_time(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.event_time)
    }

    pub(super) fn written(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.physical)
    }
}

/// A column that comes out, under another name where one was given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picked {
    pub(super) column: String,
    pub(super) alias: String,
}

impl Picked {
    pub(super) fn plain(column: &str) -> Picked {
        Picked { column: column.to_owned(), alias: String::new() }
    }
}

/// Words that stand in the form's lists and in SQL.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($variant),+ }

        impl $name {
            pub(super) const ALL: &'static [$name] = &[$($name::$variant),+];

            pub(super) const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            pub(super) fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    )*};
}

words! {
    Operator {
        Equal = "=",
        NotEqual = "<>",
        Less = "<",
        LessOrEqual = "<=",
        Greater = ">",
        GreaterOrEqual = ">=",
        Like = "LIKE",
        In = "IN",
        Between = "BETWEEN",
        IsNull = "IS NULL",
        IsNotNull = "IS NOT NULL",
    }
    Function {
        CountAll = "COUNT(*)",
        Count = "COUNT",
        CountDistinct = "COUNT DISTINCT",
        Sum = "SUM",
        Avg = "AVG",
        Min = "MIN",
        Max = "MAX",
    }
    WindowKind {
        Tumble = "TUMBLE",
        Hop = "HOP",
        Cumulate = "CUMULATE",
        Session = "SESSION",
    }
    Unit {
        Second = "SECOND",
        Minute = "MINUTE",
        Hour = "HOUR",
        Day = "DAY",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    And,
    Or,
}

impl Joined {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Joined::And => "AND",
            Joined::Or => "OR",
        }
    }
}

impl Operator {
    pub(super) fn fits(self, kind: Kind) -> bool {
        match self {
            Operator::IsNull | Operator::IsNotNull => true,
            Operator::Equal | Operator::NotEqual => kind != Kind::Other,
            Operator::Like => kind == Kind::Text,
            _ => kind.is_ordered(),
        }
    }

    /// How many values are typed beside it.
    pub(super) fn values(self) -> u8 {
        match self {
            Operator::IsNull | Operator::IsNotNull => 0,
            Operator::Between => 2,
            _ => 1,
        }
    }
}

/// One line of filters; of groups when the subject is an aggregate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) id: u32,
    /// A column's name, or an aggregate's number.
    pub(super) subject: String,
    pub(super) operator: Operator,
    pub(super) value: String,
    /// The upper end of BETWEEN.
    pub(super) upper: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Conditions {
    pub(super) joined: Joined,
    pub(super) list: Vec<Condition>,
}

impl Default for Conditions {
    fn default() -> Self {
        Conditions { joined: Joined::And, list: Vec::new() }
    }
}

impl Function {
    pub(super) fn fits(self, kind: Kind) -> bool {
        match self {
            Function::CountAll | Function::Count => true,
            Function::CountDistinct => kind != Kind::Other,
            Function::Sum | Function::Avg => kind == Kind::Number,
            Function::Min | Function::Max => kind.is_ordered(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Aggregate {
    pub(super) id: u32,
    pub(super) function: Function,
    /// Nothing for COUNT(*).
    pub(super) column: String,
    pub(super) alias: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// Row by row.
    #[default]
    Plain,
    Grouped,
    Windowed,
}

/// As it was typed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Length {
    pub(super) count: String,
    pub(super) unit: Unit,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) kind: WindowKind,
    /// Of a session, the gap that ends it.
    pub(super) size: Length,
    /// By which HOP moves and CUMULATE grows.
    pub(super) step: Length,
    pub(super) shows_start: bool,
    pub(super) shows_end: bool,
}

impl Default for Window {
    fn default() -> Self {
        Window {
            kind: WindowKind::Tumble,
            size: Length { count: "10".to_owned(), unit: Unit::Minute },
            step: Length { count: "1".to_owned(), unit: Unit::Minute },
            shows_start: true,
            shows_end: true,
        }
    }
}

impl WindowKind {
    pub(super) fn has_step(self) -> bool {
        matches!(self, WindowKind::Hop | WindowKind::Cumulate)
    }
}

/// What a column of the target gets, as somebody chose it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Choice {
    /// The output with this key.
    Output(String),
    Null,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Target {
    pub(super) table: Option<Source>,
    /// By the target's column; the others are matched by name.
    pub(super) choices: BTreeMap<String, Choice>,
    /// Columns whose value is converted.
    pub(super) casts: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Query {
    pub(super) source: Option<Source>,
    /// In the order in which they were ticked.
    pub(super) fields: Vec<Picked>,
    pub(super) filters: Conditions,
    pub(super) shape: Shape,
    /// What rows are grouped by, in a window too.
    pub(super) keys: Vec<Picked>,
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) having: Conditions,
    pub(super) window: Window,
    /// Otherwise the rows are only looked at.
    pub(super) inserts: bool,
    pub(super) target: Target,
    /// The newest number of a line.
    pub(super) numbered: u32,
}

impl Query {
    /// Another table: what was said of the columns of the last one goes. All columns come out until somebody says less.
    pub(super) fn take(&mut self, source: Source) {
        let (inserts, target) = (self.inserts, std::mem::take(&mut self.target));
        *self = Query {
            fields: source.columns.iter().map(|column| Picked::plain(&column.name)).collect(),
            source: Some(source),
            inserts,
            target: Target { table: target.table, ..Target::default() },
            numbered: self.numbered,
            ..Query::default()
        };
    }

    pub(super) fn set_shape(&mut self, shape: Shape) {
        self.shape = shape;
        // A group without anything computed of it would only leave duplicates out.
        if shape != Shape::Plain && self.aggregates.is_empty() {
            self.add_aggregate();
        }
    }

    pub(super) fn add_aggregate(&mut self) {
        let id = self.next_number();
        self.aggregates.push(Aggregate {
            id,
            function: Function::CountAll,
            column: String::new(),
            alias: String::new(),
        });
    }

    pub(super) fn aggregate(&self, subject: &str) -> Option<&Aggregate> {
        let id: u32 = subject.parse().ok()?;
        self.aggregates.iter().find(|aggregate| aggregate.id == id)
    }

    pub(super) fn next_number(&mut self) -> u32 {
        self.numbered += 1;
        self.numbered
    }

    /// The fields that are ticked in this shape.
    pub(super) fn ticked(&self) -> &Vec<Picked> {
        if self.shape == Shape::Plain { &self.fields } else { &self.keys }
    }

    pub(super) fn ticked_mut(&mut self) -> &mut Vec<Picked> {
        if self.shape == Shape::Plain { &mut self.fields } else { &mut self.keys }
    }
}
