//! Functions that make maps. A key that comes twice has its last value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, MapBuilder, StringBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, exec_err, internal_err};
use datafusion_expr::ColumnarValue;
use foldhash::HashMap;

use super::array::element_of;
use super::entry;
use super::gather::{Elements, Lists, gathered, has_keys, offsets, range};
use crate::function::pattern::Patterns;
use crate::function::registry::Entry;
use crate::function::signature::{Param, common_type};
use crate::function::{Argument, Call, Kernel, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["MAP_FROM_ARRAYS"],
        "MAP_FROM_ARRAYS(keys, values)",
        "A map of two arrays of the same length; other lengths fail the job.",
        from_arrays_call,
    ),
    entry(
        &["MAP_FROM_ENTRIES"],
        "MAP_FROM_ENTRIES(array)",
        "A map of an array of rows with two fields, key and value.",
        from_entries_call,
    ),
    entry(
        &["MAP_UNION"],
        "MAP_UNION(map, …)",
        "The entries of all maps; of a key that several have, the value of the last.",
        union_call,
    ),
    entry(
        &["STR_TO_MAP"],
        "STR_TO_MAP(text[, between pairs, between key and value])",
        "A map of a text such as 'a=1,b=2'; both separators are regular expressions.",
        str_to_map_call,
    ),
];

fn map_type(key: &Type, value: &Type, nullable: bool) -> Type {
    Type::new(LogicalType::Map(Box::new(key.clone()), Box::new(value.clone())), nullable)
}

/// `MAP[key, value, …]`
pub(in crate::function) fn constructor(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let common = |parity: usize| {
        let mut types = args.iter().skip(parity).step_by(2).map(|arg| arg.ty.clone());
        let first = types.next()?;
        types.try_fold(first, |common, ty| common_type(&common, &ty))
    };
    let (key, value) = (common(0)?, common(1)?);
    if !args.len().is_multiple_of(2) || !has_keys(&key.logical) || value.logical == LogicalType::Null {
        return None;
    }
    let place = |(at, arg): (usize, &Argument)| {
        let wanted = if at % 2 == 0 { &key } else { &value };
        wanted.clone().with_nullable(arg.ty.nullable)
    };
    let types = args.iter().enumerate().map(place).collect();
    Some(ScalarCall::new(name, types, map_type(&key, &value, false), Kernel::Native(make)))
}

fn from_arrays_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [keys, values] = args else { return None };
    let (key, value) = (element_of(keys)?, element_of(values)?);
    has_keys(&key.logical).then_some(())?;
    let result = map_type(key, value, keys.ty.nullable || values.ty.nullable);
    Some(ScalarCall::new(name, vec![keys.ty.clone(), values.ty.clone()], result, Kernel::Native(from_arrays)))
}

fn from_entries_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [array] = args else { return None };
    let element = element_of(array)?;
    let LogicalType::Row(fields) = &element.logical else { return None };
    let [key, value] = fields.as_slice() else { return None };
    has_keys(&key.ty.logical).then_some(())?;
    let result = map_type(&key.ty, &value.ty, array.ty.nullable || element.nullable);
    Some(ScalarCall::new(name, vec![array.ty.clone()], result, Kernel::Native(from_entries)))
}

fn union_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let (first, rest) = args.split_first()?;
    let common = rest.iter().try_fold(first.ty.clone(), |common, arg| common_type(&common, &arg.ty))?;
    let LogicalType::Map(key, _) = &common.logical else { return None };
    has_keys(&key.logical).then_some(())?;
    let types = args.iter().map(|arg| common.clone().with_nullable(arg.ty.nullable)).collect();
    Some(ScalarCall::new(name, types, common, Kernel::Native(union)))
}

fn str_to_map_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let types = args.iter().map(|arg| Param::Text.accept(&arg.ty)).collect::<Option<Vec<Type>>>()?;
    matches!(types.len(), 1 | 3).then_some(())?;
    let text = |nullable| Type::new(LogicalType::String, nullable);
    let result = map_type(&text(false), &text(true), true);
    Some(ScalarCall::new(name, types, result, Kernel::Native(str_to_map)))
}

/// Maps under construction, of keys and values that other arrays have: source and index of each.
struct MapGather {
    keys: Vec<(usize, usize)>,
    values: Vec<(usize, usize)>,
    ends: Vec<usize>,
    valid: Vec<bool>,
}

impl MapGather {
    fn new(rows: usize) -> Self {
        MapGather {
            keys: Vec::new(),
            values: Vec::new(),
            ends: Vec::with_capacity(rows),
            valid: Vec::with_capacity(rows),
        }
    }

    fn close(&mut self) {
        self.ends.push(self.keys.len());
        self.valid.push(true);
    }

    fn null(&mut self) {
        let end = self.ends.last().copied().unwrap_or(0);
        self.keys.truncate(end);
        self.values.truncate(end);
        self.ends.push(end);
        self.valid.push(false);
    }

    /// Entries of one map, from key and value of each; a key that was there keeps its place and takes the value.
    fn entries<'e>(
        &mut self,
        elements: &'e Elements,
        entries: impl Iterator<Item = ((usize, usize), (usize, usize))>,
        seen: &mut HashMap<&'e [u8], usize>,
    ) {
        seen.clear();
        for (key, value) in entries {
            let place = *seen.entry(elements.key(key.0, key.1)).or_insert(self.keys.len());
            match self.values.get_mut(place) {
                Some(known) => *known = value,
                None => {
                    self.keys.push(key);
                    self.values.push(value);
                }
            }
        }
    }

    fn finish(
        self,
        keys: &[&ArrayRef],
        values: &[&ArrayRef],
        ty: &LogicalType,
    ) -> Result<ColumnarValue, DataFusionError> {
        let DataType::Map(field, sorted) = ty.to_arrow() else { return internal_err!("{ty} is no MAP") };
        let DataType::Struct(fields) = field.data_type().clone() else { return internal_err!("{ty} has no entries") };
        let [key_field, value_field] = fields.as_ref() else { return internal_err!("{ty} has no entries") };
        let all_keys = gathered(keys, &self.keys, key_field.data_type())?;
        if all_keys.null_count() > 0 {
            return exec_err!("A key of a MAP is NULL.");
        }
        let all_values = gathered(values, &self.values, value_field.data_type())?;
        let entries = StructArray::try_new(fields, vec![all_keys, all_values], None)?;
        let nulls = NullBuffer::from(self.valid);
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(ColumnarValue::Array(Arc::new(MapArray::try_new(field, offsets(&self.ends)?, entries, nulls, sorted)?)))
    }
}

fn make(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let arrays = call.args.iter().map(|arg| arg.clone().into_array(call.rows)).collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<&ArrayRef> = arrays.iter().step_by(2).collect();
    let values: Vec<&ArrayRef> = arrays.iter().skip(1).step_by(2).collect();
    let elements = Elements::of(&keys)?;
    let (mut gather, mut seen) = (MapGather::new(call.rows), HashMap::default());
    for row in 0..call.rows {
        gather.entries(&elements, (0..keys.len()).map(|pair| ((pair, row), (pair, row))), &mut seen);
        gather.close();
    }
    gather.finish(&keys, &values, &call.return_type.logical)
}

fn from_arrays(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (keys, values) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let elements = Elements::of(&[keys.values()])?;
    let (mut gather, mut seen) = (MapGather::new(call.rows), HashMap::default());
    for row in 0..call.rows {
        let (Some(of_keys), Some(of_values)) = (keys.range(row), values.range(row)) else {
            gather.null();
            continue;
        };
        if of_keys.len() != of_values.len() {
            let (keys, values) = (of_keys.len(), of_values.len());
            return exec_err!(
                "MAP_FROM_ARRAYS takes arrays of one length, and these have {keys} and {values} elements."
            );
        }
        gather.entries(&elements, of_keys.zip(of_values).map(|(key, value)| ((0, key), (0, value))), &mut seen);
        gather.close();
    }
    gather.finish(&[keys.values()], &[values.values()], &call.return_type.logical)
}

fn from_entries(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    let Some(rows) = lists.values().as_struct_opt() else { return internal_err!("the elements are no rows") };
    let [keys, values] = rows.columns() else { return internal_err!("the rows have not two fields") };
    let elements = Elements::of(&[keys])?;
    let (mut gather, mut seen) = (MapGather::new(call.rows), HashMap::default());
    for row in 0..call.rows {
        match lists.range(row).filter(|range| range.clone().all(|index| rows.is_valid(index))) {
            Some(range) => {
                gather.entries(&elements, range.map(|index| ((0, index), (0, index))), &mut seen);
                gather.close();
            }
            None => gather.null(),
        }
    }
    gather.finish(&[keys], &[values], &call.return_type.logical)
}

fn union(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let arrays = call.args.iter().map(|arg| arg.clone().into_array(call.rows)).collect::<Result<Vec<_>, _>>()?;
    let Some(maps) = arrays.iter().map(|array| array.as_map_opt()).collect::<Option<Vec<&MapArray>>>() else {
        return internal_err!("a kernel expected maps");
    };
    let keys: Vec<&ArrayRef> = maps.iter().map(|map| map.keys()).collect();
    let values: Vec<&ArrayRef> = maps.iter().map(|map| map.values()).collect();
    let elements = Elements::of(&keys)?;
    let (mut gather, mut seen) = (MapGather::new(call.rows), HashMap::default());
    for row in 0..call.rows {
        if maps.iter().any(|map| map.is_null(row)) {
            gather.null();
            continue;
        }
        let of_row = |(source, map): (usize, &&MapArray)| {
            range(map.value_offsets(), row).unwrap_or_default().map(move |index| ((source, index), (source, index)))
        };
        gather.entries(&elements, maps.iter().enumerate().flat_map(of_row), &mut seen);
        gather.close();
    }
    gather.finish(&keys, &values, &call.return_type.logical)
}

fn str_to_map(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let separators = if call.args.len() > 1 { Some((call.texts(1)?, call.texts(2)?)) } else { None };
    let mut patterns = Patterns::default();
    let mut maps = super::text_map_builder(&call.return_type.logical)?;
    for row in 0..call.rows {
        let separators = match &separators {
            Some((pairs, values)) => pairs.get(row).zip(values.get(row)),
            None => Some((",", "=")),
        };
        let pairs = input.get(row).zip(separators).and_then(|(text, (between_pairs, in_pair))| {
            let pairs = patterns.split(between_pairs, text)?;
            pairs.into_iter().map(|pair| patterns.split_once(in_pair, pair)).collect::<Option<Vec<_>>>()
        });
        append_pairs(&mut maps, pairs)?;
    }
    Ok(ColumnarValue::Array(Arc::new(maps.finish())))
}

type TextMapBuilder = MapBuilder<StringBuilder, StringBuilder>;

/// One map, or NULL.
pub(in crate::function) fn append_pairs(
    maps: &mut TextMapBuilder,
    pairs: Option<Vec<(&str, Option<&str>)>>,
) -> Result<(), DataFusionError> {
    let Some(pairs) = pairs else { return Ok(maps.append(false)?) };
    let mut last: Vec<(&str, Option<&str>)> = Vec::with_capacity(pairs.len());
    let mut places: HashMap<&str, usize> = HashMap::default();
    for (key, value) in pairs {
        let place = *places.entry(key).or_insert(last.len());
        match last.get_mut(place) {
            Some(known) => known.1 = value,
            None => last.push((key, value)),
        }
    }
    for (key, value) in last {
        maps.keys().append_value(key);
        maps.values().append_option(value);
    }
    Ok(maps.append(true)?)
}
