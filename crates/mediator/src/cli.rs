//! The command line: what `mediator` takes, and nothing that it does.

mod client;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use tracing_subscriber::filter::Targets;

pub use client::{
    AccessArgs, AddArgs, Attribute, BindingAction, BindingsArgs, CallAction, CallsArgs,
    ClientCommand, DialoutArgs, ExplainArgs, ListArgs,
};

/// The file that is served where none is named, relative to the working directory.
pub const DEFAULT_CONFIG: &str = "configs/mediator.toml";

/// `mediator` and its arguments.
#[derive(Parser, Debug)]
#[command(
    name = "mediator",
    version,
    about = "A SIP back-to-back user agent that hides callers and callees from each other.",
    long_about = "A SIP back-to-back user agent that hides callers and callees from each other: both sides see only \
                  the number that stands between them.\n\nWithout a command it serves with configs/mediator.toml.",
    after_help = "Exit codes: 0 done or ended as asked; 1 a config error, an occupied port, a forced end, a server that \
                  refuses or is not reached; 2 wrong arguments."
)]
pub struct Cli {
    /// How and how much is logged.
    #[command(flatten)]
    pub log: LogArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// The command, or the one that no command means.
    pub fn chosen(&self) -> Command {
        self.command.clone().unwrap_or(Command::Serve { config: DEFAULT_CONFIG.into() })
    }
}

/// What `mediator` can do.
#[derive(Subcommand, Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Runs the server in the foreground until SIGTERM or SIGINT.
    #[command(
        long_about = "Runs the server in the foreground.\n\nStandard output has one line for each listener, as in \
                      `listening sip udp 127.0.0.1:5060`, then `ready`. The log goes to standard error.\n\n\
                      SIGTERM and SIGINT: no new calls, those up may go on for sip.drain_timeout, the rest get BYE, \
                      exit 0; a second one ends the server at once, exit 1. SIGHUP: the config is read again; calls \
                      stay up, and a bad file changes nothing."
    )]
    Serve {
        /// The config file; see configs/ for examples.
        #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
    },
    /// Checks a config file without serving it.
    #[command(
        long_about = "Checks a config file without serving it.\n\nExit 0 when it can be served; else exit 1 and a line \
                      on standard error for each fault, with file, line, key and remedy. Notices about what may \
                      surprise go to standard error, too, and are no faults."
    )]
    Check {
        /// The config file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Asks a server that runs.
    #[command(flatten)]
    Client(Box<ClientCommand>),
    /// Prints the completions of a shell.
    #[command(
        after_help = "Examples:\n  mediator completions bash > ~/.local/share/bash-completion/completions/mediator\n  \
                      mediator completions zsh > ~/.zfunc/_mediator\n  \
                      mediator completions fish > ~/.config/fish/completions/mediator.fish"
    )]
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
}

/// How and how much is logged.
#[derive(Args, Clone, Debug)]
pub struct LogArgs {
    /// How log lines look.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Human, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// What is logged: a level (error, warn, info, debug, trace, off), or levels by part, as in
    /// `info,mediator_net=debug`. Numbers, URIs and addresses appear at debug and trace only.
    #[arg(long, global = true, env = "MEDIATOR_LOG", default_value = "info", value_name = "LEVEL")]
    pub log: Targets,
}

/// How log lines look.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests;
