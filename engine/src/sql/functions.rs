//! Everything that can be called, for completion and the functions page.

use millrace_wire::function::{FunctionInfo, FunctionKind};

const AGGREGATES: &[(&str, &str, &str)] = &[
    ("AVG", "AVG([DISTINCT] number)", "The mean, in the type of its argument: of integers it is cut to an integer."),
    ("COUNT", "COUNT(*) | COUNT([DISTINCT] value)", "How many rows there are, or rows where the value is not NULL."),
    ("MAX", "MAX(value)", "The greatest value."),
    ("MIN", "MIN(value)", "The least value."),
    ("SUM", "SUM([DISTINCT] number)", "The sum, in the type of its argument."),
];

const WINDOWS: &[(&str, &str, &str)] = &[
    (
        "HOP",
        "HOP(TABLE t, DESCRIPTOR(time), slide, size [, offset])",
        "Windows of one size that begin at every slide, and overlap.",
    ),
    ("TUMBLE", "TUMBLE(TABLE t, DESCRIPTOR(time), size [, offset])", "Windows of one size, one after the other."),
    ("HOP_END", "HOP_END(time, slide, size)", "The end of the HOP window in GROUP BY."),
    ("HOP_ROWTIME", "HOP_ROWTIME(time, slide, size)", "The event time of the HOP window in GROUP BY."),
    ("HOP_START", "HOP_START(time, slide, size)", "The start of the HOP window in GROUP BY."),
    ("TUMBLE_END", "TUMBLE_END(time, size)", "The end of the TUMBLE window in GROUP BY."),
    ("TUMBLE_ROWTIME", "TUMBLE_ROWTIME(time, size)", "The event time of the TUMBLE window in GROUP BY."),
    ("TUMBLE_START", "TUMBLE_START(time, size)", "The start of the TUMBLE window in GROUP BY."),
];

pub fn list_functions() -> Vec<FunctionInfo> {
    let mut functions = crate::function::list();
    functions.extend(crate::function::table::list_table());
    let more = [(AGGREGATES, FunctionKind::Aggregate, "aggregate"), (WINDOWS, FunctionKind::Window, "window")];
    for (entries, kind, category) in more {
        functions.extend(entries.iter().map(|(name, signature, summary)| FunctionInfo {
            name: (*name).to_owned(),
            kind,
            signature: (*signature).to_owned(),
            summary: (*summary).to_owned(),
            category: category.to_owned(),
        }));
    }
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    functions
}
