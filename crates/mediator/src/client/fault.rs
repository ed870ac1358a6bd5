//! What can go wrong for a client, in one line each: what, and the remedy.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value;

/// The exit code for wrong arguments; clap's.
const WRONG_ARGUMENTS: u8 = 2;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The API's address is none.
    #[error("--api: {0}: expected an address such as http://127.0.0.1:8080")]
    BadAddress(&'static str),
    /// Nobody said who asks.
    #[error(
        "no login: set MEDIATOR_LOGIN and MEDIATOR_PASSWORD, or name the server's config with --config FILE"
    )]
    NoLogin,
    /// Who asks has no password.
    #[error("no password for this login: set MEDIATOR_PASSWORD")]
    NoPassword,
    /// The config has no such account.
    #[error("{path}: {reason}")]
    Account {
        /// The config.
        path: String,
        /// What is not in it, with the remedy.
        reason: String,
    },
    /// The config cannot be read; one line a fault.
    #[error("{0}")]
    Config(String),
    /// Options that have no meaning together.
    #[error("{0}")]
    Arguments(&'static str),
    /// The certificates to trust cannot be.
    #[error("--ca {}: {reason}", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No client can be made.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// No client can be made.
    #[error("cannot start: {}", innermost(.0))]
    Client(reqwest::Error),
    /// The server cannot be reached, or the connection broke.
    #[error("{api}: {reason}")]
    Unreachable {
        /// Where the API should be.
        api: String,
        /// Why, with the remedy.
        reason: String,
    },
    /// Something answered, but not the API.
    #[error("{api}: answered {status}, but not as the API of Mediator does: check --api")]
    Foreign {
        /// Where the API should be.
        api: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server refuses.
    #[error("{0}")]
    Refused(Refusal),
    /// A dialout that was followed has failed.
    #[error("not joined: {0}")]
    NotJoined(String),
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl ClientError {
    /// 2 for what the caller can see without a server, 1 for the rest.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::BadAddress(_) | Self::NoLogin | Self::NoPassword | Self::Arguments(_) => {
                ExitCode::from(WRONG_ARGUMENTS)
            }
            Self::Account { .. }
            | Self::Config(_)
            | Self::Ca { .. }
            | Self::Start(_)
            | Self::Client(_)
            | Self::Unreachable { .. }
            | Self::Foreign { .. }
            | Self::Refused(_)
            | Self::NotJoined(_)
            | Self::File { .. }
            | Self::Output(_) => ExitCode::FAILURE,
        }
    }

    /// What a failed exchange means.
    pub(super) fn exchange(api: &str, error: &reqwest::Error) -> Self {
        let cause = innermost(error);
        if error.is_timeout() {
            return Self::silence(api);
        }
        let reason = if cause.contains("peer certificate") {
            format!("{cause}: name the authority that issued it, or itself, with --ca FILE")
        } else if error.is_connect() {
            format!("cannot connect: {cause}: is the server running? --api says where")
        } else {
            format!("the connection broke: {cause}: the server's log may say why")
        };
        Self::Unreachable { api: api.to_owned(), reason: on_one_line(&reason) }
    }

    /// The server says nothing.
    pub(super) fn silence(api: &str) -> Self {
        let reason = "no answer in time: is it the right address, and no firewall between?";
        Self::Unreachable { api: api.to_owned(), reason: reason.to_owned() }
    }
}

/// The cause at the root of an error: what stands above it only repeats that something failed.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// A text of somebody else's on one line, without what a terminal would obey.
pub(super) fn on_one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Why the server refuses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    /// The HTTP status.
    status: u16,
    /// What it says, by field where it names one.
    errors: Vec<(Option<String>, String)>,
    /// Seconds after which it may be asked again.
    retry_after: Option<u64>,
}

impl Refusal {
    /// Reads `errors` of an answer or of a result line.
    pub(super) fn new(status: u16, answer: &Value, retry_after: Option<u64>) -> Self {
        let entries = answer.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let errors = entries.iter().map(|entry| {
            let text = |key| entry.get(key).and_then(Value::as_str).map(on_one_line);
            let said = text("detail").or_else(|| text("message"));
            let (field, said) = (text("field"), said.unwrap_or_else(|| "refused".to_owned()));
            // Some details begin with the field that they are about.
            let named =
                field.as_deref().and_then(|field| said.strip_prefix(field)?.strip_prefix(": "));
            let said = named.map(str::to_owned).unwrap_or(said);
            (field, said)
        });
        Self { status, errors: errors.collect(), retry_after }
    }

    /// Whether there is no such object.
    pub(super) fn is_missing(&self) -> bool {
        self.status == 404
    }

    /// What the server says, without a remedy.
    pub(super) fn reason(&self) -> String {
        let said = self.errors.iter().map(|(field, said)| match field {
            Some(field) => format!("{field}: {said}"),
            None => said.clone(),
        });
        let said = said.collect::<Vec<_>>().join("; ");
        let said = if said.is_empty() { "refused" } else { &said };
        format!("{said} ({})", self.status)
    }

    fn remedy(&self) -> Option<String> {
        let is_about =
            |name: &str| self.errors.iter().any(|(field, _)| field.as_deref() == Some(name));
        let remedy = match self.status {
            401 => {
                "check MEDIATOR_LOGIN and MEDIATOR_PASSWORD, or name the server's config with --config FILE"
            }
            404 => "it may be over or removed by now: list what there is",
            409 if is_about("redirect_did") => {
                "give one of the account's own numbers that is free for this caller with --redirect-did"
            }
            429 => {
                let seconds = self.retry_after.unwrap_or(60);
                return Some(format!("too many wrong logins from here: try again in {seconds} s"));
            }
            503 => "the server has too much to do, or ends: try again in a moment",
            500 => "a defect of the server: its log says more",
            507 => "the server cannot write: free space where its store is",
            _ => return None,
        };
        Some(remedy.to_owned())
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())?;
        match self.remedy() {
            Some(remedy) => write!(f, ": {remedy}"),
            None => Ok(()),
        }
    }
}
