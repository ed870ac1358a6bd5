//! The words that every other crate speaks: numbers, sids, bindings, endpoints, trunk groups, changes.
//!
//! Everything here is a value. No clock, no socket, no file; `no_std` so that the compiler
//! refuses them. The traits at the end ([`Bindings`], [`Locations`], [`Admission`], [`MediaPorts`]) are what the call
//! engine asks of the state that shards share; the crates `table` and `net` answer them.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attributes;
mod binding;
mod change;
mod dialout;
mod directory;
mod endpoint;
mod number;
mod port_set;
mod ports;
mod serial;
mod sid;
mod time;
mod transport;
mod trunk;

pub use attributes::{AttributeError, Attributes, ExtraHeader, Ringback};
pub use binding::{Binding, BindingKey, ClaimWindow, End, Keys};
pub use change::Change;
pub use dialout::Dialout;
pub use directory::{Did, DidRoute, Directory, DirectoryError, SourceMatch};
pub use endpoint::{
    Address, AddressHost, Cidr, CidrError, Direction, Endpoint, EndpointIndex, EndpointKind,
    NumberFormat, Outbound, Secret, SipCredentials,
};
pub use number::{Number, NumberDigits, NumberError};
pub use port_set::PortSet;
pub use ports::{
    Admission, AdmissionRefused, Bindings, Claim, ContactBinding, ContactError, ContactUpdate,
    Locations, Lookup, MatchRule, MediaPort, MediaPorts, NoMediaPort, TrunkWay,
};
pub use sid::{Sid, SidError};
pub use time::{Instant, UnixMillis};
pub use transport::{ConnectionId, Flow, ListenerId, Transport};
pub use trunk::{
    AllowForward, CodeList, FailurePolicy, LastResort, Trunk, TrunkGroup, TrunkGroupIndex,
    TrunkIndex,
};
