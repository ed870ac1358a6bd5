//! Objects in memory with a store's rules: all of a write or nothing, revisions, unique keys, ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use mediator_model::{BindingKey, Sid, UnixMillis};
use mediator_store::query::{Page, Query};
use mediator_store::record::{BindingRecord, DialoutRecord, Kind, Record, Versioned};
use mediator_store::write::Remember;
use mediator_store::{
    Change, Committed, Done, FeedError, Op, ReadError, Refused, Remembered, Revision, Store, Write,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::filter::{matches, sort};
use crate::times;

/// A store in memory; the catalog follows it.
#[derive(Debug)]
pub(crate) struct MemoryStore {
    catalog: Arc<Catalog>,
    state: Mutex<State>,
    /// What the next write is refused with.
    pub(crate) refuse_next: Mutex<Option<Refused>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    revision: Revision,
    /// In the order of creation: the number of the create, and the object.
    objects: BTreeMap<u64, Versioned<Record>>,
    created: u64,
    remembered: Vec<Remember>,
}

impl State {
    fn place(&self, kind: Kind, sid: Sid) -> Option<u64> {
        let mut all = self.objects.iter();
        all.find(|(_, held)| held.record.kind() == kind && held.record.sid() == sid)
            .map(|(place, _)| *place)
    }

    fn live(&self, now: UnixMillis) -> impl Iterator<Item = (&u64, &Versioned<Record>)> {
        self.objects.iter().filter(move |(_, held)| !is_over(&held.record, now))
    }

    fn taken(&self, record: &Record, now: UnixMillis) -> Option<Refused> {
        let keys = keys(record);
        self.live(now)
            .filter(|(_, held)| held.record.kind() == record.kind())
            .filter(|(_, held)| held.record.sid() != record.sid())
            .find_map(|(_, held)| {
                let found = self::keys(&held.record).into_iter().find(|key| keys.contains(key));
                let holder = held.record.sid();
                found.map(|(key, _)| Refused::Taken { key, holder })
            })
    }

    fn run(&mut self, op: Op, now: UnixMillis, changes: &mut Vec<Change>) -> Result<(), Refused> {
        match op {
            Op::Create(record) => self.create(record, now, changes),
            Op::Update { record, expect } => {
                let (kind, sid) = (record.kind(), record.sid());
                let place = self.found(kind, sid, now)?;
                self.check(place, Some(expect))?;
                if let Some(refused) = self.taken(&record, now) {
                    return Err(refused);
                }
                self.put(place, record, changes);
                Ok(())
            }
            Op::Delete { kind, sid, expect } => {
                let place = self.found(kind, sid, now)?;
                self.check(place, expect)?;
                self.objects.remove(&place);
                changes.push(Change::Removed { kind, sid });
                Ok(())
            }
            Op::Claim { binding_sid, caller } => {
                let place = self.found(Kind::Binding, binding_sid, now)?;
                let Some(Record::Binding(held)) = self.objects.get(&place).map(|h| &h.record)
                else {
                    unreachable!("found by its kind")
                };
                let mut binding = (**held).clone();
                if binding.claim_until.take().is_none() {
                    return Err(Refused::Claimed);
                }
                binding.origination_did = Some(caller);
                self.put(place, Record::Binding(Arc::new(binding)), changes);
                Ok(())
            }
            Op::Expire { limit } => {
                self.expire(now, limit, changes);
                Ok(())
            }
        }
    }

    fn create(
        &mut self,
        record: Record,
        now: UnixMillis,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refused> {
        if self.found(record.kind(), record.sid(), now).is_ok() {
            return Err(Refused::Exists);
        }
        if let Some(refused) = self.taken(&record, now) {
            return Err(refused);
        }
        self.created += 1;
        self.put(self.created, record, changes);
        Ok(())
    }

    fn expire(&mut self, now: UnixMillis, limit: usize, changes: &mut Vec<Change>) {
        let over: Vec<u64> = self
            .objects
            .iter()
            .filter(|(_, held)| is_over(&held.record, now))
            .map(|(place, _)| *place)
            .take(limit)
            .collect();
        for place in over {
            if let Some(held) = self.objects.remove(&place) {
                let (kind, sid) = (held.record.kind(), held.record.sid());
                changes.push(Change::Removed { kind, sid });
            }
        }
    }

    fn found(&self, kind: Kind, sid: Sid, now: UnixMillis) -> Result<u64, Refused> {
        self.place(kind, sid)
            .filter(|place| self.objects.get(place).is_some_and(|h| !is_over(&h.record, now)))
            .ok_or(Refused::Gone { kind, sid })
    }

    fn check(&self, place: u64, expect: Option<Revision>) -> Result<(), Refused> {
        let current = self.objects.get(&place).map_or(0, |held| held.revision);
        match expect {
            Some(expect) if expect != current => Err(Refused::Stale { current }),
            _ => Ok(()),
        }
    }

    fn put(&mut self, place: u64, record: Record, changes: &mut Vec<Change>) {
        changes.push(Change::Put(record.clone()));
        self.objects.insert(place, Versioned { revision: self.revision, record });
    }
}

impl MemoryStore {
    pub(crate) fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog, state: Mutex::default(), refuse_next: Mutex::default() }
    }

    /// As `submit`, on this thread.
    pub(crate) fn apply(&self, write: Write) -> Result<Committed, Refused> {
        if let Some(refused) = self.refuse_next.lock().take() {
            return Err(refused);
        }
        let mut state = self.state.lock();
        let mut next = state.clone();
        next.revision += 1;
        let mut changes = Vec::new();
        for (kind, sid) in write.requires {
            next.found(kind, sid, write.now)?;
        }
        if let Some(remember) = write.remember {
            let is_same = |known: &Remember| {
                known.owner == remember.owner
                    && known.key == remember.key
                    && known.until > write.now
            };
            if next.remembered.iter().any(is_same) {
                return Err(Refused::Remembered);
            }
            next.remembered.push(remember);
        }
        for op in write.ops {
            next.run(op, write.now, &mut changes)?;
        }
        *state = next;
        let committed = Committed { revision: state.revision, changes: changes.into() };
        self.catalog.apply(&committed);
        Ok(committed)
    }

    fn page<T>(
        &self,
        query: &Query,
        pick: impl Fn(&Versioned<Record>) -> Option<(Value, T)>,
    ) -> Result<Page<T>, ReadError> {
        let state = self.state.lock();
        let mut found = Vec::new();
        for (mut shown, record) in state.live(query.now).filter_map(|(_, held)| pick(held)) {
            if matches(&query.filter, &shown)? {
                // Where the object itself is found again after sorting.
                shown["place"] = found.len().into();
                found.push((shown, Some(record)));
            }
        }
        let mut order: Vec<Value> = found.iter().map(|(shown, _)| shown.clone()).collect();
        sort(&mut order, &query.order);
        let total = order.len() as u64;
        let items: Vec<T> = order
            .iter()
            .skip(query.offset as usize)
            .take(query.limit as usize)
            .filter_map(|shown| found[shown["place"].as_u64()? as usize].1.take())
            .collect();
        let has_more = query.offset + (items.len() as u64) < total;
        Ok(Page { items, total: Some(total), has_more })
    }
}

impl Store for MemoryStore {
    fn submit(&self, write: Write, done: Done) {
        done(self.apply(write));
    }

    fn revision(&self) -> Revision {
        self.state.lock().revision
    }

    fn changes_after(&self, _: Revision, _: usize) -> Result<Vec<(Revision, Change)>, FeedError> {
        Ok(Vec::new())
    }

    fn snapshot(
        &self,
        now: UnixMillis,
        each: &mut dyn FnMut(Versioned<Record>),
    ) -> Result<Revision, ReadError> {
        let state = self.state.lock();
        state.live(now).for_each(|(_, held)| each(held.clone()));
        Ok(state.revision)
    }

    fn object(
        &self,
        kind: Kind,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Versioned<Record>>, ReadError> {
        let state = self.state.lock();
        let place = state.found(kind, sid, now).ok();
        Ok(place.and_then(|place| state.objects.get(&place).cloned()))
    }

    fn binding_at(
        &self,
        key: BindingKey,
        now: UnixMillis,
    ) -> Result<Option<Versioned<BindingRecord>>, ReadError> {
        let state = self.state.lock();
        let found = state.live(now).find_map(|(_, held)| match &held.record {
            Record::Binding(binding) if binding.key() == key => {
                Some(Versioned { revision: held.revision, record: (**binding).clone() })
            }
            _ => None,
        });
        Ok(found)
    }

    fn bindings(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<Page<Versioned<BindingRecord>>, ReadError> {
        self.page(query, |held| match &held.record {
            Record::Binding(binding) if binding.account_sid == account => {
                let record = (**binding).clone();
                Some((binding_shown(binding), Versioned { revision: held.revision, record }))
            }
            _ => None,
        })
    }

    fn dialouts(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<Page<Versioned<DialoutRecord>>, ReadError> {
        self.page(query, |held| match &held.record {
            Record::Dialout(dialout) if dialout.account_sid == account && !dialout.dialling => {
                let record = (**dialout).clone();
                Some((dialout_shown(dialout), Versioned { revision: held.revision, record }))
            }
            _ => None,
        })
    }

    fn each_binding(
        &self,
        account: Sid,
        now: UnixMillis,
        each: &mut dyn FnMut(&BindingRecord) -> bool,
    ) -> Result<(), ReadError> {
        let state = self.state.lock();
        for (_, held) in state.live(now) {
            if let Record::Binding(binding) = &held.record
                && binding.account_sid == account
                && !each(binding)
            {
                break;
            }
        }
        Ok(())
    }

    fn remembered(
        &self,
        owner: Sid,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Remembered>, ReadError> {
        let state = self.state.lock();
        let found = state
            .remembered
            .iter()
            .find(|kept| kept.owner == owner && &*kept.key == key && kept.until > now);
        Ok(found.cloned())
    }

    fn flush(&self) {}
}

fn is_over(record: &Record, now: UnixMillis) -> bool {
    matches!(record, Record::Binding(binding) if binding.is_expired(now))
}

/// The unique keys of an object.
fn keys(record: &Record) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    match record {
        Record::Binding(record) => {
            keys.push(("redirect_did and origination_did", format!("{:?}", record.key())));
        }
        Record::Dialout(record) => keys.push((
            "stage_one_destination_did, stage_two_destination_did and redirect_did",
            format!(
                "{} {} {}",
                record.stage_one_destination_did,
                record.stage_two_destination_did,
                record.redirect_did
            ),
        )),
        Record::Endpoint(record) => {
            keys.extend(record.login.as_ref().map(|login| ("login", login.to_string())));
            let username = record.sip_username.as_ref();
            keys.extend(username.map(|username| ("sip_username", username.to_string())));
        }
        Record::Did(record) => keys.push(("phonenumber", record.phonenumber.to_string())),
        Record::Token(record) => keys.push(("access_token", format!("{:?}", record.access_hash))),
        Record::Provisioned(record) => keys.push(("key", record.key.to_string())),
        Record::TrunkGroup(_) | Record::Trunk(_) | Record::Partner(_) => {}
    }
    keys
}

fn binding_shown(record: &BindingRecord) -> Value {
    let ttl = |ttl: Option<u32>| ttl.map_or(-1, i64::from);
    json!({
        "binding_sid": record.sid,
        "account_sid": record.account_sid,
        "name": record.name,
        "redirect_did": record.redirect_did,
        "origination_did": record.origination_did,
        "destination_did": record.destination_did,
        "dtmf": record.dtmf,
        "attributes": record.attributes,
        "maximum_ttl": ttl(record.maximum_ttl),
        "wait_origination_did_ttl": ttl(record.wait_origination_did_ttl),
        "date_created": times::written(record.date_created),
    })
}

fn dialout_shown(record: &DialoutRecord) -> Value {
    json!({
        "dialout_sid": record.sid,
        "account_sid": record.account_sid,
        "stage_one_destination_did": record.stage_one_destination_did,
        "stage_two_destination_did": record.stage_two_destination_did,
        "redirect_did": record.redirect_did,
        "attributes": record.attributes,
        "date_created": times::written(record.date_created),
    })
}
