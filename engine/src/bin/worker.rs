//! `millrace-worker`: runs one attempt of one run, one preview, or one test run. Started by the server, not by people.

use std::process::ExitCode;

use millrace_engine::link::{preview, test_run, worker};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["run", "--link", link] => worker::run(link),
        ["preview"] => preview::run(),
        ["test-run"] => test_run::run(),
        ["--version"] => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stdout(), "millrace-worker {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        _ => {
            use std::io::Write as _;
            let _ = writeln!(
                std::io::stderr(),
                "usage: millrace-worker run --link ws://…[,ws://…] | preview | test-run | --version"
            );
            ExitCode::from(2)
        }
    }
}
