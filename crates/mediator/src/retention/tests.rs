//! Old records go, young ones stay.

use mediator_model::{Number, Sid};
use mediator_store::query::{CallQuery, Filter, Query};
use mediator_store::record::{BindingRecord, CallRow, MediaFigures, Object};
use mediator_store::{CallDelivery, Committed, Follower, Location, SqliteStore, Store, Versioned};

use super::*;

struct Nobody;

impl Follower for Nobody {
    fn committed(&self, _: &Committed) {}
    fn claim_failed(&self, _: Sid, _: Option<Versioned<BindingRecord>>) {}
}

fn row(at: u64) -> CallRow {
    let at = UnixMillis(at);
    CallRow {
        dr_sid: Sid::from_u128(at.0.into()),
        endpoint_sid: Sid::from_u128(3),
        event_type: "binding".into(),
        reference_sid: None,
        attributes: Object::default(),
        dtmf: None,
        direction: "inbound".into(),
        number_src: None,
        number_redirect: Number::from_digits("15162065346").unwrap(),
        number_dst: None,
        date_start: at,
        date_talk: None,
        date_stop: at,
        date_insert: at,
        sip_cause: 486,
        disconnect_originator: "DST".into(),
        media_src: MediaFigures::default(),
        media_dst: MediaFigures::default(),
    }
}

#[tokio::test]
async fn what_is_older_than_it_is_kept_is_removed_however_much_it_is() {
    let opened = SqliteStore::open(&Location::Memory).unwrap();
    let store = Arc::new(opened.start(Arc::new(Nobody)).unwrap());
    // One a second, more than two steps of them old.
    let (old, young) = (2 * STEP as u64 + 7, 5);
    for second in 1..=old + young {
        let call = Some(row(second * 1000));
        store.append(CallDelivery { call, legs: Vec::new(), callback: None });
    }
    store.flush();
    let retention = Retention { calls: store.clone(), keep: Duration::from_secs(young) };
    let now = UnixMillis((old + young) * 1000 + 1);
    assert_eq!(retention.purge(now).await, Ok(old as usize));
    assert_eq!(retention.purge(now).await, Ok(0));
    let query =
        Query { filter: Filter::All(Vec::new()), order: Vec::new(), offset: 0, limit: 1000, now };
    let left = store.calls(&CallQuery { query, before: None }).unwrap().items;
    assert_eq!(left.len(), young as usize);
    // For ever: nothing is that old.
    let forever = Retention { calls: store, keep: Duration::MAX };
    assert_eq!(forever.purge(now).await, Ok(0));
}
