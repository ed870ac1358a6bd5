//! Each dialout is dialled at its time, once, or not at all; against the store in memory, under a clock that is set.

use std::sync::OnceLock;

use mediator_model::Number;
use mediator_store::query::{CallQuery, Filter, Query};
use mediator_store::record::{BindingRecord, CallRow};
use mediator_store::{Calls, Follower, Location, SqliteStore};

use serde_json::json;

use super::*;
use crate::records::RecorderParts;

const START: UnixMillis = UnixMillis(1_700_000_000_000);
const GRACE: Duration = Duration::from_mins(1);
const ACCOUNT: Sid = Sid::from_u128(3);

const fn after(seconds: u64) -> UnixMillis {
    UnixMillis(START.0 + seconds * 1000)
}

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn dialout(sid: u128, due: UnixMillis) -> DialoutRecord {
    DialoutRecord {
        sid: Sid::from_u128(sid),
        account_sid: ACCOUNT,
        stage_one_destination_did: number("14155550100"),
        // The three numbers are unique among dialouts.
        stage_two_destination_did: number(&format!("4420712{sid:05}")),
        redirect_did: number("15162065346"),
        attributes: json!({"hide_origination_did": "true", "use_call_confirmation": true})
            .as_object()
            .unwrap()
            .clone(),
        date_created: START,
        due,
        dialling: false,
    }
}

/// Follows the store for the schedule, once there is one.
#[derive(Default)]
struct Following(OnceLock<Arc<Dialouts>>);

impl Follower for Following {
    fn committed(&self, committed: &Committed) {
        if let Some(dialouts) = self.0.get() {
            dialouts.apply(committed);
        }
    }

    fn claim_failed(&self, _: Sid, _: Option<Versioned<BindingRecord>>) {}
}

/// Notes what it is handed, and how the store has it at that moment.
struct Noting {
    store: Arc<SqliteStore>,
    dialled: Mutex<Vec<Sid>>,
}

impl Dialer for Noting {
    fn dial(&self, dialout: Arc<Dialout>) {
        let held = self.store.object(Kind::Dialout, dialout.sid, START).unwrap().unwrap();
        let Record::Dialout(held) = held.record else { panic!("a dialout") };
        assert!(held.dialling, "marked before it is dialled");
        assert_eq!(dialout.account_sid, ACCOUNT);
        assert_eq!(dialout.stage_one, held.stage_one_destination_did);
        assert_eq!(dialout.stage_two, held.stage_two_destination_did);
        assert_eq!(dialout.redirect_did, held.redirect_did);
        let attributes = &dialout.attributes;
        assert!(attributes.hide_origination_did && attributes.json.is_some());
        assert_eq!(attributes.confirmation.as_deref(), Some("default"));
        self.dialled.lock().push(dialout.sid);
    }
}

struct Stage {
    store: Arc<SqliteStore>,
    dialouts: Arc<Dialouts>,
    dialer: Arc<Noting>,
}

impl Stage {
    fn new() -> Self {
        let following = Arc::new(Following::default());
        let opened = SqliteStore::open(&Location::Memory).unwrap();
        let store = Arc::new(opened.start(following.clone()).unwrap());
        let dialer = Arc::new(Noting { store: store.clone(), dialled: Mutex::default() });
        let dialouts = schedule(&store, dialer.clone());
        assert!(following.0.set(dialouts.clone()).is_ok());
        Self { store, dialouts, dialer }
    }

    fn write(&self, op: Op) {
        self.store.submit(Write::one(START, op), Box::new(|result| drop(result.unwrap())));
        self.store.flush();
    }

    fn add(&self, dialout: DialoutRecord) {
        self.write(Op::Create(Record::Dialout(Arc::new(dialout))));
    }

    /// The schedule at work at this time, until the store has answered and nothing is left to hand over.
    fn at(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.dialouts.run_due(now);
        self.store.flush();
        let next = self.dialouts.run_due(now);
        self.store.flush();
        next
    }

    fn dialled(&self) -> Vec<u128> {
        self.dialer.dialled.lock().iter().map(|sid| sid.as_u128()).collect()
    }

    fn held(&self) -> Vec<Versioned<Arc<DialoutRecord>>> {
        let mut held = Vec::new();
        let mut each = |object: Versioned<Record>| {
            if let Record::Dialout(record) = object.record {
                held.push(Versioned { revision: object.revision, record });
            }
        };
        self.store.snapshot(START, &mut each).unwrap();
        held
    }

    /// Records by dialout, with their codes.
    fn records(&self) -> Vec<(u128, u16)> {
        let all = |row: &CallRow| (row.reference_sid.unwrap().as_u128(), row.sip_cause);
        let mut records: Vec<_> = rows(&self.store).iter().map(all).collect();
        records.sort_unstable();
        records
    }
}

fn rows(store: &SqliteStore) -> Vec<CallRow> {
    store.flush();
    let query = Query {
        filter: Filter::All(Vec::new()),
        order: Vec::new(),
        offset: 0,
        limit: 100,
        now: START,
    };
    store.calls(&CallQuery { query, before: None }).unwrap().items
}

fn schedule(store: &Arc<SqliteStore>, dialer: Arc<dyn Dialer>) -> Arc<Dialouts> {
    let recorder = Arc::new(Recorder::new(RecorderParts {
        calls: store.clone(),
        callback: Box::new(|| None),
        listeners: Vec::new(),
        delivery_queued: Box::new(|| {}),
    }));
    Arc::new(Dialouts::new(DialoutParts { store: store.clone(), recorder, grace: GRACE, dialer }))
}

#[test]
fn each_is_dialled_at_its_time_and_once() {
    let stage = Stage::new();
    stage.add(dialout(1, after(20)));
    stage.add(dialout(2, after(10)));
    assert_eq!(stage.at(after(9)), Some(after(10)));
    assert_eq!(stage.dialled(), []);
    assert_eq!(stage.at(after(10)), Some(after(20)));
    assert_eq!(stage.dialled(), [2]);
    assert_eq!(stage.at(after(30)), None);
    assert_eq!(stage.at(after(40)), None);
    assert_eq!(stage.dialled(), [2, 1]);
    assert_eq!(stage.dialouts.waiting(), 0);
}

#[test]
fn a_deleted_one_is_never_dialled() {
    let stage = Stage::new();
    stage.add(dialout(1, after(10)));
    stage.write(Op::Delete { kind: Kind::Dialout, sid: Sid::from_u128(1), expect: None });
    assert_eq!(stage.at(after(20)), None);
    assert_eq!(stage.dialled(), []);
    assert_eq!(stage.records(), []);
}

#[test]
fn a_changed_one_goes_by_its_new_time() {
    for (new, at_first, later) in [(30, &[][..], &[1][..]), (5, &[1], &[1])] {
        let stage = Stage::new();
        stage.add(dialout(1, after(10)));
        let expect = stage.held()[0].revision;
        let record = Record::Dialout(Arc::new(dialout(1, after(new))));
        stage.write(Op::Update { record, expect });
        stage.at(after(10));
        assert_eq!(stage.dialled(), at_first);
        stage.at(after(30));
        assert_eq!(stage.dialled(), later);
    }
}

#[test]
fn what_changes_while_it_is_marked_is_not_dialled_as_it_was() {
    for _ in 0..100 {
        let stage = Stage::new();
        stage.add(dialout(1, after(10)));
        stage.add(dialout(2, after(10)));
        // On their way to the store when both are due: whichever is first, the schedule may not have heard.
        let record = Record::Dialout(Arc::new(dialout(1, after(60))));
        let expect = stage.held()[0].revision;
        let change = Op::Update { record, expect };
        let remove = Op::Delete { kind: Kind::Dialout, sid: Sid::from_u128(2), expect: None };
        for op in [change, remove] {
            stage.store.submit(Write::one(START, op), Box::new(|result| drop(result.unwrap())));
        }
        assert_eq!(stage.at(after(10)), Some(after(60)));
        assert_eq!(stage.dialled(), []);
        stage.at(after(60));
        assert_eq!(stage.dialled(), [1]);
    }
}

#[test]
fn a_start_ends_what_is_too_late_or_was_interrupted() {
    let stage = Stage::new();
    let down_for = 3600;
    for (sid, late) in [(1, 0), (2, 59), (3, 60), (4, 61), (5, 3000)] {
        stage.add(dialout(sid, after(down_for - late)));
    }
    stage.add(DialoutRecord { dialling: true, ..dialout(6, after(10)) });
    stage.add(dialout(7, after(down_for + 10)));
    let held = stage.held();
    let second = schedule(&stage.store, stage.dialer.clone());
    second.begin(held, after(down_for));
    stage.store.flush();
    second.run_due(after(down_for));
    stage.store.flush();
    assert_eq!(second.run_due(after(down_for)), Some(after(down_for + 10)));
    assert_eq!(stage.dialled(), [3, 2, 1], "the earliest first");
    assert_eq!(stage.records(), [(4, 408), (5, 408), (6, 503)]);
    let left: Vec<u128> = stage.held().iter().map(|it| it.record.sid.as_u128()).collect();
    assert_eq!(left, [1, 2, 3, 7]);
}

#[test]
fn what_was_marked_and_not_dialled_is_not_dialled_after_a_start() {
    let stage = Stage::new();
    stage.add(dialout(1, after(10)));
    stage.dialouts.run_due(after(10));
    stage.store.flush();
    // The process ends here, before it is handed over.
    let second = schedule(&stage.store, stage.dialer.clone());
    second.begin(stage.held(), after(11));
    second.run_due(after(11));
    assert_eq!(stage.records(), [(1, 503)]);
    assert_eq!((stage.dialled(), stage.held()), (vec![], vec![]));
    // It ended between record and removal: the record is there once.
    second.end(&dialout(1, after(10)), &DialoutEnd::undialled(after(12), 503));
    assert_eq!(stage.records(), [(1, 503)]);
}

#[test]
fn one_that_was_handed_over_is_held_until_it_is_removed_and_can_be_removed_twice() {
    let stage = Stage::new();
    stage.add(dialout(1, after(10)));
    stage.at(after(10));
    let held = stage.held();
    assert!(held[0].record.dialling);
    remove(&*stage.store, Sid::from_u128(1), after(20));
    remove(&*stage.store, Sid::from_u128(1), after(30));
    stage.store.flush();
    assert_eq!((stage.held(), stage.records()), (vec![], vec![]));
}

#[test]
fn one_that_is_dropped_has_a_record_that_says_why() {
    let stage = Stage::new();
    stage.add(dialout(1, after(10)));
    let second = schedule(&stage.store, stage.dialer.clone());
    second.begin(stage.held(), after(1000));
    let [row] = &*rows(&stage.store) else { panic!("one record") };
    assert_eq!((&*row.event_type, &*row.direction), ("dialout", "outbound"));
    assert_eq!((row.sip_cause, &*row.disconnect_originator), (408, "SYSTEM"));
    assert_eq!((row.endpoint_sid, row.reference_sid), (ACCOUNT, Some(Sid::from_u128(1))));
    assert_eq!(row.number_src, Some(number("14155550100")));
    assert_eq!(row.number_redirect, number("15162065346"));
    assert_eq!(row.number_dst, Some(number("442071200001")));
    assert_eq!((row.date_start, row.date_talk, row.date_stop), (after(1000), None, after(1000)));
}

#[test]
fn a_mark_that_the_store_cannot_write_is_tried_again() {
    let stage = Stage::new();
    let record = Arc::new(dialout(1, after(10)));
    stage.add((*record).clone());
    let waiting = stage.held().remove(0);
    stage.dialouts.state.waiting.lock().remove(record.sid);
    for cause in [Refused::Overloaded, Refused::Failed("disk full".into())] {
        stage.dialouts.state.not_marked(waiting.clone(), after(10), &cause);
        assert_eq!(stage.dialouts.run_due(after(14)), Some(after(15)));
        assert!(stage.dialouts.state.waiting.lock().remove(record.sid).is_some());
    }
    for cause in
        [Refused::Stale { current: 9 }, Refused::Gone { kind: Kind::Dialout, sid: record.sid }]
    {
        stage.dialouts.state.not_marked(waiting.clone(), after(10), &cause);
        assert_eq!(stage.dialouts.run_due(after(100)), None, "{cause:?}");
    }
    // What came meanwhile stands.
    stage.dialouts.state.waiting.lock().put(after(60), waiting.clone());
    stage.dialouts.state.not_marked(waiting, after(10), &Refused::Overloaded);
    assert_eq!(stage.dialouts.run_due(after(20)), Some(after(60)));
}

#[tokio::test]
async fn the_task_wakes_for_what_is_due_and_for_what_is_new() {
    let stage = Stage::new();
    let clock = Clock::start();
    let now = clock.unix_now();
    let dialouts = stage.dialouts.clone();
    let task = tokio::spawn(async move { dialouts.run(clock).await });
    tokio::task::yield_now().await;
    // Due already: it is heard of by the store's word alone.
    stage.add(dialout(1, UnixMillis(now.0 - 1)));
    for _ in 0..1000 {
        if !stage.dialled().is_empty() {
            break;
        }
        stage.store.flush();
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.dialled(), [1]);
    task.abort();
}
