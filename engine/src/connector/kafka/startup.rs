//! Where reading starts and ends, by the options.

use std::collections::BTreeMap;

use super::super::option::Options;
use crate::error::{EngineError, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Startup {
    Earliest,
    Latest,
    Group,
    Timestamp(i64),
    Specific(BTreeMap<i32, i64>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bounded {
    Unbounded,
    Latest,
    Group,
    Timestamp(i64),
    Specific(BTreeMap<i32, i64>),
}

impl Startup {
    pub(super) fn of_options(options: &Options<'_>) -> Result<Self> {
        Ok(match options.text("scan.startup.mode").unwrap_or("group-offsets") {
            "earliest-offset" => Self::Earliest,
            "latest-offset" => Self::Latest,
            "timestamp" => Self::Timestamp(needed(options, "scan.startup.timestamp-millis")?),
            "specific-offsets" => Self::Specific(specific(options, "scan.startup.specific-offsets")?),
            _ => Self::Group,
        })
    }
}

impl Bounded {
    pub(super) fn of_options(options: &Options<'_>) -> Result<Self> {
        Ok(match options.text("scan.bounded.mode").unwrap_or("unbounded") {
            "latest-offset" => Self::Latest,
            "group-offsets" => Self::Group,
            "timestamp" => Self::Timestamp(needed(options, "scan.bounded.timestamp-millis")?),
            "specific-offsets" => Self::Specific(specific(options, "scan.bounded.specific-offsets")?),
            _ => Self::Unbounded,
        })
    }
}

fn needed(options: &Options<'_>, name: &str) -> Result<i64> {
    options.integer(name)?.ok_or_else(|| EngineError::user("missing_option", format!("'{name}' is missing.")))
}

/// `partition:0,offset:42;partition:1,offset:300`
fn specific(options: &Options<'_>, name: &str) -> Result<BTreeMap<i32, i64>> {
    let text =
        options.text(name).ok_or_else(|| EngineError::user("missing_option", format!("'{name}' is missing.")))?;
    let pair = |part: &str| -> Option<(i32, i64)> {
        let (partition, offset) = part.trim().split_once(',')?;
        let partition = partition.trim().strip_prefix("partition:")?.trim().parse().ok()?;
        let offset = offset.trim().strip_prefix("offset:")?.trim().parse().ok()?;
        (partition >= 0 && offset >= 0).then_some((partition, offset))
    };
    let parts = text.split(';').filter(|part| !part.trim().is_empty()).map(pair);
    parts.collect::<Option<_>>().ok_or_else(|| {
        EngineError::user(
            "bad_option",
            format!("'{name}' has to look like partition:0,offset:42;partition:1,offset:300."),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn startup(pairs: &[(&str, &str)]) -> Result<Startup> {
        let options = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Startup::of_options(&Options(&options))
    }

    #[test]
    fn modes_and_their_arguments() {
        assert_eq!(startup(&[]).unwrap(), Startup::Group);
        assert_eq!(startup(&[("scan.startup.mode", "earliest-offset")]).unwrap(), Startup::Earliest);
        startup(&[("scan.startup.mode", "timestamp")]).unwrap_err();
        let offsets = ("scan.startup.specific-offsets", "partition:0,offset:42; partition:1,offset:300;");
        let expected = Startup::Specific(BTreeMap::from([(0, 42), (1, 300)]));
        assert_eq!(startup(&[("scan.startup.mode", "specific-offsets"), offsets]).unwrap(), expected);
        startup(&[("scan.startup.mode", "specific-offsets"), ("scan.startup.specific-offsets", "0:42")]).unwrap_err();
    }
}
