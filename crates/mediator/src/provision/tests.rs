//! A file over a store: what is created, what changes, what stays, and what stands against it.

use std::sync::Arc;
use std::time::Duration;

use mediator_model::{Bindings as _, DidRoute, MatchRule, Number, SourceMatch};
use mediator_store::record::{DidRecord, EndpointRecord};
use mediator_store::{Location, SqliteStore, Versioned};
use mediator_table::{Gate, GateSettings};

use super::*;
use crate::config::Config;
use crate::memory::{Loading, Memory};

mod racing;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const DID: &str = "15162065346";

/// A store in memory, and what follows it.
struct World {
    store: Arc<SqliteStore>,
    memory: Arc<Memory>,
    now: UnixMillis,
}

impl World {
    fn new() -> Self {
        let opened = SqliteStore::open(&Location::Memory).unwrap();
        let gate = Arc::new(Gate::new(GateSettings::default()));
        let memory = Arc::new(Loading::default().finish(gate, NOW).unwrap().memory);
        let store = Arc::new(opened.start(memory.clone()).unwrap());
        Self { store, memory, now: NOW }
    }

    fn provision(&self, text: &str) -> Result<Provisioned, ProvisionError> {
        let config = parse(text);
        let picture = read_picture(&*self.store, &config.objects, self.now).unwrap();
        provision(&*self.store, (&config.objects, &config.core), picture, self.now)
    }

    #[track_caller]
    fn good(&self, text: &str) -> Provisioned {
        self.provision(text).unwrap_or_else(|error| panic!("refused: {error}\n{text}"))
    }

    #[track_caller]
    fn refusal(&self, text: &str) -> String {
        let before = self.store.revision();
        let refusal = self.provision(text).expect_err("accepted").to_string();
        assert_eq!(self.store.revision(), before, "nothing changes");
        refusal
    }

    fn write(&self, op: Op) {
        write(&*self.store, vec![op], self.now).unwrap();
    }

    fn endpoint(&self, name: &str) -> Versioned<Arc<EndpointRecord>> {
        let mut all = self.memory.catalog.endpoints().into_iter();
        all.find(|endpoint| &*endpoint.record.name == name).unwrap()
    }

    fn did(&self, digits: &str) -> Versioned<Arc<DidRecord>> {
        self.memory.catalog.did_by_number(number(digits)).unwrap()
    }

    /// As the API changes an endpoint.
    fn edit(&self, name: &str, edit: impl FnOnce(&mut EndpointRecord)) {
        let held = self.endpoint(name);
        let mut record = (*held.record).clone();
        edit(&mut record);
        let record = Record::Endpoint(Arc::new(record));
        self.write(Op::Update { record, expect: held.revision });
    }

    fn binding(&self, caller: Option<&str>) -> Option<(MatchRule, String)> {
        let found = self.memory.bindings.lookup(number(DID), caller.map(number), self.now)?;
        Some((found.rule, found.binding.destination_did.to_string()))
    }
}

fn parse(text: &str) -> Config {
    let base = "media = { mode = \"direct\" }\nstore.url = \"memory:\"\n";
    Config::parse("test.toml", &format!("{base}{text}")).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn number(digits: &str) -> Number {
    digits.parse().unwrap()
}

fn mediator(name: &str, dids: &[&str], more: &str) -> String {
    format!("[[endpoint]]\nname = \"{name}\"\ntype = \"mediator\"\ndids = {dids:?}\n{more}\n")
}

fn phone(name: &str, user: &str, more: &str) -> String {
    format!(
        "[[endpoint]]\nname = \"{name}\"\ntype = \"third_party\"\nsip_username = \"{user}\"\nsip_password = \"p\"\n{more}\n"
    )
}

fn bound(destination: &str, more: &str) -> String {
    format!(
        "[[binding]]\nendpoint = \"masking\"\nredirect_did = \"{DID}\"\ndestination_did = \"{destination}\"\n{more}\n"
    )
}

const CARRIER: &str = "[[endpoint]]\nname = \"carrier\"\ntype = \"system_gateway\"\naddresses = [{ ip = \"127.0.0.2\" }]\n";

#[test]
fn makes_everything_once() {
    let world = World::new();
    let text = format!(
        "core.token = \"t\"\n{}{}{CARRIER}{}",
        mediator(
            "masking",
            &["15162065337", DID],
            "outbound = \"carrier\"\nlogin = \"l\"\npassword = \"p\""
        ),
        phone("alice", "alice", "dids = [\"15550001002\", \"15550001001\"]"),
        bound("44", ""),
    );
    let first = world.good(&text);
    assert!(first.objects > 0 && first.bindings == 1 && first.notes.is_empty(), "{first:?}");
    let directory = world.memory.directory.load_full();
    let DidRoute::Mediator(index) = directory.route(number(DID)) else { panic!("not routed") };
    assert_eq!(&*directory.endpoint(index).unwrap().name, "masking");
    let alice = directory.endpoint_by_user("alice").unwrap();
    let dids: Vec<String> =
        directory.endpoint(alice).unwrap().dids.iter().map(ToString::to_string).collect();
    assert_eq!(dids, ["15550001002", "15550001001"], "in the order of the file");
    let source = directory.identify("127.0.0.2".parse().unwrap(), 5060);
    assert!(matches!(source, SourceMatch::One(_)));
    assert_eq!(world.did(DID).record.country_code.as_deref(), Some("USA"));
    let partner = world.memory.catalog.partner().unwrap();
    assert!(partner.record.callbacks_secret.is_some());
    assert_eq!(world.binding(Some("1415")), Some((MatchRule::Claim, "44".into())));
    let revision = world.store.revision();
    assert_eq!(world.good(&text), Provisioned::default(), "a second start changes nothing");
    assert_eq!(world.store.revision(), revision);
}

#[test]
fn leaves_what_the_api_changed_until_the_file_changes() {
    let world = World::new();
    let text = |capacity: u32| phone("alice", "alice", &format!("capacity = {capacity}"));
    world.good(&text(1));
    world.edit("alice", |alice| {
        alice.capacity = 7;
        alice.attributes.insert("note".into(), "kept".into());
    });
    world.good(&text(1));
    assert_eq!(world.endpoint("alice").record.capacity, 7);
    world.good(&text(2));
    let alice = world.endpoint("alice").record;
    assert_eq!(alice.capacity, 2);
    assert_eq!(alice.attributes.get("note"), Some(&"kept".into()), "no key of the file says it");
    world.edit("alice", |alice| alice.name = "renamed".into());
    assert_eq!(world.good(&text(2)).objects, 0, "known by what it was provisioned as");
}

#[test]
fn a_new_password_in_the_file_counts() {
    let world = World::new();
    world.good(&phone("alice", "alice", ""));
    world
        .good(&phone("alice", "alice", "").replace("sip_password = \"p\"", "sip_password = \"q\""));
    let secret = world.endpoint("alice").record.sip_password.clone().unwrap();
    assert_eq!(secret.expose(), "q");
}

#[test]
fn never_deletes_but_the_groups_own_trunks() {
    let world = World::new();
    let group = |trunks: &str| {
        format!(
            "{CARRIER}{}[[trunk_group]]\nname = \"g\"\ntrunks = [{trunks}]\n",
            CARRIER.replace("carrier", "second").replace("0.0.2", "0.0.3")
        )
    };
    world.good(
        &(group("{ endpoint = \"carrier\" }, { endpoint = \"second\", priority = 1 }")
            + &mediator("masking", &[DID], "")),
    );
    let trunks = || {
        let directory = world.memory.directory.load_full();
        let group = directory.trunk_groups().iter().find(|group| &*group.name == "g").unwrap();
        group
            .trunks
            .iter()
            .map(|trunk| (trunk.name.to_string(), trunk.priority))
            .collect::<Vec<_>>()
    };
    assert_eq!(trunks(), [("carrier".to_owned(), 0), ("second".to_owned(), 1)]);
    world.good(&group("{ endpoint = \"second\", priority = 3 }"));
    assert_eq!(trunks(), [("second".to_owned(), 3)]);
    assert!(
        matches!(world.memory.directory.load().route(number(DID)), DidRoute::Mediator(_)),
        "stays"
    );
    assert_eq!(world.good(&group("{ endpoint = \"second\", priority = 3 }")).objects, 0);
}

#[test]
fn a_number_goes_where_the_file_moves_it_and_stays_where_the_api_moved_it() {
    let world = World::new();
    let file = |owner: &str| {
        let dids = |name: &str| if name == owner { vec![DID] } else { vec!["1000000"] };
        let (one, two) = (dids("masking"), dids("other"));
        let two = if two == one { vec!["1000001"] } else { two };
        mediator("masking", &one, "") + &mediator("other", &two, "")
    };
    world.good(&file("masking"));
    let owner = || {
        let directory = world.memory.directory.load_full();
        let DidRoute::Mediator(index) = directory.route(number(DID)) else { panic!("not routed") };
        directory.endpoint(index).unwrap().name.to_string()
    };
    assert_eq!(owner(), "masking");
    let other = world.did("1000000").record.trunk_group_sid;
    let held = world.did(DID);
    let moved = DidRecord { trunk_group_sid: other, ..(*held.record).clone() };
    world.write(Op::Update { record: Record::Did(Arc::new(moved)), expect: held.revision });
    let with_binding = file("masking") + &bound("44", "");
    let done = world.good(&with_binding);
    assert_eq!(owner(), "other", "the API's word counts where the file's is old");
    assert_eq!((done.bindings, done.notes.len()), (0, 1), "{done:?}");
    world.good(&file("other"));
    world.good(&file("masking"));
    assert_eq!(owner(), "masking");
}

#[test]
fn a_claim_and_its_age_stay_over_a_change_of_the_file() {
    let mut world = World::new();
    let file = |binding: &str| mediator("masking", &[DID], "") + binding;
    world.good(&file(&bound("44", "")));
    let sid = world.memory.bindings.lookup(number(DID), None, NOW).unwrap().binding.sid;
    world.write(Op::Claim { binding_sid: sid, caller: number("14155550100") });
    world.now = NOW + Duration::from_secs(1000);
    assert_eq!(world.good(&file(&bound("44", ""))).bindings, 0, "the file did not change");
    assert_eq!(world.good(&file(&bound("45", ""))).bindings, 1);
    assert_eq!(world.binding(Some("14155550100")), Some((MatchRule::Exact, "45".into())));
    assert_eq!(world.binding(Some("14155550101")), None, "not claimed twice");
    world.now = NOW + Duration::from_hours(1);
    assert_eq!(world.binding(Some("14155550100")), None, "its age counts from the beginning");
}

#[test]
fn a_binding_that_is_gone_is_made_anew() {
    let mut world = World::new();
    let file = mediator("masking", &[DID], "") + &bound("44", "");
    world.good(&file);
    let sid = world.memory.bindings.lookup(number(DID), None, NOW).unwrap().binding.sid;
    world.write(Op::Delete { kind: Kind::Binding, sid, expect: None });
    assert_eq!(world.binding(None), None);
    assert_eq!(world.good(&file).bindings, 1);
    world.now = NOW + Duration::from_secs(4000);
    assert_eq!(world.binding(None), None, "expired");
    assert_eq!(world.good(&file).bindings, 1);
    assert_eq!(world.binding(None), Some((MatchRule::Claim, "44".into())));
}

#[test]
fn a_binding_of_the_api_with_the_same_numbers_stays() {
    let world = World::new();
    let file = |binding: &str| mediator("masking", &[DID], "") + binding;
    world.good(&file(&bound("44", "")));
    let held = world.memory.bindings.lookup(number(DID), None, NOW).unwrap().binding.sid;
    let found = world.store.object(Kind::Binding, held, NOW).unwrap().unwrap();
    let Record::Binding(record) = found.record else { panic!("no binding") };
    world.write(Op::Delete { kind: Kind::Binding, sid: held, expect: None });
    let own = BindingRecord {
        sid: Sid::from_random(7),
        destination_did: number("99"),
        ..(*record).clone()
    };
    world.write(Op::Create(Record::Binding(Arc::new(own))));
    world.good(&file(&bound("44", "")));
    assert_eq!(world.binding(None), Some((MatchRule::Claim, "99".into())));
    world.good(&file(&bound("45", "")));
    assert_eq!(world.binding(None), Some((MatchRule::Claim, "45".into())), "the file changed");
}

#[test]
fn the_token_is_the_files() {
    let world = World::new();
    let hash = |token: &str| -> [u8; 32] {
        use sha2::Digest;
        sha2::Sha256::digest(token.as_bytes()).into()
    };
    let opens = |token: &str| world.memory.catalog.token_by_hash(&hash(token)).is_some();
    world.good("core.token = \"one\"\n");
    assert!(opens("one"));
    world.good("core.token = \"two\"\n");
    assert!(opens("two") && !opens("one"));
    world.good("");
    assert!(!opens("two"));
}

#[test]
fn says_what_stands_against_the_file() {
    let world = World::new();
    world.good(
        &(phone("alice", "u", "")
            + &mediator("masking", &[DID], "login = \"l\"\npassword = \"p\"")),
    );
    let holder = |name: &str| world.endpoint(name).record.sid;
    assert_eq!(
        world.refusal(&phone("bob", "u", "")),
        format!(
            "endpoint \"bob\": sip_username: endpoint \"alice\" ({}) has the same one: choose another",
            holder("alice")
        )
    );
    assert_eq!(
        world.refusal(&mediator("other", &[], "login = \"l\"\npassword = \"p\"")),
        format!(
            "endpoint \"other\": login: endpoint \"masking\" ({}) has the same one: choose another",
            holder("masking")
        )
    );
    assert_eq!(
        world.refusal(&mediator("alice", &[], "")),
        "endpoint \"alice\": type: it was made with another type, which cannot change: choose another name"
    );
    let held = world.did(DID);
    world.write(Op::Delete { kind: Kind::Did, sid: held.record.sid, expect: None });
    let apis = DidRecord {
        sid: Sid::from_random(9),
        phonenumber: number("15550009999"),
        ..(*held.record).clone()
    };
    world.write(Op::Create(Record::Did(Arc::new(apis))));
    assert_eq!(
        world.refusal(&phone("bob", "b", "dids = [\"15550001001\", \"15550009999\"]")),
        format!(
            "endpoint \"bob\": dids: number 2 of the list is the DID {}, which the API gave to another trunk group: take it \
             out of the file, or delete that DID",
            Sid::from_random(9)
        )
    );
}

#[test]
fn a_user_name_moves_from_one_phone_to_another() {
    let world = World::new();
    world.good(&phone("alice", "u", ""));
    world.good(&(phone("alice", "v", "") + &phone("bob", "u", "")));
    let bob = world.memory.directory.load().endpoint_by_user("u").unwrap();
    assert_eq!(&*world.memory.directory.load().endpoint(bob).unwrap().name, "bob");
}

#[test]
fn takes_over_what_the_api_made_under_the_same_name() {
    let world = World::new();
    world.good(&phone("alice", "u", ""));
    let made = EndpointRecord {
        sid: Sid::from_random(3),
        name: "bob".into(),
        sip_username: Some("b".into()),
        ..(*world.endpoint("alice").record).clone()
    };
    world.write(Op::Create(Record::Endpoint(Arc::new(made))));
    let done = world.good(&phone("bob", "other", "dids = [\"15550001001\"]"));
    assert_eq!(done.notes.len(), 1, "{done:?}");
    assert_eq!(world.endpoint("bob").record.sip_username.as_deref(), Some("b"));
    world.good(&phone("bob", "third", "dids = [\"15550001001\"]"));
    let bob = world.endpoint("bob").record;
    assert_eq!((bob.sid, bob.sip_username.as_deref()), (Sid::from_random(3), Some("third")));
    let directory = world.memory.directory.load_full();
    let index = directory.endpoint_by_user("third").unwrap();
    assert_eq!(directory.endpoint(index).unwrap().dids, [number("15550001001")]);
}

#[test]
fn a_binding_whose_numbers_a_claim_took_holds_up_no_other() {
    let world = World::new();
    let file = |binding: &str| mediator("masking", &[DID], "") + binding;
    world.good(&file(&bound("44", "")));
    let sid = world.memory.bindings.lookup(number(DID), None, NOW).unwrap().binding.sid;
    world.write(Op::Claim { binding_sid: sid, caller: number("1001") });
    let more = ["1000", "1001", "1002"]
        .map(|caller| bound("45", &format!("origination_did = \"{caller}\"")))
        .concat();
    world.good(&file(&(bound("44", "") + &more)));
    assert_eq!(world.binding(Some("1000")), Some((MatchRule::Exact, "45".into())));
    assert_eq!(world.binding(Some("1001")), Some((MatchRule::Exact, "44".into())), "its caller's");
    assert_eq!(world.binding(Some("1002")), Some((MatchRule::Exact, "45".into())));
}

#[test]
fn a_change_of_the_file_that_lost_a_race_is_made_the_next_time() {
    let world = World::new();
    let file =
        |to: &str| mediator("masking", &[DID], "") + &bound(to, "wait_origination_did_ttl = -1");
    world.good(&file("44"));
    let config = parse(&file("45"));
    let picture = read_picture(&*world.store, &config.objects, NOW).unwrap();
    let racing = racing::Racing::new(world.store.clone());
    let lost = provision(&racing, (&config.objects, &config.core), picture, NOW).unwrap();
    assert_eq!((lost.bindings, world.binding(None)), (0, Some((MatchRule::Any, "44".into()))));
    assert_eq!(world.good(&file("45")).bindings, 1);
    assert_eq!(world.binding(None), Some((MatchRule::Any, "45".into())));
    assert_eq!(world.good(&file("45")).bindings, 0);
}

#[test]
fn provisions_more_bindings_than_one_write_takes() {
    use std::fmt::Write as _;
    let world = World::new();
    let mut text = mediator("masking", &[DID], "");
    for caller in 0..12_000 {
        let _ = write!(
            text,
            "[[binding]]\nendpoint = \"masking\"\nredirect_did = \"{DID}\"\norigination_did = \"1415{caller:07}\"\ndestination_did = \"44\"\nmaximum_ttl = -1\n"
        );
    }
    assert_eq!(world.good(&text).bindings, 12_000);
    assert_eq!(world.memory.bindings.len(), 12_000);
    assert_eq!(world.good(&text).bindings, 0);
}
