//! Keys, places and chunks.

use super::{Arena, CHUNK, Key};
use alloc::vec::Vec;
use proptest::prelude::*;

#[test]
fn key_of_removed_value_never_finds_its_successor() {
    let mut arena = Arena::new();
    let old = arena.insert('a');
    assert_eq!(arena.remove(old), Some('a'));
    let new = arena.insert('b');
    assert_eq!(old.index(), new.index(), "the place is used again");
    assert_eq!(arena.get(old), None);
    assert_eq!(arena.remove(old), None);
    assert_eq!(arena.get_mut(old), None);
    assert_eq!(arena.get(new), Some(&'b'));
    assert_eq!(arena.key_at(new.index()), Some(new));
    arena.remove(new);
    assert_eq!(arena.key_at(new.index()), None);
    assert_eq!(arena.len(), 0);
}

#[test]
fn places_are_those_of_the_most_values_at_once() {
    let mut arena = Arena::new();
    for round in 0..3 {
        let keys: Vec<Key> = (0..=3 * CHUNK).map(|n| arena.insert((round, n))).collect();
        for (n, key) in keys.into_iter().enumerate() {
            assert_eq!(arena.remove(key), Some((round, n)));
        }
    }
    assert_eq!(arena.chunks.len(), 4);
    assert!(arena.chunks.iter().all(|chunk| chunk.capacity() == CHUNK));
}

proptest! {
    #[test]
    fn agrees_with_a_list(steps in prop::collection::vec(any::<(bool, usize)>(), 1..2_000)) {
        let mut arena = Arena::new();
        let mut live: Vec<(Key, usize)> = Vec::new();
        let mut gone: Vec<Key> = Vec::new();
        for (step, (insert, which)) in steps.into_iter().enumerate() {
            if insert || live.is_empty() {
                live.push((arena.insert(step), step));
            } else {
                let (key, value) = live.swap_remove(which % live.len());
                prop_assert_eq!(arena.remove(key), Some(value));
                gone.push(key);
            }
            prop_assert_eq!(arena.len(), live.len());
        }
        prop_assert!(live.iter().all(|(key, value)| arena.get(*key) == Some(value)));
        prop_assert!(gone.iter().all(|key| arena.get(*key).is_none()));
    }
}
