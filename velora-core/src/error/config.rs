//! Misuse: values that cannot be used, and requests in a form that cannot be read.

#[cfg(feature = "client")]
use std::borrow::Cow;

use super::Code;
use super::text::says;
#[cfg(feature = "events")]
use crate::text::Header;
use crate::text::Reason;

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
    #[cfg(feature = "events")]
    TooManySecrets {
        /// The scheme's signature header.
        header: Header,
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
        known: Reason,
    },
    /// `invalid_retention`
    #[cfg(feature = "receiver")]
    InvalidRetention,
    /// `invalid_lease`
    #[cfg(feature = "receiver")]
    InvalidLease,
    /// `invalid_capacity`
    #[cfg(feature = "receiver")]
    InvalidCapacity,
    /// `invalid_api_key`
    #[cfg(feature = "client")]
    InvalidApiKey {
        /// What is wrong with it; never a part of it.
        reason: Cow<'static, str>,
    },
    /// `invalid_base_url`
    #[cfg(feature = "client")]
    InvalidBaseUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `wrong_environment`
    #[cfg(feature = "client")]
    WrongEnvironment {
        /// The key's environment: `production` or `sandbox`.
        key: &'static str,
        /// The base URL's environment.
        url: &'static str,
    },
    /// `invalid_window`
    #[cfg(feature = "client")]
    InvalidWindow,
    /// `invalid_option`
    InvalidOption {
        /// The option's name.
        option: &'static str,
        /// What is wrong with its value.
        reason: &'static str,
    },
    /// `body_already_parsed`
    #[cfg(feature = "full")]
    BodyAlreadyParsed {
        /// What was given instead of the raw bytes.
        found: &'static str,
        /// What to call instead.
        remedy: &'static str,
    },
    /// `unreadable_headers`
    #[cfg(feature = "full")]
    UnreadableHeaders {
        /// What is wrong with them; never a part of them.
        reason: &'static str,
    },
    /// `no_transport`
    #[cfg(feature = "client")]
    NoTransport {
        /// What is missing.
        reason: Cow<'static, str>,
    },
}

says! { ConfigError:
    Self::EmptySecret => ["the signing secret is empty"],
    Self::SecretHasWhitespace => ["the signing secret starts or ends with white space; copy it again without it"],
    Self::NoSecret => ["give at least one signing secret"],
    #[cfg(feature = "events")]
    Self::TooManySecrets { header } => ["the ", header, " header of this scheme carries one signature; sign with one secret"],
    Self::InvalidTolerance => ["the tolerance must be a finite number of seconds, zero or more"],
    Self::InvalidScheme { reason } => ["the scheme cannot be used: ", reason],
    Self::UnknownScheme { known } => ["unknown scheme; known schemes: ", known],
    #[cfg(feature = "receiver")]
    Self::InvalidRetention => ["the retention must be a finite number of seconds, at least 24 h: events are retried for up to 17.5 h; `dangerous_short_retention` allows less"],
    #[cfg(feature = "receiver")]
    Self::InvalidLease => ["the lease must be longer than zero and shorter than the retention"],
    #[cfg(feature = "receiver")]
    Self::InvalidCapacity => ["the store must have room for at least one key"],
    #[cfg(feature = "client")]
    Self::InvalidApiKey { reason } => ["invalid API key or token: ", reason],
    #[cfg(feature = "client")]
    Self::InvalidBaseUrl { reason } => ["the base URL cannot be used: ", reason],
    #[cfg(feature = "client")]
    Self::WrongEnvironment { key, url } => ["a ", key, " key was given with the ", url, " URL"],
    #[cfg(feature = "client")]
    Self::InvalidWindow => ["the window ends before it starts"],
    Self::InvalidOption { option, reason } => ["the option `", option, "` cannot be used: ", reason],
    #[cfg(feature = "full")]
    Self::BodyAlreadyParsed { found, remedy } => ["the body must be the request's raw bytes, not ", found, ": ", remedy],
    #[cfg(feature = "full")]
    Self::UnreadableHeaders { reason } => ["the headers cannot be read: ", reason],
    #[cfg(feature = "client")]
    Self::NoTransport { reason } => ["requests cannot be sent: ", reason],
}

impl ConfigError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::EmptySecret => Code::EmptySecret,
            Self::SecretHasWhitespace => Code::SecretHasWhitespace,
            Self::NoSecret => Code::NoSecret,
            #[cfg(feature = "events")]
            Self::TooManySecrets { .. } => Code::TooManySecrets,
            Self::InvalidTolerance => Code::InvalidTolerance,
            Self::InvalidScheme { .. } => Code::InvalidScheme,
            Self::UnknownScheme { .. } => Code::UnknownScheme,
            #[cfg(feature = "receiver")]
            Self::InvalidRetention => Code::InvalidRetention,
            #[cfg(feature = "receiver")]
            Self::InvalidLease => Code::InvalidLease,
            #[cfg(feature = "receiver")]
            Self::InvalidCapacity => Code::InvalidCapacity,
            #[cfg(feature = "client")]
            Self::InvalidApiKey { .. } => Code::InvalidApiKey,
            #[cfg(feature = "client")]
            Self::InvalidBaseUrl { .. } => Code::InvalidBaseUrl,
            #[cfg(feature = "client")]
            Self::WrongEnvironment { .. } => Code::WrongEnvironment,
            #[cfg(feature = "client")]
            Self::InvalidWindow => Code::InvalidWindow,
            Self::InvalidOption { .. } => Code::InvalidOption,
            #[cfg(feature = "full")]
            Self::BodyAlreadyParsed { .. } => Code::BodyAlreadyParsed,
            #[cfg(feature = "full")]
            Self::UnreadableHeaders { .. } => Code::UnreadableHeaders,
            #[cfg(feature = "client")]
            Self::NoTransport { .. } => Code::NoTransport,
        }
    }
}
