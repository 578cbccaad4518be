//! Paging state: which cursor comes next, and which items were returned before.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use crate::error::{ApiError, ApiErrorKind, ConfigError};

/// How many cursors are remembered; the anchor catches longer loops.
const CURSORS: usize = 4_096;

/// What a page says about the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// There is none.
    End,
    /// There is one, behind this cursor.
    More(Option<String>),
}

/// A cursor that a caller's list starts at.
///
/// Errors: `invalid_option` if it is empty: it would start at the first page again.
pub(crate) fn start_cursor(cursor: impl Into<String>) -> Result<String, ConfigError> {
    let cursor = cursor.into();
    if cursor.is_empty() {
        return Err(ConfigError::InvalidOption {
            option: "cursor",
            reason: "it is empty",
        });
    }
    Ok(cursor)
}

/// Follows cursors, and detects loops.
///
/// Its memory is bounded: it keeps the last cursors, and one anchor that moves after 1, 2, 4,
/// … pages (Brent's algorithm), so that a loop of any length comes back to it.
#[derive(Debug)]
pub(crate) struct Cursors {
    recent: Recent,
    anchor: Option<String>,
    pages: u64,
}

impl Cursors {
    /// For a list whose first page is behind this cursor, if there is one.
    pub(crate) fn after(start: Option<&str>) -> Self {
        let mut recent = Recent::new(CURSORS);
        if let Some(cursor) = start {
            recent.insert(Fingerprint::of(&[cursor]));
        }
        Self {
            recent,
            anchor: None,
            pages: 0,
        }
    }

    pub(crate) fn has_seen(&self, cursor: &str) -> bool {
        self.anchor.as_deref() == Some(cursor) || self.recent.contains(Fingerprint::of(&[cursor]))
    }

    /// The cursor to ask for next; `None` at the end.
    ///
    /// Errors: `cursor_loop` if there is more but no cursor, or one seen before.
    pub(crate) fn advance(&mut self, next: Next) -> Result<Option<String>, ApiError> {
        let cursor = match next {
            Next::End => return Ok(None),
            Next::More(cursor) => cursor.filter(|cursor| !cursor.is_empty()),
        };
        let Some(cursor) = cursor else {
            return Err(looping("a page announces more, but has no cursor"));
        };
        if self.has_seen(&cursor) {
            return Err(looping("a page has a cursor that was seen before"));
        }
        self.recent.insert(Fingerprint::of(&[&cursor]));
        self.pages = self.pages.saturating_add(1);
        if self.pages.is_power_of_two() {
            self.anchor = Some(cursor.clone());
        }
        Ok(Some(cursor))
    }
}

fn looping(reason: &'static str) -> ApiError {
    ApiError::new(ApiErrorKind::CursorLoop, reason)
}

/// A 64-bit hash of something, under a key of the process. By chance, one in 10^15 items is taken
/// for another. The key is random, so that nobody can construct a collision, except on
/// `wasm32-unknown-unknown`, where the standard library has no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Of something that these texts tell from everything else.
    pub(crate) fn of(texts: &[&str]) -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self(KEY.hash_one(texts))
    }
}

/// Remembers recent items, between one and two times a given number of them.
#[derive(Debug)]
pub(crate) struct Recent {
    /// Hashes already: to find them needs no second one that is as good.
    last: FxHashSet<Fingerprint>,
    before: FxHashSet<Fingerprint>,
    capacity: usize,
}

impl Recent {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            last: FxHashSet::default(),
            before: FxHashSet::default(),
            capacity,
        }
    }

    pub(crate) fn contains(&self, item: Fingerprint) -> bool {
        self.last.contains(&item) || self.before.contains(&item)
    }

    /// Whether this is new; it is remembered either way.
    pub(crate) fn insert(&mut self, item: Fingerprint) -> bool {
        if self.last.len() >= self.capacity && !self.last.contains(&item) {
            self.before = std::mem::take(&mut self.last);
        }
        self.last.insert(item) && !self.before.contains(&item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn more(cursor: &str) -> Next {
        Next::More(Some(cursor.to_owned()))
    }

    #[test]
    fn walks_to_the_end() {
        let mut cursors = Cursors::after(None);
        assert_eq!(cursors.advance(more("a")).unwrap().as_deref(), Some("a"));
        assert_eq!(cursors.advance(more("b")).unwrap().as_deref(), Some("b"));
        assert_eq!(cursors.advance(Next::End).unwrap(), None);
    }

    #[test]
    fn refuses_no_cursor_and_an_old_one() {
        for next in [Next::More(None), more(""), more("a"), more("start")] {
            let mut cursors = Cursors::after(Some("start"));
            cursors.advance(more("a")).unwrap();
            let error = cursors.advance(next).unwrap_err();
            assert_eq!(error.code().as_str(), "cursor_loop");
        }
    }

    #[test]
    fn catches_loops_longer_than_its_memory() {
        let mut cursors = Cursors::after(None);
        let length = CURSORS * 3;
        let steps = (0..10 * length)
            .take_while(|at| cursors.advance(more(&(at % length).to_string())).is_ok())
            .count();
        assert!(steps < 5 * length, "{steps}");
    }

    #[test]
    fn remembers_the_last_ones_at_least() {
        let mut recent = Recent::new(2);
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|text| Fingerprint::of(&[text]));
        assert!(recent.insert(a) && recent.insert(b) && !recent.insert(a));
        assert!(recent.insert(c) && !recent.insert(b));
        assert!(recent.insert(d) && !recent.insert(c));
        assert!(recent.contains(b) && recent.insert(a));
    }
}
