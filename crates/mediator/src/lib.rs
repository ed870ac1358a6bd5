//! The server's parts: config, command line, telemetry, HTTP for operators, and the process that holds the shards.

pub mod cli;
pub mod config;
pub mod http;
pub mod metrics;
pub mod provision;
pub mod reload;
pub mod serve;
pub mod shards;
pub mod shutdown;
pub mod telemetry;
