//! SDP of a relayed call, edited before it is written: RFC 3264, RFC 3551, RFC 4733, RFC 5761.
//!
//! Each leg negotiates with us alone. What one side offers is offered to the other with our address and what we can
//! rewrite beside it; what that one answers is answered to the first in its own payload types, where it offered them.
//!
//! Invariants: as many sections as in the offer, in their order; one of them at most is in use, and it is plain RTP.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use mediator_media::Speech;
use mediator_sip::sdp::{
    Allowed, AllowedFormat, AllowedMedia, Direction, Encoding, Formats, MediaKind, Protocol,
    SdpError,
};
use smallvec::SmallVec;

/// DTMF events (RFC 4733).
pub(super) const EVENTS: &str = "telephone-event";
/// The events of the keys: what is written where nobody else has said which.
const KEYS: &str = "0-15";
/// Payload types that RFC 3551 leaves to rtpmap; events are given those from 101 on first, as most peers do.
const DYNAMIC: [core::ops::RangeInclusive<u8>; 2] = [101..=127, 96..=100];

/// Why SDP of one side cannot reach the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Uncrossed {
    /// It cannot be read, or shows an address that cannot be used.
    #[error(transparent)]
    Sdp(#[from] SdpError),
    /// No section of it is audio over plain RTP.
    #[error("no audio over plain RTP")]
    NoAudio,
    /// Nothing is left of the formats that the other side takes.
    #[error("no common codec")]
    NoCodec,
}

/// Our end of a leg, as its peer is shown it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OurEnd {
    /// Where we receive RTP.
    pub(crate) at: SocketAddr,
    /// The peer and we have agreed that RTCP comes on the same port.
    pub(crate) rtcp_mux: bool,
    /// DTMF is sent on this leg whether or not the other side has events.
    pub(crate) events: bool,
}

/// The section whose media we carry: the first one that is audio over plain RTP, and in use.
pub(super) fn audio_at(sdp: &Allowed<'_>) -> Option<usize> {
    sdp.media.iter().position(|media| {
        media.kind == MediaKind::Audio
            && media.port != 0
            && is_plain(media.protocol)
            && matches!(media.formats, Formats::Rtp(_))
    })
}

/// The section whose media we carry.
pub(super) fn audio<'a, 'b>(sdp: &'b Allowed<'a>) -> Option<&'b AllowedMedia<'a>> {
    sdp.media.get(audio_at(sdp)?)
}

/// The formats of an audio section.
pub(super) fn formats<'b>(media: &'b AllowedMedia<'_>) -> &'b [AllowedFormat] {
    match &media.formats {
        Formats::Rtp(formats) => formats,
        Formats::Fax(_) | Formats::Refused { .. } => &[],
    }
}

/// RTP without SRTP; feedback is no matter, as we answer none.
fn is_plain(protocol: Protocol) -> bool {
    matches!(protocol.as_str(), "RTP/AVP" | "RTP/AVPF")
}

/// Makes of what one side offers what the other is offered.
pub(super) fn offer(sdp: &mut Allowed<'_>, end: OurEnd) -> Result<(), Uncrossed> {
    let at = audio_at(sdp).ok_or(Uncrossed::NoAudio)?;
    refuse_all_but(sdp, at);
    let media = sdp.media.get_mut(at).ok_or(Uncrossed::NoAudio)?;
    media.direction = direction(media);
    settle(media, end);
    media.protocol = Protocol::RTP_AVP;
    media.rtcp_mux = end.rtcp_mux;
    let Formats::Rtp(formats) = &mut media.formats else { return Err(Uncrossed::NoAudio) };
    add_twin(formats);
    add_events(formats, end.events);
    Ok(())
}

/// Makes of what one side answers the answer to what the other has offered.
pub(super) fn answer<'a>(
    answered: &Allowed<'_>,
    mut offered: Allowed<'a>,
    end: OurEnd,
) -> Result<Allowed<'a>, Uncrossed> {
    let theirs = audio(answered).ok_or(Uncrossed::NoCodec)?;
    let at = audio_at(&offered).ok_or(Uncrossed::NoAudio)?;
    refuse_all_but(&mut offered, at);
    let media = offered.media.get_mut(at).ok_or(Uncrossed::NoAudio)?;
    let common = common(formats(theirs), formats(media));
    if !common.iter().any(|format| format.encoding.is_media()) {
        return Err(Uncrossed::NoCodec);
    }
    let allowed = direction(media).reversed();
    media.formats = Formats::Rtp(common);
    media.direction = direction(theirs).and(allowed);
    media.ptime_ms = theirs.ptime_ms;
    media.maxptime_ms = theirs.maxptime_ms;
    let rtcp_mux = media.rtcp_mux;
    settle(media, end);
    media.rtcp_mux = rtcp_mux;
    Ok(offered)
}

/// Makes of an offer our own answer to it: every codec that we speak, in the offer's order, and its events.
pub(super) fn own_answer(offered: &mut Allowed<'_>, end: OurEnd) -> Result<(), Uncrossed> {
    let at = audio_at(offered).ok_or(Uncrossed::NoAudio)?;
    refuse_all_but(offered, at);
    let media = offered.media.get_mut(at).ok_or(Uncrossed::NoAudio)?;
    let Formats::Rtp(formats) = &mut media.formats else { return Err(Uncrossed::NoAudio) };
    keep_speech(formats);
    if !formats.iter().any(|format| format.encoding.is_media()) {
        return Err(Uncrossed::NoCodec);
    }
    for format in formats.iter_mut() {
        // What the peer asked for of its own hearing says nothing of ours.
        format.fmtp = if is_events(format) { KEYS.into() } else { String::new() };
    }
    media.direction = direction(media).reversed();
    let rtcp_mux = media.rtcp_mux;
    settle(media, end);
    media.rtcp_mux = rtcp_mux;
    Ok(())
}

/// Leaves of what a peer has said only the formats that we have agreed on with it, so that it can be offered to another
/// side. Whether it is on hold just now is between it and us: it may be over before the other side answers.
pub(super) fn restrict(theirs: &mut Allowed<'_>, ours: &Allowed<'_>) {
    let (Some(at), Some(agreed)) = (audio_at(theirs), audio(ours)) else { return };
    let Some(media) = theirs.media.get_mut(at) else { return };
    media.direction = Direction::SendRecv;
    // An old peer's hold is an address that is none; ours takes the place of any other.
    media.address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    if let Formats::Rtp(known) = &mut media.formats {
        known.retain(|format| formats(agreed).iter().any(|ours| is_same(format, ours)));
    }
}

/// Whether two formats mean the same, whatever their numbers.
pub(super) fn is_same(one: &AllowedFormat, other: &AllowedFormat) -> bool {
    one.encoding.name() == other.encoding.name()
        && one.clock_rate == other.clock_rate
        && one.channels == other.channels
}

/// Whether a format is DTMF events.
pub(super) fn is_events(format: &AllowedFormat) -> bool {
    format.encoding.name() == EVENTS
}

/// The codec of a format, where it is one that we speak.
pub(super) fn speech(format: &AllowedFormat) -> Option<Speech> {
    Speech::named(format.encoding.name()).filter(|speech| speech.clock_rate() == format.clock_rate)
}

/// Which way a section flows; an old peer holds by the address 0.0.0.0 (RFC 3264 §8.4).
pub(super) fn direction(media: &AllowedMedia<'_>) -> Direction {
    if media.address.is_unspecified() {
        media.direction.and(Direction::SendOnly)
    } else {
        media.direction
    }
}

/// A section as it stands at our end: nothing of the peer's transport is left.
fn settle(media: &mut AllowedMedia<'_>, end: OurEnd) {
    media.address = end.at.ip();
    media.port = end.at.port();
    media.bandwidth_kbit = None;
    media.rtcp = None;
    media.rtcp_mux = false;
    media.rtcp_rsize = false;
    media.feedback = Vec::new();
    media.crypto = Vec::new();
    media.fingerprint = None;
    media.setup = None;
}

/// Port 0 for every section but one, in its place (RFC 3264 §6); what the session may take of a peer's
/// line says nothing of ours.
fn refuse_all_but(sdp: &mut Allowed<'_>, kept: usize) {
    sdp.bandwidth_kbit = None;
    for (at, media) in sdp.media.iter_mut().enumerate() {
        if at != kept {
            media.port = 0;
        }
    }
}

/// Offers the other law of G.711 behind the codecs, where only one is offered: we rewrite one into the other.
fn add_twin(formats: &mut Vec<AllowedFormat>) {
    for law in [Speech::Pcmu, Speech::Pcma] {
        let Some(twin) = law.twin() else { continue };
        let has = |wanted| formats.iter().any(|format| speech(format) == Some(wanted));
        let taken = formats.iter().any(|format| format.payload_type == twin.payload_type());
        if !has(law) || has(twin) || taken {
            continue;
        }
        let behind = formats.iter().rposition(|format| format.encoding.is_media());
        if let Some(format) = spoken(twin) {
            formats.insert(behind.map_or(formats.len(), |at| at + 1), format);
        }
        return;
    }
}

/// A codec of ours, as a format.
fn spoken(speech: Speech) -> Option<AllowedFormat> {
    Some(AllowedFormat {
        payload_type: speech.payload_type(),
        encoding: Encoding::find(MediaKind::Audio, speech.name().as_bytes())?,
        clock_rate: speech.clock_rate(),
        channels: speech.channels(),
        fmtp: String::new(),
        is_mapped: true,
    })
}

/// Offers events at each clock rate of the codecs (RFC 4733 §2.1 wants that of the speech beside them), where the side
/// that offers has them at one, or DTMF is ours to send.
fn add_events(formats: &mut Vec<AllowedFormat>, wanted: bool) {
    let known = formats.iter().find(|format| is_events(format));
    if known.is_none() && !wanted {
        return;
    }
    let keys = known.map_or_else(|| KEYS.into(), |format| format.fmtp.clone());
    let Some(encoding) = Encoding::find(MediaKind::Audio, EVENTS.as_bytes()) else { return };
    let rates: SmallVec<[u32; 4]> = formats
        .iter()
        .filter(|format| format.encoding.is_media())
        .map(|format| format.clock_rate)
        .collect();
    for clock_rate in rates {
        let has = formats.iter().any(|f| is_events(f) && f.clock_rate == clock_rate);
        let is_free = |number: &u8| formats.iter().all(|format| format.payload_type != *number);
        let Some(payload_type) = DYNAMIC.into_iter().flatten().find(is_free) else { return };
        if !has {
            formats.push(AllowedFormat {
                payload_type,
                encoding,
                clock_rate,
                channels: 1,
                fmtp: keys.clone(),
                is_mapped: true,
            });
        }
    }
}

/// What is answered of what was offered: the answer's order, the offer's payload types.
fn common(answered: &[AllowedFormat], offered: &[AllowedFormat]) -> Vec<AllowedFormat> {
    let mut common: Vec<AllowedFormat> = Vec::with_capacity(answered.len());
    for theirs in answered.iter().filter(|format| !is_events(format)) {
        let Some(ours) = same_or_twin(theirs, offered) else { continue };
        if common.iter().any(|known| known.payload_type == ours.payload_type) {
            continue;
        }
        let fmtp = if is_same(ours, theirs) { theirs.fmtp.clone() } else { String::new() };
        common.push(AllowedFormat { fmtp, ..ours.clone() });
    }
    if let Some(events) = answered.iter().find(|format| is_events(format)) {
        let rates: SmallVec<[u32; 4]> = common
            .iter()
            .filter(|format| format.encoding.is_media())
            .map(|format| format.clock_rate)
            .collect();
        let fits = |format: &&AllowedFormat| rates.contains(&format.clock_rate);
        let offered = || offered.iter().filter(|format| is_events(format));
        // Where none has the rate of the speech, the peer means whichever it has.
        let any_fits = offered().any(|format| fits(&format));
        let kept = offered().filter(|format| !any_fits || fits(format));
        common.extend(kept.map(|f| AllowedFormat { fmtp: events.fmtp.clone(), ..f.clone() }));
    }
    common
}

/// The offered format that an answered one means: the same number first, as two formats may differ in their parameters
/// alone; else the other law of G.711.
fn same_or_twin<'b>(
    theirs: &AllowedFormat,
    offered: &'b [AllowedFormat],
) -> Option<&'b AllowedFormat> {
    let numbered =
        offered.iter().find(|f| f.payload_type == theirs.payload_type && is_same(f, theirs));
    let same = || offered.iter().find(|format| is_same(format, theirs));
    let twin = || {
        let twin = speech(theirs)?.twin()?;
        offered.iter().find(|format| speech(format) == Some(twin))
    };
    numbered.or_else(same).or_else(twin)
}

/// Leaves the codecs that we speak, and events.
fn keep_speech(formats: &mut Vec<AllowedFormat>) {
    formats.retain(|format| speech(format).is_some() || is_events(format));
}
