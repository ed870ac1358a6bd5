//! The list of calls follows what engines tell.

use std::time::Duration;

use mediator_call::{CallRecord, FlowKind, LegA, Originator};
use mediator_model::{Flow, ListenerId, Number, Transport};

use super::*;

const ACCOUNT: Sid = Sid::from_u128(3);

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn started(account: Option<Sid>) -> CallStarted {
    CallStarted {
        kind: if account.is_some() { FlowKind::Binding } else { FlowKind::Inbound },
        reference: account.map(|_| Sid::from_u128(10)),
        account,
        caller: Some((Sid::from_u128(1), "a@caller".into())),
        number_src: Some(number("14155550100")),
        number_redirect: number("15162065346"),
        number_dst: number("442071234567"),
        date_start: UnixMillis(1000),
    }
}

fn ended(call: Sid) -> Event {
    Event::CallEnded(Box::new(CallRecord {
        dialout: None,
        figures: None,
        call,
        kind: FlowKind::Binding,
        binding: None,
        endpoint: Some(ACCOUNT),
        number_src: None,
        number_redirect: number("15162065346"),
        number_dst: number("442071234567"),
        date_start: UnixMillis(1000),
        date_talk: None,
        date_stop: UnixMillis(2000),
        sip_cause: 200,
        disconnect_originator: Originator::Source,
        leg_a: LegA::Incoming {
            endpoint: Sid::from_u128(1),
            call_id: "a@caller".into(),
            flow: Flow {
                transport: Transport::Udp,
                listener: ListenerId(0),
                remote: "10.1.0.1:5060".parse().unwrap(),
                connection: None,
            },
            identity: None,
        },
        codec: None,
        leg_b: None,
    }))
}

#[test]
fn a_call_is_shown_from_its_beginning_until_nothing_of_it_is_left() {
    let live = LiveCalls::default();
    let call = Sid::from_u128(100);
    live.begin(call, started(Some(ACCOUNT)));
    let shown = live.one(call).unwrap();
    assert_eq!((shown.account_sid, shown.kind), (Some(ACCOUNT), "binding"));
    assert_eq!((shown.state, shown.leg_b), (CallState::Routing, None));
    assert_eq!(shown.reference_sid, Some(Sid::from_u128(10)));
    assert_eq!(shown.leg_a.sip_call_id.as_deref(), Some("a@caller"));

    let endpoint = Sid::from_u128(2);
    live.note(&Event::LegDialled { call, side: Side::B, endpoint, call_id: "b".into() });
    assert_eq!(live.one(call).unwrap().leg_b.unwrap().state, CallState::Routing);
    live.note(&Event::CallRinging { call });
    assert_eq!(live.one(call).unwrap().state, CallState::Ringing);
    let (setup, date_talk) = (Duration::from_secs(1), UnixMillis(2000));
    live.note(&Event::CallAnswered { call, setup, date_talk, codec: None });
    live.note(&Event::CodecAgreed { call, codec: Some("PCMA") });
    let shown = live.one(call).unwrap();
    assert_eq!((shown.state, shown.date_talk), (CallState::Answered, Some(date_talk)));
    let leg = shown.leg_b.unwrap();
    assert_eq!((leg.endpoint_sid, leg.state), (Some(endpoint), CallState::Answered));
    assert_eq!((leg.sip_call_id.as_deref(), leg.codec.as_deref()), (Some("b"), Some("PCMA")));

    live.note(&ended(call));
    assert_eq!(live.all()[0].state, CallState::Ending);
    live.note(&Event::CallGone { call });
    assert_eq!((live.one(call), live.all()), (None, vec![]));
}

#[test]
fn each_leg_of_a_dialout_has_a_state_of_its_own() {
    use CallState::{Answered, Ending, Ringing, Routing};
    let live = LiveCalls::default();
    let call = Sid::from_u128(100);
    let mut dialout = started(Some(ACCOUNT));
    dialout.kind = FlowKind::Dialout;
    live.begin(call, dialout);
    let dialled =
        |side| Event::LegDialled { call, side, endpoint: Sid::from_u128(2), call_id: "x".into() };
    let (setup, date_talk) = (Duration::from_secs(1), UnixMillis(2000));
    let rows = [
        (dialled(Side::A), Routing, Routing, None),
        (Event::CallRinging { call }, Ringing, Ringing, None),
        (Event::LegAUp { call }, Ringing, Answered, None),
        (dialled(Side::B), Ringing, Answered, Some(Routing)),
        (Event::StageTwoRinging { call }, Ringing, Answered, Some(Ringing)),
        (
            Event::CallAnswered { call, setup, date_talk, codec: None },
            Answered,
            Answered,
            Some(Answered),
        ),
        (ended(call), Ending, Ending, Some(Ending)),
    ];
    for (event, state, leg_a, leg_b) in rows {
        live.note(&event);
        let shown = live.one(call).unwrap();
        let legs = (shown.leg_a.state, shown.leg_b.map(|leg| leg.state));
        assert_eq!((shown.state, legs), (state, (leg_a, leg_b)), "{event:?}");
    }
}

#[test]
fn a_caller_that_is_answered_to_hear_an_announcement_does_not_ring() {
    let live = LiveCalls::default();
    let call = Sid::from_u128(100);
    live.begin(call, started(Some(ACCOUNT)));
    live.note(&Event::LegAUp { call });
    live.note(&Event::LegDialled {
        call,
        side: Side::B,
        endpoint: Sid::from_u128(2),
        call_id: "b".into(),
    });
    live.note(&Event::CallRinging { call });
    let shown = live.one(call).unwrap();
    assert_eq!((shown.state, shown.leg_a.state), (CallState::Ringing, CallState::Answered));
    assert_eq!(shown.leg_b.unwrap().state, CallState::Ringing);
}

#[test]
fn calls_are_listed_in_the_order_in_which_they_began() {
    let live = LiveCalls::default();
    let sids: Vec<Sid> = (0..200).map(|at: u128| Sid::from_u128(at * 7919 % 211)).collect();
    for sid in &sids {
        live.begin(*sid, started(None));
    }
    let listed: Vec<Sid> = live.all().iter().map(|call| call.call_sid).collect();
    assert_eq!(listed, sids);
    assert!(live.all().iter().all(|call| call.account_sid.is_none() && call.kind == "inbound"));
}

#[test]
fn what_is_told_of_a_call_that_is_gone_brings_it_not_back() {
    let live = LiveCalls::default();
    let call = Sid::from_u128(100);
    live.note(&Event::CallRinging { call });
    live.note(&ended(call));
    assert_eq!(live.all(), []);
}
