//! Files of an export that cannot be used.

#[cfg(feature = "client-reqwest")]
use std::path::Path;
use std::path::PathBuf;

use super::Code;
use super::text::says;

/// A file of an export cannot be used. Its content was not overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// `file_unusable`
    Unusable {
        /// The file.
        path: PathBuf,
        /// What was tried: `read`, `written`, `locked`, …
        doing: &'static str,
        /// What the operating system said.
        reason: String,
    },
    /// `file_mismatch`
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What does not match.
        reason: &'static str,
    },
}

says! { FileError:
    Self::Unusable { path, doing, reason } => [&path.to_string_lossy(), " cannot be ", doing, ": ", reason],
    Self::Mismatch { path, reason } => [
        &path.to_string_lossy(), " is not this export's file: ", reason,
        "; to export anew, choose another path, or remove the file, its .checkpoint and its .manifest.json"
    ],
}

impl FileError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Unusable { .. } => Code::FileUnusable,
            Self::Mismatch { .. } => Code::FileMismatch,
        }
    }

    /// Ready for `map_err`.
    #[cfg(feature = "client-reqwest")]
    pub(crate) fn unusable<E: std::fmt::Display>(
        path: &Path,
        doing: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |error| Self::Unusable {
            path: path.to_owned(),
            doing,
            reason: error.to_string(),
        }
    }

    #[cfg(feature = "client-reqwest")]
    pub(crate) fn mismatch(path: &Path, reason: &'static str) -> Self {
        Self::Mismatch {
            path: path.to_owned(),
            reason,
        }
    }
}
