//! Call records: one a call for the Mediator API's users, one a leg for operators.

use mediator_model::{Number, Sid, UnixMillis};
use serde::{Deserialize, Serialize};

use super::Object;

/// What was heard on one leg; all of it `None` where the media did not pass here.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct MediaFigures {
    /// Packets received.
    pub packets: Option<u64>,
    /// Packets that did not come.
    pub lost: Option<u64>,
    /// Interarrival jitter in milliseconds (RFC 3550 §6.4.1).
    pub jitter_ms: Option<f64>,
    /// Estimated mean opinion score, 1 to 4.5 (ITU-T G.107).
    pub mos: Option<f64>,
}

/// A Mediator record (`/app/mediator/calls`).
#[derive(Clone, PartialEq, Debug)]
pub struct CallRow {
    /// Its id; the call's.
    pub dr_sid: Sid,
    /// The mediator endpoint whose flow ran it.
    pub endpoint_sid: Sid,
    /// `binding` or `dialout`.
    pub event_type: Box<str>,
    /// The binding or dialout.
    pub reference_sid: Option<Sid>,
    /// The binding's or dialout's attributes.
    pub attributes: Object,
    /// The binding's.
    pub dtmf: Option<Box<str>>,
    /// `inbound` for bindings, `outbound` for dialouts.
    pub direction: Box<str>,
    /// The caller's number, or stage one's; `None` where it was anonymous.
    pub number_src: Option<Number>,
    /// The number between them.
    pub number_redirect: Number,
    /// The number called, or stage two's.
    pub number_dst: Option<Number>,
    /// The beginning.
    pub date_start: UnixMillis,
    /// When the two were joined.
    pub date_talk: Option<UnixMillis>,
    /// The end.
    pub date_stop: UnixMillis,
    /// When this was stored.
    pub date_insert: UnixMillis,
    /// The final SIP code.
    pub sip_cause: u16,
    /// `SRC`, `DST` or `SYSTEM`.
    pub disconnect_originator: Box<str>,
    /// What leg A sent.
    pub media_src: MediaFigures,
    /// What leg B sent.
    pub media_dst: MediaFigures,
}

/// One leg's record (`/calls/call_drs`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LegRow {
    /// Its id.
    pub dr_sid: Sid,
    /// The call that it belongs to.
    pub call_sid: Sid,
    /// `inbound`: from an endpoint to us; `outbound`: from us to an endpoint.
    pub direction: Box<str>,
    /// The INVITE.
    pub date_start: UnixMillis,
    /// The answer.
    pub date_talk: Option<UnixMillis>,
    /// The end.
    pub date_stop: UnixMillis,
    /// When this was stored.
    pub date_insert: UnixMillis,
    /// The endpoint that the leg comes from.
    pub endpoint_sid_src: Option<Sid>,
    /// The endpoint that the leg goes to.
    pub endpoint_sid_dst: Option<Sid>,
    /// The caller on this leg, as shown there.
    pub number_src: Option<Number>,
    /// The number asked for on this leg.
    pub number_dst: Option<Number>,
    /// The number of the far side.
    pub number_external: Option<Number>,
    /// `ip:port` that the leg comes from.
    pub ip_src: Option<Box<str>>,
    /// `ip:port` that the leg goes to.
    pub ip_dst: Option<Box<str>>,
    /// Call-ID of an inbound leg.
    pub sipcallid_src: Option<Box<str>>,
    /// Call-ID of an outbound leg.
    pub sipcallid_dst: Option<Box<str>>,
    /// The final SIP code.
    pub sipcause: u16,
    /// The codec of the source's media.
    pub codec_src: Option<Box<str>>,
    /// The codec of the destination's media.
    pub codec_dst: Option<Box<str>>,
    /// `SRC`, `DST` or `SYSTEM`.
    pub disconnect_originator: Box<str>,
    /// The number that the source asserted (RFC 3325).
    pub identity: Option<Number>,
}
