//! The clock that ends calls: one thread per process, there only while something is called.

use std::sync::OnceLock;

use parking_lot::Mutex;
use wasmtime::Engine;

use super::machine;
use crate::connector::waiting::rest;
use crate::udf::limits::{CALL_TIME, TICK};

/// Ticks without a call after which the thread ends; calls follow each other closely.
const IDLE: u32 = 100;

/// Ticks that a call has. One more, since the first may come at once.
pub(super) const DEADLINE: u64 = (CALL_TIME.as_millis() / TICK.as_millis()) as u64 + 1;

#[derive(Default)]
struct Ticker {
    calls: u64,
    running: bool,
}

fn ticker() -> &'static Mutex<Ticker> {
    static TICKER: OnceLock<Mutex<Ticker>> = OnceLock::new();
    TICKER.get_or_init(Mutex::default)
}

/// While it is there, time passes for guests.
pub(super) struct Ticking(());

impl Ticking {
    pub(super) fn start() -> Result<Self, String> {
        let engine = machine::engine()?;
        let mut ticker = ticker().lock();
        if !ticker.running {
            let spawned = std::thread::Builder::new().name("function-clock".to_owned()).spawn(move || tick(engine));
            spawned.map_err(|error| format!("no thread for the clock: {error}"))?;
            ticker.running = true;
        }
        ticker.calls += 1;
        Ok(Ticking(()))
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        ticker().lock().calls -= 1;
    }
}

fn tick(engine: &Engine) {
    let mut idle = 0;
    loop {
        rest(TICK);
        engine.increment_epoch();
        let mut ticker = ticker().lock();
        idle = if ticker.calls == 0 { idle + 1 } else { 0 };
        if idle > IDLE {
            ticker.running = false;
            return;
        }
    }
}
