//! A leaf (a window that one response should hold), and how the rows of a response compare
//! with it.

use jiff::Timestamp;

use super::split::{Micros, SECOND, unit_of};

/// A window that a single response should be able to hold: `[since, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) since: Micros,
    pub(crate) until: Micros,
}

impl Leaf {
    pub(crate) fn width(self) -> Micros {
        self.until.saturating_sub(self.since)
    }

    pub(crate) fn contains(self, stamp: Micros) -> bool {
        (self.since..self.until).contains(&stamp)
    }

    /// Whether the stamp is a second or more outside. A system may round the bounds of a
    /// window to its clock's tick, a second at most, or include rows at `until`. Rows from
    /// further out mean that it misread the window, and then rows inside may be missing.
    pub(crate) fn is_far_from(self, stamp: Micros) -> bool {
        stamp <= self.since.saturating_sub(SECOND) || stamp >= self.until.saturating_add(SECOND)
    }
}

/// The timestamp of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) micros: Micros,
    /// Whether it has a fraction of a microsecond: no bound can be that fine.
    pub(crate) finer: bool,
}

impl Stamp {
    pub(crate) fn of(at: Timestamp) -> Self {
        Self {
            micros: at.as_microsecond(),
            finer: at.subsec_nanosecond().rem_euclid(1_000) != 0,
        }
    }

    fn unit(self) -> Micros {
        match self.finer {
            true => 1,
            false => unit_of(self.micros),
        }
    }
}

/// How the rows of a response compare with the requested leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    /// Rows before the leaf, rows after it, and rows without a readable timestamp.
    pub(crate) below: usize,
    pub(crate) above: usize,
    pub(crate) unreadable: usize,
    /// Rows after the leaf that are not at `until` itself.
    pub(crate) past: usize,
    /// Rows before or after the leaf that no rounding explains.
    pub(crate) far: usize,
    /// Whether a stamp is finer than any bound can be.
    pub(crate) finer: bool,
    /// The finest unit among the stamps.
    pub(crate) unit: Micros,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            rows: 0,
            below: 0,
            above: 0,
            unreadable: 0,
            past: 0,
            far: 0,
            finer: false,
            unit: SECOND,
        }
    }
}

impl Shape {
    /// Takes in one row. Returns whether it belongs to the leaf.
    pub(crate) fn add(&mut self, leaf: Leaf, stamp: Option<Stamp>) -> bool {
        self.rows = self.rows.saturating_add(1);
        let Some(stamp) = stamp else {
            self.unreadable = self.unreadable.saturating_add(1);
            return true;
        };
        self.unit = self.unit.min(stamp.unit());
        self.finer |= stamp.finer;
        let at = stamp.micros;
        let count = |counter: &mut usize, counts: bool| {
            *counter = counter.saturating_add(counts.into());
        };
        count(&mut self.below, at < leaf.since);
        count(&mut self.above, at >= leaf.until);
        count(
            &mut self.past,
            at > leaf.until || (at == leaf.until && stamp.finer),
        );
        count(&mut self.far, leaf.is_far_from(at));
        leaf.contains(at)
    }

    /// Rows of the leaf itself, including those without a readable timestamp.
    pub(crate) fn inside(&self) -> usize {
        self.rows
            .saturating_sub(self.above)
            .saturating_sub(self.below)
    }

    /// Takes in the shape of another page of the same leaf.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.below = self.below.saturating_add(other.below);
        self.above = self.above.saturating_add(other.above);
        self.unreadable = self.unreadable.saturating_add(other.unreadable);
        self.past = self.past.saturating_add(other.past);
        self.far = self.far.saturating_add(other.far);
        self.finer |= other.finer;
        self.unit = self.unit.min(other.unit);
    }
}
