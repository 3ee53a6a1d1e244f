//! Every operator with memory for a few keys only, restored at other parallelism now and then, gives what it gives with
//! all memory. What it gives then is compared with models elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use proptest::prelude::*;

use super::tests::{Row, batch, calls, input, results};
use super::*;
use crate::change::RowKind;
use crate::plan::logical::{Frame, JoinKey, JoinKind, OverCall, SortKey, TimeBound, VersionTimes};
use crate::state::{Hashes, KeyEncoder, StateHome, StateOptions, groups_of, hash_key, hashes_of, key_group, task_of};
use crate::time::window::{Shape, Windows};
use crate::types::{Field, LogicalType, Schema, Type};

#[derive(Clone, Debug)]
enum Step {
    Rows(usize, Vec<(RowKind, Row)>),
    Watermark(i64),
    /// Everything but a checkpoint is lost; then so many tasks.
    Restart(usize),
}

type Make<'a> = &'a dyn Fn() -> Box<dyn Operator>;

struct Tasks<'a> {
    make: Make<'a>,
    options: StateOptions,
    tasks: Vec<Box<dyn Operator>>,
    folder: tempfile::TempDir,
    starts: usize,
    watermark: Option<i64>,
    keys: KeyEncoder,
}

/// Of each task: what it wrote, and for each table its files.
type Saved = Vec<(KeyedState, Vec<Vec<(PathBuf, Hashes)>>)>;

impl<'a> Tasks<'a> {
    fn new(make: Make<'a>, options: StateOptions) -> Self {
        let keys = KeyEncoder::new(&input().to_arrow(), &[0]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut tasks = Tasks { make, options, tasks: Vec::new(), folder, starts: 0, watermark: None, keys };
        tasks.start(1, &Vec::new());
        tasks
    }

    fn start(&mut self, count: usize, saved: &Saved) {
        self.starts += 1;
        let directory = Some(self.folder.path().join(format!("work-{}", self.starts)));
        let home = StateHome::new(StateOptions { directory, ..self.options.clone() });
        let start = |task: usize| {
            let mut operator = (self.make)();
            operator.attach(StatePlace { home: Arc::clone(&home), hashes: hashes_of(task, count) });
            operator.expire(0);
            let (groups, mut tables) = (groups_of(task, count), Vec::<Vec<LogPart>>::new());
            for (state, files) in saved {
                let own = state.groups.iter().filter(|(group, _)| groups.contains(group));
                let own = own.map(|(group, bytes)| (*group, bytes.clone())).collect();
                operator.restore(KeyedState { groups: own }).unwrap();
                for (table, files) in files.iter().enumerate() {
                    tables.resize_with(tables.len().max(table + 1), Vec::new);
                    let part = |(path, hashes): &(PathBuf, Hashes)| LogPart {
                        segment: home.adopt(path).unwrap(),
                        hashes: *hashes,
                    };
                    tables[table].extend(files.iter().map(part));
                }
            }
            if tables.iter().any(|table| !table.is_empty()) {
                operator.adopt(tables).unwrap();
            }
            operator
        };
        self.tasks = (0..count).map(start).collect();
    }

    fn save(&mut self) -> Saved {
        let (folder, number) = (self.folder.path(), self.starts);
        let save = |(task, operator): (usize, &mut Box<dyn Operator>)| {
            let state = operator.snapshot().unwrap().unwrap_or_default();
            let tables = operator.segments().into_iter().enumerate().map(|(table, parts)| {
                let link = |(index, part): (usize, LogPart)| {
                    let path = folder.join(format!("{number}-{task}-{table}-{index}"));
                    part.segment.link(&path).unwrap();
                    (path, part.hashes)
                };
                parts.into_iter().enumerate().map(link).collect()
            });
            (state, tables.collect())
        };
        self.tasks.iter_mut().enumerate().map(save).collect()
    }

    /// What the step gives, sorted.
    fn step(&mut self, step: &Step) -> Vec<String> {
        let mut out: Vec<ChangeBatch> = Vec::new();
        match step {
            Step::Rows(input, rows) => {
                let batch = batch(rows);
                for (task, rows) in self.route(&batch).into_iter().enumerate() {
                    if !rows.is_empty() {
                        let kinds = rows.iter().map(|row| batch.kind(*row as usize)).collect();
                        let part = take_record_batch(&batch.rows, &UInt32Array::from(rows)).unwrap();
                        let append =
                            batch.kinds.as_ref().is_none_or(|kinds| kinds.iter().all(|k| *k == RowKind::Insert));
                        let part =
                            if append { ChangeBatch::inserts(part) } else { ChangeBatch::with_kinds(part, kinds) };
                        self.tasks[task].process(*input, part, &mut out).unwrap();
                    }
                }
            }
            Step::Watermark(time) => {
                self.watermark = Some(*time);
                self.tasks.iter_mut().for_each(|task| task.watermark(*time, &mut out).unwrap());
            }
            Step::Restart(count) => {
                let saved = self.save();
                self.start(*count, &saved);
                // Sources say again how far they are.
                if let Some(time) = self.watermark {
                    self.tasks.iter_mut().for_each(|task| task.watermark(time, &mut out).unwrap());
                }
            }
        }
        texts(&out)
    }

    fn route(&self, batch: &ChangeBatch) -> Vec<Vec<u32>> {
        let keys = self.keys.encode(&batch.rows).unwrap();
        let mut rows = vec![Vec::new(); self.tasks.len()];
        for row in 0..batch.len() {
            rows[task_of(key_group(hash_key(keys.key(row))), self.tasks.len())].push(row as u32);
        }
        rows
    }
}

fn texts(out: &[ChangeBatch]) -> Vec<String> {
    let mut texts = Vec::new();
    for batch in out {
        let fields = batch.rows.schema();
        let columns: Vec<String> = fields.fields().iter().map(|field| field.name().clone()).collect();
        for row in 0..batch.len() {
            let value = |column: usize| {
                let options = arrow::util::display::FormatOptions::default().with_null("NULL");
                let column = batch.rows.column(column);
                arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string()
            };
            let values: Vec<String> = (0..columns.len()).map(value).collect();
            texts.push(format!("{}{}", batch.kind(row).mark(), values.join(",")));
        }
    }
    texts.sort();
    texts
}

/// With memory for about two dozen keys.
fn tiny(inline: bool) -> StateOptions {
    StateOptions {
        memory: Some(4000),
        whole_below: 0,
        flush_bytes: 500,
        keys_at_once: 3,
        inline,
        ..StateOptions::default()
    }
}

fn gives_the_same(make: Make<'_>, steps: &[Step]) -> std::result::Result<(), TestCaseError> {
    let mut whole = Tasks::new(make, StateOptions::default());
    let mut spilling = Tasks::new(make, tiny(!steps.len().is_multiple_of(3)));
    for (number, step) in steps.iter().enumerate() {
        prop_assert_eq!(spilling.step(step), whole.step(step), "step {}: {:?}", number, step);
    }
    Ok(())
}

/// The case is worth something: most keys were on disk only.
fn spills(make: Make<'_>) {
    let rows = |from: i64| {
        (from..from + 20).map(move |n| (RowKind::Insert, Row { key: format!("key {n}"), value: Some(n), time: 1000 }))
    };
    let mut tasks = Tasks::new(make, tiny(true));
    let mut whole = Tasks::new(make, StateOptions::default());
    for from in (0..600).step_by(20) {
        let step = Step::Rows(0, rows(from).collect());
        assert_eq!(tasks.step(&step), whole.step(&step));
    }
    let size = tasks.tasks[0].size();
    assert!(size.rows >= 600 && size.bytes < 40_000, "{size:?}, where memory is 4,000 bytes");
    let restart = Step::Restart(2);
    tasks.step(&restart);
    for step in [Step::Watermark(900), Step::Watermark(5_000_000)] {
        assert_eq!(tasks.step(&step), whole.step(&step));
    }
}

fn keyed_row() -> impl Strategy<Value = Row> {
    let value = prop_oneof![1 => Just(None), 6 => (-5_i64..5).prop_map(Some)];
    ((0_u8..90), value, 0_i64..60).prop_map(|(key, value, time)| Row { key: format!("key {key}"), value, time })
}

/// Rows whose times rise, with watermarks and restarts between them.
fn steps(inputs: usize, kinds: &'static [RowKind]) -> impl Strategy<Value = Vec<Step>> {
    let kind = proptest::sample::select(kinds);
    let rows = (0..inputs, proptest::collection::vec((kind, keyed_row()), 1..25));
    let step = prop_oneof![
        10 => rows.prop_map(|(input, rows)| Step::Rows(input, rows)),
        3 => (0_i64..30).prop_map(Step::Watermark),
        1 => (1_usize..4).prop_map(Step::Restart),
    ];
    proptest::collection::vec(step, 1..60).prop_map(move |mut steps| {
        let mut now = 0;
        for step in &mut steps {
            match step {
                Step::Rows(_, rows) => rows.iter_mut().for_each(|(_, row)| row.time += now),
                Step::Watermark(time) => {
                    now += *time;
                    *time = now;
                }
                Step::Restart(_) => {}
            }
        }
        steps.push(Step::Watermark(now + 1_000_000));
        steps
    })
}

const INSERTS: &[RowKind] = &[RowKind::Insert];
const UPSERTS: &[RowKind] = &[RowKind::Insert, RowKind::UpdateAfter, RowKind::Insert, RowKind::Delete];

fn normalize() -> Box<dyn Operator> {
    let spec = NormalizeSpec { keys: vec![0], columns: vec![0, 1], schema: input().to_arrow(), ttl_ms: 0 };
    Box::new(Normalize::new(spec).unwrap())
}

fn materialize() -> Box<dyn Operator> {
    let spec = UpsertMaterializeSpec { keys: vec![0], schema: input().to_arrow(), ttl_ms: 0 };
    Box::new(UpsertMaterialize::new(&spec).unwrap())
}

fn first_row() -> Box<dyn Operator> {
    let (input, output) = (input().to_arrow(), input().to_arrow());
    let number = NumberColumn::Absent;
    Box::new(FirstRow::new(FirstRowSpec { keys: vec![0], time_column: 2, input, number, output, ttl_ms: 0 }).unwrap())
}

fn windows(shape: Shape) -> Box<dyn Operator> {
    let time = |name: &str| Field::new(name, Type::nullable(LogicalType::Timestamp(3)));
    let mut fields = vec![input().fields[0].clone(), time("s"), time("e")];
    fields.extend(results());
    let spec = WindowAggregateSpec {
        windows: Windows { shape, offset: 0, zone: None },
        input_columns: WindowColumns::Time(2),
        group: vec![GroupColumn::Key(0), GroupColumn::Start, GroupColumn::End],
        keys: vec![0],
        calls: calls(),
        input: input().to_arrow(),
        output: Schema::new(fields).to_arrow(),
        retracts: true,
    };
    Box::new(WindowAggregate::new(spec).unwrap())
}

fn tumbling() -> Box<dyn Operator> {
    windows(Shape::Tumble { size: 20 })
}

fn hopping() -> Box<dyn Operator> {
    windows(Shape::Hop { size: 30, slide: 10 })
}

fn session_aggregate() -> Box<dyn Operator> {
    let time = |name: &str| Field::new(name, Type::nullable(LogicalType::Timestamp(3)));
    let mut fields = vec![input().fields[0].clone(), time("s"), time("e")];
    fields.extend(results());
    let spec = SessionAggregateSpec {
        gap: 6,
        zone: None,
        time_column: 2,
        group: vec![GroupColumn::Key(0), GroupColumn::Start, GroupColumn::End],
        keys: vec![0],
        calls: calls(),
        input: input().to_arrow(),
        output: Schema::new(fields).to_arrow(),
        retracts: false,
    };
    Box::new(SessionAggregate::new(spec).unwrap())
}

fn session_assign() -> Box<dyn Operator> {
    let time = |name: &str| Field::new(name, Type::nullable(LogicalType::Timestamp(3)));
    let mut fields = input().fields;
    fields.extend([time("s"), time("e"), time("t")]);
    let (input, output) = (input().to_arrow(), Schema::new(fields).to_arrow());
    let spec = SessionAssignSpec { gap: 6, zone: None, time_column: 2, partition: vec![0], input, output };
    Box::new(SessionAssign::new(spec).unwrap())
}

fn window_rank() -> Box<dyn Operator> {
    let sort = vec![SortKey { column: 1, ascending: false, nulls_first: false }];
    let spec = WindowRankSpec {
        partition: vec![0],
        end: 2,
        zone: None,
        sort,
        from: 1,
        to: 2,
        number: NumberColumn::Absent,
        latest_first: false,
        input: input().to_arrow(),
        output: input().to_arrow(),
    };
    Box::new(WindowRank::new(spec).unwrap())
}

fn interval(kind: JoinKind) -> Box<dyn Operator> {
    let both: Vec<Field> = input().fields.iter().chain(&input().fields).cloned().collect();
    let (left, right) = (input().to_arrow(), input().to_arrow());
    let keys = vec![JoinKey { left: 0, right: 0, null_safe: false }];
    let output = Schema::new(both).to_arrow();
    let spec = JoinSpec { kind, keys, condition: None, left, right, output, ttl_ms: [0; 2], at_end: false };
    Box::new(IntervalJoin::new(spec, TimeBound { left: 2, right: 2, low: -10, high: 15 }).unwrap())
}

fn with_calls() -> SchemaRef {
    let mut fields = input().fields;
    fields.extend(results());
    Schema::new(fields).to_arrow()
}

fn over(frame: Frame) -> Box<dyn Operator> {
    let spec = OverAggregateSpec {
        partition: vec![0],
        time_column: 2,
        frame,
        calls: calls().into_iter().map(OverCall::Aggregate).collect(),
        input: input().to_arrow(),
        output: with_calls(),
        ttl_ms: 0,
    };
    Box::new(OverAggregate::new(spec).unwrap())
}

fn over_table() -> Box<dyn Operator> {
    let spec = OverTableSpec {
        partition: vec![0],
        sort: vec![SortKey { column: 2, ascending: true, nulls_first: true }],
        frame: Frame::RangeUnbounded,
        calls: calls().into_iter().map(OverCall::Aggregate).collect(),
        input: input().to_arrow(),
        output: with_calls(),
        ttl_ms: 0,
        at_end: false,
    };
    Box::new(OverTable::new(spec).unwrap())
}

fn temporal() -> Box<dyn Operator> {
    let both: Vec<Field> = input().fields.iter().chain(&input().fields).cloned().collect();
    let keys = vec![JoinKey { left: 0, right: 0, null_safe: false }];
    let join = JoinSpec {
        kind: JoinKind::Left,
        keys,
        condition: None,
        left: input().to_arrow(),
        right: input().to_arrow(),
        output: Schema::new(both).to_arrow(),
        ttl_ms: [0; 2],
        at_end: false,
    };
    let times = VersionTimes { left: 2, right: 2 };
    Box::new(TemporalJoin::new(TemporalJoinSpec { join, times, only_newest: true }).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn normalize_gives_the_same(steps in steps(1, UPSERTS)) {
        gives_the_same(&normalize, &steps)?;
    }

    #[test]
    fn upsert_materialize_gives_the_same(steps in steps(1, UPSERTS)) {
        gives_the_same(&materialize, &steps)?;
    }

    #[test]
    fn first_row_gives_the_same(steps in steps(1, INSERTS)) {
        gives_the_same(&first_row, &steps)?;
    }

    #[test]
    fn tumbling_windows_give_the_same(steps in steps(1, UPSERTS)) {
        gives_the_same(&tumbling, &steps)?;
    }

    #[test]
    fn hopping_windows_give_the_same(steps in steps(1, INSERTS)) {
        gives_the_same(&hopping, &steps)?;
    }

    #[test]
    fn sessions_give_the_same(steps in steps(1, INSERTS)) {
        gives_the_same(&session_aggregate, &steps)?;
        gives_the_same(&session_assign, &steps)?;
    }

    #[test]
    fn window_rank_gives_the_same(steps in steps(1, INSERTS)) {
        gives_the_same(&window_rank, &steps)?;
    }

    #[test]
    fn over_gives_the_same(steps in steps(1, INSERTS)) {
        for frame in [Frame::Rows(1), Frame::Range(15), Frame::RangeUnbounded] {
            gives_the_same(&|| over(frame), &steps)?;
        }
    }

    #[test]
    fn over_tables_give_the_same(steps in steps(1, UPSERTS)) {
        gives_the_same(&over_table, &steps)?;
    }

    #[test]
    fn temporal_joins_give_the_same(steps in steps(2, INSERTS)) {
        gives_the_same(&temporal, &steps)?;
    }

    #[test]
    fn interval_joins_give_the_same(steps in steps(2, INSERTS)) {
        for kind in [JoinKind::Inner, JoinKind::Full] {
            gives_the_same(&|| interval(kind), &steps)?;
        }
    }
}

#[test]
fn most_keys_of_each_are_on_disk_only() {
    spills(&normalize);
    spills(&materialize);
    spills(&first_row);
    spills(&tumbling);
    spills(&hopping);
    spills(&session_aggregate);
    spills(&session_assign);
    spills(&window_rank);
    spills(&|| interval(JoinKind::Full));
    spills(&|| over(Frame::Range(15)));
    spills(&over_table);
    spills(&temporal);
}
