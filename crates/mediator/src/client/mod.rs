//! The commands that ask a server that runs: thin clients of its API, as any other program could be.
//!
//! Answers go to standard output, as a table or with `--json` as the API gives them; everything else, progress and errors,
//! goes to standard error. An error is one line that names what is wrong and the remedy, and never a password.

mod access;
mod api;
mod bindings;
mod bulk;
mod calls;
mod dialout;
mod explain;
mod fault;
mod follow;
mod ndjson;
mod output;
mod trust;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use tokio::runtime;

use crate::cli::{Cli, ClientCommand};
use access::Access;
use api::Api;
use fault::ClientError;
use output::Output;

/// Runs a command to its end and says what went wrong.
pub fn run(command: &ClientCommand) -> ExitCode {
    match ask(command) {
        Ok(code) => code,
        // Whoever read the output has enough of it, as `head` has.
        Err(ClientError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Nothing can be done about a closed standard error.
            let _ = writeln!(io::stderr(), "error: {error}");
            error.exit_code()
        }
    }
}

fn ask(command: &ClientCommand) -> Result<ExitCode, ClientError> {
    let access = Access::find(command.access())?;
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(ClientError::Start)?;
    let api = Api::new(access)?;
    let output = Output::stdout(command.access().json);
    let done = runtime.block_on(async {
        match command {
            ClientCommand::Explain(args) => explain::explain(&api, args, output).await,
            ClientCommand::Calls(args) => calls::run(&api, args, output).await,
            ClientCommand::Bindings(args) => bindings::run(&api, &args.action, output).await,
            ClientCommand::Dialout(args) => dialout::dialout(&api, args, output).await,
        }
    });
    // A thread may wait for standard input still.
    runtime.shutdown_background();
    done
}

/// Prints the completions of a shell.
pub fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mediator", &mut script);
    match io::stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
