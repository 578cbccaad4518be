//! Decides which windows to request until the whole window is proven complete: a state
//! machine over values. It sends nothing and holds no rows.
//!
//! The plan is a list of leaves in time order. [`Plan::next`] says which leaf to request, and
//! how. [`Plan::exported`] and [`Plan::paged`] take in the result: a complete leaf is done, a
//! truncated one is replaced by its parts, or, if it cannot be cut any more, is read page by
//! page. [`Plan::take_done`] takes finished leaves off the front.

use super::claims::Claims;
use super::leaf::{Leaf, Shape};
use super::node::{Node, Reach, Seen, State};
use super::split::{Micros, SECOND, by_sample, floor_to, halve, inside, unit_of};
use crate::error::{ApiError, ApiErrorKind};

/// The system's cap: a response with this many rows or more may not be complete.
///
/// Source: Velora Health, *Code samples: Export to NDJSON*.
pub(crate) const CAP: usize = 10_000;

/// If one half of a window holds fewer rows than this, events come in bursts, and cutting
/// windows by time does not divide the rows evenly.
const FEW: usize = CAP / 10;

/// The next thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) id: u64,
    pub(crate) leaf: Leaf,
    pub(crate) how: How,
}

/// How a leaf is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By one export call, up to `until`. If the response is truncated, its rows are read
    /// only if `sample` is set, to learn how they are spread over time.
    Export { until: Micros, sample: bool },
    /// Page by page: the window cannot be cut any more, and still holds more rows than one
    /// response. At least `at_least` rows were seen in it.
    Pages { at_least: usize },
}

/// The result of one export call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Truncated; with the timestamps of the rows that were read, in their order.
    Truncated {
        sample: Vec<Micros>,
        /// Only the system's header says so: the body ended properly, with fewer rows
        /// than the cap.
        claimed: bool,
    },
    /// Complete.
    Whole(Shape),
}

/// The leaves in time order, and what is known about the system so far.
#[derive(Debug)]
pub(crate) struct Plan {
    whole: Leaf,
    nodes: Vec<Node>,
    /// The finest clock resolution that the timestamps prove; see [`unit_of`].
    unit: Micros,
    /// The system was seen to return rows at `until` itself, and none after it.
    inclusive: bool,
    known: Known,
    split: bool,
    ids: u64,
    claims: Claims,
    /// How many complete leaves held many rows (`full`), and how many held few.
    full: usize,
    few: usize,
}

/// What earlier leaves showed that later ones are judged by, also after resuming.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "client-reqwest",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub(crate) struct Known {
    /// Some timestamps are finer than a microsecond, the finest that a bound can be.
    pub(crate) finer: bool,
    /// A leaf was read without its last microsecond, about which nothing is known.
    pub(crate) gaps: bool,
}

impl Plan {
    /// A plan for `[since, until)`. If `until` is not on a whole second it is rounded up for
    /// requests, because a system that rounds bounds to seconds would leave rows out. The
    /// caller drops the extra rows.
    pub(crate) fn new(since: Micros, until: Micros) -> Self {
        let is_empty = until <= since;
        let rest = until.rem_euclid(SECOND);
        let until = match rest {
            0 => until,
            rest => until.saturating_add(SECOND.saturating_sub(rest)),
        };
        let whole = Leaf { since, until };
        let mut plan = Self {
            whole,
            nodes: Vec::new(),
            unit: SECOND,
            inclusive: false,
            known: Known::default(),
            split: false,
            ids: 0,
            claims: Claims::default(),
            full: 0,
            few: 0,
        };
        if !is_empty {
            let root = plan.node(whole, false, None);
            plan.nodes.push(root);
        }
        plan
    }

    /// For resuming: the part of a window before the plan's start has been read already. Rows
    /// from before the start, or without a timestamp, belong to that part only.
    #[cfg(feature = "client-reqwest")]
    pub(crate) fn behind(mut self, since: Micros, known: Known) -> Self {
        self.known = known;
        if since < self.whole.since {
            self.whole.since = since;
            self.split = true;
        }
        self
    }

    pub(crate) fn known(&self) -> Known {
        self.known
    }

    /// What to request next, while fewer than `limit` leaves are running or waiting to be
    /// taken. The first leaf is always served, because all others wait for it.
    pub(crate) fn next(&mut self, limit: usize) -> Option<Ask> {
        let is_pending = |node: &Node| matches!(node.state, State::Pending);
        let full = self.nodes.iter().filter(|node| !is_pending(node)).count() >= limit;
        let ready = |(at, node): (usize, &Node)| {
            let allowed = at == 0 || (!full && node.pages.is_none());
            (allowed && is_pending(node)).then_some(at)
        };
        let at = self.nodes.iter().enumerate().find_map(ready)?;
        let unit = self.unit;
        // Events come in bursts here, so a sample of rows is worth reading.
        let bursts = self.few > self.full / 4;
        let node = self.nodes.get_mut(at)?;
        let how = match node.pages {
            Some(at_least) => How::Pages { at_least },
            None => How::Export {
                until: match node.reach {
                    Reach::Full => node.leaf.until,
                    Reach::Short(_) => node.leaf.until.saturating_sub(1),
                },
                sample: node.sample
                    || bursts
                    || node.leaf.width() <= SECOND.saturating_mul(2).max(unit),
            },
        };
        node.state = State::Running;
        let ask = Ask {
            id: node.id,
            leaf: node.leaf,
            how,
        };
        Some(ask)
    }

    /// Takes in the result of an export call. Returns whether its rows are to be kept.
    ///
    /// Errors: `incomplete_window`, `malformed_response`.
    pub(crate) fn exported(&mut self, id: u64, outcome: Outcome) -> Result<bool, ApiError> {
        let Some(at) = self.position(id) else {
            return Ok(false);
        };
        match outcome {
            Outcome::Whole(shape) => self.whole(at, shape),
            Outcome::Truncated { sample, claimed } => {
                if claimed {
                    self.claims.cut(sample.len())?;
                }
                self.truncated(at, &sample).map(|()| false)
            }
        }
    }

    /// Takes in a leaf that was read page by page. `begun` says whether any of its rows were
    /// returned to the caller already. Returns whether the leaf is complete.
    ///
    /// Errors: `incomplete_window`.
    pub(crate) fn paged(&mut self, id: u64, shape: Shape, begun: bool) -> Result<bool, ApiError> {
        let Some(at) = self.position(id) else {
            return Ok(false);
        };
        self.notice(shape)?;
        let first = self.first_rounded();
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(false);
        };
        // More than one instant after all: it can still be cut.
        let mixed = shape.unit < node.leaf.width();
        if mixed && !begun {
            (node.pages, node.sample, node.state) = (None, true, State::Pending);
            return Ok(false);
        }
        if shape.unreadable > 0 && self.split {
            return Err(unreadable());
        }
        if shape.far > 0 || (shape.below > 0 && Some(node.leaf.since) != first) {
            return Err(astray());
        }
        let (inside, seen) = (shape.inside(), node.pages.unwrap_or_default());
        if mixed || inside < seen {
            return Err(incomplete(
                "an instant holds more events than the system lists page by page",
            ));
        }
        node.state = State::Done;
        if inside >= CAP || (inside > seen && seen > 0) {
            // The system was right to call the response truncated.
            self.claims.whole();
        }
        Ok(true)
    }

    /// Removes and returns the first leaf, if it has been read.
    pub(crate) fn take_done(&mut self) -> Option<(u64, Leaf)> {
        let done = matches!(self.nodes.first()?.state, State::Done);
        // Moving up the later leaves costs nothing compared with reading its rows.
        let node = done.then(|| self.nodes.remove(0))?;
        Some((node.id, node.leaf))
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.nodes.is_empty()
    }

    fn whole(&mut self, at: usize, shape: Shape) -> Result<bool, ApiError> {
        self.notice(shape)?;
        let (split, inclusive) = (self.split, self.inclusive);
        let first = self.first_rounded();
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(false);
        };
        if shape.unreadable > 0 && split {
            return Err(unreadable());
        }
        if shape.far > 0 || (shape.below > 0 && Some(node.leaf.since) != first) {
            return Err(astray());
        }
        let known = inclusive && shape.past == 0 && node.reach == Reach::Full;
        if shape.above > 0 && !known {
            return self.above(at, Some(Seen::of(shape))).map(|()| false);
        }
        if let Reach::Short(seen) = node.reach
            && !self.reached(at, shape, seen)?
        {
            return Ok(false);
        }
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(false);
        };
        node.state = State::Done;
        if shape.rows > 0 {
            self.claims.whole();
        }
        if shape.rows >= FEW {
            self.full = self.full.saturating_add(1);
        } else if let Some(sibling) = node.sibling {
            self.few = self.few.saturating_add(1);
            let other = self.nodes.iter_mut().find(|node| node.id == sibling);
            if let Some(other) = other {
                other.sample = true;
            }
        }
        Ok(true)
    }

    /// There were rows at or after the end of a leaf. It is requested again without its last
    /// microsecond. If there are such rows again, the system misread the window.
    fn above(&mut self, at: usize, seen: Option<Seen>) -> Result<(), ApiError> {
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(());
        };
        if node.reach != Reach::Full {
            return Err(astray());
        }
        (node.reach, node.state) = (Reach::Short(seen), State::Pending);
        Ok(())
    }

    /// Whether a leaf that was read without its last microsecond is complete.
    fn reached(&mut self, at: usize, shape: Shape, seen: Option<Seen>) -> Result<bool, ApiError> {
        let Some(seen) = seen else {
            self.known.gaps = true;
            return self.notice(shape).map(|()| true);
        };
        self.inclusive |= seen.at_end;
        if seen.inside == shape.inside() {
            return Ok(true);
        }
        let node = self.nodes.get_mut(at).filter(|_| seen.at_end);
        let node = node.ok_or_else(|| incomplete("a shortened window has different rows"))?;
        (node.reach, node.state) = (Reach::Full, State::Pending);
        Ok(false)
    }

    /// Takes in the resolution of the system's clock.
    fn notice(&mut self, shape: Shape) -> Result<(), ApiError> {
        self.unit = self.unit.min(shape.unit);
        self.known.finer |= shape.finer;
        if self.known.finer && self.known.gaps {
            return Err(incomplete(
                "timestamps are finer than the bounds of a window: events may be missing",
            ));
        }
        Ok(())
    }

    fn truncated(&mut self, at: usize, sample: &[Micros]) -> Result<(), ApiError> {
        let finest = sample.iter().map(|stamp| unit_of(*stamp)).min();
        self.unit = self.unit.min(finest.unwrap_or(SECOND));
        let (unit, first) = (self.unit, self.first_rounded());
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(());
        };
        let leaf = node.leaf;
        if sample.iter().any(|stamp| leaf.is_far_from(*stamp)) {
            return Err(astray());
        }
        let count = |is: &dyn Fn(Micros) -> bool| sample.iter().filter(|at| is(**at)).count();
        let below = count(&|at| at < leaf.since);
        let above = count(&|at| at >= leaf.until);
        let within = count(&|at| leaf.contains(at));
        let is_last = leaf.until == self.whole.until;
        let short = node.reach != Reach::Full;
        if (below > 0 && Some(leaf.since) != first) || (above > 0 && short && !is_last) {
            return Err(astray());
        }
        if above > within && !short {
            return self.above(at, None);
        }
        let mut cuts = Vec::new();
        if leaf.width() > unit {
            cuts = by_sample(leaf.since, leaf.until, sample, unit);
        }
        if cuts.is_empty() && leaf.width() > SECOND.saturating_mul(2).max(unit) {
            cuts = halve(leaf.since, leaf.until);
        }
        if cuts.is_empty() && leaf.width() > unit {
            // There is no sample, or all of it is within one tick of a bound.
            let middle = leaf.since.midpoint(leaf.until);
            cuts = inside(leaf.since, leaf.until, &[floor_to(middle, unit)]);
        }
        if cuts.is_empty() && above > 0 && !short {
            return self.above(at, None);
        }
        if cuts.is_empty() {
            (node.pages, node.state) = (Some(within), State::Pending);
            return Ok(());
        }
        self.cut(at, &cuts, sample);
        Ok(())
    }

    /// Replaces a leaf by its parts.
    fn cut(&mut self, at: usize, cuts: &[Micros], sample: &[Micros]) {
        let node = self.nodes.remove(at);
        self.split = true;
        let sampled = node.sample || !sample.is_empty();
        let mut bounds = vec![node.leaf.since];
        bounds.extend(cuts);
        bounds.push(node.leaf.until);
        let first = self.ids;
        for (offset, pair) in bounds.windows(2).enumerate() {
            let [since, until] = *pair else { continue };
            let leaf = Leaf { since, until };
            // The other part, if there are two.
            let sibling = match (offset, bounds.len()) {
                (0, 3) => Some(first.saturating_add(1)),
                (1, 3) => Some(first),
                _ => None,
            };
            let mut part = self.node(leaf, sampled, sibling);
            let seen = sample.iter().filter(|stamp| leaf.contains(**stamp)).count();
            // It alone fills a response and cannot be cut: exporting it again is useless.
            part.pages = (seen >= CAP && leaf.width() <= self.unit).then_some(seen);
            if until == node.leaf.until && node.reach != Reach::Full {
                part.reach = Reach::Short(None);
            }
            self.nodes.insert(at.saturating_add(offset), part);
        }
    }

    fn node(&mut self, leaf: Leaf, sample: bool, sibling: Option<u64>) -> Node {
        let id = self.ids;
        self.ids = self.ids.saturating_add(1);
        Node {
            id,
            leaf,
            state: State::Pending,
            sample,
            sibling,
            pages: None,
            reach: Reach::Full,
        }
    }

    /// The window's start, if a system may have rounded it down: only then may rows come from
    /// before it. A whole second is not rounded, so a row from before it means that the window
    /// and the timestamps do not match.
    fn first_rounded(&self) -> Option<Micros> {
        Some(self.whole.since).filter(|since| since.rem_euclid(SECOND) != 0)
    }

    fn position(&self, id: u64) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }
}

fn unreadable() -> ApiError {
    ApiError::new(
        ApiErrorKind::MalformedResponse,
        "a row has no readable timestamp",
    )
}

fn astray() -> ApiError {
    incomplete("the system returned rows outside the window")
}

pub(crate) fn incomplete(reason: &'static str) -> ApiError {
    ApiError::new(ApiErrorKind::IncompleteWindow, reason)
}
