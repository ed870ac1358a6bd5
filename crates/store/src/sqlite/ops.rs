//! One write inside a transaction: its operations in order, and the changes that they make.
//!
//! The caller undoes what a refused write did before it was refused.

use std::sync::Arc;

use mediator_model::{Number, Sid, UnixMillis};
use rusqlite::{Connection, OptionalExtension, params};

use super::cells::{SidCell, TimeCell, count, signed};
use super::seal::Sealer;
use super::stop::{Stop, is_constraint};
use super::{bindings, dialouts, objects};
use crate::record::{BindingRecord, DialoutRecord, Kind, Record};
use crate::write::{Change, Op, Refused, Remember, Revision, Write};

/// The names of a binding's unique key.
const BINDING_KEY: &str = "redirect_did, origination_did";
/// The names of a dialout's.
const DIALOUT_KEY: &str = "stage_one_destination_did, stage_two_destination_did, redirect_did";

/// Does what a write asks, as `revision`; the changes, none where there was nothing to do.
pub(super) fn apply(
    conn: &Connection,
    sealer: &Sealer,
    write: &Write,
    revision: Revision,
) -> Result<Vec<Change>, Stop> {
    if write.ops.len() > Write::MAX_OPS {
        return Err(Refused::Overloaded.into());
    }
    let mut apply = Apply { conn, sealer, now: write.now, revision, changes: Vec::new() };
    if let Some(remember) = &write.remember {
        apply.remember(remember)?;
    }
    for (kind, sid) in &write.requires {
        if !apply.is_there(*kind, *sid)? && !makes(write, *kind, *sid) {
            return Err(gone(*kind, *sid));
        }
    }
    for op in &write.ops {
        apply.op(op)?;
    }
    Ok(apply.changes)
}

/// Whether a write itself makes an object.
fn makes(write: &Write, kind: Kind, sid: Sid) -> bool {
    write
        .ops
        .iter()
        .any(|op| matches!(op, Op::Create(record) if (record.kind(), record.sid()) == (kind, sid)))
}

struct Apply<'a> {
    conn: &'a Connection,
    sealer: &'a Sealer,
    now: UnixMillis,
    revision: Revision,
    changes: Vec<Change>,
}

impl Apply<'_> {
    fn op(&mut self, op: &Op) -> Result<(), Stop> {
        match op {
            Op::Create(Record::Binding(record)) => self.create_binding(record),
            Op::Create(Record::Dialout(record)) => self.create_dialout(record),
            Op::Create(record) => self.create_object(record),
            Op::Update { record: Record::Binding(record), expect } => {
                self.update_binding(record, *expect)
            }
            Op::Update { record: Record::Dialout(record), expect } => {
                self.update_dialout(record, *expect)
            }
            Op::Update { record, expect } => self.update_object(record, *expect),
            Op::Delete { kind: Kind::Binding, sid, expect } => self.delete_binding(*sid, *expect),
            Op::Delete { kind: Kind::Dialout, sid, expect } => self.delete_dialout(*sid, *expect),
            Op::Delete { kind, sid, expect } => self.delete_object(*kind, *sid, *expect),
            Op::Claim { binding_sid, caller } => self.claim(*binding_sid, *caller),
            Op::Expire { limit } => self.expire(*limit),
        }
    }

    fn create_binding(&mut self, record: &Arc<BindingRecord>) -> Result<(), Stop> {
        self.put_binding(record, |apply| bindings::insert(apply.conn, record, apply.revision))
    }

    /// Tries; a holder of the sid or the key that is past its end makes way, and then it is tried again.
    fn put_binding(
        &mut self,
        record: &Arc<BindingRecord>,
        put: impl Fn(&Self) -> rusqlite::Result<()>,
    ) -> Result<(), Stop> {
        // Each round takes away a row that was in the way, or refuses.
        while let Err(error) = put(self) {
            if !is_constraint(&error) {
                return Err(error.into());
            }
            self.make_way(record)?;
        }
        self.note(Change::Put(Record::Binding(Arc::clone(record))))
    }

    fn make_way(&mut self, record: &BindingRecord) -> Result<(), Stop> {
        if let Some((id, holder)) = bindings::find_key(self.conn, record.key())?
            && holder.record.sid != record.sid
        {
            if !holder.record.is_expired(self.now) {
                return Err(Refused::Taken { key: BINDING_KEY, holder: holder.record.sid }.into());
            }
            return self.remove_binding(id, holder.record.sid);
        }
        match bindings::find(self.conn, record.sid)? {
            Some((id, holder)) if holder.record.is_expired(self.now) => {
                self.remove_binding(id, holder.record.sid)
            }
            _ => Err(Refused::Exists.into()),
        }
    }

    fn remove_binding(&mut self, id: i64, sid: Sid) -> Result<(), Stop> {
        bindings::delete(self.conn, id)?;
        self.note(Change::Removed { kind: Kind::Binding, sid })
    }

    /// A binding that lives, with its row's id.
    fn live(&self, sid: Sid) -> Result<(i64, Revision, BindingRecord), Stop> {
        match bindings::find(self.conn, sid)? {
            Some((id, found)) if !found.record.is_expired(self.now) => {
                Ok((id, found.revision, found.record))
            }
            _ => Err(gone(Kind::Binding, sid)),
        }
    }

    fn update_binding(
        &mut self,
        record: &Arc<BindingRecord>,
        expect: Revision,
    ) -> Result<(), Stop> {
        let (id, revision, _) = self.live(record.sid)?;
        check_revision(revision, Some(expect))?;
        self.put_binding(record, |apply| bindings::update(apply.conn, id, record, apply.revision))
    }

    fn delete_binding(&mut self, sid: Sid, expect: Option<Revision>) -> Result<(), Stop> {
        let (id, revision, _) = self.live(sid)?;
        check_revision(revision, expect)?;
        self.remove_binding(id, sid)
    }

    fn claim(&mut self, sid: Sid, caller: Number) -> Result<(), Stop> {
        let (id, _, mut record) = self.live(sid)?;
        if record.origination_did == Some(caller) {
            return Ok(());
        }
        if record.origination_did.is_some() || record.claim_until.is_none() {
            return Err(Refused::Claimed.into());
        }
        record.origination_did = Some(caller);
        record.claim_until = None;
        let record = Arc::new(record);
        self.put_binding(&record, |apply| bindings::update(apply.conn, id, &record, apply.revision))
    }

    fn expire(&mut self, limit: usize) -> Result<(), Stop> {
        for (id, sid) in bindings::expired(self.conn, self.now, limit)? {
            self.remove_binding(id, sid)?;
        }
        self.conn
            .prepare_cached(
                "DELETE FROM remembered WHERE (owner, key) IN \
                 (SELECT owner, key FROM remembered WHERE until <= ?1 LIMIT ?2)",
            )?
            .execute(params![TimeCell(self.now), signed(limit as u64)])?;
        Ok(())
    }

    fn create_dialout(&mut self, record: &Arc<DialoutRecord>) -> Result<(), Stop> {
        match dialouts::insert(self.conn, record, self.revision) {
            Ok(()) => self.note(Change::Put(Record::Dialout(Arc::clone(record)))),
            Err(error) if is_constraint(&error) => Err(self.dialout_holder(record)?),
            Err(error) => Err(error.into()),
        }
    }

    fn update_dialout(
        &mut self,
        record: &Arc<DialoutRecord>,
        expect: Revision,
    ) -> Result<(), Stop> {
        let Some((id, found)) = dialouts::find(self.conn, record.sid)? else {
            return Err(gone(Kind::Dialout, record.sid));
        };
        check_revision(found.revision, Some(expect))?;
        match dialouts::update(self.conn, id, record, self.revision) {
            Ok(()) => self.note(Change::Put(Record::Dialout(Arc::clone(record)))),
            Err(error) if is_constraint(&error) => Err(self.dialout_holder(record)?),
            Err(error) => Err(error.into()),
        }
    }

    fn dialout_holder(&self, record: &DialoutRecord) -> rusqlite::Result<Stop> {
        let holder = dialouts::holder(self.conn, record)?.filter(|holder| *holder != record.sid);
        Ok(match holder {
            Some(holder) => Refused::Taken { key: DIALOUT_KEY, holder },
            None => Refused::Exists,
        }
        .into())
    }

    fn delete_dialout(&mut self, sid: Sid, expect: Option<Revision>) -> Result<(), Stop> {
        let Some((id, found)) = dialouts::find(self.conn, sid)? else {
            return Err(gone(Kind::Dialout, sid));
        };
        check_revision(found.revision, expect)?;
        dialouts::delete(self.conn, id)?;
        self.note(Change::Removed { kind: Kind::Dialout, sid })
    }

    fn create_object(&mut self, record: &Record) -> Result<(), Stop> {
        if objects::stamp(self.conn, record.kind(), record.sid())?.is_some() {
            return Err(Refused::Exists.into());
        }
        self.check_keys(record)?;
        objects::insert(self.conn, self.sealer, record, self.revision)?;
        self.note(Change::Put(record.clone()))
    }

    fn update_object(&mut self, record: &Record, expect: Revision) -> Result<(), Stop> {
        let (kind, sid) = (record.kind(), record.sid());
        let Some((id, found)) = objects::find(self.conn, self.sealer, kind, sid)? else {
            return Err(gone(kind, sid));
        };
        check_revision(found.revision, Some(expect))?;
        self.check_keys(record)?;
        if let (Record::Did(before), Record::Did(after)) = (&found.record, record)
            && before.phonenumber != after.phonenumber
        {
            self.check_number_is_unused(before.phonenumber)?;
        }
        objects::update(self.conn, self.sealer, id, record, self.revision)?;
        self.note(Change::Put(record.clone()))
    }

    fn check_keys(&self, record: &Record) -> Result<(), Stop> {
        match objects::holder(self.conn, record)? {
            None => Ok(()),
            Some((field, holder)) => Err(Refused::Taken { key: field.as_str(), holder }.into()),
        }
    }

    fn delete_object(
        &mut self,
        kind: Kind,
        sid: Sid,
        expect: Option<Revision>,
    ) -> Result<(), Stop> {
        let Some((id, revision)) = objects::stamp(self.conn, kind, sid)? else {
            return Err(gone(kind, sid));
        };
        check_revision(revision, expect)?;
        self.check_unused(kind, sid)?;
        if kind == Kind::TrunkGroup {
            for trunk in objects::users(self.conn, (kind, sid), Kind::Trunk)? {
                self.delete_object(Kind::Trunk, trunk, None)?;
            }
        }
        objects::delete(self.conn, id, kind, sid)?;
        self.note(Change::Removed { kind, sid })
    }

    /// Nothing that lives refers to it; a group's own trunks go with it.
    fn check_unused(&self, kind: Kind, sid: Sid) -> Result<(), Stop> {
        let except = (kind == Kind::TrunkGroup).then_some(Kind::Trunk);
        if let Some((kind, sid)) = objects::user(self.conn, kind, sid, except)? {
            return Err(Refused::InUse { kind, sid }.into());
        }
        match kind {
            Kind::Endpoint => {
                in_use(Kind::Binding, bindings::live_of(self.conn, sid, self.now)?)?;
                in_use(Kind::Dialout, dialouts::any_of(self.conn, sid)?)
            }
            Kind::Did => match objects::find(self.conn, self.sealer, kind, sid)? {
                Some((_, found)) => match found.record {
                    Record::Did(did) => self.check_number_is_unused(did.phonenumber),
                    _ => Ok(()),
                },
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn check_number_is_unused(&self, number: Number) -> Result<(), Stop> {
        in_use(Kind::Binding, bindings::live_on(self.conn, number, self.now)?)?;
        in_use(Kind::Dialout, dialouts::waiting_on(self.conn, number)?)
    }

    fn is_there(&self, kind: Kind, sid: Sid) -> Result<bool, Stop> {
        Ok(match kind {
            Kind::Binding => bindings::find(self.conn, sid)?
                .is_some_and(|(_, found)| !found.record.is_expired(self.now)),
            Kind::Dialout => dialouts::find(self.conn, sid)?.is_some(),
            _ => objects::stamp(self.conn, kind, sid)?.is_some(),
        })
    }

    /// Keeps an answer, unless its key was used before and is not past its end.
    fn remember(&self, remember: &Remember) -> Result<(), Stop> {
        let until = self
            .conn
            .prepare_cached("SELECT until FROM remembered WHERE owner = ?1 AND key = ?2")?
            .query_row(params![SidCell(remember.owner), remember.key], |row| count(row, 0))
            .optional()?;
        if until.is_some_and(|until| until > self.now.0) {
            return Err(Refused::Remembered.into());
        }
        let name = remember_name(remember.owner, &remember.key);
        let sealed = self.sealer.seal(&remember.body, &name)?;
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO remembered (owner, key, fingerprint, status, body, until) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                SidCell(remember.owner),
                remember.key,
                remember.fingerprint,
                remember.status,
                sealed,
                TimeCell(remember.until)
            ])?;
        Ok(())
    }

    /// Notes a change for the followers and for the feed.
    fn note(&mut self, change: Change) -> Result<(), Stop> {
        let (kind, sid, removed) = match &change {
            Change::Put(record) => (record.kind(), record.sid(), false),
            Change::Removed { kind, sid } => (*kind, *sid, true),
        };
        self.conn
            .prepare_cached(
                "INSERT INTO log (revision, place, kind, sid, removed) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                signed(self.revision),
                signed(self.changes.len() as u64),
                objects::kind_code(kind),
                SidCell(sid),
                removed
            ])?;
        self.changes.push(change);
        Ok(())
    }
}

/// What a kept answer is sealed for: answers of the Core API show a login's password.
pub(super) fn remember_name(owner: Sid, key: &str) -> Vec<u8> {
    [&owner.as_u128().to_be_bytes(), key.as_bytes()].concat()
}

fn gone(kind: Kind, sid: Sid) -> Stop {
    Refused::Gone { kind, sid }.into()
}

fn check_revision(current: Revision, expect: Option<Revision>) -> Result<(), Stop> {
    match expect {
        Some(expect) if expect != current => Err(Refused::Stale { current }.into()),
        _ => Ok(()),
    }
}

fn in_use(kind: Kind, user: Option<Sid>) -> Result<(), Stop> {
    match user {
        None => Ok(()),
        Some(sid) => Err(Refused::InUse { kind, sid }.into()),
    }
}
