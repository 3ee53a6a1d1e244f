//! The calls to the system that modules import without meaning to: their names, and answers that grant nothing.
//!
//! There are no files, no arguments, no variables and no time: the clock stands still. Random numbers come from a seed
//! that is the same for every instance, so that a job that starts again gives the same. What is written to the standard
//! output or error goes to the job's log, up to a limit.

use wasmtime::{Caller, Error, Extern, ExternType, Func, FuncType, Module, Store, Val, ValType};

use super::state::HostState;

pub(in crate::udf) const MODULE: &str = "wasi_snapshot_preview1";

pub(in crate::udf) const NAMES: &[&str] = &[
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_advise",
    "fd_allocate",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "fd_read",
    "fd_readdir",
    "fd_renumber",
    "fd_seek",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "poll_oneoff",
    "proc_exit",
    "proc_raise",
    "random_get",
    "sched_yield",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];

const SUCCESS: i32 = 0;
const BAD_FILE: i32 = 8;
const FAULT: i32 = 21;
const INVALID: i32 = 28;
const NO_SUCH_CALL: i32 = 52;

/// Pieces of one `fd_write`.
const MOST_PIECES: u32 = 1024;

/// What the module imports, in its order.
pub(super) fn imports(store: &mut Store<HostState>, module: &Module) -> Result<Vec<Extern>, String> {
    let mut imports = Vec::new();
    for import in module.imports() {
        let ExternType::Func(ty) = import.ty() else {
            return Err(format!("the import '{}' is no function", import.name()));
        };
        imports.push(Extern::Func(stub(store, import.name(), ty)));
    }
    Ok(imports)
}

fn stub(store: &mut Store<HostState>, name: &str, ty: FuncType) -> Func {
    let answers = ty.results().len() == 1 && ty.results().all(|result| matches!(result, ValType::I32));
    let name = name.to_owned();
    Func::new(store, ty, move |caller, params, results| {
        let numbers: Vec<u32> = params.iter().map(number).collect();
        let errno = call(caller, &name, &numbers)?;
        match results {
            [] => Ok(()),
            [result] if answers => {
                *result = Val::I32(errno);
                Ok(())
            }
            _ => Err(Error::msg(format!("'{name}' is imported with other types than it has"))),
        }
    })
}

/// Pointers and small numbers; what is wider nobody reads.
fn number(value: &Val) -> u32 {
    match value {
        Val::I32(number) => number.cast_unsigned(),
        Val::I64(number) => u32::try_from(*number).unwrap_or(u32::MAX),
        _ => 0,
    }
}

fn call(mut caller: Caller<'_, HostState>, name: &str, params: &[u32]) -> wasmtime::Result<i32> {
    let param = |at: usize| params.get(at).copied().unwrap_or(0);
    Ok(match name {
        "proc_exit" => {
            caller.data_mut().exit = Some(param(0).cast_signed());
            return Err(Error::msg("the module ended itself"));
        }
        "args_get" | "environ_get" | "sched_yield" => SUCCESS,
        "args_sizes_get" | "environ_sizes_get" => {
            both(poke(&mut caller, param(0), &[0; 4]), poke(&mut caller, param(1), &[0; 4]))
        }
        "clock_res_get" => poke(&mut caller, param(1), &1_u64.to_le_bytes()),
        "clock_time_get" => poke(&mut caller, param(2), &[0; 8]),
        "random_get" => random(&mut caller, param(0), param(1)),
        "fd_write" if matches!(param(0), 1 | 2) => write(&mut caller, param(1), param(2), param(3)),
        _ if name.starts_with("fd_") => BAD_FILE,
        _ => NO_SUCH_CALL,
    })
}

const fn both(first: i32, second: i32) -> i32 {
    if first == SUCCESS { second } else { first }
}

/// The memory and the state next to each other.
fn memory<'a>(caller: &'a mut Caller<'_, HostState>) -> Option<(&'a mut [u8], &'a mut HostState)> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory)?;
    Some(memory.data_and_store_mut(caller))
}

fn poke(caller: &mut Caller<'_, HostState>, at: u32, bytes: &[u8]) -> i32 {
    let Some((memory, _)) = memory(caller) else { return FAULT };
    match memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..bytes.len())) {
        Some(place) => {
            place.copy_from_slice(bytes);
            SUCCESS
        }
        None => FAULT,
    }
}

fn random(caller: &mut Caller<'_, HostState>, at: u32, length: u32) -> i32 {
    let Some((memory, state)) = memory(caller) else { return FAULT };
    let Some(place) = memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..length as usize)) else {
        return FAULT;
    };
    for piece in place.chunks_mut(8) {
        let bytes = state.random().to_le_bytes();
        piece.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    }
    SUCCESS
}

fn write(caller: &mut Caller<'_, HostState>, pieces: u32, count: u32, written: u32) -> i32 {
    if count > MOST_PIECES {
        return INVALID;
    }
    let Some((memory, state)) = memory(caller) else { return FAULT };
    let word = |at: usize| memory.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
    let mut total = 0_u32;
    for piece in 0..count as usize {
        let at = pieces as usize + piece * 8;
        let (Some(start), Some(length)) = (word(at), word(at + 4)) else { return FAULT };
        let Some(bytes) = memory.get(start as usize..).and_then(|rest| rest.get(..length as usize)) else {
            return FAULT;
        };
        state.write(bytes);
        total = total.saturating_add(length);
    }
    poke(caller, written, &total.to_le_bytes())
}
