//! What bad modules may do: nothing, and with a reason that says what was wrong.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::Int64Type;

use super::limits;
use super::load::ModuleFunction;
use super::testing::{ECHO, Guest, kept};
use super::{check, inspect};
use crate::error::EngineError;
use crate::function::EvalContext;
use crate::types::Type;
use millrace_wire::function::{FunctionBody, FunctionKind, FunctionSource};

fn numbers(count: i32) -> ArrayRef {
    Arc::new((0..count).map(|n| (n % 7 != 3).then_some(n)).collect::<Int32Array>())
}

const ENTRY: &str = "f(int32)->int32";

fn echo() -> Guest {
    Guest::new().function(ENTRY, ECHO)
}

/// What a call of a function with this body ends with.
fn failure(guest: &Guest) -> EngineError {
    let function = guest.scalar("f", ENTRY);
    let error = function.call(&[numbers(10)], 10).unwrap_err();
    assert_eq!((error.code, error.retry), ("function_failed", false), "{error:?}");
    assert!(error.message.contains("The function f "), "{error}");
    // The next call has an instance of its own and the same reason.
    let again = function.call(&[numbers(10)], 10).unwrap_err();
    assert_eq!(again.message, error.message);
    // Whoever else runs in this process is as well as before.
    assert_eq!(&echo().scalar("g", ENTRY).call(&[numbers(5)], 5).unwrap(), &numbers(5));
    error
}

#[track_caller]
fn fails(body: &str, told: &str) {
    let error = failure(&Guest::new().function(ENTRY, body));
    assert!(error.message.contains(told), "{error}");
}

/// An answer at 1024 of these bytes.
fn answering(bytes: &[u8]) -> Guest {
    let data: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let body = format!(
        "(i32.store (local.get $out) (i32.const 1024)) (i32.store offset=4 (local.get $out) (i32.const {})) (i32.const 0)",
        bytes.len()
    );
    Guest::new().more(&format!("(data (i32.const 1024) \"{data}\")")).function(ENTRY, &body)
}

fn told(answer: &[u8]) -> String {
    failure(&answering(answer)).message
}

/// An honest file of Arrow IPC.
fn file(columns: Vec<ArrayRef>) -> Vec<u8> {
    let named = columns.into_iter().enumerate().map(|(at, column)| (format!("c{at}"), column));
    let batch = arrow::array::RecordBatch::try_from_iter(named).unwrap();
    let mut bytes = Vec::new();
    let mut writer = arrow::ipc::writer::FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

#[test]
fn values_go_in_and_come_back() {
    let function = echo().scalar("f", ENTRY);
    for rows in [0, 1, 7, 1023, 1024, 1025, 5000] {
        assert_eq!(&function.call(&[numbers(rows)], rows as usize).unwrap(), &numbers(rows));
    }
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("é"), None, Some(""), Some(&"long ".repeat(500))]));
    let function = Guest::new().function("t(string)->string", ECHO).scalar("t", "t");
    assert_eq!(&function.call(&[Arc::clone(&texts)], 4).unwrap(), &texts);
}

#[test]
fn a_loop_without_end_is_stopped_in_time() {
    let begun = Instant::now();
    let function = Guest::new().function(ENTRY, "(loop $l (br $l)) (i32.const 0)").scalar("spin", ENTRY);
    let error = function.call(&[numbers(3)], 3).unwrap_err();
    assert!(error.message.contains("spin was stopped: it took longer than 5 seconds"), "{error}");
    let took = begun.elapsed();
    assert!(took >= limits::CALL_TIME && took < limits::CALL_TIME * 3, "{took:?}");
}

#[test]
fn other_calls_go_on_beside_one_that_does_not_end() {
    let spin = Guest::new().function(ENTRY, "(loop $l (br $l)) (i32.const 0)").scalar("spin", ENTRY);
    let hanging = std::thread::spawn(move || spin.call(&[numbers(3)], 3).unwrap_err());
    let good = echo().scalar("f", ENTRY);
    let mut calls = 0;
    while !hanging.is_finished() {
        assert_eq!(&good.call(&[numbers(100)], 100).unwrap(), &numbers(100));
        calls += 1;
    }
    assert!(calls > 10, "{calls}");
    assert!(hanging.join().unwrap().message.contains("spin was stopped"));
}

#[test]
fn memory_without_end_is_refused() {
    let grow = "(loop $l (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable))) (br $l)) (i32.const 0)";
    fails(grow, "needs more than 64 MB of memory");
    // One that sees the refusal and goes on is none of our business.
    let modest = format!("(drop (memory.grow (i32.const 60000))) {ECHO}");
    let function = Guest::new().function(ENTRY, &modest).scalar("f", ENTRY);
    assert_eq!(&function.call(&[numbers(5)], 5).unwrap(), &numbers(5));
    // Table after table, too.
    let tables = Guest::new().more("(table $t 1 funcref)").function(
        ENTRY,
        "(if (i32.eq (table.grow $t (ref.null func) (i32.const 10000000)) (i32.const -1)) (then (unreachable))) (i32.const 0)",
    );
    assert!(failure(&tables).message.contains("unreachable"));
}

#[test]
fn traps_are_told_by_name() {
    fails("(unreachable)", "`unreachable` instruction executed");
    fails("(i32.div_u (i32.const 1) (i32.const 0))", "integer divide by zero");
    fails("(i32.load (i32.const -4))", "out of bounds memory access");
    let recursion = Guest::new()
        .more("(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))")
        .function(ENTRY, "(call $deep (i32.const 1))");
    assert!(failure(&recursion).message.contains("calls go too deep"));
}

#[test]
fn pointers_are_not_believed() {
    let answer = |at: &str, length: &str| {
        format!(
            "(i32.store (local.get $out) (i32.const {at})) (i32.store offset=4 (local.get $out) (i32.const {length})) \
             (i32.const 0)"
        )
    };
    for (at, length) in [("-1", "10"), ("131071", "2"), ("0", "131073"), ("-8", "8"), ("2147483647", "2147483647")] {
        let body = answer(at, length);
        let error = failure(&Guest::new().function(ENTRY, &body));
        let said = error.message.contains("points outside of its memory") || error.message.contains("more than 32 MB");
        assert!(said, "{at}+{length}: {error}");
    }
    fails(&answer("0", "-1"), "gave an answer of more than 32 MB");
    fails(&answer("3", "0"), "no Arrow IPC");
    fails(&answer("1", "1000"), "no Arrow IPC");
    for (alloc, told) in [
        ("(i32.const 0)", "gave no memory for its arguments"),
        ("(i32.const -8)", "points outside of its memory"),
        ("(i32.const 131064)", "points outside of its memory"),
        ("(unreachable)", "`unreachable`"),
    ] {
        let error = failure(&Guest::new().alloc(alloc).function(ENTRY, ECHO));
        assert!(error.message.contains(told), "{alloc}: {error}");
    }
    // An unaligned one is a pointer like any other.
    let odd = Guest::new().alloc("(i32.const 65537)").function(ENTRY, ECHO).scalar("f", ENTRY);
    assert_eq!(&odd.call(&[numbers(5)], 5).unwrap(), &numbers(5));
}

#[test]
fn an_answer_without_end_is_refused() {
    let huge = format!(
        "(drop (memory.grow (i32.const 700))) (i32.store (local.get $out) (i32.const 0)) \
         (i32.store offset=4 (local.get $out) (i32.const {})) (i32.const 0)",
        limits::ANSWER_BYTES + 1
    );
    fails(&huge, "gave an answer of more than 32 MB");
}

#[test]
fn errors_of_the_function_are_told() {
    let said = Guest::new().more("(data (i32.const 64) \"no such thing\")").function(
        ENTRY,
        "(i32.store (local.get $out) (i32.const 64)) (i32.store offset=4 (local.get $out) (i32.const 13)) (i32.const -1)",
    );
    assert_eq!(failure(&said).message, "The function f failed: no such thing");
    let errors: ArrayRef = Arc::new(StringArray::from(vec![None, Some("row two is bad"), None]));
    let guest = answering(&file(vec![Arc::new(Int32Array::from(vec![1, 2, 3])), errors]));
    let error = guest.scalar("f", ENTRY).call(&[numbers(3)], 3).unwrap_err();
    assert_eq!(error.message, "The function f failed: row two is bad");
}

#[test]
fn answers_are_held_against_the_signature() {
    let tens = || Arc::new(Int32Array::from((0..10).collect::<Vec<_>>())) as ArrayRef;
    let right = answering(&file(vec![tens()])).scalar("f", ENTRY).call(&[numbers(10)], 10).unwrap();
    assert_eq!(&right, &tens());
    assert!(told(&file(vec![tens().slice(0, 9)])).contains("gave 9 values for 10 rows"));
    let wide = Arc::new(Int64Array::from((0..10).collect::<Vec<_>>())) as ArrayRef;
    assert!(told(&file(vec![Arc::clone(&wide)])).contains("gave a column of Int64 instead of Int32"));
    assert!(told(&file(vec![tens(), wide])).contains("gave 2 columns instead of 1"));
    assert!(told(&file(vec![tens(), tens(), tens()])).contains("gave 3 columns instead of 1"));
    let zoned = Arc::new(StringArray::from(vec!["a"; 10])) as ArrayRef;
    assert!(told(&file(vec![zoned])).contains("gave a column of Utf8 instead of Int32"));
}

#[test]
fn what_is_no_arrow_is_refused() {
    let good = file(vec![numbers(10)]);
    assert!(told(b"ARROW1").contains("no Arrow IPC"));
    assert!(told(&[0xFF; 4096]).contains("no Arrow IPC"));
    assert!(told(&good[..good.len() - 1]).contains("no Arrow IPC"));
    // A footer that reaches beyond the file.
    let mut long = good.clone();
    let at = long.len() - 10;
    long[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    assert!(told(&long).contains("no Arrow IPC"));
    long[at..at + 4].copy_from_slice(&(-5_i32).to_le_bytes());
    assert!(told(&long).contains("no Arrow IPC"));
}

/// Texts whose offsets lie, and bytes that are no text.
#[test]
fn values_are_validated() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["abcdefgh"; 10]));
    let good = file(vec![Arc::clone(&texts)]);
    let decode = |bytes: &[u8]| super::host::decode(bytes, &[arrow::datatypes::DataType::Utf8]);
    assert_eq!(decode(&good).unwrap().column(0), &texts);
    let at = good.windows(8).position(|bytes| bytes == b"abcdefgh").unwrap();
    let mut bad = good.clone();
    bad[at] = 0xFF;
    assert!(decode(&bad).unwrap_err().contains("does not hold together"));
    let first = [0, 0, 0, 0, 8, 0, 0, 0, 16, 0, 0, 0, 24, 0, 0, 0];
    let offsets = good.windows(16).position(|bytes| bytes == first).unwrap();
    let mut bad = good.clone();
    bad[offsets + 4..offsets + 8].copy_from_slice(&i32::MAX.to_le_bytes());
    assert!(decode(&bad).is_err());
}

#[test]
fn nothing_of_the_outside_is_given() {
    let refused = Guest::new().import(r#"(import "env" "open_socket" (func))"#).function(ENTRY, ECHO);
    let error = inspect(&refused.bytes()).unwrap_err();
    assert!(error.contains("'open_socket' of 'env'"), "{error}");
    let unknown = Guest::new().import(r#"(import "wasi_snapshot_preview1" "sock_open" (func))"#).function(ENTRY, ECHO);
    assert!(inspect(&unknown.bytes()).unwrap_err().contains("'sock_open'"));
    // What WASI has answers that there is nothing.
    let open = Guest::new()
        .import(r#"(import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#)
        .import(r#"(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))"#)
        .import(r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))"#)
        .function(
            ENTRY,
            &format!(
                "(if (i32.ne (i32.const 52) (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                   (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))) (then (unreachable)))
                 (i64.store (i32.const 16) (i64.const -1))
                 (if (call $clock (i32.const 0) (i64.const 0) (i32.const 16)) (then (unreachable)))
                 (if (i64.ne (i64.load (i32.const 16)) (i64.const 0)) (then (unreachable)))
                 (if (call $random (i32.const 24) (i32.const 8)) (then (unreachable)))
                 (if (i64.eqz (i64.load (i32.const 24))) (then (unreachable)))
                 (if (i32.eqz (call $random (i32.const 24) (i32.const -1))) (then (unreachable)))
                 {ECHO}"
            ),
        );
    assert_eq!(&open.scalar("f", ENTRY).call(&[numbers(5)], 5).unwrap(), &numbers(5));
    let exit = Guest::new()
        .import(r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#)
        .function(ENTRY, "(call $exit (i32.const 7)) (i32.const 0)");
    assert!(failure(&exit).message.contains("ended its module with code 7"));
}

/// A panic of a module for WASI says on its standard error what it was.
#[test]
fn last_words_are_told() {
    let panics = Guest::new()
        .import(r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#)
        .more(r#"(data (i32.const 0) "\10\00\00\00\0c\00\00\00") (data (i32.const 16) "panicked: no")"#)
        .function(ENTRY, "(drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 32))) (unreachable)");
    assert!(failure(&panics).message.ends_with("It said: panicked: no"));
    let storm = Guest::new()
        .import(r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#)
        .more(r#"(data (i32.const 0) "\00\00\00\00\00\00\01\00")"#)
        .function(
            ENTRY,
            "(loop $l (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 32))) (br $l)) (i32.const 0)",
        );
    let error = storm.scalar("storm", ENTRY).call(&[numbers(1)], 1).unwrap_err();
    assert!(error.message.contains("storm was stopped: it took longer"), "{error}");
}

#[test]
fn modules_that_cannot_be_used_are_refused_by_name() {
    for (bytes, told) in [
        (vec![], "is empty"),
        (b"PK\x03\x04 a jar".to_vec(), "no WebAssembly module"),
        (b"\0asm\x01\0\0\0\xff\xff".to_vec(), "not valid WebAssembly"),
        (b"\0asm\x01\0\0\0".to_vec(), "does not speak the arrow-udf interface"),
        (Guest::new().function(ENTRY, ECHO).version("2_0").bytes(), "version 2 "),
        (Guest::new().bytes(), "no function that could be called"),
        (Guest::new().function("f(uint8)->int32", ECHO).bytes(), "uint8"),
        (Guest::new().more("(memory 2000)").function(ENTRY, ECHO).bytes(), "not valid WebAssembly"),
        (Guest::new().more("(table 200000 funcref)").function(ENTRY, ECHO).bytes(), "more than 100000 entries"),
    ] {
        let error = inspect(&bytes).unwrap_err();
        assert!(error.contains(told), "{told}: {error}");
    }
    let without = wat::parse_str(
        r#"(module (memory (export "memory") 1)
        (global (export "ARROWUDF_VERSION_3_0") i32 (i32.const 0)))"#,
    );
    assert!(inspect(&without.unwrap()).unwrap_err().contains("does not export 'alloc'"));
    let large = wat::parse_str(
        r#"(module (memory (export "memory") 2000)
        (global (export "ARROWUDF_VERSION_3_0") i32 (i32.const 0)))"#,
    );
    assert!(inspect(&large.unwrap()).unwrap_err().contains("takes 125 MB of memory from the start"));
    let symbol = super::symbol::encode(ENTRY);
    let other = wat::parse_str(format!(
        r#"(module (memory (export "memory") 1) (global (export "ARROWUDF_VERSION_3_0") i32 (i32.const 0))
        (func (export "arrowudf_{symbol}") (param i64) (result i32) (i32.const 0)))"#
    ));
    assert!(inspect(&other.unwrap()).unwrap_err().contains("has other types"));
}

#[test]
fn a_start_that_does_not_end_is_stopped_as_well() {
    let start = Guest::new().more("(func $forever (loop $l (br $l))) (start $forever)").function(ENTRY, ECHO);
    assert_eq!(inspect(&start.bytes()).unwrap().len(), 1);
    let error = start.scalar("f", ENTRY).call(&[numbers(1)], 1).unwrap_err();
    assert!(error.message.contains("took longer than 5 seconds"), "{error}");
}

fn rows(guest: &Guest, entry: &str) -> Result<(Vec<u32>, Vec<ArrayRef>), String> {
    let ModuleFunction::Rows(function) = guest.load("t", entry) else { panic!() };
    let function = function.of_types(&[Type::nullable(crate::types::LogicalType::Int)])?;
    let args = [datafusion_expr::ColumnarValue::Array(numbers(10))];
    let given = function.call(&args, 10, EvalContext::default()).map_err(|error| EngineError::from(error).message)?;
    Ok((given.parents, given.columns))
}

#[test]
fn rows_belong_to_the_rows_that_were_asked_for() {
    const TABLE: &str = "t(int32)->>int64";
    let giving = |parents: Vec<Option<i32>>, values: Vec<i64>| {
        let bytes = file(vec![Arc::new(Int32Array::from(parents)), Arc::new(Int64Array::from(values))]);
        let data: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        Guest::new()
            .more(&format!("(data (i32.const 1024) \"{data}\") (global $given (mut i32) (i32.const 0))"))
            .next(&format!(
                "(if (global.get $given) (then (i32.store (local.get 1) (i32.const 0))) (else
                   (global.set $given (i32.const 1)) (i32.store (local.get 1) (i32.const 1024))
                   (i32.store offset=4 (local.get 1) (i32.const {}))))",
                bytes.len()
            ))
            .function(TABLE, "(i32.const 0)")
    };
    let (parents, columns) = rows(&giving(vec![Some(0), Some(0), Some(9)], vec![7, 8, 9]), TABLE).unwrap();
    assert_eq!(parents, [0, 0, 9]);
    assert_eq!(columns[0].as_primitive::<Int64Type>().values(), &[7, 8, 9]);
    for (parents, told) in [
        (vec![Some(1), Some(0)], "in another order"),
        (vec![Some(3), Some(10)], "for none of its arguments"),
        (vec![Some(-1), Some(1)], "for none of its arguments"),
        (vec![None, Some(1)], "for none of its arguments"),
    ] {
        let error = rows(&giving(parents, vec![1, 2]), TABLE).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    let endless = Guest::new().next("(i32.store (local.get 1) (i32.const 1))").function(TABLE, "(i32.const 0)");
    assert!(rows(&endless, TABLE).unwrap_err().contains("no Arrow IPC"));
    let stuck = Guest::new().next("(loop $l (br $l))").function(TABLE, "(i32.const 0)");
    assert!(rows(&stuck, TABLE).unwrap_err().contains("took longer than 5 seconds"));
}

#[test]
fn what_a_module_has_is_told() {
    let guest = Guest::new()
        .function("plus(int32,decimal)->decimal", ECHO)
        .function("split(string)->>struct<a:string,b:int64>", ECHO)
        .function("total_create_state()->int64", ECHO)
        .function("total_accumulate(int64,int32)->int64", ECHO)
        .function("total_finish(int64)->int64", ECHO)
        .function("odd(uint16)->int64", ECHO);
    let told: Vec<String> = inspect(&guest.bytes())
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}({}) {}", entry.kind, entry.name, entry.arguments.join(", "), entry.result))
        .collect();
    assert_eq!(
        told,
        [
            "scalar plus(INT, DECIMAL(38, 18)) DECIMAL(38, 18)",
            "table split(STRING) ROW<`a` STRING, `b` BIGINT>",
            "aggregate total(INT) BIGINT",
        ]
    );
    let (path, hash) = kept(&guest.bytes());
    let source = |kind, entry: &str, hash: &str| FunctionSource {
        kind,
        body: FunctionBody::Wasm { module: path.clone(), hash: hash.to_owned(), entry: entry.to_owned() },
    };
    let checked =
        |name: &str, source: &FunctionSource| check(name, source).map_err(|problems| problems[0].message.clone());
    let plus = source(FunctionKind::Scalar, "plus(int32,decimal)->decimal", &hash);
    assert_eq!(checked("add_up", &plus).unwrap().signature, "add_up(INT, DECIMAL(38, 18)) → DECIMAL(38, 18)");
    for (name, source, told) in [
        ("sum", &plus, "built-in function SUM"),
        ("cast", &plus, "CAST"),
        ("a b", &plus, "cannot be the name"),
        ("ok", &source(FunctionKind::Table, "plus", &hash), "of the kind 'scalar' and not 'table'"),
        ("ok", &source(FunctionKind::Scalar, "minus", &hash), "has no function 'minus'"),
        ("ok", &source(FunctionKind::Scalar, "odd", &hash), "uint16"),
        ("ok", &source(FunctionKind::Scalar, "plus", &"0".repeat(64)), "not the one that was uploaded"),
    ] {
        let error = checked(name, source).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    assert!(checked("total", &source(FunctionKind::Aggregate, "total", &hash)).is_ok());
    let half = Guest::new()
        .function("total_accumulate(int64,int32)->int64", ECHO)
        .function("total_finish(int64)->int64", ECHO);
    let (path, hash) = kept(&half.bytes());
    let error = super::load::load("t", None, &path, &hash, "total").unwrap_err();
    assert!(error.contains("has no total_create_state()->int64"), "{error}");
}
