//! The server: reads its arguments, does what they say, and ends with the exit code that they promise.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use mediator_server::cli::{Cli, Command};
use mediator_server::client;
use mediator_server::config::Config;
use mediator_server::provision::preview;
use mediator_server::serve;
use mediator_server::sounds::unplayable;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.chosen() {
        Command::Serve { config } => serve::serve(&config, &cli.log),
        Command::Check { file } => check(&file),
        Command::Client(command) => Ok(client::run(&command)),
        Command::Completions { shell } => Ok(client::completions(shell)),
    };
    match done {
        Ok(code) => code,
        Err(lines) => {
            // Nothing can be done about a closed standard error.
            let _ = writeln!(io::stderr(), "{lines}");
            ExitCode::FAILURE
        }
    }
}

/// Reads a file as `serve` would, and says what may surprise.
fn check(file: &Path) -> Result<ExitCode, String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    preview(&config.objects, &config.core)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    for notice in &config.notices {
        let _ = writeln!(io::stderr(), "{}:{notice} (notice)", file.display());
    }
    for line in unplayable(&config.media) {
        let _ = writeln!(io::stderr(), "{}: {line} (notice)", file.display());
    }
    Ok(ExitCode::SUCCESS)
}
