//! Values addressed by keys that go stale: a key of a removed value never finds its successor.
//!
//! Places come in chunks, so that growing moves nothing and leaves little unused.

#[cfg(test)]
mod tests;

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
/// Places in a chunk.
const CHUNK: usize = 256;

#[derive(Debug)]
pub(super) struct Arena<T> {
    /// All but the last are full.
    chunks: Vec<Vec<Place<T>>>,
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
        Self { chunks: Vec::new(), free: NIL, len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        let index = self.free;
        let Some(place) = self.place_mut(index) else { return self.extend(value) };
        let generation = place.generation;
        let content = core::mem::replace(&mut place.content, Content::Value(value));
        if let Content::Vacant { next } = content {
            self.free = next;
        }
        Key { index, generation }
    }

    /// The key of the value that lives at `index`.
    pub(super) fn key_at(&self, index: u32) -> Option<Key> {
        let place = self.place(index)?;
        match place.content {
            Content::Value(_) => Some(Key { index, generation: place.generation }),
            Content::Vacant { .. } => None,
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        match self.place(key.index) {
            Some(Place { generation, content: Content::Value(value) })
                if *generation == key.generation =>
            {
                Some(value)
            }
            Some(_) | None => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.place_mut(key.index) {
            Some(Place { generation, content: Content::Value(value) })
                if *generation == key.generation =>
            {
                Some(value)
            }
            Some(_) | None => None,
        }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let next = self.free;
        let place = self.place_mut(key.index)?;
        if place.generation != key.generation || matches!(place.content, Content::Vacant { .. }) {
            return None;
        }
        place.generation = place.generation.wrapping_add(1);
        let content = core::mem::replace(&mut place.content, Content::Vacant { next });
        self.free = key.index;
        self.len -= 1;
        match content {
            Content::Value(value) => Some(value),
            Content::Vacant { .. } => None,
        }
    }

    /// Makes a place for a value where none is vacant.
    fn extend(&mut self, value: T) -> Key {
        let place = Place { generation: 0, content: Content::Value(value) };
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        let index = match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => {
                chunk.push(place);
                full + chunk.len() - 1
            }
            Some(_) | None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(place);
                self.chunks.push(chunk);
                (self.chunks.len() - 1) * CHUNK
            }
        };
        let index = u32::try_from(index).ok().filter(|index| *index != NIL);
        Key { index: index.expect("4 billion transactions fit into no memory"), generation: 0 }
    }

    fn place(&self, index: u32) -> Option<&Place<T>> {
        self.chunks.get(index as usize / CHUNK)?.get(index as usize % CHUNK)
    }

    fn place_mut(&mut self, index: u32) -> Option<&mut Place<T>> {
        self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)
    }
}
