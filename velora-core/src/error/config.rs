//! Misuse: at construction, or of what a request is handed over in.

use std::borrow::Cow;

use super::Code;
use super::text::says;

/// Misuse: a value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// `empty_secret`
    EmptySecret,
    /// `secret_has_whitespace`
    SecretHasWhitespace,
    /// `no_secret`
    NoSecret,
    /// `too_many_secrets`
    TooManySecrets {
        /// The scheme's signature header.
        header: Cow<'static, str>,
    },
    /// `invalid_tolerance`
    InvalidTolerance,
    /// `invalid_scheme`
    InvalidScheme {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `unknown_scheme`
    UnknownScheme {
        /// The names that exist.
        known: &'static str,
    },
    /// `invalid_retention`
    InvalidRetention,
    /// `invalid_lease`
    InvalidLease,
    /// `invalid_capacity`
    InvalidCapacity,
    /// `invalid_api_key`
    InvalidApiKey {
        /// What is wrong with it; never a part of it.
        reason: &'static str,
    },
    /// `invalid_base_url`
    InvalidBaseUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `wrong_environment`
    WrongEnvironment {
        /// What the key is of: `production` or `the sandbox`.
        key: &'static str,
        /// What the base URL is of.
        url: &'static str,
    },
    /// `invalid_window`
    InvalidWindow,
    /// `invalid_option`
    InvalidOption {
        /// The option's name.
        option: &'static str,
        /// What is wrong with its value.
        reason: &'static str,
    },
    /// `body_already_parsed`
    BodyAlreadyParsed {
        /// What was given in their place.
        found: &'static str,
        /// What to call instead.
        remedy: &'static str,
    },
    /// `unreadable_headers`
    UnreadableHeaders {
        /// What is wrong with them; never a part of them.
        reason: &'static str,
    },
    /// `no_transport`
    NoTransport {
        /// What is missing.
        reason: Cow<'static, str>,
    },
}

says! { ConfigError:
    Self::EmptySecret => ["the signing secret is empty"],
    Self::SecretHasWhitespace => ["the signing secret starts or ends with white space; copy it again without it"],
    Self::NoSecret => ["give at least one signing secret"],
    Self::TooManySecrets { header } => ["the ", header, " header of this scheme carries one signature; sign with one secret"],
    Self::InvalidTolerance => ["the tolerance must be a finite number of seconds, zero or more"],
    Self::InvalidScheme { reason } => ["the scheme cannot be used: ", reason],
    Self::UnknownScheme { known } => ["no scheme of this name; known are ", known],
    Self::InvalidRetention => ["a retention under 24 h forgets events that are still being retried (up to 17.5 h); `dangerous_short_retention` allows it"],
    Self::InvalidLease => ["the lease must be longer than zero and shorter than the retention"],
    Self::InvalidCapacity => ["the store must have room for at least one key"],
    Self::InvalidApiKey { reason } => ["the API key is ", reason],
    Self::InvalidBaseUrl { reason } => ["the base URL cannot be used: ", reason],
    Self::WrongEnvironment { key, url } => ["a key of ", key, " was given with the URL of ", url],
    Self::InvalidWindow => ["the window ends before it starts"],
    Self::InvalidOption { option, reason } => ["the option `", option, "` cannot be used: ", reason],
    Self::BodyAlreadyParsed { found, remedy } => ["the body is not the raw bytes of the request but ", found, ": ", remedy],
    Self::UnreadableHeaders { reason } => ["the headers cannot be read: ", reason],
    Self::NoTransport { reason } => ["there is nothing to send requests with: ", reason],
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
