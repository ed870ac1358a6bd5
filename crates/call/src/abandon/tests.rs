//! A panic in a call costs that call and nothing else.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec;

use mediator_media::{Event as MediaEvent, Order};
use mediator_model::{
    Address, AddressHost, Did, Direction, Directory, Endpoint, EndpointIndex, EndpointKind,
    FailurePolicy, Flow, Instant, ListenerId, Number, NumberFormat, Sid, Transport, Trunk,
    TrunkGroup, TrunkGroupIndex, UnixMillis,
};
use mediator_sip::digest::NonceKey;
use mediator_table::{BindingTable, ContactTable, Gate, UnboundPorts};

use super::*;
use crate::io::{EngineSetup, Input, Listener, Output, Ports, Settings};

const NUMBER: &str = "15162065346";

/// A carrier at an address, with room for one call.
fn carrier(sid: u128, at: &str) -> Endpoint {
    let at: core::net::SocketAddr = at.parse().unwrap();
    let address = Address {
        direction: Direction::Any,
        host: AddressHost::Ip(at.ip()),
        port: Some(at.port()),
        transport: Some(Transport::Udp),
        priority: 0,
        credentials: None,
    };
    Endpoint {
        sid: Sid::from_u128(sid),
        name: "carrier".into(),
        kind: EndpointKind::SystemGateway,
        addresses: vec![address],
        auth_required: true,
        capacity: 1,
        cps_limit: 0,
        out_credentials: None,
        number_format: NumberFormat::Digits,
        dids: vec![],
    }
}

/// An engine that sends [`NUMBER`] from the first carrier to the second.
fn engine(gate: &Arc<Gate>) -> Engine {
    let trunk = Trunk {
        sid: Sid::from_u128(11),
        name: "trunk".into(),
        endpoint: EndpointIndex(1),
        priority: 0,
        weight: 0,
        in_capacity: None,
        out_capacity: None,
        allow_forward: mediator_model::AllowForward::Disabled,
    };
    let group = TrunkGroup {
        sid: Sid::from_u128(12),
        name: "group".into(),
        trunks: vec![trunk],
        failure: FailurePolicy::default(),
    };
    let number = Number::from_digits(NUMBER).unwrap();
    let did = Did { sid: Sid::from_u128(13), number, trunk_group: Some(TrunkGroupIndex(0)) };
    let endpoints = vec![carrier(1, "10.1.0.1:5060"), carrier(2, "10.2.0.1:5060")];
    let us = "10.0.0.1:5060".parse().unwrap();
    let listener =
        Listener { id: ListenerId(0), transport: Transport::Udp, advertised: us, bound: us };
    Engine::new(EngineSetup {
        shard: 0,
        shards: 1,
        settings: Arc::new(Settings::new(vec![listener], NonceKey::new([7; 32]))),
        directory: Arc::new(Directory::new(endpoints, vec![group], vec![did]).unwrap()),
        ports: Ports {
            bindings: Arc::new(BindingTable::with_capacity(1)),
            locations: Arc::new(ContactTable::new()),
            admission: gate.clone(),
            media: Arc::new(UnboundPorts::new(30_000..=39_999)),
        },
        seed: [3; 32],
        epoch: UnixMillis(1_700_000_000_000),
    })
}

/// The first carrier calls; what the engine sent is left in its outputs.
fn dial(engine: &mut Engine, call_id: &str) {
    let invite = format!(
        "INVITE sip:{NUMBER}@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK{call_id}\r\n\
         From: <sip:14155550100@10.1.0.1>;tag=a\r\nTo: <sip:{NUMBER}@10.0.0.1>\r\nCall-ID: {call_id}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:10.1.0.1:5060>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    let remote = "10.1.0.1:5060".parse().unwrap();
    let flow =
        Flow { transport: Transport::Udp, listener: ListenerId(0), remote, connection: None };
    engine.handle(Instant::from_millis(1), Input::Message { flow, bytes: invite.into() });
}

/// First words of what is sent, and names of events that are no news of the call's start.
fn outputs(engine: &mut Engine) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(output) = engine.poll_output() {
        match output {
            Output::Send { bytes, .. } => {
                let words = String::from_utf8_lossy(&bytes);
                let words: Vec<&str> = words.split(' ').take(2).collect();
                seen.push(words.join(" "));
            }
            Output::Event(Event::Bug { call: Some(_), .. }) => seen.push("bug".into()),
            Output::Event(Event::CallEnded(_)) => seen.push("ended".into()),
            Output::Media(Order::Close { call }) => {
                seen.push("close".into());
                let closed = MediaEvent::Closed { call, figures: Default::default() };
                engine.handle(Instant::from_millis(3), Input::Media(closed));
            }
            Output::Event(_)
            | Output::Resolve(_)
            | Output::StoreClaim { .. }
            | Output::Media(_) => {}
        }
    }
    seen
}

fn panic_in(engine: &mut Engine, key: CallKey) {
    let act = |engine: &mut Engine| engine.with_call(key, |_, _| panic!("on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(|| act(engine))).is_err());
}

#[test]
fn a_panic_hangs_its_call_up_and_gives_its_limits_back() {
    let gate = Arc::new(Gate::default());
    let mut engine = engine(&gate);
    dial(&mut engine, "c1");
    let key = engine.calls.keys().next().unwrap();
    assert_eq!(gate.calls_of(Sid::from_u128(2)), 1, "{:?}", outputs(&mut engine));
    outputs(&mut engine);

    panic_in(&mut engine, key);
    engine.abandon(Instant::from_millis(2));
    let seen = outputs(&mut engine);
    for what in ["bug", "close", "ended", "SIP/2.0 480"] {
        assert!(seen.iter().any(|it| it == what), "{what} in {seen:?}");
    }
    assert_eq!(gate.calls_of(Sid::from_u128(1)) + gate.calls_of(Sid::from_u128(2)), 0);
    dial(&mut engine, "c2");
    assert!(outputs(&mut engine).iter().any(|it| it.starts_with("INVITE ")), "others go on");
}

#[test]
fn a_call_that_panics_twice_is_taken_out() {
    let gate = Arc::new(Gate::default());
    let mut engine = engine(&gate);
    dial(&mut engine, "c1");
    let key = engine.calls.keys().next().unwrap();
    engine.defective.insert(key);
    outputs(&mut engine);

    panic_in(&mut engine, key);
    engine.abandon(Instant::from_millis(2));
    assert_eq!(outputs(&mut engine), ["close", "ended", "SIP/2.0 500"]);
    assert_eq!(engine.live_calls(), 0);
    assert!(engine.invites.is_empty() && engine.sids.is_empty() && engine.defective.is_empty());
    assert_eq!(gate.calls_of(Sid::from_u128(1)) + gate.calls_of(Sid::from_u128(2)), 0);
}

#[test]
fn a_session_that_is_never_closed_holds_no_record_back_for_ever() {
    let gate = Arc::new(Gate::default());
    let mut engine = engine(&gate);
    dial(&mut engine, "c1");
    engine.handle(Instant::from_millis(2), Input::HangUpAll);
    let mut seen = Vec::new();
    // Nobody says that the session is closed.
    let mut due = Some(Instant::from_millis(2));
    while let Some(now) = due {
        engine.handle_deadline(now);
        while let Some(output) = engine.poll_output() {
            match output {
                Output::Event(Event::CallEnded(record)) => {
                    assert!(record.figures.is_none());
                    seen.push("ended");
                }
                Output::Event(Event::Bug { .. }) => seen.push("bug"),
                Output::Event(Event::CallGone { .. }) => seen.push("gone"),
                Output::Media(Order::Close { .. }) => seen.push("close"),
                _ => {}
            }
        }
        due = engine.next_deadline().filter(|_| engine.live_calls() > 0);
    }
    assert_eq!(seen, ["close", "bug", "ended", "gone"]);
}
