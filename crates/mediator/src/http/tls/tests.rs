//! Pairs that serve, and pairs that do not.
