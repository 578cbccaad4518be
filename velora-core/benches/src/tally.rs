//! What a reader made of the events: the same for everyone who read them all.

use std::ops::AddAssign;

use jiff::Timestamp;

/// How many events, which ones, and a sum over what was looked at in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub events: u64,
    /// A checksum of their ids, the same in any order: one given twice instead of
    /// another shows.
    pub ids: u64,
    sum: u64,
}

/// Where the simulator writes the id of an event.
const ID: std::ops::Range<usize> = 13..49;

impl Tally {
    /// One event of which every member was read.
    pub fn typed(
        at: Option<Timestamp>,
        texts: [Option<&str>; 10],
        flags: [Option<bool>; 2],
    ) -> Self {
        let ids = Self::of_id(texts[0].unwrap_or_default().as_bytes()).ids;
        let second = at.map_or(0, |at| at.as_second().unsigned_abs());
        let texts = texts.iter().flatten().map(|text| text.len() as u64);
        let flags = flags.iter().flatten().map(|flag| u64::from(*flag));
        Self {
            events: 1,
            ids,
            sum: second + texts.sum::<u64>() + flags.sum::<u64>(),
        }
    }

    /// One event that was not looked into.
    pub fn raw(text: &str) -> Self {
        Self {
            sum: text.len() as u64,
            ..Self::of_id(text.as_bytes().get(ID).unwrap_or_default())
        }
    }

    /// One event of which only the id is known. Its last eight digits tell it from others.
    pub fn of_id(id: &[u8]) -> Self {
        Self {
            events: 1,
            ids: u64::from_le_bytes(id.last_chunk().copied().unwrap_or_default()),
            sum: 0,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.ids = self.ids.wrapping_add(other.ids);
        self.sum = self.sum.wrapping_add(other.sum);
    }
}
