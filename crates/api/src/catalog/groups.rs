//! Which account a trunk group's numbers belong to, and its numbers by how many bindings they have.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::ops::Bound;

use foldhash::fast::RandomState;
use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::DidRecord;

/// A number and how many bindings it has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Candidate {
    pub(super) bindings: u64,
    pub(super) number: Number,
}

/// Alpha-3.
type Country = Box<str>;

/// The numbers of one trunk group.
#[derive(Debug, Default)]
struct GroupNumbers {
    candidates: BTreeSet<Candidate>,
    countries: HashMap<Country, BTreeSet<Candidate>, RandomState>,
    ages: BTreeSet<(UnixMillis, Sid)>,
}

/// Trunk groups' numbers and owners.
#[derive(Debug, Default)]
pub(super) struct Groups {
    numbers: HashMap<Sid, GroupNumbers, RandomState>,
    accounts: HashMap<Sid, Sid, RandomState>,
    of_account: HashMap<Sid, BTreeSet<Sid>, RandomState>,
}

impl Groups {
    /// The mediator endpoint behind a group.
    pub(super) fn account(&self, group: Sid) -> Option<Sid> {
        self.accounts.get(&group).copied()
    }

    /// Notes which mediator endpoint is behind a group; `None`: none is.
    pub(super) fn set_account(&mut self, group: Sid, account: Option<Sid>) {
        let old = match account {
            Some(account) => self.accounts.insert(group, account),
            None => self.accounts.remove(&group),
        };
        if let Some(old) = old
            && let Some(groups) = self.of_account.get_mut(&old)
        {
            groups.remove(&group);
            if groups.is_empty() {
                self.of_account.remove(&old);
            }
        }
        if let Some(account) = account {
            self.of_account.entry(account).or_default().insert(group);
        }
    }

    /// Takes a DID into its group.
    pub(super) fn join(&mut self, did: &DidRecord, bindings: u64) {
        let Some(group) = did.trunk_group_sid else { return };
        let numbers = self.numbers.entry(group).or_default();
        numbers.ages.insert((did.date_created, did.sid));
        numbers.count(did, bindings);
    }

    /// Takes a DID out of its group.
    pub(super) fn leave(&mut self, did: &DidRecord, bindings: u64) {
        let Some(group) = did.trunk_group_sid else { return };
        let Some(numbers) = self.numbers.get_mut(&group) else { return };
        numbers.ages.remove(&(did.date_created, did.sid));
        numbers.uncount(did, bindings);
        if numbers.ages.is_empty() {
            self.numbers.remove(&group);
        }
    }

    /// Notes that a DID's count of bindings has changed.
    pub(super) fn recount(&mut self, did: &DidRecord, before: u64, after: u64) {
        let numbers = did.trunk_group_sid.and_then(|group| self.numbers.get_mut(&group));
        if let Some(numbers) = numbers {
            numbers.uncount(did, before);
            numbers.count(did, after);
        }
    }

    /// A group's first DID by age.
    pub(super) fn first_did(&self, group: Sid) -> Option<Sid> {
        self.numbers.get(&group)?.ages.first().map(|(_, sid)| *sid)
    }

    /// An account's DIDs, the oldest first.
    pub(super) fn dids_of(&self, account: Sid) -> Vec<Sid> {
        let mut all: Vec<(UnixMillis, Sid)> =
            self.groups_of(account).flat_map(|numbers| numbers.ages.iter().copied()).collect();
        // Each group's are in order already: sorting runs is quick.
        all.sort();
        all.into_iter().map(|(_, sid)| sid).collect()
    }

    /// The next candidates of an account after one, those with the fewest bindings first; at most `limit`.
    pub(super) fn candidates(
        &self,
        account: Sid,
        country: Option<&str>,
        after: Option<Candidate>,
        limit: usize,
    ) -> Vec<Candidate> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut runs: Vec<_> = self
            .groups_of(account)
            .filter_map(|numbers| match country {
                None => Some(&numbers.candidates),
                Some(country) => numbers.countries.get(country),
            })
            .map(|set| set.range((from, Bound::Unbounded)))
            .collect();
        let mut heads: BinaryHeap<Reverse<(Candidate, usize)>> = BinaryHeap::new();
        for (at, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next().map(|head| Reverse((*head, at))));
        }
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(Reverse((candidate, at))) = heads.pop()
        {
            found.push(candidate);
            let next = runs.get_mut(at).and_then(Iterator::next);
            heads.extend(next.map(|head| Reverse((*head, at))));
        }
        found
    }

    fn groups_of(&self, account: Sid) -> impl Iterator<Item = &GroupNumbers> {
        self.of_account
            .get(&account)
            .into_iter()
            .flatten()
            .filter_map(|group| self.numbers.get(group))
    }
}

impl GroupNumbers {
    fn count(&mut self, did: &DidRecord, bindings: u64) {
        let candidate = Candidate { bindings, number: did.phonenumber };
        self.candidates.insert(candidate);
        if let Some(country) = &did.country_code {
            self.countries.entry(country.clone()).or_default().insert(candidate);
        }
    }

    fn uncount(&mut self, did: &DidRecord, bindings: u64) {
        let candidate = Candidate { bindings, number: did.phonenumber };
        self.candidates.remove(&candidate);
        if let Some(country) = &did.country_code
            && let Some(set) = self.countries.get_mut(country)
        {
            set.remove(&candidate);
        }
    }
}
