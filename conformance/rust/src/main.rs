//! `conformance/run rust`: the same commands as in every other language, implemented with
//! only the public API of `velora-core`.

mod answer;
mod case;
mod claim;
mod lines;
mod read;

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

use answer::Verdict;
use case::Case;
use claim::Claiming;
use read::{Failure, Reading};

/// Answers conformance cases in order, or prints events: one JSON object per line.
#[derive(Parser)]
#[command(name = "velora-conformance")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads cases from standard input and says whether each delivery is genuine.
    Verify,
    /// The same, and says which event each delivery carries, and its key.
    Event,
    /// Says whether each delivery is genuine, and its key, without reading the event.
    Key,
    /// Prints every event of a window, as the audit API lists them.
    ListEvents(Reading),
    /// Prints every event of a window, exported and proven whole.
    Export(Reading),
    /// Claims, commits, releases and renews keys, as each line of standard input says.
    Claim(Claiming),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Verify => answer(case::verify),
        Command::Event => answer(case::event),
        Command::Key => answer(case::key),
        Command::ListEvents(reading) => print(read::list(&reading)),
        Command::Export(reading) => print(read::export(&reading)),
        Command::Claim(claiming) => print(claiming.answer_all()),
    }
}

fn answer(answer: impl Fn(&Case<'_>) -> Verdict) -> ExitCode {
    match lines::answer_all(io::stdin().lock(), io::stdout().lock(), answer) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the answers has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("velora-conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The next events are read on other threads while these are printed.
fn print(events: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let read = match Runtime::new() {
        Ok(runtime) => runtime.block_on(events),
        Err(error) => Err(Failure::Output(error)),
    };
    match read {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.to_json());
            ExitCode::FAILURE
        }
    }
}
