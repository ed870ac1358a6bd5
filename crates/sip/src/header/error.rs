//! What can be wrong with one header field.

use super::HeaderName;

/// A header that cannot be used, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{header}: {problem}")]
pub struct HeaderError {
    /// The header.
    pub header: HeaderName,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// It must be there and is not.
    #[error("missing")]
    Missing,
    /// It may be there once and is there again.
    #[error("repeated")]
    Repeated,
    /// Its value does not follow the grammar.
    #[error("malformed")]
    Malformed,
    /// A number in it is beyond what the RFC allows.
    #[error("out of range")]
    OutOfRange,
}
