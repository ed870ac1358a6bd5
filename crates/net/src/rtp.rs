//! Sockets for RTP and RTCP: pairs of ports of `media.port_range`, who has them, and the loop that reads them.

mod alarm;
mod counts;
mod poller;
mod ports;
mod waker;

pub use counts::RtpCounts;
pub use poller::{RtpDatagram, RtpForward, RtpPair, RtpPoller, RtpSocket};
pub use ports::{RtpPorts, RtpSockets};
pub use waker::RtpWaker;
