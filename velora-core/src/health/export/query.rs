//! What to export, and how far it has come.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::error::ConfigError;
use crate::health::window::Window;

/// How many leaves are read beside each other, and wait for their turn.
const CONCURRENCY: usize = 4;

/// Which events to export.
#[derive(Clone)]
pub struct ExportQuery {
    pub(crate) window: Window,
    pub(crate) phi_involved: Option<bool>,
    pub(crate) concurrency: usize,
    pub(crate) progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// How far an export has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is exported.
    pub window: Window,
    /// Everything before this instant has been given.
    pub done_until: Timestamp,
    /// Rows given.
    pub rows: u64,
    /// Windows that were read whole.
    pub leaves: u64,
    /// Calls that were made; a retry is part of its call.
    pub calls: u64,
}

impl ExportQuery {
    /// Every event in the window. An end in the past gives the same rows each time.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            phi_involved: None,
            concurrency: CONCURRENCY,
            progress: None,
        }
    }

    /// Only events that do, or do not, involve protected health information.
    #[must_use]
    pub fn with_phi_involved(mut self, phi_involved: bool) -> Self {
        self.phi_involved = Some(phi_involved);
        self
    }

    /// How many calls run beside each other; 4 by default. Each holds up to 10,000 rows
    /// in memory, about 5 MB, and at most what
    /// [`with_max_response_bytes`](crate::api::ClientBuilder::with_max_response_bytes)
    /// allows.
    ///
    /// Errors: `invalid_option` where it is 0.
    pub fn with_concurrency(mut self, concurrency: usize) -> Result<Self, ConfigError> {
        if concurrency == 0 {
            return Err(ConfigError::InvalidOption {
                option: "concurrency",
                reason: "at least one call has to run",
            });
        }
        self.concurrency = concurrency;
        Ok(self)
    }

    /// Is told each time rows are given.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }
}

impl fmt::Debug for ExportQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportQuery")
            .field("window", &self.window)
            .field("phi_involved", &self.phi_involved)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}
