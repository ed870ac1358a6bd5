//! Rules of the two envelopes.
