//! The project's own commands: `cargo xtask test`, `tidy`, `bench` and `sounds`.
//!
//! A command is made of steps; the first one that fails ends it, and its output says what to do.

mod bench;
mod run;
mod sounds;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::Parser;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Command {
    /// Everything that has to pass: format, tidy, lints, licences, builds and all tests. Installs
    /// the programs that the tests play with where they are missing.
    Test,
    /// What the architecture promises and the compiler does not check.
    Tidy,
    /// Makes the built-in sounds anew: hold music, the prompt and the announcement.
    Sounds,
    /// Benches: `bench` runs all of criterion's, `bench NAME` one of them, `bench load` the whole
    /// server beside Kamailio, `bench media` its media beside rtpengine, `bench state` what it costs to keep objects,
    /// `bench crash` a hundred kills under load.
    Bench {
        /// Which one.
        name: Option<String>,
        /// What is passed on to it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Test => test::run(),
        Command::Tidy => tidy::run(),
        Command::Sounds => sounds::run(),
        Command::Bench { name, arguments } => bench::run(name.as_deref(), &arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
