//! What follows the store: tables, catalog and directory are what the store holds, whoever wrote it.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use mediator_model::{Bindings as _, Claim, DidRoute, MatchRule, Number};
use mediator_store::record::{
    DidRecord, EndpointRecord, EndpointType, TrunkGroupRecord, TrunkRecord,
};
use mediator_store::{Location, Object, Op, Refused, SqliteStore, Store, Write};
use mediator_table::GateSettings;

use super::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const DID: &str = "15162065346";

struct World {
    store: SqliteStore,
    memory: Arc<Memory>,
}

fn loaded(opened: &mediator_store::Opened) -> Loaded {
    let mut loading = Loading::default();
    opened.snapshot(NOW, &mut |object| loading.add(object)).unwrap();
    loading.finish(Arc::new(Gate::new(GateSettings::default())), NOW).unwrap()
}

impl World {
    fn new() -> Self {
        Self::at(&Location::Memory)
    }

    fn at(location: &Location) -> Self {
        let opened = SqliteStore::open(location).unwrap();
        let memory = Arc::new(loaded(&opened).memory);
        let store = opened.start(memory.clone()).unwrap();
        Self { store, memory }
    }

    fn submit(&self, now: UnixMillis, ops: Vec<Op>) -> Result<Committed, Refused> {
        let (done, outcome) = sync_channel(1);
        let write = Write { now, ops, requires: Vec::new(), remember: None };
        self.store.submit(write, Box::new(move |result| done.send(result).unwrap()));
        outcome.recv().unwrap()
    }

    fn create(&self, records: impl IntoIterator<Item = Record>) {
        self.submit(NOW, records.into_iter().map(Op::Create).collect()).unwrap();
    }

    fn rule(&self, caller: &str) -> Option<MatchRule> {
        let found = self.memory.bindings.lookup(number(DID), Some(number(caller)), NOW);
        found.map(|found| found.rule)
    }
}

fn number(digits: &str) -> Number {
    digits.parse().unwrap()
}

fn sid(bits: u128) -> Sid {
    Sid::from_random(bits)
}

fn binding(wait: Option<u64>) -> BindingRecord {
    BindingRecord {
        sid: sid(1),
        account_sid: sid(2),
        name: "N/A".into(),
        redirect_did: number(DID),
        origination_did: None,
        destination_did: number("442071234567"),
        dtmf: None,
        attributes: Object::new(),
        maximum_ttl: None,
        wait_origination_did_ttl: wait.map(|seconds| u32::try_from(seconds).unwrap()),
        date_created: NOW,
        claim_until: wait.map(|seconds| NOW + Duration::from_secs(seconds)),
    }
}

fn endpoint(at: u128) -> Record {
    Record::Endpoint(Arc::new(EndpointRecord {
        sid: sid(at),
        name: "masking".into(),
        kind: EndpointType::Mediator,
        addresses: Vec::new(),
        attributes: Object::new(),
        auth_required: true,
        capacity: 0,
        cps_limit: None,
        out_sip_username: None,
        out_sip_password: None,
        sip_username: None,
        sip_password: None,
        login: None,
        password: None,
        outbound: None,
        number_plus: false,
        transformations: Vec::new(),
        date_created: NOW,
    }))
}

fn group(at: u128) -> Record {
    Record::TrunkGroup(Arc::new(TrunkGroupRecord {
        sid: sid(at),
        name: "masking".into(),
        routing_type: "failover".into(),
        routing_data: None,
        hard_failure_codes: "408;".into(),
        hard_failure_threshold: 3,
        hard_failure_interval: 60,
        hard_failure_cooldown: 120,
        hard_failure_last_resort: "first".into(),
        soft_failure_codes: "408;".into(),
        sip_options_threshold: 3,
        options_interval: None,
        lists: Object::new(),
        date_created: NOW,
    }))
}

fn trunk(at: u128, group: u128, endpoint: u128) -> Record {
    Record::Trunk(Arc::new(TrunkRecord {
        sid: sid(at),
        trunk_group_sid: sid(group),
        name: "masking".into(),
        endpoint_sid: sid(endpoint),
        priority: 0,
        weight: 0,
        in_capacity: 0,
        out_capacity: -1,
        allow_forward: "disabled".into(),
        extra: Object::new(),
        date_created: NOW,
    }))
}

fn did(at: u128, digits: Number, group: u128) -> Record {
    Record::Did(Arc::new(DidRecord {
        sid: sid(at),
        phonenumber: digits,
        trunk_group_sid: Some(sid(group)),
        name: "N/A".into(),
        country_code: None,
        in_country_format: "".into(),
        international_format: "".into(),
        attributes: Object::new(),
        string_key_1: None,
        string_key_2: None,
        transformations: Vec::new(),
        date_created: NOW,
    }))
}

#[test]
fn an_answered_write_steers_the_next_call() {
    let world = World::new();
    world.create([endpoint(10), group(11), trunk(12, 11, 10), did(13, number(DID), 11)]);
    let directory = world.memory.directory.load_full();
    assert!(matches!(directory.route(number(DID)), DidRoute::Mediator(_)));
    assert_eq!(directory.trunk_groups()[0].trunks[0].out_capacity, Some(0));
    world.create([Record::Binding(Arc::new(binding(None)))]);
    assert_eq!(world.rule("1"), Some(MatchRule::Any));
    let gone = |kind, at| Op::Delete { kind, sid: sid(at), expect: None };
    world.submit(NOW, vec![gone(Kind::Binding, 1), gone(Kind::Did, 13)]).unwrap();
    assert_eq!(world.rule("1"), None);
    assert!(matches!(world.memory.directory.load().route(number(DID)), DidRoute::NotOurs));
}

#[test]
fn a_refused_claim_is_undone_in_the_table() {
    let world = World::new();
    world.create([Record::Binding(Arc::new(binding(Some(300))))]);
    // The store gives it to one caller while the table of this node gave it to another.
    let claim = |caller: &str| Op::Claim { binding_sid: sid(1), caller: number(caller) };
    let won = world.memory.bindings.claim(number(DID), sid(1), number("1001"), NOW);
    assert!(matches!(won, Claim::Won(_)));
    world.submit(NOW, vec![claim("1002")]).unwrap();
    assert_eq!(world.submit(NOW, vec![claim("1001")]), Err(Refused::Claimed));
    assert_eq!((world.rule("1001"), world.rule("1002")), (None, Some(MatchRule::Exact)));
    // And where the binding is gone from the store, it is gone from the table.
    world.memory.put_binding(&binding(Some(300)));
    let delete = Op::Delete { kind: Kind::Binding, sid: sid(1), expect: None };
    world.submit(NOW, vec![delete]).unwrap();
    world.memory.put_binding(&binding(Some(300)));
    assert!(world.submit(NOW, vec![claim("1003")]).is_err());
    assert_eq!(world.rule("1003"), None);
}

#[test]
fn what_expires_in_the_store_leaves_the_table() {
    let world = World::new();
    world.create([Record::Binding(Arc::new(binding(Some(300))))]);
    let due = world.memory.bindings.next_expiry().unwrap();
    assert!(due >= NOW + Duration::from_mins(5));
    world.submit(due, vec![Op::Expire { limit: 10 }]).unwrap();
    assert_eq!((world.memory.bindings.len(), world.memory.bindings.next_expiry()), (0, None));
}

#[test]
fn a_restart_finds_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let place = Location::Folder(folder.path().join("data"));
    let world = World::at(&place);
    world.create([endpoint(10), group(11), trunk(12, 11, 10), did(13, number(DID), 11)]);
    world.create([Record::Binding(Arc::new(binding(Some(300))))]);
    let claim = Op::Claim { binding_sid: sid(1), caller: number("1001") };
    world.submit(NOW, vec![claim]).unwrap();
    drop(world);
    let world = World::at(&place);
    assert!(matches!(world.memory.directory.load().route(number(DID)), DidRoute::Mediator(_)));
    assert_eq!((world.rule("1001"), world.rule("1002")), (Some(MatchRule::Exact), None));
    assert_eq!(world.memory.catalog.bindings_of(number(DID)), 1);
}

#[test]
fn many_numbers_of_one_write_make_one_directory() {
    let world = World::new();
    world.create([endpoint(10), group(11), trunk(12, 11, 10)]);
    let before = world.memory.directory.load_full();
    let numbers = (0_u64..5000).map(|at| (15_160_000_000 + at).to_string());
    world.create(numbers.zip(100_u128..).map(|(digits, at)| did(at, number(&digits), 11)));
    let directory = world.memory.directory.load_full();
    assert_eq!((before.dids().count(), directory.dids().count()), (0, 5000));
    assert_eq!(directory.endpoints()[0].dids.len(), 5000);
}
