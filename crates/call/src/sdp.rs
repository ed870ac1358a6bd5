//! Bodies of messages, as far as calls use them: SDP and DTMF.

use bytes::Bytes;
use mediator_sip::HeaderName;
use mediator_sip::message::Headers;
use mediator_sip::sdp::sdp_body;

/// The SDP of a message, also inside a multipart body; `None` without one.
pub(crate) fn sdp_of(message: &Headers) -> Option<Bytes> {
    let whole = message.body_bytes();
    if whole.is_empty() {
        return None;
    }
    let part = sdp_body(message.first(HeaderName::ContentType), &whole)?;
    Some(whole.slice_ref(part))
}
