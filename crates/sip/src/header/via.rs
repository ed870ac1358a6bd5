//! Via: RFC 3261 §20.42, RFC 3581.

use super::Params;
use crate::Host;
use core::net::IpAddr;

/// One hop of the way that a request came.
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    /// The transport as received (`UDP`), which may be one that we do not know.
    pub transport_token: &'a str,
    /// The host of sent-by.
    pub host: Host<'a>,
    /// The port of sent-by.
    pub port: Option<u16>,
    /// The parameters.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one whole value.
    pub fn parse(_value: &'a [u8]) -> Option<Self> {
        todo!()
    }

    /// The `branch` parameter.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.value("branch")
    }

    /// The `received` parameter.
    pub fn received(&self) -> Option<IpAddr> {
        todo!()
    }

    /// The `rport` parameter: `Some(None)` where it is asked for, `Some(Some(port))` where filled in (RFC 3581).
    pub fn rport(&self) -> Option<Option<u16>> {
        todo!()
    }

    /// The sent-by as received: host and, where there is one, port.
    pub fn sent_by(&self) -> &'a [u8] {
        todo!()
    }
}
