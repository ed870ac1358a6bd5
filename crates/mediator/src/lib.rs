//! The server's parts: config, command line, telemetry, HTTP for operators, and the process that holds the shards.

pub mod config;
