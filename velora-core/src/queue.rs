//! What was put under keys, in the order in which it was put.
//!
//! The table of a general map is a tenth of what an edge worker carries: this one has just
//! what a queue needs, and all of it but the entries themselves is the same code for all.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::hash::{DefaultHasher, Hasher};

/// What can be a key. What is signed, or hashed under a random key, is not chosen so that
/// it falls together.
pub(crate) trait Hashed: Eq {
    fn hashed(&self) -> u64;
}

impl Hashed for u64 {
    fn hashed(&self) -> u64 {
        *self
    }
}

/// 64 bits that stand for a text.
#[inline(never)]
pub(crate) fn hash_with(mut hasher: DefaultHasher, text: &str) -> u64 {
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// Where an entry is, counted from 1: 0 is nowhere.
type Slot = u32;

#[derive(Debug)]
pub(crate) struct Queue<K, V> {
    table: Table,
    slots: Vec<Entry<K, V>>,
    free: Vec<Slot>,
    first: Slot,
    last: Slot,
}

#[derive(Debug)]
struct Entry<K, V> {
    held: Option<(K, V)>,
    hash: u32,
    before: Slot,
    after: Slot,
}

impl<K: Hashed, V> Queue<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            table: Table::default(),
            slots: Vec::new(),
            free: Vec::new(),
            first: 0,
            last: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.used
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let (_, value) = self.held(self.find(key)?)?;
        Some(value)
    }

    /// The one that was put in before all others.
    #[cfg(feature = "receiver")]
    pub(crate) fn first(&self) -> Option<&V> {
        let (_, value) = self.held(self.first)?;
        Some(value)
    }

    pub(crate) fn take_first(&mut self) -> Option<(K, V)> {
        self.remove(self.first)
    }

    pub(crate) fn take(&mut self, key: &K) -> Option<(K, V)> {
        self.remove(self.find(key)?)
    }

    /// Puts it behind all others; what was under the key is gone.
    pub(crate) fn put(&mut self, key: K, value: V) {
        self.take(&key);
        let (hash, before) = (key.hashed() as u32, self.last);
        let entry = Entry {
            held: Some((key, value)),
            hash,
            before,
            after: 0,
        };
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => u32::try_from(self.slots.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
        };
        match self.entry(slot) {
            Some(empty) => *empty = entry,
            None => self.slots.push(entry),
        }
        match self.entry(before) {
            Some(before) => before.after = slot,
            None => self.first = slot,
        }
        self.last = slot;
        self.table.insert(Place { hash, slot });
    }

    fn find(&self, key: &K) -> Option<Slot> {
        let is = |slot| self.held(slot).is_some_and(|(known, _)| known == key);
        self.table.find(key.hashed() as u32, &is)
    }

    fn held(&self, slot: Slot) -> Option<&(K, V)> {
        self.slots.get(index(slot)?)?.held.as_ref()
    }

    fn entry(&mut self, slot: Slot) -> Option<&mut Entry<K, V>> {
        self.slots.get_mut(index(slot)?)
    }

    fn remove(&mut self, slot: Slot) -> Option<(K, V)> {
        let entry = self.entry(slot)?;
        let held = entry.held.take()?;
        let (hash, before, after) = (entry.hash, entry.before, entry.after);
        match self.entry(before) {
            Some(before) => before.after = after,
            None => self.first = after,
        }
        match self.entry(after) {
            Some(after) => after.before = before,
            None => self.last = before,
        }
        self.table.remove(Place { hash, slot });
        self.free.push(slot);
        Some(held)
    }
}

fn index(slot: Slot) -> Option<usize> {
    usize::try_from(slot).ok()?.checked_sub(1)
}

/// Slots by the hashes of their keys, with open addressing: a power of two places, of which
/// no more than half are taken.
#[derive(Debug, Default)]
struct Table {
    places: Vec<Place>,
    used: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    hash: u32,
    slot: Slot,
}

impl Table {
    fn find(&self, hash: u32, is: &dyn Fn(Slot) -> bool) -> Option<Slot> {
        let mut at = self.home(hash);
        loop {
            let place = self.places.get(at).filter(|place| place.slot != 0)?;
            if place.hash == hash && is(place.slot) {
                return Some(place.slot);
            }
            at = self.next(at);
        }
    }

    fn insert(&mut self, new: Place) {
        if self.used.saturating_mul(2) >= self.places.len() {
            let room = self.places.len().saturating_mul(2).max(16);
            let old = std::mem::replace(&mut self.places, vec![Place::default(); room]);
            for place in old.into_iter().filter(|place| place.slot != 0) {
                self.put(place);
            }
        }
        self.put(new);
        self.used = self.used.saturating_add(1);
    }

    fn put(&mut self, new: Place) {
        let mut at = self.home(new.hash);
        while self.places.get(at).is_some_and(|place| place.slot != 0) {
            at = self.next(at);
        }
        self.set(at, new);
    }

    /// What was put further on for its sake moves up, so that no search ends too early.
    fn remove(&mut self, gone: Place) {
        let mut hole = self.home(gone.hash);
        loop {
            match self.places.get(hole) {
                Some(place) if *place == gone => break,
                Some(place) if place.slot != 0 => hole = self.next(hole),
                _ => return,
            }
        }
        let mut at = self.next(hole);
        while let Some(place) = self.places.get(at).copied().filter(|place| place.slot != 0) {
            let from_home = self.distance(self.home(place.hash), at);
            if from_home >= self.distance(hole, at) {
                self.set(hole, place);
                hole = at;
            }
            at = self.next(at);
        }
        self.set(hole, Place::default());
        self.used = self.used.saturating_sub(1);
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & self.mask()
    }

    fn next(&self, at: usize) -> usize {
        at.wrapping_add(1) & self.mask()
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.mask()
    }

    fn mask(&self) -> usize {
        self.places.len().saturating_sub(1)
    }

    fn set(&mut self, at: usize, place: Place) {
        if let Some(known) = self.places.get_mut(at) {
            *known = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    /// Keys of few hashes, so that many fall together.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Clumsy(u8);

    impl Hashed for Clumsy {
        fn hashed(&self) -> u64 {
            u64::from(self.0 % 7) * 5
        }
    }

    proptest! {
        #[test]
        fn does_what_a_list_does(steps in prop::collection::vec((0..4_u8, 0..40_u8), 0..300)) {
            let mut queue = Queue::new();
            let mut list: VecDeque<(Clumsy, usize)> = VecDeque::new();
            for (at, (step, key)) in steps.into_iter().enumerate() {
                let key = Clumsy(key);
                let place = list.iter().position(|(known, _)| *known == key);
                match step {
                    0 => {
                        prop_assert_eq!(queue.take(&key), place.and_then(|place| list.remove(place)));
                    }
                    1 => prop_assert_eq!(queue.take_first(), list.pop_front()),
                    _ => {
                        place.map(|place| list.remove(place));
                        list.push_back((key, at));
                        queue.put(key, at);
                    }
                }
                prop_assert_eq!(queue.len(), list.len());
                #[cfg(feature = "receiver")]
                prop_assert_eq!(queue.first(), list.front().map(|(_, value)| value));
                for key in (0..40).map(Clumsy) {
                    let known = list.iter().find(|(known, _)| *known == key);
                    prop_assert_eq!(queue.get(&key), known.map(|(_, value)| value));
                }
            }
        }
    }
}
