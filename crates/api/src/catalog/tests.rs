//! The catalog follows the store: every index after every kind of change.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mediator_model::{Number, Secret, Sid, UnixMillis};
use mediator_store::record::{
    BindingRecord, DialoutRecord, DidRecord, EndpointType, Kind, Object, Record, TrunkRecord,
    Versioned,
};
use mediator_store::{Change, Committed};
use proptest::prelude::*;

use super::{Catalog, User};
use crate::testing::{START, account, did, endpoint, partner, token, trunk, trunk_group};

const fn sid(number: u128) -> Sid {
    Sid::from_u128(number)
}

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn binding(sid: u128, account: u128, redirect: &str) -> BindingRecord {
    BindingRecord {
        sid: Sid::from_u128(sid),
        account_sid: Sid::from_u128(account),
        name: "N/A".into(),
        redirect_did: number(redirect),
        origination_did: None,
        destination_did: number("15550001001"),
        dtmf: None,
        attributes: Object::new(),
        maximum_ttl: None,
        wait_origination_did_ttl: None,
        date_created: START,
        claim_until: None,
    }
}

fn dialout(sid: u128, account: u128, redirect: &str) -> DialoutRecord {
    DialoutRecord {
        sid: Sid::from_u128(sid),
        account_sid: Sid::from_u128(account),
        stage_one_destination_did: number("15550001001"),
        stage_two_destination_did: number("15550001002"),
        redirect_did: number(redirect),
        attributes: Object::new(),
        date_created: START,
        due: START,
        dialling: false,
    }
}

/// A catalog and the revisions that it hears of.
struct Story {
    catalog: Catalog,
    revision: u64,
}

impl Story {
    fn new() -> Self {
        Self { catalog: Catalog::new(), revision: 0 }
    }

    /// Account 1 with trunk 21 in group 11, account 2 with trunk 22 in group 12.
    fn with_accounts() -> Self {
        let mut story = Self::new();
        for at in [1, 2] {
            let login = format!("login{at}");
            story.put(Record::Endpoint(Arc::new(account(at, (&login, "p")))));
            story.put(Record::TrunkGroup(Arc::new(trunk_group(10 + at))));
            story.put(Record::Trunk(Arc::new(trunk(20 + at, sid(10 + at), sid(at)))));
        }
        story
    }

    fn put(&mut self, record: Record) {
        self.change(Change::Put(record));
    }

    fn remove(&mut self, kind: Kind, number: u128) {
        self.change(Change::Removed { kind, sid: sid(number) });
    }

    fn change(&mut self, change: Change) {
        self.revision += 1;
        let changes = Arc::from([change]);
        self.catalog.apply(&Committed { revision: self.revision, changes });
    }

    fn did(&mut self, sid: u128, digits: &str, group: u128) {
        self.put(Record::Did(Arc::new(did(sid, digits, Some(Sid::from_u128(group))))));
    }

    fn bind(&mut self, sid: u128, account: u128, redirect: &str) {
        self.put(Record::Binding(Arc::new(binding(sid, account, redirect))));
    }

    fn least(&self, account: u128, country: Option<&str>) -> Option<String> {
        let least = self.catalog.least_bound(sid(account), country, &mut |_| false);
        least.map(|number| number.to_string())
    }

    fn dids_of(&self, account: u128) -> Vec<String> {
        let dids = self.catalog.dids_of(sid(account));
        dids.iter().map(|held| held.record.phonenumber.to_string()).collect()
    }
}

const ONE: &str = "15162065337";
const TWO: &str = "15162065346";
const GERMAN: &str = "493012345678";

#[test]
fn hands_out_objects_with_the_revision_of_their_last_write() {
    let mut story = Story::new();
    story.put(Record::Endpoint(Arc::new(endpoint(5, EndpointType::SystemGateway))));
    story.put(Record::Partner(Arc::new(partner())));
    story.put(Record::Token(Arc::new(token("t"))));
    assert_eq!(story.catalog.endpoint(sid(5)).map(|held| held.revision), Some(1));
    story.put(Record::Endpoint(Arc::new(endpoint(5, EndpointType::ThirdParty))));
    let held = story.catalog.endpoint(sid(5)).unwrap();
    assert_eq!((held.revision, held.record.kind), (4, EndpointType::ThirdParty));
    assert_eq!(story.catalog.partner().map(|held| held.revision), Some(2));
    assert_eq!(story.catalog.tokens().len(), 1);
    assert_eq!(story.catalog.revision(), 4);
    story.remove(Kind::Endpoint, 5);
    story.remove(Kind::Partner, 900);
    assert_eq!(story.catalog.endpoint(sid(5)), None);
    assert_eq!(story.catalog.partner(), None);
    // What is removed twice is gone all the same.
    story.remove(Kind::Endpoint, 5);
    assert_eq!(story.catalog.endpoints(), []);
}

#[test]
fn takes_what_there_is_at_start() {
    let catalog = Catalog::new();
    let object = Record::Endpoint(Arc::new(account(1, ("l", "p"))));
    catalog.load(Versioned { revision: 77, record: object });
    assert_eq!(catalog.account_by_login("l").map(|held| held.revision), Some(77));
}

#[test]
fn lists_the_oldest_first() {
    let mut story = Story::new();
    for (sid, age) in [(1, 5), (2, 9), (3, 7), (4, 7)] {
        let mut group = trunk_group(sid);
        group.date_created = UnixMillis(START.0 - age);
        story.put(Record::TrunkGroup(Arc::new(group)));
    }
    let groups: Vec<Sid> =
        story.catalog.trunk_groups().iter().map(|held| held.record.sid).collect();
    assert_eq!(groups, [sid(2), sid(3), sid(4), sid(1)]);
}

#[test]
fn finds_accounts_by_their_login_as_it_is_now() {
    let mut story = Story::with_accounts();
    let found = |story: &Story, login: &str| {
        story.catalog.account_by_login(login).map(|held| held.record.sid)
    };
    assert_eq!(found(&story, "login1"), Some(sid(1)));
    story.put(Record::Endpoint(Arc::new(account(1, ("renamed", "p")))));
    assert_eq!((found(&story, "login1"), found(&story, "renamed")), (None, Some(sid(1))));
    // Another one takes the login that became free; that the first one goes does not matter to it.
    story.put(Record::Endpoint(Arc::new(account(3, ("login1", "p")))));
    story.remove(Kind::Endpoint, 1);
    assert_eq!((found(&story, "login1"), found(&story, "renamed")), (Some(sid(3)), None));
    let phone = mediator_store::record::EndpointRecord {
        sip_username: Some("alice".into()),
        sip_password: Some(Secret::new("p")),
        ..endpoint(4, EndpointType::ThirdParty)
    };
    story.put(Record::Endpoint(Arc::new(phone)));
    let phone = story.catalog.endpoint_by_sip_username("alice");
    assert_eq!(phone.map(|held| held.record.sid), Some(sid(4)));
}

#[test]
fn finds_tokens_by_what_clients_hold() {
    let mut story = Story::new();
    let mut one = token("first");
    one.refresh_hash = Some([7; 32]);
    story.put(Record::Token(Arc::new(one.clone())));
    let hash = crate::auth::token_hash("first");
    assert!(story.catalog.token_by_hash(&hash).is_some());
    assert!(story.catalog.token_by_refresh_hash(&[7; 32]).is_some());
    one.access_hash = crate::auth::token_hash("second");
    one.refresh_hash = None;
    story.put(Record::Token(Arc::new(one)));
    assert!(story.catalog.token_by_hash(&hash).is_none());
    assert!(story.catalog.token_by_refresh_hash(&[7; 32]).is_none());
    story.remove(Kind::Token, 901);
    assert!(story.catalog.token_by_hash(&crate::auth::token_hash("second")).is_none());
}

#[test]
fn a_number_belongs_to_the_account_behind_the_first_trunk() {
    let mut story = Story::with_accounts();
    story.did(101, ONE, 11);
    let owner = |story: &Story| story.catalog.account_of(number(ONE));
    assert_eq!(owner(&story), Some(sid(1)));
    // A trunk of a lower priority value comes first.
    let before = TrunkRecord { priority: 5, ..trunk(21, sid(11), sid(1)) };
    story.put(Record::Trunk(Arc::new(before)));
    story.put(Record::Trunk(Arc::new(trunk(23, sid(11), sid(2)))));
    assert_eq!(owner(&story), Some(sid(2)));
    assert_eq!((story.dids_of(1), story.dids_of(2)), (vec![], vec![ONE.to_owned()]));
    story.remove(Kind::Trunk, 23);
    assert_eq!(owner(&story), Some(sid(1)));
    // A carrier's numbers are no account's.
    story.put(Record::Endpoint(Arc::new(endpoint(1, EndpointType::SystemGateway))));
    assert_eq!((owner(&story), story.dids_of(1)), (None, vec![]));
    story.put(Record::Endpoint(Arc::new(account(1, ("login1", "p")))));
    assert_eq!(owner(&story), Some(sid(1)));
    // Nor are those of no group, of an empty group, and those that are no DIDs.
    story.put(Record::Did(Arc::new(did(101, ONE, None))));
    assert_eq!(owner(&story), None);
    story.did(101, ONE, 99);
    assert_eq!(owner(&story), None);
    assert_eq!(story.catalog.account_of(number(TWO)), None);
    story.did(101, ONE, 11);
    story.remove(Kind::Endpoint, 1);
    assert_eq!(owner(&story), None);
}

#[test]
fn a_did_is_found_by_its_number_as_it_is_now() {
    let mut story = Story::with_accounts();
    story.did(101, ONE, 11);
    story.did(101, TWO, 11);
    assert_eq!(story.catalog.did_by_number(number(ONE)), None);
    let held = story.catalog.did_by_number(number(TWO)).unwrap();
    assert_eq!((held.record.sid, held.revision), (sid(101), story.revision));
    assert_eq!(story.dids_of(1), [TWO]);
    story.remove(Kind::Did, 101);
    assert_eq!((story.catalog.did(sid(101)), story.dids_of(1)), (None, vec![]));
}

#[test]
fn a_groups_trunks_are_listed_by_age() {
    let mut story = Story::with_accounts();
    for (trunk_sid, priority, age) in [(31, 0, 1), (32, 9, 3), (33, 5, 2)] {
        let date_created = UnixMillis(START.0 - age);
        let one = TrunkRecord { priority, date_created, ..trunk(trunk_sid, sid(11), sid(2)) };
        story.put(Record::Trunk(Arc::new(one)));
    }
    let trunks = story.catalog.trunks_of(sid(11));
    let sids: Vec<Sid> = trunks.iter().map(|held| held.record.sid).collect();
    assert_eq!(sids, [sid(32), sid(33), sid(31), sid(21)]);
    assert_eq!(story.catalog.trunks_of(sid(99)), []);
}

#[test]
fn the_number_with_the_fewest_bindings_comes_first() {
    let mut story = Story::with_accounts();
    story.did(101, ONE, 11);
    story.did(102, TWO, 11);
    story.did(103, GERMAN, 11);
    assert_eq!(story.least(1, None).as_deref(), Some(ONE));
    story.bind(1001, 1, ONE);
    assert_eq!(story.least(1, None).as_deref(), Some(TWO));
    story.bind(1002, 1, TWO);
    assert_eq!(story.least(1, None).as_deref(), Some(GERMAN));
    story.bind(1003, 1, GERMAN);
    story.bind(1004, 1, GERMAN);
    assert_eq!(story.least(1, None).as_deref(), Some(ONE));
    assert_eq!(story.least(1, Some("DEU")).as_deref(), Some(GERMAN));
    assert_eq!(story.least(1, Some("FRA")), None);
    assert_eq!(story.least(2, None), None);
    // What changes a binding's number counts at both; what changes something else counts nowhere.
    story.bind(1002, 1, ONE);
    story.bind(1002, 1, ONE);
    let counts = [ONE, TWO, GERMAN].map(|digits| story.catalog.bindings_of(number(digits)));
    assert_eq!(counts, [2, 0, 2]);
    assert_eq!(story.least(1, None).as_deref(), Some(TWO));
    story.remove(Kind::Binding, 1001);
    story.remove(Kind::Binding, 1001);
    story.remove(Kind::Binding, 1002);
    assert_eq!(story.least(1, None).as_deref(), Some(ONE));
    // A number that is taken is passed over.
    let mut asked = Vec::new();
    let least = story.catalog.least_bound(sid(1), None, &mut |number| {
        asked.push(number.to_string());
        number.to_string() != GERMAN
    });
    assert_eq!(least, Some(number(GERMAN)));
    assert_eq!(asked, [ONE, TWO, GERMAN]);
}

#[test]
fn bindings_may_be_there_before_their_did() {
    let mut story = Story::with_accounts();
    story.bind(1001, 1, ONE);
    story.did(102, TWO, 11);
    story.did(101, ONE, 11);
    assert_eq!(story.least(1, None).as_deref(), Some(TWO));
    story.remove(Kind::Binding, 1001);
    story.bind(1002, 1, TWO);
    assert_eq!(story.least(1, None).as_deref(), Some(ONE));
    // A DID that moves takes its count along.
    story.did(102, TWO, 12);
    assert_eq!(
        (story.least(2, None).as_deref(), story.dids_of(1)),
        (Some(TWO), vec![ONE.to_owned()])
    );
}

#[test]
fn all_are_tried_however_many_are_taken() {
    let mut story = Story::with_accounts();
    for at in 0..100_u128 {
        story.did(5000 + at, &format!("1516206{at:04}"), 11);
    }
    let mut asked = 0;
    let none = story.catalog.least_bound(sid(1), None, &mut |_| {
        asked += 1;
        true
    });
    assert_eq!((none, asked), (None, 100));
}

#[test]
fn says_what_keeps_an_object() {
    let mut story = Story::with_accounts();
    story.did(101, ONE, 11);
    let user = |story: &Story, kind, number| story.catalog.user_of(kind, sid(number));
    let named =
        |kind, number, name: &str| Some(User { kind, sid: Some(sid(number)), name: name.into() });
    assert_eq!(user(&story, Kind::Endpoint, 1), named(Kind::Trunk, 21, "N/A"));
    assert_eq!(user(&story, Kind::TrunkGroup, 11), named(Kind::Did, 101, ONE));
    assert_eq!(user(&story, Kind::Did, 101), None);
    story.bind(1001, 1, ONE);
    story.put(Record::Dialout(Arc::new(dialout(1101, 1, ONE))));
    let counted = |kind, name: &str| Some(User { kind, sid: None, name: name.into() });
    assert_eq!(user(&story, Kind::Did, 101), counted(Kind::Binding, "1"));
    story.remove(Kind::Binding, 1001);
    assert_eq!(user(&story, Kind::Did, 101), counted(Kind::Dialout, "1"));
    assert_eq!(story.catalog.dialouts_of(number(ONE)), 1);
    story.remove(Kind::Trunk, 21);
    assert_eq!(user(&story, Kind::Endpoint, 1), counted(Kind::Dialout, "1"));
    story.remove(Kind::Dialout, 1101);
    assert_eq!(user(&story, Kind::Endpoint, 1), None);
    story.remove(Kind::Did, 101);
    assert_eq!(user(&story, Kind::TrunkGroup, 11), None);
    let mut caller = endpoint(8, EndpointType::ThirdParty);
    caller.outbound = Some(sid(11));
    story.put(Record::Endpoint(Arc::new(caller)));
    assert_eq!(user(&story, Kind::TrunkGroup, 11), named(Kind::Endpoint, 8, "N/A"));
}

/// A change of few objects, so that they meet often.
fn changes() -> impl Strategy<Value = Change> {
    let numbers = prop::sample::select(vec![ONE, TWO, GERMAN]);
    let put = prop_oneof![
        (1000_u128..1010, 1_u128..3, numbers.clone())
            .prop_map(|(sid, account, to)| Record::Binding(Arc::new(binding(sid, account, to)))),
        (0..3_usize, prop::option::of(11_u128..13)).prop_map(|(at, group)| {
            let digits = [ONE, TWO, GERMAN][at];
            Record::Did(Arc::new(did(100 + at as u128, digits, group.map(Sid::from_u128))))
        }),
        (21_u128..24, 11_u128..13, 1_u128..4, 0..3_u16).prop_map(|(at, group, to, priority)| {
            Record::Trunk(Arc::new(TrunkRecord { priority, ..trunk(at, sid(group), sid(to)) }))
        }),
        (1_u128..4, any::<bool>()).prop_map(|(at, is_account)| {
            let login = format!("login{at}");
            Record::Endpoint(Arc::new(if is_account {
                account(at, (&login, "p"))
            } else {
                endpoint(at, EndpointType::ThirdParty)
            }))
        }),
    ];
    let removed = prop_oneof![
        (1000_u128..1010).prop_map(|number| (Kind::Binding, number)),
        (100_u128..103).prop_map(|number| (Kind::Did, number)),
        (21_u128..24).prop_map(|number| (Kind::Trunk, number)),
        (1_u128..4).prop_map(|number| (Kind::Endpoint, number)),
    ];
    prop_oneof![
        3 => put.prop_map(Change::Put),
        1 => removed.prop_map(|(kind, number)| Change::Removed { kind, sid: sid(number) }),
    ]
}

/// What the catalog should say, looked up the slow way.
#[derive(Default)]
struct Model {
    objects: std::collections::BTreeMap<(Kind, Sid), Record>,
}

impl Model {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Put(record) => {
                self.objects.insert((record.kind(), record.sid()), record.clone());
            }
            Change::Removed { kind, sid } => drop(self.objects.remove(&(*kind, *sid))),
        }
    }

    fn dids(&self) -> impl Iterator<Item = &Arc<DidRecord>> {
        self.objects.values().filter_map(|record| match record {
            Record::Did(did) => Some(did),
            _ => None,
        })
    }

    fn bindings_of(&self, number: Number) -> u64 {
        let is_bound = |record: &&Record| matches!(record, Record::Binding(binding) if binding.redirect_did == number);
        self.objects.values().filter(is_bound).count() as u64
    }

    fn account_of(&self, did: &DidRecord) -> Option<Sid> {
        let group = did.trunk_group_sid?;
        let trunks = self.objects.values().filter_map(|record| match record {
            Record::Trunk(trunk) if trunk.trunk_group_sid == group => Some(trunk),
            _ => None,
        });
        let first = trunks.min_by_key(|trunk| (trunk.priority, trunk.date_created, trunk.sid))?;
        match self.objects.get(&(Kind::Endpoint, first.endpoint_sid))? {
            Record::Endpoint(endpoint) if endpoint.kind == EndpointType::Mediator => {
                Some(endpoint.sid)
            }
            _ => None,
        }
    }

    fn least(&self, account: Sid) -> Option<Number> {
        self.dids()
            .filter(|did| self.account_of(did) == Some(account))
            .map(|did| did.phonenumber)
            .min_by_key(|number| (self.bindings_of(*number), *number))
    }
}

proptest! {
    #[test]
    fn says_what_a_search_through_everything_would(all in prop::collection::vec(changes(), 1..60)) {
        let (mut story, mut model) = (Story::new(), Model::default());
        for change in all {
            model.apply(&change);
            story.change(change);
            for digits in [ONE, TWO, GERMAN] {
                let number = number(digits);
                let did = model.dids().find(|did| did.phonenumber == number);
                prop_assert_eq!(
                    story.catalog.account_of(number),
                    did.and_then(|did| model.account_of(did))
                );
                prop_assert_eq!(story.catalog.bindings_of(number), model.bindings_of(number));
            }
            for account in [1, 2, 3].map(sid) {
                let least = story.catalog.least_bound(account, None, &mut |_| false);
                prop_assert_eq!(least, model.least(account));
                let owned = model.dids().filter(|did| model.account_of(did) == Some(account));
                prop_assert_eq!(story.catalog.dids_of(account).len(), owned.count());
            }
        }
    }
}

#[test]
fn a_choice_among_many_is_quick() {
    let mut story = Story::with_accounts();
    let mut german = did(0, GERMAN, Some(sid(11)));
    for at in 0..20_000_u64 {
        german.sid = Sid::from_u128(10_000 + u128::from(at));
        german.phonenumber = number(&format!("49301{at:06}"));
        story.put(Record::Did(Arc::new(german.clone())));
    }
    let began = Instant::now();
    for at in 0..20_000_u128 {
        let least = story.catalog.least_bound(sid(1), Some("DEU"), &mut |_| false).unwrap();
        let mut bound = binding(1_000_000 + at, 1, ONE);
        bound.redirect_did = least;
        story.put(Record::Binding(Arc::new(bound)));
    }
    // Scans of 20,000 numbers each would take minutes.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(story.catalog.bindings_of(number("49301000000")), 1);
    assert_eq!(story.catalog.bindings_of(number("49301019999")), 1);
}
