//! One instance of a module, and the protocol of a call.
//!
//! The guest gets a piece of its own memory with the question, and says where its answer is. Nothing is read or written
//! that has not been held against the memory as it is at that moment.

use std::collections::BTreeMap;

use wasmtime::{Instance as Guest, Memory, Store, Trap, TypedFunc};

use super::compiled::Compiled;
use super::fault::{Fault, Outcome, lie};
use super::state::HostState;
use super::ticker::{self, Ticking};
use super::wasi;
use crate::udf::limits;

/// A pointer and a length, which the guest writes in front of the question.
const SLICE: u32 = 8;

/// For the question and the slice.
const ALIGN: u32 = 8;

pub(super) struct Instance {
    store: Store<HostState>,
    guest: Guest,
    memory: Memory,
    alloc: TypedFunc<(u32, u32), u32>,
    dealloc: TypedFunc<(u32, u32, u32), ()>,
    functions: BTreeMap<String, TypedFunc<(u32, u32, u32), i32>>,
}

/// The rows that a table function has begun to give.
pub(super) struct Rows {
    iterator: u32,
    slice: Piece,
    next: TypedFunc<(u32, u32), ()>,
    end: TypedFunc<u32, ()>,
}

/// Memory of the guest that the host has asked for.
#[derive(Clone, Copy)]
struct Piece {
    at: u32,
    length: u32,
}

impl Instance {
    /// Runs what the module does at its start, which has the same deadline as a call.
    pub(super) fn new(compiled: &Compiled) -> Outcome<Self> {
        let _ticking = Ticking::start().map_err(Fault::Host)?;
        let engine = compiled.module.engine();
        let mut store = Store::new(engine, HostState::default());
        store.limiter(|state| state);
        store.epoch_deadline_trap();
        store.set_epoch_deadline(ticker::DEADLINE);
        let imports = wasi::imports(&mut store, &compiled.module).map_err(Fault::Lie)?;
        let made = Guest::new(&mut store, &compiled.module, &imports);
        let guest = made.map_err(|error| trapped(&mut store, &error))?;
        let missing = |what: &str| Fault::Lie(format!("has no '{what}' as the interface wants it"));
        let memory = guest.get_memory(&mut store, "memory").ok_or_else(|| missing("memory"))?;
        let alloc = guest.get_typed_func(&mut store, "alloc").map_err(|_| missing("alloc"))?;
        let dealloc = guest.get_typed_func(&mut store, "dealloc").map_err(|_| missing("dealloc"))?;
        if let Ok(initialize) = guest.get_typed_func::<(), ()>(&mut store, "_initialize") {
            initialize.call(&mut store, ()).map_err(|error| trapped(&mut store, &error))?;
        }
        Ok(Instance { store, guest, memory, alloc, dealloc, functions: BTreeMap::new() })
    }

    /// Gives the time of one call from now on.
    pub(super) fn begin(&mut self) -> Outcome<Ticking> {
        let ticking = Ticking::start().map_err(Fault::Host)?;
        self.store.set_epoch_deadline(ticker::DEADLINE);
        self.store.data_mut().hungry = false;
        Ok(ticking)
    }

    /// Asks a scalar function; its answer as it is in the guest's memory, copied.
    pub(super) fn ask(&mut self, symbol: &str, question: &[u8]) -> Outcome<Vec<u8>> {
        let (piece, answer) = self.put(symbol, question)?;
        let bytes = self.read(answer)?.to_vec();
        self.free(piece, ALIGN)?;
        self.free(answer, 1)?;
        Ok(bytes)
    }

    /// Asks a table function, whose answer comes in parts.
    pub(super) fn ask_rows(&mut self, symbol: &str, question: &[u8]) -> Outcome<Rows> {
        let (slice, iterator) = self.put(symbol, question)?;
        let missing = |_| Fault::Lie("has no iterator as the interface wants it".to_owned());
        let next = self.guest.get_typed_func(&mut self.store, "record_batch_iterator_next").map_err(missing)?;
        let end = self.guest.get_typed_func(&mut self.store, "record_batch_iterator_drop").map_err(missing)?;
        Ok(Rows { iterator: iterator.at, slice, next, end })
    }

    /// The next part; `None` behind the last.
    pub(super) fn next(&mut self, rows: &Rows) -> Outcome<Option<Vec<u8>>> {
        self.write(rows.slice.at, &[0; SLICE as usize])?;
        let called = rows.next.call(&mut self.store, (rows.iterator, rows.slice.at));
        called.map_err(|error| trapped(&mut self.store, &error))?;
        let answer = self.slice(rows.slice.at)?;
        if answer.at == 0 {
            return Ok(None);
        }
        let bytes = self.read(answer)?.to_vec();
        self.free(answer, 1)?;
        Ok(Some(bytes))
    }

    pub(super) fn end(&mut self, rows: &Rows) -> Outcome<()> {
        let called = rows.end.call(&mut self.store, rows.iterator);
        called.map_err(|error| trapped(&mut self.store, &error))?;
        self.free(rows.slice, ALIGN)
    }

    /// What the guest has written since it was last asked, for the job's log.
    pub(super) fn written(&mut self) -> String {
        let written = std::mem::take(&mut self.store.data_mut().written);
        String::from_utf8_lossy(&written).into_owned()
    }

    /// Puts the question into the guest's memory and calls: that piece of memory, and the slice that the guest gives.
    fn put(&mut self, symbol: &str, question: &[u8]) -> Outcome<(Piece, Piece)> {
        let function = self.function(symbol)?;
        let length = u32::try_from(question.len()).ok().and_then(|length| length.checked_add(SLICE));
        let length = length.ok_or(Fault::Memory)?;
        let asked = self.alloc.call(&mut self.store, (length, ALIGN));
        let at = asked.map_err(|error| trapped(&mut self.store, &error))?;
        if at == 0 {
            let hungry = self.store.data().hungry;
            return if hungry { Err(Fault::Memory) } else { lie("gave no memory for its arguments") };
        }
        let piece = Piece { at, length };
        self.part(piece)?;
        self.write(at, &[0; SLICE as usize])?;
        self.write(at + SLICE, question)?;
        let called = function.call(&mut self.store, (at + SLICE, length - SLICE, at));
        let failed = called.map_err(|error| trapped(&mut self.store, &error))?;
        let slice = self.slice(at)?;
        if failed == 0 {
            return Ok((piece, slice));
        }
        let said = self.read(slice)?;
        let said = said.get(..said.len().min(limits::MESSAGE_BYTES)).unwrap_or_default();
        Err(Fault::Said(String::from_utf8_lossy(said).into_owned()))
    }

    fn function(&mut self, symbol: &str) -> Outcome<TypedFunc<(u32, u32, u32), i32>> {
        if let Some(function) = self.functions.get(symbol) {
            return Ok(function.clone());
        }
        let found = self.guest.get_typed_func::<(u32, u32, u32), i32>(&mut self.store, symbol);
        let function = found.map_err(|_| Fault::Lie("does not export what it is called by".to_owned()))?;
        self.functions.insert(symbol.to_owned(), function.clone());
        Ok(function)
    }

    /// The slice that the guest has written.
    fn slice(&self, at: u32) -> Outcome<Piece> {
        let bytes = self.read(Piece { at, length: SLICE })?;
        let word = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_le_bytes);
        Ok(Piece { at: word(0), length: word(4) })
    }

    /// What the guest answers.
    fn read(&self, piece: Piece) -> Outcome<&[u8]> {
        if piece.length as usize > limits::ANSWER_BYTES {
            return lie(format!("gave an answer of more than {} MB for one batch", limits::ANSWER_BYTES >> 20));
        }
        self.part(piece)
    }

    /// A part of the memory, when it is one.
    fn part(&self, piece: Piece) -> Outcome<&[u8]> {
        let memory = self.memory.data(&self.store);
        let part = memory.get(piece.at as usize..).and_then(|rest| rest.get(..piece.length as usize));
        part.ok_or_else(|| Fault::Lie("points outside of its memory".to_owned()))
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Outcome<()> {
        let memory = self.memory.data_mut(&mut self.store);
        match memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => {
                place.copy_from_slice(bytes);
                Ok(())
            }
            None => lie("points outside of its memory"),
        }
    }

    fn free(&mut self, piece: Piece, align: u32) -> Outcome<()> {
        if piece.length == 0 {
            return Ok(());
        }
        let called = self.dealloc.call(&mut self.store, (piece.at, piece.length, align));
        called.map_err(|error| trapped(&mut self.store, &error))
    }
}

/// What a call that did not return ended with.
fn trapped(store: &mut Store<HostState>, error: &wasmtime::Error) -> Fault {
    if let Some(code) = store.data().exit {
        return Fault::Exit(code);
    }
    let Some(trap) = error.downcast_ref::<Trap>() else { return Fault::Host(format!("{error:?}")) };
    match trap {
        Trap::Interrupt => Fault::Time,
        Trap::StackOverflow => Fault::Stack,
        // An allocation that failed ends in a panic.
        Trap::UnreachableCodeReached if store.data().hungry => Fault::Memory,
        trap => {
            let what = trap.to_string();
            let what = what.strip_prefix("wasm trap: ").unwrap_or(&what).replace("wasm `unreachable`", "`unreachable`");
            let said = String::from_utf8_lossy(&store.data().written);
            Fault::Trap { what, said: said.trim().chars().take(300).collect() }
        }
    }
}
