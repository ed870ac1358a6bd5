//! Rules that need a hand inside: a full disk, a poisoned group, the feed's end.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use mediator_model::{Number, Sid, UnixMillis};

use super::*;
use crate::record::MediaFigures;
use crate::write::{Committed, Op};
use crate::{FeedError, Object};

const NOW: UnixMillis = UnixMillis(1_772_366_400_000);

#[derive(Default)]
struct Notes(StdMutex<Vec<u64>>, StdMutex<Vec<Sid>>);

impl Follower for Notes {
    fn committed(&self, committed: &Committed) {
        self.0.lock().unwrap().push(committed.revision);
    }

    fn claim_failed(&self, binding_sid: Sid, _: Option<Versioned<BindingRecord>>) {
        self.1.lock().unwrap().push(binding_sid);
    }
}

fn binding(place: u128) -> BindingRecord {
    BindingRecord {
        sid: Sid::from_random(place << 64 | place),
        account_sid: Sid::from_random(7),
        name: "x".repeat(200).into(),
        redirect_did: Number::from_digits(&format!("1516{place:07}")).unwrap(),
        origination_did: None,
        destination_did: Number::from_digits("15550001001").unwrap(),
        dtmf: None,
        attributes: Object::new(),
        maximum_ttl: None,
        wait_origination_did_ttl: Some(300),
        date_created: NOW,
        claim_until: Some(NOW + Duration::from_mins(5)),
    }
}

fn ask(store: &SqliteStore, op: Op) -> Result<Committed, Refused> {
    let (answer, answered) = channel();
    store.submit(Write::one(NOW, op), Box::new(move |result| drop(answer.send(result))));
    answered.recv_timeout(Duration::from_secs(30)).unwrap()
}

fn create(place: u128) -> Op {
    Op::Create(Record::Binding(Arc::new(binding(place))))
}

fn call(place: u128) -> CallRow {
    CallRow {
        dr_sid: Sid::from_random(place),
        endpoint_sid: Sid::from_random(7),
        event_type: "binding".into(),
        reference_sid: None,
        attributes: Object::new(),
        dtmf: None,
        direction: "inbound".into(),
        number_src: None,
        number_redirect: Number::from_digits("15162065346").unwrap(),
        number_dst: None,
        date_start: NOW,
        date_talk: None,
        date_stop: NOW,
        date_insert: NOW,
        sip_cause: 200,
        disconnect_originator: "SRC".into(),
        media_src: MediaFigures::default(),
        media_dst: MediaFigures::default(),
    }
}

/// SQLite's own limit stands for the disk's: it is met with the same code.
fn set_pages(db: &Mutex<Connection>, pages: i64) {
    let conn = db.lock();
    conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
}

#[test]
fn a_full_disk_refuses_writes_and_is_forgotten_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Folder(folder.path().to_owned());
    let opened = SqliteStore::open(&location).unwrap();
    let (db, notes) = (Arc::clone(&opened.db), Arc::new(Notes::default()));
    let store = opened.start(Arc::clone(&notes) as _).unwrap();
    ask(&store, create(0)).unwrap();
    set_pages(&db, 1);
    let mut stored = 1;
    let refused = loop {
        match ask(&store, create(stored)) {
            Ok(_) => stored += 1,
            Err(refused) => break refused,
        }
        assert!(stored < 10_000, "the limit is never met");
    };
    let Refused::Failed(cause) = refused else { panic!("{refused:?}") };
    assert!(cause.contains("disk is full"), "{cause}");
    assert_eq!(store.revision(), stored as u64);
    let heard = || notes.0.lock().unwrap().clone();
    assert_eq!(heard(), (1..=stored as u64).collect::<Vec<_>>());
    assert!(store.object(Kind::Binding, binding(stored).sid, NOW).unwrap().is_none());

    // Records wait for the disk; who asked for a write is told.
    let before = stored;
    for place in 0..400 {
        store.append(CallDelivery { call: Some(call(place)), legs: vec![], callback: None });
    }
    store.flush();
    set_pages(&db, 1_000_000);
    ask(&store, create(before)).unwrap();
    for _ in 0..100 {
        if store.call(Sid::from_random(399)).unwrap().is_some() {
            break;
        }
        // The next try comes with the next write.
        ask(&store, Op::Expire { limit: 1 }).unwrap();
    }
    for place in 0..400 {
        assert!(store.call(Sid::from_random(place)).unwrap().is_some(), "record {place} is lost");
    }
    assert_eq!(heard(), (1..=before as u64 + 1).collect::<Vec<_>>());
}

#[test]
fn a_failed_claim_is_told_to_the_follower() {
    let opened = SqliteStore::open(&Location::Memory).unwrap();
    let (db, notes) = (Arc::clone(&opened.db), Arc::new(Notes::default()));
    let store = opened.start(Arc::clone(&notes) as _).unwrap();
    ask(&store, create(1)).unwrap();
    db.lock().pragma_update(None, "query_only", true).unwrap();
    let caller = Number::from_digits("15550002001").unwrap();
    let claim = || Op::Claim { binding_sid: binding(1).sid, caller };
    assert!(matches!(ask(&store, claim()), Err(Refused::Failed(_))));
    assert_eq!(*notes.1.lock().unwrap(), [binding(1).sid]);
    db.lock().pragma_update(None, "query_only", false).unwrap();
    ask(&store, claim()).unwrap();
}

#[test]
fn the_feed_forgets_its_oldest_changes() {
    let mut opened = SqliteStore::open(&Location::Memory).unwrap();
    opened.log = opened.log.keeping(1_000);
    let store = opened.start(Arc::new(Notes::default())).unwrap();
    for place in 0..3_000 {
        ask(&store, create(place)).unwrap();
    }
    let FeedError::Compacted { oldest } = store.changes_after(0, 10).unwrap_err() else {
        panic!("it can be read")
    };
    assert!((1_400..=2_000).contains(&oldest), "{oldest}");
    assert!(store.changes_after(oldest - 1, 10).is_err());
    let changes = store.changes_after(oldest, 10_000).unwrap();
    assert_eq!(changes.len() as u64, 3_000 - oldest);
    assert_eq!(changes.first().map(|change| change.0), Some(oldest + 1));
}

#[test]
fn clients_are_refused_before_calls_are() {
    let opened = SqliteStore::open(&Location::Memory).unwrap();
    let db = Arc::clone(&opened.db);
    let store = opened.start(Arc::new(Notes::default())).unwrap();
    ask(&store, create(0)).unwrap();
    let held = db.lock();
    let (answer, answered) = channel();
    let submit = |op: Op| {
        let answer = answer.clone();
        store.submit(Write::one(NOW, op), Box::new(move |result| drop(answer.send(result))));
    };
    let mut asked = 0;
    while !matches!(answered.try_recv(), Ok(Err(Refused::Overloaded))) {
        asked += 1;
        assert!(asked < 100_000, "there is no bound");
        submit(create(asked));
    }
    let caller = Number::from_digits("15550002001").unwrap();
    submit(Op::Claim { binding_sid: binding(0).sid, caller });
    submit(Op::Expire { limit: 1 });
    store.append(CallDelivery { call: Some(call(1)), legs: vec![], callback: None });
    assert!(answered.try_recv().is_err(), "neither was refused");
    drop(held);
    store.flush();
    assert!(store.call(Sid::from_random(1)).unwrap().is_some());
    let claimed = store.object(Kind::Binding, binding(0).sid, NOW).unwrap().unwrap();
    let Record::Binding(claimed) = claimed.record else { panic!("{claimed:?}") };
    assert_eq!(claimed.origination_did, Some(caller));
}
