//! Where a response goes: RFC 3261 §18.2.2, RFC 3581 §4.

use crate::{Request, Via};
use mediator_model::Flow;

/// Where the response to `request` goes, which came over `source`.
///
/// Always to the address that the request came from, over its connection where it has one. The port is the
/// source's where the topmost Via has `rport`, else that of its sent-by (default: the transport's). Of a
/// stream it is always the latter: it counts only once the connection is gone, and nobody listens on the
/// port that one came from. `maddr` is not followed: it would let anybody aim our responses at others.
pub fn response_flow(request: &Request, source: Flow) -> Flow {
    request.via().map_or(source, |via| flow_of(&via, source))
}

/// The same, where the topmost Via has been read.
pub(super) fn flow_of(via: &Via<'_>, source: Flow) -> Flow {
    let mut flow = source;
    if via.rport().is_none() || source.connection.is_some() {
        flow.remote.set_port(via.port.unwrap_or(source.transport.default_port()));
    }
    flow
}
