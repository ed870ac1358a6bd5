//! Call records.

use serde_json::Value;
use utoipa::ToSchema;

/// What was heard on one leg; null where the media did not pass here.
#[derive(ToSchema)]
#[schema(as = core::Media)]
pub(in crate::core) struct Media {
    /// Packets received.
    packets: Option<u64>,
    /// Packets that did not come.
    lost: Option<u64>,
    /// Interarrival jitter in milliseconds.
    jitter_ms: Option<f64>,
    /// Estimated mean opinion score, 1 to 4.5.
    mos: Option<f64>,
}

/// The record of a call that a mediator endpoint ran.
#[derive(ToSchema)]
#[schema(as = core::MediatorCall)]
pub(crate) struct MediatorCall {
    /// The binding's or dialout's.
    #[schema(value_type = Object)]
    attributes: Value,
    #[schema(format = "date-time")]
    date_insert: String,
    #[schema(format = "date-time")]
    date_start: String,
    #[schema(format = "date-time")]
    date_stop: String,
    /// When the two were joined; null: never.
    #[schema(format = "date-time")]
    date_talk: Option<String>,
    /// `inbound` for bindings, `outbound` for dialouts.
    direction: String,
    /// `SRC`, `DST` or `SYSTEM`.
    disconnect_originator: String,
    #[schema(format = "uuid")]
    dr_sid: String,
    dtmf: Option<String>,
    /// Seconds from start to stop, as text: "15" or "4.25".
    duration: String,
    #[schema(format = "uuid")]
    endpoint_sid: String,
    endpoint_type: String,
    /// `binding` or `dialout`.
    event_type: String,
    media_dst: Media,
    media_src: Media,
    /// The number called, or stage two's.
    number_dst: Option<String>,
    number_redirect: String,
    /// The caller's number, or stage one's; null where it was anonymous.
    number_src: Option<String>,
    #[schema(format = "uuid")]
    partner_sid: String,
    /// The binding or dialout.
    #[schema(format = "uuid")]
    reference_sid: Option<String>,
    /// The final SIP code.
    sip_cause: u16,
    r#type: String,
    version: u32,
}

/// The record of one leg.
#[derive(ToSchema)]
#[schema(as = core::Leg)]
pub(in crate::core) struct Leg {
    /// The call that it belongs to.
    #[schema(format = "uuid")]
    call_sid: String,
    codec_dst: Option<String>,
    codec_src: Option<String>,
    #[schema(format = "date-time")]
    date_insert: String,
    #[schema(format = "date-time")]
    date_start: String,
    #[schema(format = "date-time")]
    date_stop: String,
    #[schema(format = "date-time")]
    date_talk: Option<String>,
    /// `inbound`: from an endpoint to us; `outbound`: from us to an endpoint.
    direction: String,
    /// `SRC`, `DST` or `SYSTEM`.
    disconnect_originator: String,
    diversion_dst: Option<String>,
    diversion_src: Option<String>,
    #[schema(format = "uuid")]
    dr_sid: String,
    /// Seconds from start to stop, as text.
    duration: String,
    #[schema(format = "uuid")]
    endpoint_sid_dst: Option<String>,
    #[schema(format = "uuid")]
    endpoint_sid_src: Option<String>,
    /// The number that the source asserted (RFC 3325).
    identity: Option<String>,
    ip_dst: Option<String>,
    ip_src: Option<String>,
    number_dst: Option<String>,
    number_external: Option<String>,
    number_src: Option<String>,
    #[schema(format = "uuid")]
    partner_sid: String,
    sipcallid_dst: Option<String>,
    sipcallid_src: Option<String>,
    /// The final SIP code, as text.
    sipcause: String,
}
