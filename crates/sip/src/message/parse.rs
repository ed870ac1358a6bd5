//! The one-pass reader.
