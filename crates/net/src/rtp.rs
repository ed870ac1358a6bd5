//! Sockets for RTP and RTCP: pairs of ports of `media.port_range`, and who has them.

mod ports;

pub use ports::{RtpPorts, RtpSockets};
