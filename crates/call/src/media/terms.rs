//! What a leg has agreed on, as its media needs it: what its peer said last against what we told it last.

use core::net::{IpAddr, SocketAddr};

use mediator_media::{Format, Peer, Terms};
use mediator_sip::sdp::{Allowed, AllowedFormat, AllowedMedia, SessionDescription};
use smallvec::SmallVec;

use super::edit::{audio, direction, formats, is_same};

/// The terms of a leg; `None` where one of the two carries no audio.
pub(super) fn terms(theirs: &[u8], ours: &[u8], signalling: IpAddr) -> Option<Terms> {
    let (theirs, ours) =
        (SessionDescription::parse(theirs).ok()?, SessionDescription::parse(ours).ok()?);
    let (theirs, ours) =
        (Allowed::from_description(&theirs).ok()?, Allowed::from_description(&ours).ok()?);
    let (theirs, ours) = (audio(&theirs)?, audio(&ours)?);
    let remote =
        (!theirs.address.is_unspecified()).then(|| SocketAddr::new(theirs.address, theirs.port));
    let (way, our_way) = (direction(theirs), direction(ours));
    Some(Terms {
        remote,
        remote_rtcp: remote.and_then(|remote| remote_rtcp(theirs, remote)),
        rtcp_mux: theirs.rtcp_mux && ours.rtcp_mux,
        signalling,
        peer: Peer::default(),
        send: agreed(formats(theirs), formats(ours)),
        receive: received(formats(theirs), formats(ours)),
        peer_sends: way.sends() && our_way.receives(),
        peer_receives: way.receives() && our_way.sends(),
        ptime_ms: theirs.ptime_ms,
    })
}

fn remote_rtcp(theirs: &AllowedMedia<'_>, rtp: SocketAddr) -> Option<SocketAddr> {
    match theirs.rtcp {
        Some(rtcp) => Some(SocketAddr::new(rtcp.address.unwrap_or(rtp.ip()), rtcp.port)),
        None => rtp.port().checked_add(1).map(|port| SocketAddr::new(rtp.ip(), port)),
    }
}

/// Those of `one` that `other` has too.
fn agreed(one: &[AllowedFormat], other: &[AllowedFormat]) -> SmallVec<[Format; 6]> {
    one.iter()
        .filter(|format| other.iter().any(|known| is_same(format, known)))
        .map(plain)
        .collect()
}

/// What the peer sends with: our numbers. Some peers use their own instead where theirs differ, against RFC 3264 §6.1:
/// those are taken too, where they mean nothing else.
fn received(theirs: &[AllowedFormat], ours: &[AllowedFormat]) -> SmallVec<[Format; 6]> {
    let mut received = agreed(ours, theirs);
    for format in agreed(theirs, ours) {
        if ours.iter().all(|known| known.payload_type != format.payload_type) {
            received.push(format);
        }
    }
    received
}

fn plain(format: &AllowedFormat) -> Format {
    Format {
        payload_type: format.payload_type,
        encoding: format.encoding.name(),
        clock_rate: format.clock_rate,
        channels: format.channels,
    }
}
