//! Payload types by their meaning.

use core::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::Peer;

fn format(payload_type: u8, encoding: &'static str, clock_rate: u32) -> Format {
    Format { payload_type, encoding, clock_rate, channels: 1 }
}

fn terms(formats: &[Format]) -> Terms {
    Terms {
        remote: None,
        remote_rtcp: None,
        rtcp_mux: false,
        signalling: IpAddr::V4(Ipv4Addr::LOCALHOST),
        peer: Peer::default(),
        send: formats.into(),
        receive: formats.into(),
        peer_sends: true,
        peer_receives: true,
        ptime_ms: None,
    }
}

#[test]
fn payload_types_are_told_by_their_meaning() {
    let sender = [
        format(0, "PCMU", 8000),
        format(8, "PCMA", 8000),
        format(18, "G729", 8000),
        format(96, "telephone-event", 8000),
        format(97, "telephone-event", 16_000),
        format(0, "G729", 8000),
        format(13, "CN", 8000),
    ];
    let receiver =
        [format(98, "telephone-event", 8000), format(100, "G729", 8000), format(108, "PCMA", 8000)];
    let routes = Routes::new(&terms(&sender), Some(&terms(&receiver)));
    for (payload_type, expected) in [
        (0, Some((108, Rewrite::Law(Law::A)))),
        (8, Some((108, Rewrite::Nothing))),
        (18, Some((100, Rewrite::Nothing))),
        (96, Some((98, Rewrite::Nothing))),
        (97, Some((98, Rewrite::Event))),
        (13, None),
    ] {
        let onward = routes.find(payload_type).unwrap().onward;
        let found = onward.map(|onward| (onward.payload_type, onward.rewrite));
        assert_eq!(found, expected, "{payload_type}");
    }
    assert_eq!(routes.find(98), None);
}

#[test]
fn without_another_side_payload_types_are_known_and_go_nowhere() {
    let routes = Routes::new(&terms(&[format(96, "telephone-event", 8000)]), None);
    let route = routes.find(96).unwrap();
    assert_eq!((route.kind, route.onward), (Kind::Event, None));
}

#[test]
fn no_clock_rate_is_zero_and_no_payload_type_above_127() {
    let odd = [format(200, "odd", 0)];
    let routes = Routes::new(&terms(&odd), Some(&terms(&odd)));
    let route = routes.find(200).unwrap();
    let onward = route.onward.unwrap();
    assert_eq!((route.clock_rate, onward.clock_rate, onward.payload_type), (1, 1, 72));
}
