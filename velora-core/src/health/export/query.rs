//! What to export, and how far it has come.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::error::ConfigError;
use crate::health::window::Window;

/// How many leaves are running or waiting for their turn.
const CONCURRENCY: usize = 4;

/// Which events to export.
#[derive(Clone)]
pub struct ExportQuery {
    pub(crate) window: Window,
    pub(crate) phi_involved: Option<bool>,
    pub(crate) concurrency: usize,
    pub(crate) progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// The progress of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The window that is exported.
    pub window: Window,
    /// All rows before this instant have been returned.
    pub done_until: Timestamp,
    /// How many rows have been returned.
    pub rows: u64,
    /// How many parts of the window have been read completely.
    pub leaves: u64,
    /// How many API calls were made; a retry is part of its call.
    pub calls: u64,
}

impl ExportQuery {
    /// Every event in the window. If the window ends in the past, repeated exports return
    /// the same rows; otherwise an export holds what happened until it was requested.
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

    /// How many calls run concurrently; 4 by default. Each holds up to 10,000 rows in
    /// memory, about 5 MB, and at most what
    /// [`with_max_response_bytes`](crate::api::ClientBuilder::with_max_response_bytes)
    /// allows.
    ///
    /// Errors: `invalid_option` if it is 0.
    pub fn with_concurrency(mut self, concurrency: usize) -> Result<Self, ConfigError> {
        if concurrency == 0 {
            return Err(ConfigError::InvalidOption {
                option: "concurrency",
                reason: "it must be at least 1",
            });
        }
        self.concurrency = concurrency;
        Ok(self)
    }

    /// Sets a function that is called each time rows are returned.
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
