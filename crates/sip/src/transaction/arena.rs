//! Values addressed by keys that go stale: a key of a removed value never finds its successor.

use alloc::vec::Vec;

/// The place of a value, and which of its tenants is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// The place alone: unambiguous while the value lives.
    pub(super) const fn index(self) -> u32 {
        self.index
    }

    pub(super) const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// No place.
const NIL: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Arena<T> {
    places: Vec<Place<T>>,
    free: u32,
    len: usize,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    content: Content<T>,
}

#[derive(Debug)]
enum Content<T> {
    Value(T),
    Vacant { next: u32 },
}

impl<T> Arena<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: NIL, len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        let index = self.free;
        if let Some(place) = self.places.get_mut(index as usize) {
            if let Content::Vacant { next } = place.content {
                self.free = next;
            }
            place.content = Content::Value(value);
            return Key { index, generation: place.generation };
        }
        let index = self.places.len() as u32;
        assert!(index < NIL, "4 billion transactions do not fit into memory");
        self.places.push(Place { generation: 0, content: Content::Value(value) });
        Key { index, generation: 0 }
    }

    /// The key of the value that lives at `index`.
    pub(super) fn key_at(&self, index: u32) -> Option<Key> {
        let place = self.places.get(index as usize)?;
        match place.content {
            Content::Value(_) => Some(Key { index, generation: place.generation }),
            Content::Vacant { .. } => None,
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        match self.places.get(key.index as usize) {
            Some(Place { generation, content: Content::Value(value) })
                if *generation == key.generation =>
            {
                Some(value)
            }
            Some(_) | None => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.places.get_mut(key.index as usize) {
            Some(Place { generation, content: Content::Value(value) })
                if *generation == key.generation =>
            {
                Some(value)
            }
            Some(_) | None => None,
        }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation != key.generation || matches!(place.content, Content::Vacant { .. }) {
            return None;
        }
        place.generation = place.generation.wrapping_add(1);
        let content = core::mem::replace(&mut place.content, Content::Vacant { next: self.free });
        self.free = key.index;
        self.len -= 1;
        match content {
            Content::Value(value) => Some(value),
            Content::Vacant { .. } => None,
        }
    }
}
