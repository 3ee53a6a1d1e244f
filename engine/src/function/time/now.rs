//! The current time. Evaluated for each batch, never folded.

use std::time::{SystemTime, UNIX_EPOCH};

use arrow::datatypes::Int64Type;
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::value::{Local, to_local};
use crate::function::registry::{Entry, Resolver};
use crate::function::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(&["CURRENT_TIMESTAMP", "NOW", "CURRENT_ROW_TIMESTAMP"], "CURRENT_TIMESTAMP", "Now, as TIMESTAMP_LTZ(3)."),
    entry(&["PROCTIME"], "PROCTIME()", "The time at which a row is processed."),
    entry(&["LOCALTIMESTAMP"], "LOCALTIMESTAMP", "Now on the clock of the session's time zone."),
    entry(&["CURRENT_DATE"], "CURRENT_DATE", "Today in the session's time zone."),
    entry(&["CURRENT_TIME", "LOCALTIME"], "CURRENT_TIME", "The time of day in the session's time zone."),
    Entry {
        names: &[CURRENT_WATERMARK],
        category: "time",
        signature: "CURRENT_WATERMARK(rowtime)",
        summary: "How far event time has come here, NULL before the first watermark.",
        resolver: Resolver::Custom(resolve_watermark),
    },
    Entry {
        names: &["UNIX_TIMESTAMP_NOW"],
        category: "",
        signature: "UNIX_TIMESTAMP()",
        summary: "Seconds since 1970.",
        resolver: Resolver::Custom(resolve_seconds),
    },
];

/// Filters and projections know the watermark and put it in the place of the call.
pub(crate) const CURRENT_WATERMARK: &str = "CURRENT_WATERMARK";

fn resolve_watermark(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [time] = args else { return None };
    if !time.ty.logical.can_be_event_time() {
        return None;
    }
    let kernel: NativeFn =
        |_| exec_err!("CURRENT_WATERMARK can stand in SELECT and WHERE only, and not in the condition of a join.");
    let of_type = Type::nullable(time.ty.logical.clone());
    let call = ScalarCall::new(name, vec![time.ty.clone()], of_type, Kernel::Native(kernel));
    Some(ScalarCall { volatile: true, ..call })
}

const fn entry(names: &'static [&'static str], signature: &'static str, summary: &'static str) -> Entry {
    Entry { names, category: "time", signature, summary, resolver: Resolver::Custom(resolve) }
}

fn resolve(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let logical = match name {
        "LOCALTIMESTAMP" => LogicalType::Timestamp(3),
        "CURRENT_DATE" => LogicalType::Date,
        "CURRENT_TIME" | "LOCALTIME" => LogicalType::Time(0),
        _ => LogicalType::TimestampLtz(3),
    };
    volatile(name, args, logical, now)
}

pub(super) fn resolve_seconds(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    volatile(name, args, LogicalType::BigInt, |call| {
        let seconds = utc_now().to_ticks(1);
        call.number_rows::<Int64Type>(|_| seconds)
    })
}

fn volatile(name: &str, args: &[Argument], logical: LogicalType, kernel: NativeFn) -> Option<ScalarCall> {
    let call = ScalarCall::new(name, Vec::new(), Type::not_null(logical), Kernel::Native(kernel));
    args.is_empty().then_some(ScalarCall { volatile: true, ..call })
}

fn utc_now() -> Local {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Local::from_ticks(i64::try_from(since.as_millis()).unwrap_or(i64::MAX), 1_000)
}

fn now(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    // `local_rows` takes a TIMESTAMP_LTZ back to UTC, so every result starts from the local clock.
    let local = to_local(utc_now(), call.context.zone);
    call.local_rows(|_| local)
}
