//! Misuse: at construction, or of what a request is handed over in.

use std::borrow::Cow;

use super::Code;

/// Misuse: a value cannot be used.
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
    /// `invalid_api_key`
    #[error("the API key is {reason}")]
    InvalidApiKey {
        /// What is wrong with it; never a part of it.
        reason: &'static str,
    },
    /// `invalid_base_url`
    #[error("the base URL cannot be used: {reason}")]
    InvalidBaseUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `wrong_environment`
    #[error("a key of {key} was given with the URL of {url}")]
    WrongEnvironment {
        /// What the key is of: `production` or `the sandbox`.
        key: &'static str,
        /// What the base URL is of.
        url: &'static str,
    },
    /// `invalid_window`
    #[error("the window ends before it starts")]
    InvalidWindow,
    /// `invalid_option`
    #[error("the option `{option}` cannot be used: {reason}")]
    InvalidOption {
        /// The option's name.
        option: &'static str,
        /// What is wrong with its value.
        reason: &'static str,
    },
    /// `body_already_parsed`
    #[error("the body is not the raw bytes of the request but {found}: {remedy}")]
    BodyAlreadyParsed {
        /// What was given in their place.
        found: &'static str,
        /// What to call instead.
        remedy: &'static str,
    },
    /// `unreadable_headers`
    #[error("the headers cannot be read: {reason}")]
    UnreadableHeaders {
        /// What is wrong with them; never a part of them.
        reason: &'static str,
    },
    /// `no_transport`
    #[error("there is nothing to send requests with: {reason}")]
    NoTransport {
        /// What is missing.
        reason: Cow<'static, str>,
    },
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
            Self::InvalidApiKey { .. } => Code::InvalidApiKey,
            Self::InvalidBaseUrl { .. } => Code::InvalidBaseUrl,
            Self::WrongEnvironment { .. } => Code::WrongEnvironment,
            Self::InvalidWindow => Code::InvalidWindow,
            Self::InvalidOption { .. } => Code::InvalidOption,
            Self::BodyAlreadyParsed { .. } => Code::BodyAlreadyParsed,
            Self::UnreadableHeaders { .. } => Code::UnreadableHeaders,
            Self::NoTransport { .. } => Code::NoTransport,
        }
    }
}
