//! What is kept of a call, and for whom.

use std::sync::atomic::AtomicUsize;

use mediator_model::{Attributes, Binding, BindingKey, ClaimWindow, Dialout, Number, Transport};
use mediator_store::query::{CallQuery, Filter, Query};
use mediator_store::record::BindingRecord;
use mediator_store::{Committed, Follower, Location, SqliteStore, Versioned};
use serde_json::json;

use super::*;

const CALL: Sid = Sid::from_u128(0x1234_0000_0000_4000_8000_0000_0000_0001);
const ACCOUNT: Sid = Sid::from_u128(3);

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn flow(remote: &str) -> Flow {
    let (transport, listener) = (Transport::Udp, ListenerId(1));
    Flow { transport, listener, remote: remote.parse().unwrap(), connection: None }
}

fn listeners() -> Vec<Listener> {
    let listener = |(id, at): (u8, &str)| {
        let at = at.parse().unwrap();
        Listener { id: ListenerId(id), transport: Transport::Udp, advertised: at, bound: at }
    };
    [(0, "10.9.9.9:5060"), (1, "10.0.0.1:5060")].map(listener).into()
}

/// A call that was answered after 2 s and talked for 3.5 s.
fn answered() -> CallRecord {
    let json = Some(r#"{"cnam":"Ann","x":{"y":[1]}}"#.into());
    let attributes = Attributes { json, ..Attributes::default() };
    let binding = Binding {
        sid: Sid::from_u128(10),
        account_sid: ACCOUNT,
        key: BindingKey { redirect_did: number("15162065346"), origination_did: None },
        claim: ClaimWindow::Closed,
        expires: None,
        destination_did: number("15162060001"),
        attributes: Some(Box::new(attributes)),
        dtmf: Some("12,#".into()),
    };
    CallRecord {
        dialout: None,
        figures: None,
        call: CALL,
        kind: FlowKind::Binding,
        binding: Some(Arc::new(binding)),
        endpoint: Some(ACCOUNT),
        number_src: Some(number("14155550100")),
        number_redirect: number("15162065346"),
        number_dst: number("15162060001"),
        date_start: UnixMillis(1000),
        date_talk: Some(UnixMillis(3000)),
        date_stop: UnixMillis(6500),
        sip_cause: 200,
        disconnect_originator: Originator::Destination,
        leg_a: LegA::Incoming {
            endpoint: Sid::from_u128(1),
            call_id: "a@caller".into(),
            flow: flow("10.1.0.1:5060"),
            identity: Some(number("14155550199")),
        },
        codec: Some("PCMU"),
        leg_b: Some(DialledLeg {
            endpoint: Sid::from_u128(2),
            call_id: "b".into(),
            flow: flow("10.2.0.1:5061"),
            date_start: UnixMillis(1004),
            number_src: Some(number("15162060001")),
            number_dst: number("442071234567"),
            sip_cause: 200,
        }),
    }
}

#[test]
fn a_binding_s_call_has_a_record_of_its_own_and_one_for_each_leg() {
    let record = answered();
    let row = call_row(&record).unwrap();
    assert_eq!(
        row,
        CallRow {
            dr_sid: CALL,
            endpoint_sid: ACCOUNT,
            event_type: "binding".into(),
            reference_sid: Some(Sid::from_u128(10)),
            attributes: json!({"cnam": "Ann", "x": {"y": [1]}}).as_object().unwrap().clone(),
            dtmf: Some("12,#".into()),
            direction: "inbound".into(),
            number_src: Some(number("14155550100")),
            number_redirect: number("15162065346"),
            number_dst: Some(number("15162060001")),
            date_start: UnixMillis(1000),
            date_talk: Some(UnixMillis(3000)),
            date_stop: UnixMillis(6500),
            date_insert: UnixMillis(6500),
            sip_cause: 200,
            disconnect_originator: "DST".into(),
            media_src: MediaFigures::default(),
            media_dst: MediaFigures::default(),
        }
    );
    let [a, b] = &*leg_rows(&record, &listeners()) else { panic!("two legs") };
    let a_ids = (&*a.direction, a.endpoint_sid_src, a.endpoint_sid_dst, a.call_sid);
    assert_eq!(a_ids, ("inbound", Some(Sid::from_u128(1)), None, CALL));
    assert_eq!(
        (a.ip_src.as_deref(), a.ip_dst.as_deref()),
        (Some("10.1.0.1:5060"), Some("10.0.0.1:5060"))
    );
    assert_eq!((a.sipcallid_src.as_deref(), a.sipcallid_dst.as_deref()), (Some("a@caller"), None));
    assert_eq!((a.number_src, a.number_dst), (record.number_src, Some(record.number_redirect)));
    assert_eq!((a.number_external, a.identity), (record.number_src, Some(number("14155550199"))));
    assert_eq!(
        (a.sipcause, a.codec_src.as_deref(), a.date_start),
        (200, Some("PCMU"), UnixMillis(1000))
    );
    let b_ids = (&*b.direction, b.endpoint_sid_src, b.endpoint_sid_dst, b.call_sid);
    assert_eq!(b_ids, ("outbound", None, Some(Sid::from_u128(2)), CALL));
    assert_eq!(
        (b.ip_src.as_deref(), b.ip_dst.as_deref()),
        (Some("10.0.0.1:5060"), Some("10.2.0.1:5061"))
    );
    assert_eq!((b.sipcallid_src.as_deref(), b.sipcallid_dst.as_deref()), (None, Some("b")));
    let far = number("442071234567");
    assert_eq!((b.number_src, b.number_dst), (Some(number("15162060001")), Some(far)));
    assert_eq!((b.number_external, b.identity, b.date_start), (Some(far), None, UnixMillis(1004)));
    assert_eq!((b.date_talk, b.date_stop), (record.date_talk, record.date_stop));
    assert!(a.dr_sid != b.dr_sid && a.dr_sid != CALL && b.dr_sid != CALL);
}

#[test]
fn what_was_not_dialled_has_no_second_leg_and_what_no_binding_ran_no_record() {
    let unrouted = CallRecord { leg_b: None, date_talk: None, sip_cause: 480, ..answered() };
    assert_eq!(leg_rows(&unrouted, &listeners()).len(), 1);
    assert_eq!(call_row(&unrouted).unwrap().sip_cause, 480);
    let inbound = CallRecord { kind: FlowKind::Inbound, binding: None, ..answered() };
    assert_eq!(call_row(&inbound), None);
    assert_eq!(leg_rows(&inbound, &listeners()).len(), 2);
}

#[test]
fn what_was_heard_of_each_leg_stands_in_the_record_and_its_codec_in_the_legs() {
    let figures = |codec, packets, jitter_ms, mos| Figures {
        codec,
        packets,
        lost: 3,
        jitter_ms,
        mos,
        ..Figures::default()
    };
    let heard = [figures(Some("PCMA"), 500, 0.126, Some(4.407)), figures(None, 0, 0.0, None)];
    let record = CallRecord { figures: Some(Box::new(heard)), ..answered() };
    let row = call_row(&record).unwrap();
    let shown = |packets, jitter_ms, mos| MediaFigures {
        packets: Some(packets),
        lost: Some(3),
        jitter_ms: Some(jitter_ms),
        mos,
    };
    assert_eq!((row.media_src, row.media_dst), (shown(500, 0.13, Some(4.41)), shown(0, 0.0, None)));
    for leg in leg_rows(&record, &listeners()) {
        assert_eq!(leg.codec_src.as_deref(), Some("PCMA"));
        assert_eq!(leg.codec_dst.as_deref(), Some("PCMU"), "what was agreed on");
    }
    let passed_by = call_row(&answered()).unwrap();
    assert_eq!(passed_by.media_src, MediaFigures::default());
}

fn dialout() -> CallRecord {
    let json = Some(r#"{"cnam":"Ann"}"#.into());
    let dialout = Dialout {
        sid: Sid::from_u128(20),
        account_sid: ACCOUNT,
        stage_one: number("14155550100"),
        stage_two: number("15162060001"),
        redirect_did: number("15162065346"),
        attributes: Box::new(Attributes { json, ..Attributes::default() }),
    };
    let answered = answered();
    let stage_one = DialledLeg { call_id: "a".into(), ..answered.leg_b.clone().unwrap() };
    CallRecord {
        kind: FlowKind::Dialout,
        binding: None,
        dialout: Some(Arc::new(dialout)),
        leg_a: LegA::Dialled(Some(Box::new(stage_one))),
        ..answered
    }
}

#[test]
fn both_legs_of_a_dialout_go_out_and_its_record_is_the_same_however_often_it_is_ended() {
    let record = dialout();
    let row = call_row(&record).unwrap();
    assert_eq!((&*row.event_type, &*row.direction), ("dialout", "outbound"));
    assert_eq!((row.endpoint_sid, row.reference_sid), (ACCOUNT, Some(Sid::from_u128(20))));
    assert_eq!(row.attributes, json!({"cnam": "Ann"}).as_object().unwrap().clone());
    assert_eq!((row.number_src, row.number_dst), (record.number_src, Some(record.number_dst)));
    let again = CallRecord { call: Sid::from_u128(101), ..record.clone() };
    assert_eq!(call_row(&again).unwrap().dr_sid, row.dr_sid);
    let legs = leg_rows(&record, &listeners());
    let ids: Vec<_> = legs.iter().map(|leg| leg.sipcallid_dst.as_deref()).collect();
    assert_eq!(ids, [Some("a"), Some("b")]);
    assert!(legs.iter().all(|leg| &*leg.direction == "outbound" && leg.sipcallid_src.is_none()));
    assert_ne!(legs[0].dr_sid, legs[1].dr_sid);
    let undialled = CallRecord { leg_a: LegA::Dialled(None), leg_b: None, ..record };
    assert!(leg_rows(&undialled, &listeners()).is_empty());
}

/// Nobody follows this store.
struct Nobody;

impl Follower for Nobody {
    fn committed(&self, _: &Committed) {}
    fn claim_failed(&self, _: Sid, _: Option<Versioned<BindingRecord>>) {}
}

fn store() -> Arc<SqliteStore> {
    let opened = SqliteStore::open(&Location::Memory).unwrap();
    Arc::new(opened.start(Arc::new(Nobody)).unwrap())
}

#[test]
fn records_are_kept_and_those_of_bindings_go_to_the_callback_that_is_set() {
    let woken = Arc::new(AtomicUsize::new(0));
    for (callback, record, deliveries) in [
        (Some("http://127.0.0.1/cdr"), answered(), 1),
        (None, answered(), 0),
        (Some("http://127.0.0.1/cdr"), CallRecord { binding: None, ..answered() }, 0),
    ] {
        let store = store();
        woken.store(0, Ordering::Relaxed);
        let counter = woken.clone();
        let has_call = record.binding.is_some();
        let recorder = Recorder::new(RecorderParts {
            calls: store.clone(),
            callback: Box::new(move || callback.map(Into::into)),
            listeners: listeners(),
            delivery_queued: Box::new(move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
        });
        recorder.call_ended(&record);
        mediator_store::Store::flush(&*store);
        assert_eq!(store.call(CALL).unwrap().is_some(), has_call);
        let query = Query {
            filter: Filter::All(Vec::new()),
            order: Vec::new(),
            offset: 0,
            limit: 10,
            now: UnixMillis(0),
        };
        assert_eq!(store.legs(&CallQuery { query, before: None }).unwrap().items.len(), 2);
        let due = store.due(UnixMillis(6500), 10).unwrap();
        assert_eq!((due.len(), woken.load(Ordering::Relaxed)), (deliveries, deliveries));
        assert!(due.iter().all(|it| Some(&*it.url) == callback && it.dr_sid == CALL));
    }
}
