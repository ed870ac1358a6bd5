//! The server's parts: config, command line, telemetry, HTTP for operators, and the process that holds the shards.

pub mod cli;
pub mod client;
pub mod config;
pub mod dialouts;
pub mod directory;
pub mod explain;
pub mod http;
pub mod live;
pub mod media;
pub mod memory;
pub mod metrics;
pub mod process;
pub mod provision;
pub mod records;
pub mod reload;
pub mod retention;
pub mod serve;
pub mod services;
pub mod shards;
pub mod shutdown;
pub mod sounds;
pub mod storage;
pub mod telemetry;
