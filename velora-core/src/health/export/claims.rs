//! Whether to believe a system that says it truncated a response.

use super::plan::incomplete;
use crate::error::ApiError;

/// How many responses may be called truncated before they are judged.
const SPARE: usize = 128;

/// Counts responses that the system calls truncated although they hold fewer rows than the
/// documented cap.
///
/// A system may have a lower cap, in rows or in bytes. Then truncated responses have about the
/// same number of rows each time, or cutting the window leads to complete parts. If neither
/// happens, the system calls every response truncated, however small the window, and the
/// export would never end.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    cut: usize,
    /// How many rows these responses had, and the most that one of them had.
    rows: usize,
    most: usize,
    /// How many leaves with rows proved complete, or larger than such a response.
    whole: usize,
}

impl Claims {
    /// Takes in a response that is called truncated, with its number of rows.
    ///
    /// Errors: `incomplete_window`.
    pub(crate) fn cut(&mut self, rows: usize) -> Result<(), ApiError> {
        self.cut = self.cut.saturating_add(1);
        self.rows = self.rows.saturating_add(rows);
        self.most = self.most.max(rows);
        // How often a window can be halved before a part of it is complete.
        let descents = self.whole.saturating_mul(40);
        let full = self.rows.div_ceil(self.most.max(1)).saturating_mul(6);
        if self.cut > descents.saturating_add(full).saturating_add(SPARE) {
            return Err(incomplete(
                "every response is called truncated, however small the window",
            ));
        }
        Ok(())
    }

    /// Takes in a leaf that shows the system to be honest.
    pub(crate) fn whole(&mut self) {
        self.whole = self.whole.saturating_add(1);
    }
}
