//! How many bindings and dialouts hold a number, and belong to an account.
//!
//! A removal names a sid alone, so each sid's place is kept, in 12 bytes a binding: there are few pairs of a number and an
//! account, and a pair is named by its place in a list; a sid is random, and 64 bits of it tell a million of them apart
//! but for one chance in 10^7. What such a pair of sids would cost is a count that is one off, until the next start: it
//! puts a number one place too early or late, and words the refusal of a deletion, which the store refuses by itself.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use mediator_model::{Number, Sid};
use mediator_store::record::Kind;

/// How many there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Count {
    pub(super) bindings: u64,
    pub(super) dialouts: u64,
}

/// 64 bits of a sid, without the alignment that would make each entry 16 bytes long.
type Packed = [u32; 2];

/// Counts of bindings and dialouts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    bindings: HashMap<Packed, u32, RandomState>,
    dialouts: HashMap<Packed, u32, RandomState>,
    holders: Vec<(Number, Sid)>,
    places: HashMap<(Number, Sid), u32, RandomState>,
    by_number: HashMap<Number, Count, RandomState>,
    by_account: HashMap<Sid, Count, RandomState>,
}

/// Numbers whose count of bindings has changed, with the count before.
pub(super) type Changed = [Option<(Number, u64)>; 2];

impl Counts {
    pub(super) fn of_number(&self, number: Number) -> Count {
        self.by_number.get(&number).copied().unwrap_or_default()
    }

    pub(super) fn of_account(&self, account: Sid) -> Count {
        self.by_account.get(&account).copied().unwrap_or_default()
    }

    /// Notes that a binding or dialout holds a number, whatever it held before.
    pub(super) fn put(&mut self, kind: Kind, sid: Sid, holder: (Number, Sid)) -> Changed {
        let place = self.place(holder);
        let Some(objects) = self.objects(kind) else { return [None, None] };
        match objects.insert(packed(sid), place) {
            Some(old) if old == place => [None, None],
            Some(old) => [self.leave(kind, old), self.join(kind, holder)],
            None => [None, self.join(kind, holder)],
        }
    }

    /// Notes that a binding or dialout is gone.
    pub(super) fn remove(&mut self, kind: Kind, sid: Sid) -> Changed {
        let place = self.objects(kind).and_then(|objects| objects.remove(&packed(sid)));
        [place.and_then(|place| self.leave(kind, place)), None]
    }

    fn objects(&mut self, kind: Kind) -> Option<&mut HashMap<Packed, u32, RandomState>> {
        match kind {
            Kind::Binding => Some(&mut self.bindings),
            Kind::Dialout => Some(&mut self.dialouts),
            Kind::Endpoint
            | Kind::TrunkGroup
            | Kind::Trunk
            | Kind::Did
            | Kind::Token
            | Kind::Partner
            | Kind::Provisioned => None,
        }
    }

    fn place(&mut self, holder: (Number, Sid)) -> u32 {
        let holders = &mut self.holders;
        *self.places.entry(holder).or_insert_with(|| {
            holders.push(holder);
            u32::try_from(holders.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn join(&mut self, kind: Kind, (number, account): (Number, Sid)) -> Option<(Number, u64)> {
        let count = self.by_number.entry(number).or_default();
        let before = count.bindings;
        *figure(kind, count) += 1;
        *figure(kind, self.by_account.entry(account).or_default()) += 1;
        (kind == Kind::Binding).then_some((number, before))
    }

    fn leave(&mut self, kind: Kind, place: u32) -> Option<(Number, u64)> {
        let (number, account) = *self.holders.get(place as usize)?;
        let count = self.by_number.get_mut(&number)?;
        let before = count.bindings;
        lower(figure(kind, count));
        if *count == Count::default() {
            self.by_number.remove(&number);
        }
        if let Some(count) = self.by_account.get_mut(&account) {
            lower(figure(kind, count));
            if *count == Count::default() {
                self.by_account.remove(&account);
            }
        }
        (kind == Kind::Binding).then_some((number, before))
    }
}

fn figure(kind: Kind, count: &mut Count) -> &mut u64 {
    if kind == Kind::Binding { &mut count.bindings } else { &mut count.dialouts }
}

fn lower(figure: &mut u64) {
    *figure = figure.saturating_sub(1);
}

fn packed(sid: Sid) -> Packed {
    // The two halves together: each has bits that are the same in all sids (RFC 9562 §5.4).
    let folded = (sid.as_u128() >> 64) as u64 ^ sid.as_u128() as u64;
    [(folded >> 32) as u32, folded as u32]
}
