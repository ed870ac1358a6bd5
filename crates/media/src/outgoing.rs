//! The way out for packets that are made here.

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::relay::{Lane, Outlet};
use crate::rtp::Header;

/// Where the packets of one leg leave, and where they go.
pub(crate) struct Outgoing<'a> {
    pub(crate) out: &'a mut dyn Outlet,
    /// Kept for its memory alone.
    pub(crate) buffer: &'a mut Vec<u8>,
    pub(crate) lane: Lane,
    pub(crate) to: SocketAddr,
}

impl Outgoing<'_> {
    /// Sends a packet of RTP. What is protected is sealed here.
    pub(crate) fn send(&mut self, header: Header, payload: &[u8]) {
        self.buffer.clear();
        self.buffer.extend_from_slice(&header.to_bytes());
        self.buffer.extend_from_slice(payload);
        self.out.send(self.lane, self.to, self.buffer);
    }
}
