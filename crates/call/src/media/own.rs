//! SDP of our own: what we offer where nobody has offered yet, and what of one side's is offered to another that is
//! called later.

use alloc::boxed::Box;

use mediator_sip::sdp::{Allowed, SessionDescription};

use super::edit::{OurEnd, Uncrossed, audio, formats, is_events, restrict};
use super::way::{Role, Way, noted, written};

/// What we offer where nobody has offered: every codec of `Speech::ALL`, in its order, and events at the clock rates of
/// these. It crosses like a side's offer, so its address and port are never seen.
pub(crate) const OUR_OFFER: &[u8] = b"v=0\r\n\
    o=- 0 0 IN IP4 192.0.2.1\r\n\
    s=-\r\n\
    c=IN IP4 192.0.2.1\r\n\
    t=0 0\r\n\
    m=audio 9 RTP/AVP 0 8 9 107 101 102\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:9 G722/8000\r\n\
    a=rtpmap:107 opus/48000/2\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-15\r\n\
    a=rtpmap:102 telephone-event/48000\r\n\
    a=fmtp:102 0-15\r\n\
    a=ptime:20\r\n\
    a=sendrecv\r\n";

/// What a description favours.
pub(crate) fn codec_of(sdp: &[u8]) -> Option<&'static str> {
    Allowed::from_description(&SessionDescription::parse(sdp).ok()?).ok()?.codec()
}

/// Whether what one side answers to this offer has the codec that the offerer favours, or its twin, and events for its
/// keys where it has them; an error where the two have no codec in common.
pub(crate) fn suits(answer: &[u8], offer: &[u8], end: OurEnd) -> Result<bool, Uncrossed> {
    let way = Way { origin: end.at.ip(), end: Some(end) };
    let description = SessionDescription::parse(offer)?;
    let offered = Allowed::from_description(&description)?;
    let offered = audio(&offered).map(formats).unwrap_or_default();
    let favourite = offered.iter().find(|format| format.encoding.is_media());
    let keys = offered.iter().any(is_events);
    written(answer, (Role::AnswerTo(offer), way), |common| {
        let common = audio(common).map(formats).unwrap_or_default();
        let speaks = favourite.is_none_or(|favourite| {
            common.iter().any(|format| format.payload_type == favourite.payload_type)
        });
        speaks && (!keys || common.iter().any(is_events))
    })
}

/// What a side takes of what we have agreed on with it, as an offer of its to another side: its SDP without the codecs
/// that ours of its leg does not have.
pub(crate) fn restricted(theirs: &[u8], ours: &[u8]) -> Result<Box<[u8]>, Uncrossed> {
    let (theirs, ours) = (SessionDescription::parse(theirs)?, SessionDescription::parse(ours)?);
    let mut theirs = Allowed::from_description(&theirs)?;
    restrict(&mut theirs, &Allowed::from_description(&ours)?);
    Ok(Box::from(&*noted(&theirs)))
}
