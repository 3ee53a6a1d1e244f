//! The compiler of this process, with what guests may use of the language.

use std::sync::OnceLock;

use wasmtime::{Config, Engine};

use crate::udf::limits;

pub(super) fn engine() -> Result<&'static Engine, String> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    ENGINE.get_or_init(make).as_ref().map_err(Clone::clone)
}

fn make() -> Result<Engine, String> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.max_wasm_stack(limits::STACK_BYTES);
    // What `Library` lets through and no more.
    config.wasm_memory64(false);
    config.wasm_multi_memory(false);
    config.wasm_tail_call(false);
    config.wasm_relaxed_simd(false);
    Engine::new(&config).map_err(|error| error.to_string())
}
