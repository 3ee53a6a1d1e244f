//! Everything that can be called, for completion and the functions page.

use millrace_wire::function::{FunctionInfo, FunctionKind};

const AGGREGATES: &[(&str, &str, &str)] = &[
    (
        "APPROX_COUNT_DISTINCT",
        "APPROX_COUNT_DISTINCT(value)",
        "About how many different values there are, to one in a hundred. Over bounded input.",
    ),
    (
        "ARRAY_AGG",
        "ARRAY_AGG([DISTINCT] value [IGNORE NULLS])",
        "All values as an array, in the order in which they came; NULL over no rows.",
    ),
    ("AVG", "AVG([DISTINCT] number)", "The mean, in the type of its argument: of integers it is cut to an integer."),
    ("COLLECT", "COLLECT([DISTINCT] value)", "All values that are not NULL, as a multiset."),
    ("COUNT", "COUNT(*) | COUNT([DISTINCT] value)", "How many rows there are, or rows where the value is not NULL."),
    ("FIRST_VALUE", "FIRST_VALUE(value)", "The value that came first and is not NULL."),
    ("GROUPING", "GROUPING(key, …)", "A bit for each key that the row's grouping set leaves out, the last key lowest."),
    ("GROUPING_ID", "GROUPING_ID(key, …)", "The same as GROUPING."),
    (
        "JSON_ARRAYAGG",
        "JSON_ARRAYAGG(value [{NULL | ABSENT} ON NULL])",
        "All values as an array of JSON. NULLs are left out unless NULL ON NULL is said.",
    ),
    (
        "JSON_OBJECTAGG",
        "JSON_OBJECTAGG([KEY] key VALUE value [{NULL | ABSENT} ON NULL])",
        "All keys with their values as an object of JSON. A key may be there once only.",
    ),
    ("LAST_VALUE", "LAST_VALUE(value)", "The value that came last and is not NULL."),
    ("LISTAGG", "LISTAGG([DISTINCT] text [, 'separator'])", "All texts with the separator, or a comma, between them."),
    ("MAX", "MAX(value)", "The greatest value."),
    ("MIN", "MIN(value)", "The least value."),
    (
        "PERCENTILE",
        "PERCENTILE(number, percentage [, frequency])",
        "The number below which this part of all lies, from 0 to 1; between two numbers it is interpolated. An array of \
         percentages gives an array.",
    ),
    ("STDDEV", "STDDEV([DISTINCT] number)", "The same as STDDEV_SAMP."),
    (
        "STDDEV_POP",
        "STDDEV_POP([DISTINCT] number)",
        "The standard deviation of all, in the type of its argument: of integers it is cut to an integer.",
    ),
    (
        "STDDEV_SAMP",
        "STDDEV_SAMP([DISTINCT] number)",
        "The standard deviation as of a sample, in the type of its argument; NULL of one value.",
    ),
    ("SUM", "SUM([DISTINCT] number)", "The sum, in the type of its argument."),
    ("VARIANCE", "VARIANCE([DISTINCT] number)", "The same as VAR_SAMP."),
    ("VAR_POP", "VAR_POP([DISTINCT] number)", "The variance of all, in the type of its argument."),
    (
        "VAR_SAMP",
        "VAR_SAMP([DISTINCT] number)",
        "The variance as of a sample, in the type of its argument; NULL of one value.",
    ),
];

/// Only with OVER.
const OVERS: &[(&str, &str, &str)] = &[
    (
        "CUME_DIST",
        "CUME_DIST() OVER (… ORDER BY …)",
        "The part of the rows that are not behind this one. In batch mode.",
    ),
    ("DENSE_RANK", "DENSE_RANK() OVER (… ORDER BY …)", "The rank without gaps: equal rows share one."),
    (
        "LAG",
        "LAG(value [, offset [, default]]) OVER (… ORDER BY …)",
        "The value of the row so many places before, 1 unless said otherwise.",
    ),
    (
        "LEAD",
        "LEAD(value [, offset [, default]]) OVER (… ORDER BY …)",
        "The value of the row so many places behind. Not by event time over a stream.",
    ),
    ("NTILE", "NTILE(parts) OVER (… ORDER BY …)", "Which of so many parts of equal size the row is in. In batch mode."),
    ("PERCENT_RANK", "PERCENT_RANK() OVER (… ORDER BY …)", "The rank as a number from 0 to 1. In batch mode."),
    ("RANK", "RANK() OVER (… ORDER BY …)", "The rank, with gaps: equal rows share one."),
    ("ROW_NUMBER", "ROW_NUMBER() OVER (… ORDER BY …)", "The number of the row, from 1."),
];

const WINDOWS: &[(&str, &str, &str)] = &[
    (
        "CUMULATE",
        "CUMULATE(TABLE t, DESCRIPTOR(time), step, size [, offset])",
        "Windows that begin together and grow step by step to their size.",
    ),
    (
        "SESSION",
        "SESSION(TABLE t [PARTITION BY key], DESCRIPTOR(time), gap)",
        "Windows that end when a key is silent for as long as the gap.",
    ),
    ("SESSION_END", "SESSION_END(time, gap)", "The end of the SESSION window in GROUP BY."),
    ("SESSION_ROWTIME", "SESSION_ROWTIME(time, gap)", "The event time of the SESSION window in GROUP BY."),
    ("SESSION_START", "SESSION_START(time, gap)", "The start of the SESSION window in GROUP BY."),
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
    let more = [
        (AGGREGATES, FunctionKind::Aggregate, "aggregate"),
        (OVERS, FunctionKind::Window, "over"),
        (WINDOWS, FunctionKind::Window, "window"),
    ];
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

/// Whether the language has a function of this name, in any case: one that there is, or one that Flink has.
pub(crate) fn is_function(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    list_functions().iter().any(|function| function.name == upper)
        || crate::function::is_known(&upper)
        || super::bind::is_function_of_flink(&upper)
}

#[cfg(test)]
mod tests {
    use super::AGGREGATES;

    #[test]
    fn every_aggregate_that_can_be_called_is_listed() {
        let listed: Vec<&str> = AGGREGATES.iter().map(|(name, ..)| *name).collect();
        let missing: Vec<_> = crate::sql::bind::AGGREGATES.iter().filter(|name| !listed.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
