//! What a store must hold: every change that was acknowledged, and of those under way at the end either outcome.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use serde_json::Value;

/// An object as it may be found; `None` is not at all.
type Candidates = Vec<Option<Value>>;

/// The objects of one list, by their sid.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    known: BTreeMap<String, Candidates>,
    /// Creations that were not answered: objects with these fields may be there.
    unanswered: Vec<Value>,
}

/// A change that was asked for.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A creation; the fields that the client chose.
    Create(Value),
    /// A new state of an object.
    Update(String, Value),
    /// The end of an object.
    Delete(String),
}

impl Ledger {
    /// An object was acknowledged in this state.
    pub(crate) fn put(&mut self, sid: &str, object: Value) {
        self.known.insert(sid.to_owned(), vec![Some(object)]);
    }

    /// The end of an object was acknowledged.
    pub(crate) fn removed(&mut self, sid: &str) {
        self.known.insert(sid.to_owned(), vec![None]);
    }

    /// A change was asked for and never answered.
    pub(crate) fn unanswered(&mut self, change: Change) {
        match change {
            Change::Create(fields) => self.unanswered.push(fields),
            Change::Update(sid, object) => self.known.entry(sid).or_default().push(Some(object)),
            Change::Delete(sid) => self.known.entry(sid).or_default().push(None),
        }
    }

    /// Takes in another ledger of other objects.
    pub(crate) fn merge(&mut self, other: Self) {
        self.known.extend(other.known);
        self.unanswered.extend(other.unanswered);
    }

    /// The objects that are there for certain.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.known.iter().filter_map(|(sid, candidates)| match candidates.as_slice() {
            [Some(object)] => Some((sid, object)),
            _ => None,
        })
    }

    /// How many objects are known of.
    pub(crate) fn len(&self) -> usize {
        self.objects().count()
    }

    /// Compares with what was found, by sid, leaving out the fields of `loose`; from then on what was found is what
    /// is known.
    pub(crate) fn settle(&mut self, found: &BTreeMap<String, Value>, loose: &[&str]) -> Result<()> {
        let tight = |object: &Value| {
            let mut object = object.clone();
            if let Some(map) = object.as_object_mut() {
                map.retain(|field, _| !loose.contains(&field.as_str()));
            }
            object
        };
        for (sid, candidates) in &self.known {
            let there = found.get(sid).map(tight);
            let fits = candidates.iter().any(|wanted| wanted.as_ref().map(tight) == there);
            ensure!(fits, "{sid} is {there:?}, acknowledged was {candidates:?}");
        }
        let known: BTreeSet<&String> = self.known.keys().collect();
        for (sid, object) in found.iter().filter(|(sid, _)| !known.contains(sid)) {
            let asked = self.unanswered.iter().position(|fields| contains(object, fields));
            match asked {
                Some(at) => drop(self.unanswered.swap_remove(at)),
                None => bail!("nobody asked for {sid}: {object}"),
            }
        }
        self.unanswered.clear();
        self.known.retain(|sid, _| found.contains_key(sid));
        for (sid, object) in found {
            self.put(sid, object.clone());
        }
        Ok(())
    }
}

/// Whether an object has all these fields.
fn contains(object: &Value, fields: &Value) -> bool {
    fields
        .as_object()
        .is_some_and(|fields| fields.iter().all(|(field, value)| object.get(field) == Some(value)))
}
