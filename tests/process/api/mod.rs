//! The two REST APIs of the real process, held to their public reference.
//!
//! Requests are bytes on a socket, calls are SIP at the server's port: what a client or a carrier cannot see is not
//! looked at. Each test has a server of its own.

mod bindings;
mod bulk;
mod callbacks;
mod changes;
mod core_calls;
mod core_objects;
mod credentials;
pub(crate) mod desk;
mod dialouts;
mod dids;
mod errors;
mod hostile;
mod lifetimes;
mod lists;
mod live;
mod openapi;
mod quick_start;
mod records;
mod retries;
pub(crate) mod schema;
