//! Every error of this crate, and the one list of stable codes.
//!
//! Messages may change; a [`Code`] never does, and it is the same text in
//! every language. No error carries a secret, a body or an expected signature.

use std::borrow::Cow;
use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// The stable code of an error, the same in every language.
        ///
        /// Branch on this, never on the message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// All codes, in the order of the checks that raise them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as it stands in logs, in answers and in other languages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// The secret is empty.
    EmptySecret = "empty_secret",
    /// The secret is text that starts or ends with white space.
    SecretHasWhitespace = "secret_has_whitespace",
    /// No secret was given.
    NoSecret = "no_secret",
    /// More secrets than the scheme's header can carry signatures.
    TooManySecrets = "too_many_secrets",
    /// The tolerance is negative, NaN or infinite.
    InvalidTolerance = "invalid_tolerance",
    /// The parts of a scheme contradict each other, or one cannot stand in a header.
    InvalidScheme = "invalid_scheme",
    /// No system has a scheme of this name.
    UnknownScheme = "unknown_scheme",
    /// The retention is under 24 hours.
    InvalidRetention = "invalid_retention",
    /// The lease is zero, or not shorter than the retention.
    InvalidLease = "invalid_lease",
    /// The store has no room for even one key.
    InvalidCapacity = "invalid_capacity",
    /// The body is over the receiver's limit; it was not hashed.
    BodyTooLarge = "body_too_large",
    /// The signature header, or the timestamp header of the scheme, is absent.
    MissingHeader = "missing_header",
    /// One of them stands more than once.
    DuplicateHeader = "duplicate_header",
    /// One of them is over 8 KiB, or holds more than 16 `v1` values.
    HeaderTooLarge = "header_too_large",
    /// The signature header is not of the scheme's form.
    MalformedHeader = "malformed_header",
    /// The timestamp is not a plain decimal number.
    MalformedTimestamp = "malformed_timestamp",
    /// The timestamp is further in the past than the tolerance.
    TimestampTooOld = "timestamp_too_old",
    /// The timestamp is further in the future than the tolerance.
    TimestampInFuture = "timestamp_in_future",
    /// No secret matches any of the signatures.
    SignatureMismatch = "signature_mismatch",
    /// A header outside the MAC contradicts the verified body.
    HeaderBodyMismatch = "header_body_mismatch",
    /// The verified body is not the system's JSON.
    MalformedEvent = "malformed_event",
    /// The claim has been taken over, released or already committed.
    LeaseLost = "lease_lost",
    /// Every place in the store holds a claim that is still being worked on.
    StoreFull = "store_full",
    /// The store could not be reached, or did not answer in time.
    StoreUnavailable = "store_unavailable",
    /// The caller's handler returned an error; the claim was released.
    HandlerFailed = "handler_failed",
    /// The caller's handler panicked; the claim was released.
    HandlerPanicked = "handler_panicked",
    /// The request body could not be read to its end.
    BodyUnreadable = "body_unreadable",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Any error of this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value given at construction cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A delivery was refused.
    #[error(transparent)]
    Verification(#[from] VerificationError),
    /// A deduplication store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Config(error) => error.code(),
            Self::Verification(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// Misuse: a value given at construction cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `empty_secret`
    #[error("the signing secret is empty")]
    EmptySecret,
    /// `secret_has_whitespace`
    #[error("the signing secret starts or ends with white space; copy it again without it")]
    SecretHasWhitespace,
    /// `no_secret`
    #[error("give at least one signing secret")]
    NoSecret,
    /// `too_many_secrets`
    #[error("the {header} header of this scheme carries one signature; sign with one secret")]
    TooManySecrets {
        /// The scheme's signature header.
        header: Cow<'static, str>,
    },
    /// `invalid_tolerance`
    #[error("the tolerance must be a finite number of seconds, zero or more")]
    InvalidTolerance,
    /// `invalid_scheme`
    #[error("the scheme cannot be used: {reason}")]
    InvalidScheme {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `unknown_scheme`
    #[error("no scheme of this name; known are {known}")]
    UnknownScheme {
        /// The names that exist.
        known: &'static str,
    },
    /// `invalid_retention`
    #[error(
        "a retention under 24 h forgets events that are still being retried (up to 17.5 h); \
         `dangerous_short_retention` allows it"
    )]
    InvalidRetention,
    /// `invalid_lease`
    #[error("the lease must be longer than zero and shorter than the retention")]
    InvalidLease,
    /// `invalid_capacity`
    #[error("the store must have room for at least one key")]
    InvalidCapacity,
}

impl ConfigError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::EmptySecret => Code::EmptySecret,
            Self::SecretHasWhitespace => Code::SecretHasWhitespace,
            Self::NoSecret => Code::NoSecret,
            Self::TooManySecrets { .. } => Code::TooManySecrets,
            Self::InvalidTolerance => Code::InvalidTolerance,
            Self::InvalidScheme { .. } => Code::InvalidScheme,
            Self::UnknownScheme { .. } => Code::UnknownScheme,
            Self::InvalidRetention => Code::InvalidRetention,
            Self::InvalidLease => Code::InvalidLease,
            Self::InvalidCapacity => Code::InvalidCapacity,
        }
    }
}

/// A delivery was refused: it is forged, stale, malformed, or contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// `missing_header`
    #[error("the {header} header is missing")]
    MissingHeader {
        /// The header that is absent.
        header: Cow<'static, str>,
    },
    /// `duplicate_header`
    #[error("the {header} header stands more than once")]
    DuplicateHeader {
        /// The header that is repeated.
        header: Cow<'static, str>,
    },
    /// `header_too_large`
    #[error("the {header} header is over 8 KiB, or holds more than 16 signatures")]
    HeaderTooLarge {
        /// The header that is too large.
        header: Cow<'static, str>,
    },
    /// `malformed_header`
    #[error("the {header} header is malformed: {reason}")]
    MalformedHeader {
        /// The signature header.
        header: Cow<'static, str>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `malformed_timestamp`
    #[error("the timestamp is not a plain decimal number{}", .hint.unwrap_or_default())]
    MalformedTimestamp {
        /// A likely cause, where one is known.
        hint: Option<&'static str>,
    },
    /// `timestamp_too_old`
    #[error("the timestamp is {seconds} s in the past, more than the tolerance")]
    TimestampTooOld {
        /// The age of the timestamp in whole seconds.
        seconds: u64,
    },
    /// `timestamp_in_future`
    #[error("the timestamp is {seconds} s in the future, more than the tolerance")]
    TimestampInFuture {
        /// How far ahead the timestamp is, in whole seconds.
        seconds: u64,
    },
    /// `signature_mismatch`
    #[error("no signing secret matches the signature over the raw body")]
    SignatureMismatch,
    /// `header_body_mismatch`
    #[error("the {header} header contradicts the verified body")]
    HeaderBodyMismatch {
        /// The header outside the MAC.
        header: Cow<'static, str>,
    },
    /// `malformed_event`
    #[error("the verified body is not the system's event: {fault}")]
    MalformedEvent {
        /// What is wrong with it.
        fault: EventFault,
    },
}

impl VerificationError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::MissingHeader { .. } => Code::MissingHeader,
            Self::DuplicateHeader { .. } => Code::DuplicateHeader,
            Self::HeaderTooLarge { .. } => Code::HeaderTooLarge,
            Self::MalformedHeader { .. } => Code::MalformedHeader,
            Self::MalformedTimestamp { .. } => Code::MalformedTimestamp,
            Self::TimestampTooOld { .. } => Code::TimestampTooOld,
            Self::TimestampInFuture { .. } => Code::TimestampInFuture,
            Self::SignatureMismatch => Code::SignatureMismatch,
            Self::HeaderBodyMismatch { .. } => Code::HeaderBodyMismatch,
            Self::MalformedEvent { .. } => Code::MalformedEvent,
        }
    }
}

/// Why a verified body is a `malformed_event`. Never carries a part of the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventFault {
    /// The body is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The body is not one JSON value.
    #[error("not JSON (line {line}, column {column})")]
    NotJson {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault in bytes, from 1.
        column: usize,
    },
    /// The body, or a member that must be one, is not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// Arrays and objects are nested more than 64 levels deep.
    #[error("nested more than 64 levels deep")]
    TooDeep,
    /// A member that decides what the event is stands more than once.
    #[error("the member `{member}` stands more than once")]
    DuplicateMember {
        /// The member's name.
        member: Cow<'static, str>,
    },
    /// A member that every event has is absent, null or empty.
    #[error("the member `{member}` is missing or empty")]
    MissingMember {
        /// The member's name.
        member: Cow<'static, str>,
    },
    /// A member is not of the type the system documents.
    #[error("the member `{member}` is not of its documented type")]
    WrongType {
        /// The member's name.
        member: Cow<'static, str>,
    },
}

impl From<EventFault> for VerificationError {
    fn from(fault: EventFault) -> Self {
        Self::MalformedEvent { fault }
    }
}

/// A deduplication store refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// `lease_lost`
    #[error("the lease was taken over, released or already committed")]
    LeaseLost,
    /// `store_full`
    #[error("every place in the store holds a claim that is still being worked on")]
    StoreFull,
    /// `store_unavailable`
    #[error("the store cannot be reached: {reason}")]
    Unavailable {
        /// What the store's driver said, without credentials.
        reason: String,
    },
}

impl StoreError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::LeaseLost => Code::LeaseLost,
            Self::StoreFull => Code::StoreFull,
            Self::Unavailable { .. } => Code::StoreUnavailable,
        }
    }
}
