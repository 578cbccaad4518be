//! A leaf of the plan, and how far it has come.

use super::leaf::{Leaf, Shape};

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) leaf: Leaf,
    pub(crate) state: State,
    /// Read rows of a truncated answer, to learn where they lie.
    pub(crate) sample: bool,
    /// The other half of what this was cut from.
    pub(crate) sibling: Option<u64>,
    /// To be read page by page, and how many rows were seen.
    pub(crate) pages: Option<usize>,
    pub(crate) reach: Reach,
}

/// Up to where a leaf is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Its end. Rows that come although they are at it, the next leaf has too.
    Full,
    /// A microsecond less: to see whether rows at the end came because it is inclusive, or
    /// because there are so many that they hide the others. Rows finer than that
    /// microsecond may be missing.
    Short(Option<Seen>),
}

/// What came of a leaf that was asked for in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Rows inside.
    pub(crate) inside: usize,
    /// Whether all others were at its end itself.
    pub(crate) at_end: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    Pending,
    Running,
    Done,
}

impl Seen {
    pub(crate) fn of(shape: Shape) -> Self {
        Self {
            inside: shape.inside(),
            at_end: shape.past == 0,
        }
    }
}
