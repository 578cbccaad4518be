//! What a reader made of the events: the same for everyone who read them all.

use std::ops::AddAssign;

use jiff::Timestamp;

/// How many events, and a sum over what was looked at in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub events: u64,
    sum: u64,
}

impl Tally {
    /// One event of which every member was read.
    pub fn typed(
        at: Option<Timestamp>,
        texts: [Option<&str>; 10],
        flags: [Option<bool>; 2],
    ) -> Self {
        let second = at.map_or(0, |at| at.as_second().unsigned_abs());
        let texts = texts.iter().flatten().map(|text| text.len() as u64);
        let flags = flags.iter().flatten().map(|flag| u64::from(*flag));
        Self {
            events: 1,
            sum: second + texts.sum::<u64>() + flags.sum::<u64>(),
        }
    }

    /// One event that was not looked into.
    pub fn raw(text: &str) -> Self {
        Self {
            events: 1,
            sum: text.len() as u64,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}
