//! `conformance/run rust`: the same questions as in every other language, answered
//! through `velora-core`'s public API alone.

mod answer;
mod case;
mod lines;

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Answers conformance cases, one JSON object a line, in order.
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
    /// The same, and says which event each delivery carries and under which key.
    Event,
}

fn main() -> ExitCode {
    let (input, output) = (io::stdin().lock(), io::stdout().lock());
    let answered = match Arguments::parse().command {
        Command::Verify => lines::answer_all(input, output, case::verify),
        Command::Event => lines::answer_all(input, output, case::event),
    };
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the answers has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("velora-conformance: {error}");
            ExitCode::FAILURE
        }
    }
}
