//! The config file's objects in the store: created where absent, updated where the file changed since it was last
//! provisioned, never deleted. What was changed through the API stays until the file says otherwise.
//!
//! An object is known again by its key in the file (`endpoint:masking`), under which the store keeps its sid and a
//! fingerprint of what the file said. What was deleted, or expired, while the file still has it is absent, and created
//! anew at the next start or reload. A trunk that the file takes out of its group goes; everything else that leaves the
//! file stays.
//!
//! Everything but bindings is one write wherever it fits into one, so a conflict leaves nothing behind.

mod fingerprint;
mod ledger;
mod picture;
mod plan;
mod wanted;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use mediator_model::{Directory, DirectoryError, Sid, UnixMillis};
use mediator_store::record::BindingRecord;
use mediator_store::{Committed, Kind, Op, ReadError, Record, Refused, Revision, Store, Write};
use tracing::warn;

use crate::config::{BindingSpec, CoreSettings, Objects};
use crate::directory::{self, Sources};

use ledger::Ledger;

pub use picture::Picture;
pub use plan::{Conflict, Plan};

/// How often it is planned anew when the API writes at the same time.
const ATTEMPTS: usize = 5;

/// Why a file is not provisioned. What was written before is what the file says.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The store has something that stands against it.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// The store refused.
    #[error("the store refused the file's objects: {0}")]
    Refused(Refused),
    /// The store cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// Random numbers.
    #[error("no random numbers from the operating system: {0}")]
    Random(#[from] getrandom::Error),
}

/// What provisioning did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Provisioned {
    /// Objects of the file that were new or changed, bindings excepted.
    pub objects: usize,
    /// Bindings of the file that were created or updated.
    pub bindings: usize,
    /// What the operator should know.
    pub notes: Vec<String>,
}

/// Provisions a file over what `picture` shows of the store, which is read anew where the API writes meanwhile. Waits for
/// the disk.
pub fn provision(
    store: &dyn Store,
    (objects, core): (&Objects, &CoreSettings),
    mut picture: Picture,
    now: UnixMillis,
) -> Result<Provisioned, ProvisionError> {
    let mut attempt = 1;
    let plan = loop {
        let plan = plan_now(objects, core, &picture, now)?;
        match carry_out(store, &plan, now) {
            Ok(()) => break plan,
            Err(refused) if attempt == ATTEMPTS || !is_a_race(&refused) => {
                return Err(ProvisionError::Refused(refused));
            }
            Err(_) => {}
        }
        attempt += 1;
        picture = read_picture(store, objects, now)?;
    };
    let Plan { notes, changed, .. } = &plan;
    let mut done = Provisioned { objects: *changed, bindings: 0, notes: notes.clone() };
    Bindings { store, picture: &picture, plan: &plan, now }.provision(objects, &mut done)?;
    Ok(done)
}

/// The directory that a file makes by itself, in a store that is empty.
pub fn preview(objects: &Objects, core: &CoreSettings) -> Result<Directory, PreviewError> {
    let mut dice = || 1;
    let plan = plan::plan(objects, core, &Picture::default(), UnixMillis(0), &mut dice)?;
    let mut sources = Sources::default();
    for op in &plan.ops {
        if let Op::Create(record) = op {
            sources.put(record);
        }
    }
    Ok(directory::build(&sources)?)
}

/// Why a file's objects make no directory.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// They stand against each other.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// They do not fit together.
    #[error("{0}")]
    Directory(#[from] DirectoryError),
}

/// What the store holds of what a file may touch.
pub fn read_picture(
    store: &dyn Store,
    objects: &Objects,
    now: UnixMillis,
) -> Result<Picture, ReadError> {
    let mut picture = Picture::of(objects);
    store.snapshot(now, &mut |object| picture.add(&object))?;
    Ok(picture)
}

fn plan_now(
    objects: &Objects,
    core: &CoreSettings,
    picture: &Picture,
    now: UnixMillis,
) -> Result<Plan, ProvisionError> {
    let mut random = [0; 48];
    getrandom::fill(&mut random)?;
    let mut numbers = random
        .chunks_exact(16)
        .map(|chunk| chunk.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte)));
    let mut dice = || numbers.next().unwrap_or_default();
    Ok(plan::plan(objects, core, picture, now, &mut dice)?)
}

/// Whether another writer was between the picture and the write.
const fn is_a_race(refused: &Refused) -> bool {
    match refused {
        Refused::Exists
        | Refused::Gone { .. }
        | Refused::Stale { .. }
        | Refused::Taken { .. }
        | Refused::InUse { .. }
        | Refused::Overloaded => true,
        Refused::Claimed | Refused::Remembered | Refused::Failed(_) => false,
    }
}

fn carry_out(store: &dyn Store, plan: &Plan, now: UnixMillis) -> Result<(), Refused> {
    for ops in plan.ops.chunks(Write::MAX_OPS) {
        write(store, ops.to_vec(), now)?;
    }
    Ok(())
}

/// Writes, and waits until it is durable.
fn write(store: &dyn Store, ops: Vec<Op>, now: UnixMillis) -> Result<(), Refused> {
    let (done, outcome) = sync_channel::<Result<Committed, Refused>>(1);
    submit(store, ops, now, done);
    // A store that forgets a write has stopped.
    outcome.recv().unwrap_or(Err(Refused::Overloaded)).map(|_| ())
}

fn submit(
    store: &dyn Store,
    ops: Vec<Op>,
    now: UnixMillis,
    done: SyncSender<Result<Committed, Refused>>,
) {
    let write = Write { now, ops, requires: Vec::new(), remember: None };
    store.submit(write, Box::new(move |outcome| drop(done.send(outcome))));
}

/// The file's bindings on their way into the store.
struct Bindings<'a> {
    store: &'a dyn Store,
    picture: &'a Picture,
    plan: &'a Plan,
    now: UnixMillis,
}

impl Bindings<'_> {
    fn provision(&self, objects: &Objects, done: &mut Provisioned) -> Result<(), ProvisionError> {
        let Some(key) = &self.plan.key else { return Ok(()) };
        if objects.bindings.is_empty() {
            return Ok(());
        }
        let mut ledger = Ledger::read(self.picture, objects.bindings.len());
        let (mut asked, mut left_out) = (Vec::new(), 0_usize);
        for spec in &objects.bindings {
            let account = self.plan.endpoints.get(&spec.account_sid).copied();
            let Some(account) =
                account.filter(|_| !self.plan.moved.contains(&spec.key.redirect_did))
            else {
                left_out += 1;
                continue;
            };
            let print = wanted::binding_fingerprint(spec, key);
            let before = ledger.print(spec.sid);
            let op = self.op_of(spec, account, before.map(|said| said == print))?;
            ledger.note(spec.sid, print);
            asked.extend(op.map(|op| Asked { op, sid: spec.sid, before }));
            if asked.len() == Write::MAX_OPS {
                self.flush(&mut asked, &mut ledger, done)?;
            }
        }
        self.flush(&mut asked, &mut ledger, done)?;
        if left_out > 0 {
            done.notes.push(format!(
                "{left_out} bindings of the file are left out: their redirect_did belongs to another endpoint by now"
            ));
        }
        // Behind the bindings: one that is there and was not noted yet counts as made by the API, and is noted at the next
        // start.
        for ops in ledger.ops(self.picture).chunks(Write::MAX_OPS) {
            write(self.store, ops.to_vec(), self.now).map_err(ProvisionError::Refused)?;
        }
        Ok(())
    }

    /// What makes the store hold one binding; `None` where it does. `said`: whether the file says what it said the last
    /// time, and `None` where it said nothing.
    fn op_of(
        &self,
        spec: &BindingSpec,
        account: Sid,
        said: Option<bool>,
    ) -> Result<Option<Op>, ProvisionError> {
        let own = Some(spec.sid).filter(|sid| self.picture.bindings.contains(sid));
        // One made through the API may have the same numbers: it is there, so none is created.
        let there = own.or_else(|| self.picture.bindings_by_key.get(&spec.key).copied());
        let held = match (there, said) {
            (Some(sid), Some(false)) => self.held(sid)?,
            (Some(_), _) => return Ok(None),
            (None, _) => None,
        };
        let record = |sid, before| {
            let record = wanted::binding(spec, (sid, account), before, self.now);
            Record::Binding(Arc::new(record))
        };
        Ok(Some(match &held {
            Some((held, revision)) => {
                Op::Update { record: record(held.sid, Some(&**held)), expect: *revision }
            }
            None => Op::Create(record(spec.sid, None)),
        }))
    }

    /// The binding as it is now: a claim may have come since the picture was taken.
    fn held(&self, sid: Sid) -> Result<Option<(Arc<BindingRecord>, Revision)>, ReadError> {
        let found = self.store.object(Kind::Binding, sid, self.now)?;
        Ok(found.and_then(|found| match found.record {
            Record::Binding(record) => Some((record, found.revision)),
            _ => None,
        }))
    }

    /// Writes what was gathered, and begins anew. What was not written counts as not said: the next start or reload tries
    /// again.
    fn flush(
        &self,
        asked: &mut Vec<Asked>,
        ledger: &mut Ledger,
        done: &mut Provisioned,
    ) -> Result<(), ProvisionError> {
        done.bindings += asked.len();
        self.write(asked, &mut |lost| {
            done.bindings -= 1;
            ledger.restore(lost.sid, lost.before);
        })?;
        asked.clear();
        Ok(())
    }

    /// Writes; where another writer, or a claim, was quicker with one of them, the others are written without it.
    fn write(&self, asked: &[Asked], lost: &mut dyn FnMut(&Asked)) -> Result<(), ProvisionError> {
        let [first, rest @ ..] = asked else { return Ok(()) };
        let ops = asked.iter().map(|asked| asked.op.clone()).collect();
        match write(self.store, ops, self.now) {
            Ok(()) => Ok(()),
            Err(refused) if !is_a_race(&refused) => Err(ProvisionError::Refused(refused)),
            Err(refused) if rest.is_empty() => {
                warn!(reason = %refused, "a binding of the file is left as it is until the next start or reload");
                lost(first);
                Ok(())
            }
            Err(_) => {
                let (one, other) = asked.split_at(asked.len() / 2);
                self.write(one, lost)?;
                self.write(other, lost)
            }
        }
    }
}

/// What is asked of the store for one binding of the file.
struct Asked {
    op: Op,
    /// The file's sid.
    sid: Sid,
    /// The fingerprint of what the file said before.
    before: Option<u64>,
}
