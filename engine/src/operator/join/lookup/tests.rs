//! Joins with a table in memory that answers when it pleases.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use async_trait::async_trait;
use datafusion_expr::Operator as Sign;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, Column};
use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;
use crate::catalog::TableRef;
use crate::connector::Lookup;
use crate::connector::testing::table;
use crate::function::EvalContext;
use crate::operator::TableColumns;
use crate::plan::logical::JoinKind;
use crate::types::{Field, LogicalType, Schema, Type};

/// Rows by key; each request takes as long as its first key says.
#[derive(Default)]
struct Table {
    rows: Mutex<BTreeMap<i64, Vec<i64>>>,
    requests: Mutex<Vec<Vec<i64>>>,
    fails: AtomicU64,
    misses: AtomicU64,
    slow: bool,
}

impl Table {
    fn of(rows: &[(i64, &[i64])]) -> Self {
        Table {
            rows: Mutex::new(rows.iter().map(|(key, values)| (*key, values.to_vec())).collect()),
            ..Table::default()
        }
    }
}

fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
}

fn found(rows: &[(i64, i64)]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.1)).collect::<Int64Array>()),
    ];
    RecordBatch::try_new(pair("k", "v").to_arrow(), columns).unwrap()
}

#[async_trait]
impl Lookup for Table {
    async fn find(&self, keys: RecordBatch) -> Result<Found> {
        let keys: Vec<i64> = keys.column(0).as_primitive::<Int64Type>().values().to_vec();
        self.requests.lock().push(keys.clone());
        if self.slow {
            tokio::time::sleep(Duration::from_millis((keys[0] * 7 % 5) as u64)).await;
        }
        if take_one(&self.fails) {
            return Err(EngineError::external("test", "The test wants this request to fail."));
        }
        let missing = take_one(&self.misses);
        let (mut rows, mut key_of) = (Vec::new(), Vec::new());
        for (index, key) in keys.iter().enumerate().filter(|_| !missing) {
            for value in self.rows.lock().get(key).into_iter().flatten() {
                rows.push((*key, *value));
                key_of.push(index as u32);
            }
        }
        Ok(Found { rows: found(&rows), key_of })
    }

    async fn load(&self, take: &mut (dyn FnMut(RecordBatch) -> Result<()> + Send)) -> Result<()> {
        let rows = self.rows.lock().clone();
        rows.iter().try_for_each(|(key, values)| {
            let rows: Vec<(i64, i64)> = values.iter().map(|value| (*key, *value)).collect();
            take(found(&rows))
        })
    }

    fn keys_per_request(&self) -> usize {
        3
    }
}

fn pair(first: &str, second: &str) -> Schema {
    let field = |name: &str| Field::new(name, Type::nullable(LogicalType::BigInt));
    Schema::new(vec![field(first), field(second)])
}

fn right_side() -> RightSide {
    let table: TableRef = table(&[("k", LogicalType::BigInt), ("v", LogicalType::BigInt)], &[]);
    let columns = TableColumns::new(&table, &[0, 1], &[0, 1], EvalContext { zone: chrono_tz::UTC }).unwrap();
    RightSide::new(columns, Vec::new(), &pair("k", "v").to_arrow()).unwrap()
}

fn settings(cache: CacheMode) -> LookupSettings {
    LookupSettings { hint: LookupHint::default(), cache, max_retries: 3 }
}

fn join(table: &Arc<Table>, kind: JoinKind, condition: bool, settings: LookupSettings) -> LookupJoin {
    let both: Vec<Field> = pair("k", "id").fields.into_iter().chain(pair("k", "v").fields).collect();
    let less = || -> Arc<dyn PhysicalExpr> {
        Arc::new(BinaryExpr::new(Arc::new(Column::new("id", 1)), Sign::Lt, Arc::new(Column::new("v", 3))))
    };
    let open = OpenLookup { lookup: Arc::clone(table) as Arc<dyn Lookup>, runtime: tokio::runtime::Handle::current() };
    let full = match settings.cache {
        CacheMode::Full { reload } => {
            let encoder = KeyEncoder::new(&pair("k", "v").to_arrow(), &[0]).unwrap();
            Some(FullTable::new(open.clone(), encoder, right_side(), reload))
        }
        _ => None,
    };
    LookupJoin::new(LookupJoinSpec {
        join: JoinSpec {
            kind,
            keys: Vec::new(),
            condition: condition.then(less),
            left: pair("k", "id").to_arrow(),
            right: pair("k", "v").to_arrow(),
            output: Schema::new(both).to_arrow(),
            ttl_ms: [0; 2],
            at_end: false,
        },
        keys: vec![KeySource::Left(0)],
        key_schema: Schema::new(pair("k", "v").fields[..1].to_vec()).to_arrow(),
        open,
        right: right_side(),
        settings,
        full,
        own_group: 0,
    })
    .unwrap()
}

fn batch(rows: &[(Option<i64>, i64)]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.1)).collect::<Int64Array>()),
    ];
    ChangeBatch::inserts(RecordBatch::try_new(pair("k", "id").to_arrow(), columns).unwrap())
}

/// What left the operator, in order.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Left {
    Row(i64, Option<i64>),
    Watermark(i64),
}

#[derive(Default)]
struct Out(Vec<Left>);

impl Output for Out {
    fn emit(&mut self, batch: ChangeBatch) -> Result<()> {
        let value = |column: usize, row: usize| {
            let column = batch.rows.column(column).as_primitive::<Int64Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        self.0.extend((0..batch.len()).map(|row| Left::Row(value(1, row).unwrap(), value(3, row))));
        Ok(())
    }

    fn watermark(&mut self, watermark: i64) -> Result<()> {
        self.0.push(Left::Watermark(watermark));
        Ok(())
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Polls until nothing waits.
fn settle(operator: &mut LookupJoin, out: &mut Out) -> Result<()> {
    let since = Instant::now();
    while operator.waits() {
        assert!(since.elapsed() < Duration::from_secs(20), "no answer comes");
        operator.poll(out)?;
        std::thread::park_timeout(Duration::from_micros(200));
    }
    Ok(())
}

fn partial() -> CacheMode {
    CacheMode::Partial(PartialCache { max_rows: Some(3), missing: true, ..PartialCache::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_row_meets_all_rows_of_its_key_in_order_and_also_from_a_snapshot(
        steps in proptest::collection::vec(
            (proptest::collection::vec(prop_oneof![1 => Just(None), 6 => (0_i64..8).prop_map(Some)], 0..12), any::<bool>()),
            1..8,
        ),
        kind in prop_oneof![Just(JoinKind::Inner), Just(JoinKind::Left)],
        condition in any::<bool>(),
        cache in prop_oneof![Just(CacheMode::None), Just(partial()), Just(CacheMode::Full { reload: None })],
        unordered in any::<bool>(),
        cut in 0_usize..8,
    ) {
        let runtime = runtime();
        let _entered = runtime.enter();
        let rows: Vec<(i64, &[i64])> = vec![(0, &[5]), (1, &[10, 60]), (3, &[2]), (4, &[30, 40, 50]), (7, &[99])];
        let table = Arc::new(Table { slow: true, ..Table::of(&rows) });
        let mut settings = settings(cache);
        settings.hint.unordered = unordered;
        settings.hint.capacity = 4;
        let mut operator = join(&table, kind, condition, settings.clone());
        let (mut out, mut wanted, mut id) = (Out::default(), Vec::new(), 0);
        for (index, (keys, watermark)) in steps.iter().enumerate() {
            if index == cut {
                let state = operator.snapshot().unwrap().unwrap();
                operator = join(&table, kind, condition, settings.clone());
                operator.restore(state).unwrap();
            }
            let mut batch_rows = Vec::new();
            for key in keys {
                batch_rows.push((*key, id));
                let values = key.and_then(|key| rows.iter().find(|row| row.0 == key)).map_or(&[][..], |row| row.1);
                let met: Vec<&i64> = values.iter().filter(|value| !condition || id < **value).collect();
                wanted.extend(met.iter().map(|value| Left::Row(id, Some(**value))));
                if met.is_empty() && kind == JoinKind::Left {
                    wanted.push(Left::Row(id, None));
                }
                id += 1;
            }
            operator.process(0, batch(&batch_rows), &mut out).unwrap();
            // Watermarks that wait at a restore come again from the sources.
            if *watermark && index >= cut {
                operator.watermark(index as i64, &mut out).unwrap();
                wanted.push(Left::Watermark(index as i64));
            }
        }
        operator.end(&mut out).unwrap();
        let mut found = out.0;
        // Of watermarks that follow each other the last one says all.
        for list in [&mut found, &mut wanted] {
            list.dedup_by(|next, before| {
                let both = matches!((&*next, &*before), (Left::Watermark(_), Left::Watermark(_)));
                if both {
                    before.clone_from(next);
                }
                both
            });
        }
        if unordered {
            // Never across a watermark.
            for list in [&mut found, &mut wanted] {
                list.chunk_by_mut(|a, b| matches!(a, Left::Row(..)) == matches!(b, Left::Row(..)))
                    .for_each(|rows| rows.sort());
            }
        }
        prop_assert_eq!(found, wanted);
        prop_assert_eq!(operator.size().rows, 0);
    }
}

#[test]
fn a_request_names_every_key_once_and_a_cache_saves_the_next() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let table = Arc::new(Table::of(&[(1, &[10])]));
    let mut operator = join(&table, JoinKind::Inner, false, settings(partial()));
    let mut out = Out::default();
    operator.process(0, batch(&[(Some(1), 1), (Some(2), 2), (Some(1), 3), (None, 4)]), &mut out).unwrap();
    settle(&mut operator, &mut out).unwrap();
    operator.process(0, batch(&[(Some(2), 5), (Some(1), 6)]), &mut out).unwrap();
    settle(&mut operator, &mut out).unwrap();
    assert_eq!(*table.requests.lock(), [vec![1, 2]]);
    assert_eq!(out.0, [Left::Row(1, Some(10)), Left::Row(3, Some(10)), Left::Row(6, Some(10))]);
    let figures = operator.lookup_figures().unwrap();
    assert_eq!((figures.hits, figures.misses, figures.entries, figures.requests), (2, 2, 2, 1));
    assert!(figures.bytes > 0);
}

#[test]
fn requests_that_fail_are_made_again_but_not_for_ever() {
    let runtime = runtime();
    let _entered = runtime.enter();
    for (fails, good) in [(2, true), (9, false)] {
        let table = Arc::new(Table { fails: AtomicU64::new(fails), ..Table::of(&[(1, &[10])]) });
        let settings = LookupSettings { max_retries: 2, ..settings(CacheMode::None) };
        let mut operator = join(&table, JoinKind::Inner, false, settings);
        let mut out = Out::default();
        operator.process(0, batch(&[(Some(1), 1)]), &mut out).unwrap();
        let result = settle(&mut operator, &mut out);
        assert_eq!(result.is_ok(), good, "{result:?}");
        assert_eq!(out.0.len(), usize::from(good));
        assert_eq!(operator.lookup_figures().unwrap().retries, 2);
    }
}

#[test]
fn keys_without_rows_are_asked_for_again_where_the_hint_says_so() {
    let runtime = runtime();
    let _entered = runtime.enter();
    for (attempts, met) in [(2, Some(10)), (1, None)] {
        let table = Arc::new(Table { misses: AtomicU64::new(2), ..Table::of(&[(1, &[10])]) });
        let mut settings = settings(CacheMode::None);
        settings.hint.retry = Some(LookupRetry { delay: Duration::from_millis(1), attempts });
        let mut operator = join(&table, JoinKind::Left, false, settings);
        let mut out = Out::default();
        operator.process(0, batch(&[(Some(1), 1)]), &mut out).unwrap();
        settle(&mut operator, &mut out).unwrap();
        assert_eq!(out.0, [Left::Row(1, met)]);
    }
}

#[test]
fn an_answer_that_comes_too_late_fails_the_job() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let table = Arc::new(Table { slow: true, ..Table::of(&[]) });
    let mut settings = settings(CacheMode::None);
    settings.hint.timeout = Duration::from_millis(1);
    let mut operator = join(&table, JoinKind::Inner, false, settings);
    let mut out = Out::default();
    // Answered after four milliseconds.
    operator.process(0, batch(&[(Some(2), 1)]), &mut out).unwrap();
    assert_eq!(settle(&mut operator, &mut out).unwrap_err().code, "lookup_timeout");
}

#[test]
fn a_table_that_is_loaded_whole_is_loaded_again() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let table = Arc::new(Table::of(&[(1, &[10])]));
    let reload = Some(Duration::from_millis(5));
    let mut operator = join(&table, JoinKind::Inner, false, settings(CacheMode::Full { reload }));
    let mut out = Out::default();
    operator.process(0, batch(&[(Some(1), 1)]), &mut out).unwrap();
    assert_eq!(out.0, [Left::Row(1, Some(10))]);
    table.rows.lock().insert(1, vec![20]);
    let since = Instant::now();
    while out.0.last() != Some(&Left::Row(2, Some(20))) {
        assert!(since.elapsed() < Duration::from_secs(20), "it is not loaded again");
        operator.process(0, batch(&[(Some(1), 2)]), &mut out).unwrap();
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let figures = operator.lookup_figures().unwrap();
    assert_eq!((figures.entries, figures.requests), (1, 0));
    assert!(figures.load_ms.is_some() && figures.loaded_at.is_some() && figures.hits > 1);
}
