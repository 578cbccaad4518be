//! A leaf of the plan, and its state.

use super::leaf::{Leaf, Shape};

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) leaf: Leaf,
    pub(crate) state: State,
    /// If the response is truncated, read its rows, to learn how they are spread over time.
    pub(crate) sample: bool,
    /// The other half of the leaf that this one was cut from.
    pub(crate) sibling: Option<u64>,
    /// If it is to be read page by page: how many rows were seen in it.
    pub(crate) pages: Option<usize>,
    pub(crate) reach: Reach,
}

/// Up to where a leaf is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Up to its end. If rows at the end itself are returned, the next leaf has them too.
    Full,
    /// Up to a microsecond before its end. This shows whether rows at the end were returned
    /// because the bound is inclusive, or because they are so many that they hide others.
    /// Rows within that last microsecond may be missing.
    Short(Option<Seen>),
}

/// What a leaf held when it was requested up to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many rows were inside.
    pub(crate) inside: usize,
    /// Whether all other rows were exactly at its end.
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
