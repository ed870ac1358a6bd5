//! What is read, what crosses, what is refused. Whole descriptions are in `tests/sdp_corpus.rs`.

extern crate std;

mod body;
mod crossing;
mod properties;
mod reader;
mod table;
