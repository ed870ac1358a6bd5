//! Rules of call records as they are shown.

use mediator_model::{Number, Sid, UnixMillis};
use serde_json::json;

use super::{civil, rfc3339};
use crate::record::{CallRow, LegRow, MediaFigures, Object};

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn call() -> CallRow {
    let mut attributes = Object::new();
    attributes.insert("mark".to_owned(), json!({ "order": 7 }));
    CallRow {
        dr_sid: Sid::from_u128(1),
        endpoint_sid: Sid::from_u128(2),
        event_type: "binding".into(),
        reference_sid: Some(Sid::from_u128(3)),
        attributes,
        dtmf: Some("1,2".into()),
        direction: "inbound".into(),
        number_src: None,
        number_redirect: number("15162065337"),
        number_dst: Some(number("15162065338")),
        date_start: UnixMillis(1_700_000_000_000),
        date_talk: Some(UnixMillis(1_700_000_002_500)),
        date_stop: UnixMillis(1_700_000_015_000),
        date_insert: UnixMillis(1_700_000_015_007),
        sip_cause: 200,
        disconnect_originator: "DST".into(),
        media_src: MediaFigures {
            packets: Some(600),
            lost: Some(1),
            jitter_ms: Some(0.5),
            mos: Some(4.4),
        },
        media_dst: MediaFigures::default(),
    }
}

#[test]
fn a_mediator_record_has_the_fields_of_the_reference_and_ours() {
    let expected = json!({
        "attributes": { "mark": { "order": 7 } },
        "date_start": "2023-11-14T22:13:20.000Z",
        "date_talk": "2023-11-14T22:13:22.500Z",
        "date_stop": "2023-11-14T22:13:35.000Z",
        "date_insert": "2023-11-14T22:13:35.007Z",
        "direction": "inbound",
        "disconnect_originator": "DST",
        "dr_sid": "00000000-0000-0000-0000-000000000001",
        "dtmf": "1,2",
        "duration": "15",
        "endpoint_sid": "00000000-0000-0000-0000-000000000002",
        "endpoint_type": "mediator",
        "event_type": "binding",
        "media_dst": { "packets": null, "lost": null, "jitter_ms": null, "mos": null },
        "media_src": { "packets": 600, "lost": 1, "jitter_ms": 0.5, "mos": 4.4 },
        "number_dst": "15162065338",
        "number_redirect": "15162065337",
        "number_src": null,
        "partner_sid": "00000000-0000-0000-0000-000000000009",
        "reference_sid": "00000000-0000-0000-0000-000000000003",
        "sip_cause": 200,
        "type": "mediator",
        "version": 2,
    });
    assert_eq!(json!(call().to_object(Sid::from_u128(9))), expected);
}

#[test]
fn duration_is_text_with_no_idle_zeros() {
    let rows = [(0, "0"), (1, "0.001"), (250, "0.25"), (4250, "4.25"), (15_000, "15")];
    for (millis, expected) in rows {
        let mut row = call();
        row.date_stop = UnixMillis(row.date_start.0 + millis);
        assert_eq!(row.to_object(Sid::from_u128(9))["duration"], expected, "{millis} ms");
    }
}

#[test]
fn a_leg_record_has_the_fields_of_the_reference_and_its_call() {
    let row = LegRow {
        dr_sid: Sid::from_u128(4),
        call_sid: Sid::from_u128(1),
        direction: "outbound".into(),
        date_start: UnixMillis(0),
        date_talk: None,
        date_stop: UnixMillis(1250),
        date_insert: UnixMillis(1300),
        endpoint_sid_src: None,
        endpoint_sid_dst: Some(Sid::from_u128(2)),
        number_src: Some(number("15162065337")),
        number_dst: Some(number("15162065338")),
        number_external: Some(number("15162065338")),
        ip_src: None,
        ip_dst: Some("127.0.0.1:5060".into()),
        sipcallid_src: None,
        sipcallid_dst: Some("a@b".into()),
        sipcause: 486,
        codec_src: None,
        codec_dst: Some("PCMU".into()),
        disconnect_originator: "DST".into(),
        identity: None,
    };
    let shown = json!(row.to_object(Sid::from_u128(9)));
    let expected = json!({
        "call_sid": "00000000-0000-0000-0000-000000000001",
        "codec_dst": "PCMU",
        "codec_src": null,
        "date_insert": "1970-01-01T00:00:01.300Z",
        "date_start": "1970-01-01T00:00:00.000Z",
        "date_stop": "1970-01-01T00:00:01.250Z",
        "date_talk": null,
        "direction": "outbound",
        "disconnect_originator": "DST",
        "diversion_dst": null,
        "diversion_src": null,
        "dr_sid": "00000000-0000-0000-0000-000000000004",
        "duration": "1.25",
        "endpoint_sid_dst": "00000000-0000-0000-0000-000000000002",
        "endpoint_sid_src": null,
        "identity": null,
        "ip_dst": "127.0.0.1:5060",
        "ip_src": null,
        "number_dst": "15162065338",
        "number_external": "15162065338",
        "number_src": "15162065337",
        "partner_sid": "00000000-0000-0000-0000-000000000009",
        "sipcallid_dst": "a@b",
        "sipcallid_src": null,
        "sipcause": "486",
    });
    assert_eq!(shown, expected);
}

#[test]
fn times_are_rfc_3339_in_utc_with_milliseconds() {
    let rows = [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_772_366_400_250, "2026-03-01T12:00:00.250Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ];
    for (millis, expected) in rows {
        assert_eq!(rfc3339(UnixMillis(millis)), expected);
    }
}

#[test]
fn every_day_of_800_years_follows_the_day_before() {
    let mut before = civil(0);
    for days in 1..292_194 {
        let (year, month, day) = civil(days);
        let follows = match before {
            (y, m, d) if day == 1 && month == 1 => (y + 1, 12, 31) == (year, m, d),
            (y, m, _) if day == 1 => (y, m + 1) == (year, month),
            (y, m, d) => (y, m, d + 1) == (year, month, day),
        };
        assert!(follows, "{before:?} then {year}-{month}-{day}");
        before = (year, month, day);
    }
    assert_eq!(before, (2769, 12, 31));
}
