//! Metadata columns of Kafka records.

use arrow::array::ArrayRef;

use super::feed::Message;
use super::offset::Partition;
use crate::error::{EngineError, Result};
use crate::format::column::{Column, Data, offset_of};
use crate::format::temporal::units_per_second;
use crate::types::{LogicalType, Type};

pub(super) struct MetadataKey {
    pub(super) key: &'static str,
    pub(super) writable: bool,
}

/// As in Flink.
pub(super) const METADATA: [MetadataKey; 7] = [
    MetadataKey { key: "topic", writable: false },
    MetadataKey { key: "partition", writable: false },
    MetadataKey { key: "offset", writable: false },
    MetadataKey { key: "timestamp", writable: true },
    MetadataKey { key: "timestamp-type", writable: false },
    MetadataKey { key: "headers", writable: true },
    MetadataKey { key: "leader-epoch", writable: false },
];

/// The metadata columns of a batch under construction.
pub(super) struct MetadataColumns {
    columns: Vec<(String, Column)>,
}

impl MetadataColumns {
    pub(super) fn new(wanted: &[(String, Type)]) -> Result<Self> {
        for (key, ty) in wanted {
            if !fits(key, &ty.logical) {
                return Err(EngineError::user(
                    "bad_column",
                    format!("The metadata '{key}' cannot be read as {}.", ty.logical),
                ));
            }
        }
        let columns = wanted.iter().map(|(key, ty)| (key.clone(), Column::new(&ty.logical))).collect();
        Ok(MetadataColumns { columns })
    }

    pub(super) fn push(&mut self, message: &Message<'_>, partition: &Partition, rows: usize) {
        for (key, column) in &mut self.columns {
            for _ in 0..rows {
                push(key, column, message, partition);
            }
        }
    }

    pub(super) fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.columns.iter_mut().map(|(_, column)| column.finish()).collect()
    }
}

fn fits(key: &str, ty: &LogicalType) -> bool {
    match key {
        "topic" | "timestamp-type" => ty.is_character(),
        "partition" | "leader-epoch" => matches!(ty, LogicalType::Int | LogicalType::BigInt),
        "offset" => matches!(ty, LogicalType::BigInt),
        "timestamp" => ty.is_timestamp(),
        "headers" => {
            matches!(ty, LogicalType::Map(key, value) if key.logical.is_character() && value.logical.is_binary())
        }
        _ => false,
    }
}

fn push(key: &str, column: &mut Column, message: &Message<'_>, partition: &Partition) {
    match key {
        "topic" => column.push_bytes(partition.topic.as_bytes()),
        "partition" => column.push_i64(partition.number.into()),
        "offset" => column.push_i64(message.offset),
        "timestamp-type" => column.push_bytes(message.details.timestamp().1.as_bytes()),
        "timestamp" => {
            let units = match column.logical() {
                LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision) => {
                    units_per_second(*precision)
                }
                _ => 1000,
            };
            column.push_i64(message.details.timestamp().0.saturating_mul(units / 1000));
        }
        "headers" => push_headers(column, message),
        _ => match message.details.leader_epoch() {
            Some(epoch) => column.push_i64(epoch.into()),
            None => column.push_null(),
        },
    }
}

fn push_headers(column: &mut Column, message: &Message<'_>) {
    let Data::Map { offsets, keys, values } = column.data() else { return column.push_null() };
    message.details.each_header(&mut |name, value| {
        keys.push_bytes(String::from_utf8_lossy(name).as_bytes());
        match value {
            Some(value) => values.push_bytes(value),
            None => values.push_null(),
        }
    });
    offsets.push(offset_of(keys.len()));
    column.accept();
}
