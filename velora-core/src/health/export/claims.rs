//! Whether a system can be believed that says it cut an answer.

use super::plan::incomplete;
use crate::error::ApiError;

/// So many answers may be called cut before there is anything to judge that by.
const SPARE: usize = 128;

/// Answers that are called cut though they hold less than the documented cap.
///
/// A cap of its own, in rows or in bytes, is a system's right: what is cut at one holds about
/// as many rows each time, or leads to parts that are whole. Of one that calls every answer
/// cut, however small the window, neither is true, and it would be asked for ever.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    cut: usize,
    /// The rows of those, and the most that one of them had.
    rows: usize,
    most: usize,
    /// Leaves with rows that proved whole, or larger than such an answer.
    whole: usize,
}

impl Claims {
    /// Takes in an answer that is called cut, and its rows.
    ///
    /// Errors: `incomplete_window`.
    pub(crate) fn cut(&mut self, rows: usize) -> Result<(), ApiError> {
        self.cut = self.cut.saturating_add(1);
        self.rows = self.rows.saturating_add(rows);
        self.most = self.most.max(rows);
        // How often a window can be halved, before a part of it is whole.
        let descents = self.whole.saturating_mul(40);
        let full = self.rows.div_ceil(self.most.max(1)).saturating_mul(6);
        if self.cut > descents.saturating_add(full).saturating_add(SPARE) {
            return Err(incomplete(
                "the system says it cut the answer, however small the window",
            ));
        }
        Ok(())
    }

    /// Takes in a leaf that shows the system to be honest.
    pub(crate) fn whole(&mut self) {
        self.whole = self.whole.saturating_add(1);
    }
}
