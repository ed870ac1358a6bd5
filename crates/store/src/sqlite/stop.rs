//! Why a write stops: it is refused, or the disk is in the way; and what the disk's faults are called.

use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::traits::{FeedError, ReadError};
use crate::write::Refused;

/// Why a write did not take effect.
pub(super) enum Stop {
    /// By what it asks.
    Refused(Refused),
    /// By what it met.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Whether a statement met a unique key that is held.
pub(super) fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// What the disk's fault means, with the remedy; never a path or a row's content.
pub(super) fn remedy(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the disk is full: free some space, nothing needs to be started anew".to_owned()
        }
        Some(ErrorCode::SystemIoFailure) => {
            "the disk failed: look at the system's log, then try again".to_owned()
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "the store's folder cannot be written: give this process the right to".to_owned()
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the database is damaged: restore a backup".to_owned()
        }
        Some(ErrorCode::OutOfMemory) => "there is no memory left: free some".to_owned(),
        Some(code) => format!("unexpected: {code:?}"),
        None => match error {
            rusqlite::Error::FromSqlConversionFailure(column, ..)
            | rusqlite::Error::InvalidColumnType(column, ..) => {
                format!("a row is damaged (column {column}): restore a backup")
            }
            _ => "the database answered something unexpected".to_owned(),
        },
    }
}

/// As a refusal.
pub(super) fn failed(error: &rusqlite::Error) -> Refused {
    Refused::Failed(Arc::from(remedy(error)))
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(remedy(&error).into())
    }
}

impl From<rusqlite::Error> for FeedError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Read(error.into())
    }
}
