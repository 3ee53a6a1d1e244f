//! Functions of arrays and maps. Constructors and access to elements are in [`super::nested`].

mod array;
mod combine;
mod gather;
mod map;
mod map_make;
mod order;
#[cfg(test)]
mod tests;

pub(crate) use gather::Lists;
pub(super) use map_make::{append_pairs, constructor as map_constructor};

use arrow::array::{MapBuilder, MapFieldNames, StringBuilder};
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, internal_err};

use super::registry::{Entry, Resolver};
use super::{Argument, ScalarCall};
use crate::types::LogicalType;

/// The entries of all files of this folder.
pub(super) const GROUPS: [&[Entry]; 5] =
    [array::ENTRIES, combine::ENTRIES, order::ENTRIES, map::ENTRIES, map_make::ENTRIES];

/// A function of collections, whose types follow from its arguments.
const fn entry(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    resolve: fn(&str, &[Argument]) -> Option<ScalarCall>,
) -> Entry {
    Entry { names, category: "collection", signature, summary, resolver: Resolver::Custom(resolve) }
}

/// Builds `MAP<STRING, STRING>` under the field names that our types have.
pub(super) fn text_map_builder(ty: &LogicalType) -> Result<MapBuilder<StringBuilder, StringBuilder>, DataFusionError> {
    let DataType::Map(entries, _) = ty.to_arrow() else { return internal_err!("{ty} is no MAP") };
    let names = MapFieldNames { entry: entries.name().clone(), key: "key".to_owned(), value: "value".to_owned() };
    Ok(MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new()))
}
