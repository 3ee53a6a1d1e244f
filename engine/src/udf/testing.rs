//! Modules made by hand, for tests: what they do is written in WebAssembly text.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::file;
use super::function::ScalarFunction;
use super::load::{ModuleFunction, load};
use super::symbol;

/// Gives its question back: the answer of a function that gives its only argument.
pub(crate) const ECHO: &str = "(i32.store (local.get $out) (local.get $in))
    (i32.store offset=4 (local.get $out) (local.get $len))
    (i32.const 0)";

const ALLOC: &str = r#"(func $alloc (export "alloc") (param $n i32) (param i32) (result i32) (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $p) (local.get $n)))
    (block $enough (loop $more
      (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (return (i32.const 0))))
      (br $more)))
    (local.get $p))
  (func (export "dealloc") (param $p i32) (param $n i32) (param $align i32)
    (if (i32.eq (local.get $align) (i32.const 8)) (then (global.set $top (local.get $p)))))"#;

/// A module in the making.
pub(crate) struct Guest {
    imports: String,
    alloc: String,
    next: String,
    more: String,
    functions: String,
    version: &'static str,
}

impl Guest {
    pub(crate) fn new() -> Self {
        Guest {
            imports: String::new(),
            alloc: ALLOC.to_owned(),
            next: "(i32.store (local.get 1) (i32.const 0))".to_owned(),
            more: String::new(),
            functions: String::new(),
            version: "3_0",
        }
    }

    /// A function with what it does: `$in`, `$len` and `$out` are its parameters.
    pub(crate) fn function(mut self, signature: &str, body: &str) -> Self {
        let symbol = symbol::encode(signature);
        self.functions += &format!(
            "(func (export \"arrowudf_{symbol}\") (param $in i32) (param $len i32) (param $out i32) (result i32) {body})\n"
        );
        self
    }

    pub(crate) fn import(mut self, import: &str) -> Self {
        self.imports += import;
        self
    }

    pub(crate) fn more(mut self, more: &str) -> Self {
        self.more += more;
        self
    }

    pub(crate) fn alloc(mut self, body: &str) -> Self {
        self.alloc = format!(
            "(func (export \"alloc\") (param $n i32) (param i32) (result i32) {body})
             (func (export \"dealloc\") (param i32 i32 i32))"
        );
        self
    }

    pub(crate) fn next(mut self, body: &str) -> Self {
        body.clone_into(&mut self.next);
        self
    }

    pub(crate) fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Guest { imports, alloc, next, more, functions, version } = self;
        let text = format!(
            r#"(module {imports}
  (memory (export "memory") 2)
  (global (export "ARROWUDF_VERSION_{version}") i32 (i32.const 0))
  (global $top (mut i32) (i32.const 65536))
  {alloc}
  (func (export "record_batch_iterator_next") (param i32) (param i32) {next})
  (func (export "record_batch_iterator_drop") (param i32))
  {more} {functions})"#
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Loads a function of it by its entry.
    pub(crate) fn load(&self, name: &str, entry: &str) -> ModuleFunction {
        let (path, hash) = kept(&self.bytes());
        load(name, None, &path, &hash, entry).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn scalar(&self, name: &str, entry: &str) -> Arc<ScalarFunction> {
        match self.load(name, entry) {
            ModuleFunction::Scalar(function) => function,
            other => panic!("{other:?}"),
        }
    }
}

/// Puts a module where functions find it: its path and hash.
pub(crate) fn kept(bytes: &[u8]) -> (String, String) {
    let hash = file::hash(bytes);
    let path = std::env::temp_dir().join(format!("millrace-{}-{hash}.wasm", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    (path.to_str().unwrap().to_owned(), hash)
}
