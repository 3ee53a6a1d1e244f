//! Functions that Flink has and this engine does not have yet: refused by name, not taken for spelling mistakes.

const NAMES: &[&str] = &[
    "APPLY",
    "CUMULATE",
    "CUME_DIST",
    "DENSE_RANK",
    "GROUP_ID",
    "INTEGER",
    "LAG",
    "LEAD",
    "ML_PREDICT",
    "NTILE",
    "OBJECT_OF",
    "OBJECT_UPDATE",
    "PARSE_JSON",
    "PERCENT_RANK",
    "RANK",
    "ROW_NUMBER",
    "SESSION",
    "SINGLE_VALUE",
    "SOURCE_WATERMARK",
    "TRY_PARSE_JSON",
];

pub(in crate::sql) fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}
