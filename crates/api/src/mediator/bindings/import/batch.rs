//! Some lines of an import, from their text to their results.

use std::sync::Arc;

use bytes::Bytes;
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use futures_util::{StreamExt, stream};
use mediator_model::{BindingKey, Number, Sid, UnixMillis};
use mediator_store::record::{BindingRecord, Kind, Record};
use mediator_store::write::Op;
use mediator_store::{ReadError, Refused, Store, Write};
use serde_json::json;

use crate::body::read_json;
use crate::catalog::Catalog;
use crate::fault::{Fault, Flavour, errors};
use crate::mediator::bindings::create::{Chosen, Maker, Outcome, find_like, refusal};
use crate::mediator::bindings::draft::{Birth, Draft, Wishes};
use crate::mediator::bindings::lines::Line;
use crate::mediator::fresh_sid;
use crate::mediator::ownership::{cannot_find_redirect_did, own_did};
use crate::store_calls;

use self::numbers::Numbers;

mod numbers;

/// The most lines that are written together.
pub(super) const MAX_LINES: usize = 1000;
/// After a refusal: lines that are written at once, each by itself.
const AT_ONCE: usize = 64;

/// What is to be done for a line, and what came of it.
enum Step {
    /// It is to be made.
    Make { draft: Box<Draft>, record: Arc<BindingRecord>, did: Sid },
    /// It wants to reuse what an earlier line of the batch makes.
    SameAs { draft: Box<Draft>, at: usize },
    /// It has its binding.
    Done(Sid),
    /// It has none.
    Failed(Fault),
}

/// Some lines on their way.
pub(super) struct Batch<'a> {
    maker: &'a Maker,
    wishes: Wishes,
}

/// All steps of a batch, and the keys that it holds while it is written.
struct Plan {
    steps: Vec<Step>,
    _chosen: Vec<Chosen>,
}

impl<'a> Batch<'a> {
    pub(super) const fn new(maker: &'a Maker, wishes: Wishes) -> Self {
        Self { maker, wishes }
    }

    /// The results, a line of JSON each.
    pub(super) async fn write(&self, lines: Vec<Line>) -> Bytes {
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        let mut plan = match self.plan(lines).await {
            Ok(plan) => plan,
            Err(fault) => {
                let failed = numbers.iter().map(|_| Step::Failed(fault.clone())).collect();
                Plan { steps: failed, _chosen: Vec::new() }
            }
        };
        if let Err(refused) = self.make_all(&mut plan.steps).await {
            self.after_refusal(&mut plan.steps, refused).await;
        }
        self.reuse(&mut plan.steps).await;
        let mut text = Vec::with_capacity(numbers.len() * 96);
        for (number, step) in numbers.into_iter().zip(&plan.steps) {
            write_result(&mut text, number, step);
        }
        text.into()
    }

    /// What is to be done for each line.
    async fn plan(&self, lines: Vec<Line>) -> Result<Plan, Fault> {
        let (maker, wishes) = (self.maker.clone(), self.wishes);
        let now = self.now();
        store_calls::read(&self.maker.backend, move |store| {
            let catalog = Arc::clone(&maker.backend.catalog);
            let mut planner = Planner::new(store, &catalog, &maker, now);
            let mut steps = Vec::with_capacity(lines.len());
            for (at, line) in lines.into_iter().enumerate() {
                let step = match draft(line, wishes) {
                    Ok(draft) => planner.step(at, draft)?,
                    Err(fault) => Step::Failed(fault),
                };
                steps.push(step);
            }
            Ok(Plan { steps, _chosen: planner.numbers.chosen })
        })
        .await
    }

    /// Makes in one write what is to be made.
    async fn make_all(&self, steps: &mut [Step]) -> Result<(), Refused> {
        let account = self.maker.account;
        let mut ops = Vec::new();
        let mut dids = HashSet::new();
        for step in &*steps {
            if let Step::Make { record, did, .. } = step {
                ops.push(Op::Create(Record::Binding(Arc::clone(record))));
                dids.insert(*did);
            }
        }
        if ops.is_empty() {
            return Ok(());
        }
        let mut requires = vec![(Kind::Endpoint, account)];
        requires.extend(dids.into_iter().map(|did| (Kind::Did, did)));
        let write = Write { now: self.now(), ops, requires, remember: None };
        store_calls::try_write(&self.maker.backend, write).await?;
        for step in steps {
            if let Step::Make { record, .. } = step {
                *step = Step::Done(record.sid);
            }
        }
        Ok(())
    }

    /// Nothing was made. Lines whose key is held by now are refused, the others are written together once more, and
    /// one by one if that will not do either.
    async fn after_refusal(&self, steps: &mut [Step], refused: Refused) {
        if matches!(refused, Refused::Taken { .. }) {
            match self.refuse_taken(steps).await {
                Ok(()) if self.make_all(steps).await.is_ok() => return,
                Ok(()) => {}
                Err(fault) => return fail_all(steps, &fault),
            }
        } else if matches!(refused, Refused::Failed(_) | Refused::Overloaded) {
            return fail_all(steps, &refusal(refused));
        }
        let left: Vec<(usize, Draft)> = steps
            .iter()
            .enumerate()
            .filter_map(|(at, step)| match step {
                Step::Make { draft, .. } => Some((at, (**draft).clone())),
                Step::SameAs { .. } | Step::Done(_) | Step::Failed(_) => None,
            })
            .collect();
        let written = left.into_iter().map(|(at, draft)| async move {
            // It was looked for one to reuse already.
            (at, outcome(self.maker.make(&draft, &|_, _| None).await))
        });
        let written: Vec<(usize, Step)> = stream::iter(written).buffered(AT_ONCE).collect().await;
        for (at, done) in written {
            if let Some(step) = steps.get_mut(at) {
                *step = done;
            }
        }
    }

    /// Refuses the lines that name a number whose key is held.
    async fn refuse_taken(&self, steps: &mut [Step]) -> Result<(), Fault> {
        let now = self.now();
        let asked: Vec<(usize, BindingKey)> = steps
            .iter()
            .enumerate()
            .filter_map(|(at, step)| match step {
                Step::Make { draft, record, .. } if draft.redirect_did.is_some() => {
                    Some((at, record.key()))
                }
                _ => None,
            })
            .collect();
        let held = store_calls::read(&self.maker.backend, move |store| {
            let mut held = Vec::new();
            for (at, key) in asked {
                if let Some(holder) = store.binding_at(key, now)? {
                    held.push((at, holder.record.sid));
                }
            }
            Ok(held)
        });
        for (at, holder) in held.await? {
            if let Some(step) = steps.get_mut(at) {
                *step = Step::Failed(refusal(Refused::Taken { key: "key", holder }));
            }
        }
        Ok(())
    }

    /// Gives lines that reuse another line's binding that one, or one of their own where there is none.
    async fn reuse(&self, steps: &mut [Step]) {
        for at in 0..steps.len() {
            let Some(Step::SameAs { draft, at: earlier }) = steps.get(at) else { continue };
            let done = match steps.get(*earlier) {
                Some(Step::Done(sid)) => Step::Done(*sid),
                _ => outcome(self.maker.bring(draft, &|_, _| None).await),
            };
            if let Some(step) = steps.get_mut(at) {
                *step = done;
            }
        }
    }

    fn now(&self) -> UnixMillis {
        self.maker.backend.process.now()
    }
}

/// What a line asks for.
fn draft(line: Line, wishes: Wishes) -> Result<Draft, Fault> {
    let text = line.text.ok_or(Fault::TooLarge)?;
    Draft::read(&read_json(&text)?, wishes)
}

fn outcome(result: Result<Outcome, Fault>) -> Step {
    match result {
        Ok(Outcome::Made(held) | Outcome::Found(held)) => Step::Done(held.record.sid),
        // Lines have no key.
        Ok(Outcome::Remembered) => Step::Failed(Fault::Internal),
        Err(fault) => Step::Failed(fault),
    }
}

fn fail_all(steps: &mut [Step], fault: &Fault) {
    for step in steps {
        if matches!(step, Step::Make { .. }) {
            *step = Step::Failed(fault.clone());
        }
    }
}

fn write_result(text: &mut Vec<u8>, number: u64, step: &Step) {
    let result = match step {
        Step::Done(sid) => {
            json!({ "line": number, "status": 200, "binding_sid": sid.to_string() })
        }
        Step::Failed(fault) => json!({
            "line": number,
            "status": fault.status(Flavour::Mediator).as_u16(),
            "errors": errors(Flavour::Mediator, fault),
        }),
        Step::Make { .. } | Step::SameAs { .. } => {
            debug_assert!(false, "every line has a result by now");
            json!({ "line": number, "status": 500, "errors": errors(Flavour::Mediator, &Fault::Internal) })
        }
    };
    text.extend_from_slice(result.to_string().as_bytes());
    text.push(b'\n');
}

/// Plans lines one after the other, each as if those before it had been made.
struct Planner<'a> {
    store: &'a dyn Store,
    catalog: &'a Catalog,
    account: Sid,
    now: UnixMillis,
    /// Keys of the lines before.
    keys: HashSet<BindingKey>,
    /// Which lines before go to a destination: what a line may reuse.
    made: HashMap<Number, Vec<(usize, Arc<BindingRecord>)>>,
    numbers: Numbers<'a>,
}

impl<'a> Planner<'a> {
    fn new(store: &'a dyn Store, catalog: &'a Catalog, maker: &'a Maker, now: UnixMillis) -> Self {
        let numbers = Numbers::new(store, catalog, maker, now);
        let account = maker.account;
        let (keys, made) = (HashSet::new(), HashMap::new());
        Self { store, catalog, account, now, keys, made, numbers }
    }

    fn step(&mut self, at: usize, draft: Draft) -> Result<Step, ReadError> {
        if draft.reuse {
            if let Some(found) =
                find_like(self.store, self.catalog, self.account, &draft, self.now)?
            {
                return Ok(Step::Done(found.record.sid));
            }
            if let Some(at) = self.planned_like(&draft) {
                return Ok(Step::SameAs { draft: Box::new(draft), at });
            }
        }
        let redirect_did = match draft.redirect_did {
            Some(number) => Some(number),
            None => self.numbers.choose(&draft, &self.keys)?,
        };
        let Some(redirect_did) = redirect_did else {
            return Ok(Step::Failed(cannot_find_redirect_did()));
        };
        let did = match own_did(self.catalog, self.account, redirect_did) {
            Ok(did) => did,
            Err(fault) => return Ok(Step::Failed(fault)),
        };
        let sid = match fresh_sid() {
            Ok(sid) => sid,
            Err(fault) => return Ok(Step::Failed(fault)),
        };
        let birth = Birth { sid, account_sid: self.account, now: self.now };
        let record = Arc::new(draft.to_record(birth, redirect_did));
        if !self.keys.insert(record.key()) {
            // The line before it either has the key, or somebody else has.
            return Ok(Step::Failed(refusal(Refused::Taken { key: "key", holder: sid })));
        }
        let of_destination = self.made.entry(record.destination_did).or_default();
        of_destination.push((at, Arc::clone(&record)));
        Ok(Step::Make { draft: Box::new(draft), record, did })
    }

    fn planned_like(&self, draft: &Draft) -> Option<usize> {
        let planned = self.made.get(&draft.destination_did)?;
        planned.iter().find(|(_, record)| draft.fits(record, self.catalog)).map(|(at, _)| *at)
    }
}
