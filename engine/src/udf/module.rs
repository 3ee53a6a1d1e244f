//! What a module says of itself. Reads and checks it whole, and never runs any of it.

use std::collections::BTreeMap;

use millrace_wire::function::{FunctionEntry, FunctionKind};
use wasmparser::types::{EntityType, TypesRef};
use wasmparser::{Export, Import, Parser, Payload, ValType, Validator, WasmFeatures};

use super::aggregate_parts::AggregateParts;
use super::host::wasi;
use super::limits;
use super::signature::{Signature, Structs};
use super::symbol;

/// The major version of the interface that is spoken.
const VERSION: u32 = 3;

/// A checked module and its functions.
#[derive(Debug)]
pub(crate) struct Library {
    /// By what the module exports: `gcd(int32,int32)->int32`.
    functions: BTreeMap<String, Function>,
    /// Those whose types have no counterpart here, and why.
    left_out: BTreeMap<String, String>,
}

/// One exported function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// The name of the export.
    pub(crate) symbol: String,
    pub(crate) signature: Signature,
}

/// What an entry stands for.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Scalar(Function),
    Table(Function),
    Aggregate(Box<AggregateParts>),
}

impl Library {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Err("The file is empty.".to_owned());
        }
        if !bytes.starts_with(b"\0asm") {
            return Err("The file is no WebAssembly module.".to_owned());
        }
        if bytes.len() > limits::MODULE_BYTES {
            let most = limits::MODULE_BYTES >> 20;
            return Err(format!("The module is larger than {most} MB. Build it with --release."));
        }
        let features = WasmFeatures::WASM2.union(WasmFeatures::EXTENDED_CONST);
        let checked = Validator::new_with_features(features).validate_all(bytes);
        let types = checked.map_err(|error| format!("The module is not valid WebAssembly: {error}."))?;
        let mut reading = Reading::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| format!("The module cannot be read: {error}."))?;
            reading.payload(&payload, types.as_ref())?;
        }
        reading.finish()
    }

    /// Everything that can be called.
    pub(crate) fn entries(&self) -> Vec<FunctionEntry> {
        let mut entries = Vec::new();
        for (text, function) in &self.functions {
            let signature = &function.signature;
            let (name, kind, arguments, result) = match AggregateParts::of(&self.functions, signature) {
                Ok(Some(parts)) => (parts.name, FunctionKind::Aggregate, parts.arguments, parts.result),
                _ if AggregateParts::is_part(&self.functions, signature) => continue,
                _ => {
                    let kind = if signature.table { FunctionKind::Table } else { FunctionKind::Scalar };
                    (signature.name.clone(), kind, signature.arguments.clone(), signature.result.clone())
                }
            };
            entries.push(FunctionEntry {
                name,
                kind,
                arguments: arguments.iter().map(|ty| ty.logical().to_string()).collect(),
                result: result.logical().to_string(),
                entry: text.clone(),
            });
        }
        entries
    }

    /// What a user calls by its whole signature, or by its name where only one function has it.
    pub(crate) fn find(&self, entry: &str) -> Result<Found, String> {
        let function = match self.functions.get(entry) {
            Some(function) => function,
            None => self.by_name(entry)?,
        };
        let signature = &function.signature;
        if let Some(parts) = AggregateParts::of(&self.functions, signature)? {
            return Ok(Found::Aggregate(Box::new(parts)));
        }
        Ok(if signature.table { Found::Table(function.clone()) } else { Found::Scalar(function.clone()) })
    }

    fn by_name(&self, name: &str) -> Result<&Function, String> {
        let plain: String = name.chars().filter(|c| !c.is_whitespace()).collect();
        let aggregate = format!("{name}_accumulate");
        let fits = |function: &Function| function.signature.name == name || function.signature.name == aggregate;
        let same = |text: &str| text.chars().filter(|c| !c.is_whitespace()).eq(plain.chars());
        let found: Vec<_> = self.functions.iter().filter(|(text, function)| fits(function) || same(text)).collect();
        match found.as_slice() {
            [(_, function)] => Ok(function),
            [] => Err(self.none(name)),
            several => {
                let texts: Vec<&str> = several.iter().map(|(text, _)| text.as_str()).collect();
                Err(format!("The module has several functions '{name}': write one of {}.", texts.join(", ")))
            }
        }
    }

    fn none(&self, name: &str) -> String {
        let bare = name.split('(').next().unwrap_or(name);
        let refused = self.left_out.iter().find(|(text, _)| text.split('(').next() == Some(bare));
        if let Some((text, why)) = refused {
            return format!("The function {text} of the module cannot be called: {why}.");
        }
        let there: Vec<String> = self.entries().into_iter().map(|entry| entry.entry).take(20).collect();
        format!("The module has no function '{name}'. It has {}.", there.join(", "))
    }
}

/// What has been found so far.
#[derive(Default)]
struct Reading {
    version: Option<u32>,
    symbols: Vec<(String, String)>,
    structs: Structs,
    exports: Vec<String>,
}

impl Reading {
    fn payload(&mut self, payload: &Payload<'_>, types: TypesRef<'_>) -> Result<(), String> {
        let unread = |error| format!("The module cannot be read: {error}.");
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    check_import(&import.map_err(unread)?)?;
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports.clone() {
                    self.export(&export.map_err(unread)?, types)?;
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories.clone() {
                    let pages = memory.map_err(unread)?.initial;
                    if pages > (limits::MEMORY_BYTES >> 16) as u64 {
                        let (wants, most) = (pages >> 4, limits::MEMORY_BYTES >> 20);
                        return Err(format!(
                            "The module takes {wants} MB of memory from the start; {most} MB are allowed."
                        ));
                    }
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.clone() {
                    if table.map_err(unread)?.ty.initial > limits::TABLE_ENTRIES as u64 {
                        return Err(format!("The module has a table of more than {} entries.", limits::TABLE_ENTRIES));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn export(&mut self, export: &Export<'_>, types: TypesRef<'_>) -> Result<(), String> {
        let name = export.name;
        if let Some(version) = name.strip_prefix("ARROWUDF_VERSION_") {
            self.version = version.split('_').next().and_then(|major| major.parse().ok());
        } else if let Some(encoded) = name.strip_prefix("arrowudt_") {
            let text = symbol::decode(encoded)?;
            let (name, fields) = text.split_once('=').ok_or("The module has a struct without fields.")?;
            self.structs.insert(name.to_owned(), fields.to_owned());
        } else if let Some(encoded) = name.strip_prefix("arrowudf_") {
            let text = symbol::decode(encoded)?;
            expect(export, types, &[ValType::I32; 3], &[ValType::I32])?;
            self.symbols.push((text, name.to_owned()));
            if self.symbols.len() > limits::FUNCTIONS {
                return Err(format!("The module has more than {} functions.", limits::FUNCTIONS));
            }
        } else {
            match name {
                "alloc" => expect(export, types, &[ValType::I32; 2], &[ValType::I32])?,
                "dealloc" => expect(export, types, &[ValType::I32; 3], &[])?,
                "record_batch_iterator_next" => expect(export, types, &[ValType::I32; 2], &[])?,
                "record_batch_iterator_drop" => expect(export, types, &[ValType::I32], &[])?,
                "_initialize" => expect(export, types, &[], &[])?,
                "memory" if matches!(types.entity_type_from_export(export), Some(EntityType::Memory(_))) => {}
                _ => return Ok(()),
            }
            self.exports.push(name.to_owned());
        }
        Ok(())
    }

    fn finish(self) -> Result<Library, String> {
        const BUILD: &str = "Build it as a cdylib with the crate arrow-udf 0.10.";
        match self.version {
            Some(VERSION) => {}
            Some(other) => {
                return Err(format!(
                    "The module speaks version {other} of the arrow-udf interface, not {VERSION}. {BUILD}"
                ));
            }
            None => return Err(format!("The module does not speak the arrow-udf interface. {BUILD}")),
        }
        let needed = ["memory", "alloc", "dealloc"].as_slice();
        let rows = ["record_batch_iterator_next", "record_batch_iterator_drop"].as_slice();
        let gives_rows = self.symbols.iter().any(|(text, _)| text.contains("->>"));
        for name in needed.iter().chain(rows.iter().filter(|_| gives_rows)) {
            if !self.exports.iter().any(|export| export == name) {
                return Err(format!(
                    "The module does not export '{name}', which the arrow-udf interface wants. {BUILD}"
                ));
            }
        }
        let (mut functions, mut left_out) = (BTreeMap::new(), BTreeMap::new());
        for (text, symbol) in self.symbols {
            match Signature::parse(&text, &self.structs) {
                Ok(signature) => drop(functions.insert(text, Function { symbol, signature })),
                Err(why) => drop(left_out.insert(text, why)),
            }
        }
        if functions.is_empty() {
            let why = left_out.into_iter().next().map(|(text, why)| format!(" {text} cannot be called: {why}."));
            return Err(format!("The module has no function that could be called.{}", why.unwrap_or_default()));
        }
        Ok(Library { functions, left_out })
    }
}

fn check_import(import: &Import<'_>) -> Result<(), String> {
    if import.module == wasi::MODULE && wasi::NAMES.contains(&import.name) {
        return Ok(());
    }
    Err(format!(
        "The module imports '{}' of '{}', which is not given to functions. Nothing of the outside is.",
        import.name, import.module
    ))
}

/// An export has to be a function with these types, or the interface is not what it says.
fn expect(export: &Export<'_>, types: TypesRef<'_>, params: &[ValType], results: &[ValType]) -> Result<(), String> {
    if let Some(EntityType::Func(id)) = types.entity_type_from_export(export)
        && let Some(function) = types.get(id)
        && let wasmparser::CompositeInnerType::Func(function) = &function.composite_type.inner
        && function.params() == params
        && function.results() == results
    {
        return Ok(());
    }
    Err(format!("The module's export '{}' has other types than the arrow-udf interface says.", export.name))
}
