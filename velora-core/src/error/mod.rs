//! All errors of this crate, one file for each domain, and the list of stable codes.
//!
//! Messages may change; a [`Code`] never does, and it is the same text in every language. No
//! error carries a secret. Only an [`ApiError`] carries the body that caused it, but does not
//! show it in `Display` and `Debug`.

#[cfg(feature = "client")]
mod api;
mod code;
mod config;
#[cfg(feature = "client")]
mod file;
#[cfg(feature = "receiver")]
mod store;
mod text;
mod verification;

#[cfg(feature = "client")]
pub use api::{ApiError, ApiErrorKind, Issue};
#[cfg(feature = "client")]
pub(crate) use api::{KEPT, Problem, hide};
pub use code::Code;
pub use config::ConfigError;
#[cfg(feature = "client")]
pub use file::FileError;
#[cfg(feature = "receiver")]
pub use store::StoreError;
#[cfg(feature = "events")]
pub use verification::EventFault;
pub use verification::VerificationError;

/// Any error of this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A delivery was refused.
    #[error(transparent)]
    Verification(#[from] VerificationError),
    /// A deduplication store refused or failed.
    #[cfg(feature = "receiver")]
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call of a system's API failed.
    #[cfg(feature = "client")]
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A file of an export could not be used.
    #[cfg(feature = "client")]
    #[error(transparent)]
    File(#[from] FileError),
}

impl Error {
    /// The text of `Display`, without the code size of formatting.
    pub fn message(&self) -> String {
        let says: &dyn text::Says = match self {
            Self::Config(error) => error,
            Self::Verification(error) => error,
            #[cfg(feature = "receiver")]
            Self::Store(error) => error,
            #[cfg(feature = "client")]
            Self::Api(error) => error,
            #[cfg(feature = "client")]
            Self::File(error) => error,
        };
        text::text_of(says)
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Config(error) => error.code(),
            Self::Verification(error) => error.code(),
            #[cfg(feature = "receiver")]
            Self::Store(error) => error.code(),
            #[cfg(feature = "client")]
            Self::Api(error) => error.code(),
            #[cfg(feature = "client")]
            Self::File(error) => error.code(),
        }
    }
}
