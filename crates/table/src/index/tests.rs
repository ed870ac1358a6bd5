//! The index against a map, and readers against one writer.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::thread;

use mediator_model::{BindingKey, ClaimWindow, Number, Sid};
use proptest::prelude::*;

use super::*;

fn binding(n: u64) -> Arc<Binding> {
    let number = Number::from_digits(&format!("{n}")).unwrap();
    Arc::new(Binding {
        sid: Sid::from_random(n.into()),
        account_sid: Sid::from_random(0),
        key: BindingKey { redirect_did: number, origination_did: None },
        destination_did: number,
        claim: ClaimWindow::Closed,
        expires: None,
        dtmf: None,
        attributes: None,
    })
}

fn n_of(binding: &Binding) -> u64 {
    binding.key.redirect_did.to_string().parse().unwrap()
}

/// All in two cells and hardly any two apart, by three tags.
fn crowded(n: u64) -> u64 {
    (n % 3) | ((n % 2) << 8)
}

fn find(index: &Index, hash: impl Fn(u64) -> u64, n: u64) -> Option<Arc<Binding>> {
    index.find(hash(n), |binding| n_of(binding) == n)
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Insert(u64),
    Replace(u64),
    Remove(u64),
}

fn a_step() -> impl Strategy<Value = Step> {
    let n = || 0..120_u64;
    prop_oneof![
        5 => n().prop_map(Step::Insert),
        1 => n().prop_map(Step::Replace),
        4 => n().prop_map(Step::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn does_what_a_hash_map_does_however_hashes_collide(
        steps in proptest::collection::vec(a_step(), 1..400),
    ) {
        let index = Index::with_capacity(0);
            let mut plain: HashMap<u64, Arc<Binding>> = HashMap::new();
        for step in steps {
            match step {
                Step::Insert(n) if !plain.contains_key(&n) => {
                    plain.insert(n, binding(n));
                    index.insert(crowded(n), plain[&n].clone());
                }
                Step::Replace(n) if plain.contains_key(&n) => {
                    let next = binding(n);
                    index.replace(crowded(n), &plain[&n], next.clone());
                    plain.insert(n, next);
                }
                Step::Remove(n) => {
                    if let Some(gone) = plain.remove(&n) {
                        index.remove(crowded(n), &gone);
                    }
                }
                Step::Insert(_) | Step::Replace(_) => {}
            }
        }
        for n in 0..120 {
            let same = match (find(&index, crowded, n), plain.get(&n)) {
                (Some(found), Some(held)) => Arc::ptr_eq(&found, held),
                (found, held) => found.is_none() && held.is_none(),
            };
            prop_assert!(same, "{}", n);
        }
        prop_assert_eq!(index.iter().count(), plain.len());
        prop_assert!(plain.values().all(|held| Arc::strong_count(held) == 2), "nothing is kept twice");
    }
}

#[test]
fn what_stays_is_found_at_every_moment_while_neighbours_come_and_go() {
    const STAYING: u64 = 40;
    let index = Index::with_capacity(0);
    for n in 0..STAYING {
        index.insert(crowded(n), binding(n));
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for n in 0..STAYING {
                        assert!(find(&index, crowded, n).is_some(), "{n}");
                    }
                }
            });
        }
        for round in 0..3000_u64 {
            let guests: Vec<_> = (0..round % 60).map(|n| binding(STAYING + n)).collect();
            for guest in &guests {
                index.insert(crowded(n_of(guest)), guest.clone());
            }
            for guest in &guests {
                index.remove(crowded(n_of(guest)), guest);
                assert!(find(&index, crowded, n_of(guest)).is_none());
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(index.iter().count() as u64, STAYING);
}

#[test]
fn spreads_well_hashed_bindings_over_all_cells() {
    const COUNT: u64 = 50_000;
    let spread = |n: u64| (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let index = Index::with_capacity(COUNT as usize);
    for n in 0..COUNT {
        index.insert(spread(n), binding(n));
    }
    assert!((0..COUNT).all(|n| find(&index, spread, n).is_some()));
    assert!(find(&index, spread, COUNT).is_none());
    let cells = || index.chunks.iter().flat_map(|chunk| chunk.get().unwrap().iter());
    let crowded = cells().filter(|cell| cell.0.has_next.load(Ordering::Relaxed)).count();
    assert!(crowded * 4 < cells().count(), "{crowded} of {}", cells().count());
}

#[test]
fn a_cell_is_one_cache_line() {
    assert_eq!((size_of::<Cell>(), align_of::<Line>()), (64, 64));
}

#[test]
fn an_empty_index_is_small() {
    let index = Index::with_capacity(1_000_000);
    assert!(index.chunks.iter().all(|chunk| chunk.get().is_none()));
    assert!(index.find(7, |_| true).is_none());
    assert!(index.chunks.len() * size_of::<OnceLock<Box<Chunk>>>() < 64 * 1024);
}
