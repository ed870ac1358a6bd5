//! What keeping a call's records costs: `cargo xtask bench records`. One line a store: microseconds of CPU a call.
//!
//! Groups are as at 1000 calls/s (`GROUP` calls, 100); `BEFORE` says how many records are there already (0). With `CALLS=n` in
//! the environment that many calls are kept in memory and nothing else is done, for callgrind.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::sync::Arc;

use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::{BindingRecord, CallRow, LegRow, MediaFigures};
use mediator_store::{
    CallDelivery, Calls, Committed, Follower, Location, Object, SqliteStore, Store, Versioned,
};

/// Of each store, where `CALLS` does not say otherwise.
const CALLS: u64 = 20_000;

struct Deaf;

impl Follower for Deaf {
    fn committed(&self, _: &Committed) {}
    fn claim_failed(&self, _: Sid, _: Option<Versioned<BindingRecord>>) {}
}

fn main() {
    let of = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (group, before) = (of("GROUP").unwrap_or(100).max(1), of("BEFORE").unwrap_or(0));
    if let Some(calls) = of("CALLS") {
        let store = start(&Location::Memory);
        return keep(&store, 0, calls, group);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, location) in
        [("memory", Location::Memory), ("folder", Location::Folder(folder.path().to_owned()))]
    {
        let store = start(&location);
        keep(&store, 0, before, 1_000);
        let began = cpu_ticks();
        keep(&store, before, CALLS, group);
        let micros = (cpu_ticks() - began) as f64 * 10_000.0 / CALLS as f64;
        println!("{name}: {micros:.1} us a call, {CALLS} calls after {before}, {group} a group");
    }
}

fn start(location: &Location) -> SqliteStore {
    SqliteStore::open(location).expect("it opens").start(Arc::new(Deaf)).expect("it starts")
}

/// User and system time of the process, in hundredths of a second.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells it");
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

fn keep(store: &SqliteStore, first: u64, calls: u64, group: u64) {
    for call in first..first + calls {
        store.append(ended(call));
        if (call + 1) % group == 0 {
            store.flush();
        }
    }
    store.flush();
}

fn random(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn sid(of: u64, which: u64) -> Sid {
    Sid::from_random(u128::from(random(of * 8 + which)) << 64 | u128::from(random(!of)))
}

fn number(prefix: u64, value: u64) -> Number {
    Number::from_digits(&format!("{prefix}{value:07}")).expect("at most 15 digits")
}

/// A call of one of 100,000 callers to one of 1,000 DIDs, which was masked and answered.
fn ended(call: u64) -> CallDelivery {
    let (did, caller) = (random(call) % 1_000, random(call) % 100_000);
    let (redirect, from, to) = (number(1516, did), number(1415, caller), number(44, caller / 10));
    let start = UnixMillis(1_772_366_400_000 + call);
    let (talk, stop) = (UnixMillis(start.0 + 25), UnixMillis(start.0 + 30));
    let row = CallRow {
        dr_sid: sid(call, 0),
        endpoint_sid: sid(0, 1),
        event_type: "binding".into(),
        reference_sid: Some(sid(caller, 2)),
        attributes: Object::from_iter([("hide_origination_did".to_owned(), true.into())]),
        dtmf: None,
        direction: "inbound".into(),
        number_src: Some(from),
        number_redirect: redirect,
        number_dst: Some(to),
        date_start: start,
        date_talk: Some(talk),
        date_stop: stop,
        date_insert: stop,
        sip_cause: 200,
        disconnect_originator: "SRC".into(),
        media_src: MediaFigures::default(),
        media_dst: MediaFigures::default(),
    };
    let leg_a = LegRow {
        dr_sid: sid(call, 3),
        call_sid: row.dr_sid,
        direction: "inbound".into(),
        date_start: start,
        date_talk: Some(talk),
        date_stop: stop,
        date_insert: stop,
        endpoint_sid_src: Some(sid(0, 4)),
        endpoint_sid_dst: None,
        number_src: Some(from),
        number_dst: Some(redirect),
        number_external: Some(from),
        ip_src: Some("127.0.0.3:5060".into()),
        ip_dst: Some("127.0.0.1:5060".into()),
        sipcallid_src: Some(format!("{call}-1234@127.0.0.3").into()),
        sipcallid_dst: None,
        sipcause: 200,
        codec_src: Some("PCMU".into()),
        codec_dst: Some("PCMU".into()),
        disconnect_originator: "SRC".into(),
        identity: None,
    };
    let leg_b = LegRow {
        dr_sid: sid(call, 5),
        direction: "outbound".into(),
        endpoint_sid_src: None,
        endpoint_sid_dst: Some(sid(0, 6)),
        number_src: Some(redirect),
        number_dst: Some(to),
        number_external: Some(to),
        ip_src: Some("127.0.0.1:5060".into()),
        ip_dst: Some("127.0.0.2:5060".into()),
        sipcallid_src: None,
        sipcallid_dst: Some(format!("{:032x}", random(call)).into()),
        ..leg_a.clone()
    };
    CallDelivery { call: Some(row), legs: vec![leg_a, leg_b], callback: None }
}
