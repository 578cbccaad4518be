//! The one list of stable codes.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $(#[cfg($cfg:meta)])? $variant:ident = $text:literal,)+) => {
        /// The stable code of an error, the same in every language.
        ///
        /// Branch on this, never on the message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $(#[cfg($cfg)])? $variant,)+
        }

        impl Code {
            /// All codes, in the order of the checks that raise them.
            pub const ALL: &'static [Self] = &[$($(#[cfg($cfg)])? Self::$variant,)+];

            /// The code as it is written in logs, in replies and in other languages.
            pub const fn as_str(self) -> &'static str {
                match self { $($(#[cfg($cfg)])? Self::$variant => $text,)+ }
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
    #[cfg(feature = "events")]
    TooManySecrets = "too_many_secrets",
    /// The tolerance is negative, NaN or infinite.
    InvalidTolerance = "invalid_tolerance",
    /// The parts of a scheme contradict each other, or one of them cannot be sent in a header.
    InvalidScheme = "invalid_scheme",
    /// No system has a scheme of this name.
    UnknownScheme = "unknown_scheme",
    /// The retention is under 24 hours.
    #[cfg(feature = "receiver")]
    InvalidRetention = "invalid_retention",
    /// The lease is zero, or not shorter than the retention.
    #[cfg(feature = "receiver")]
    InvalidLease = "invalid_lease",
    /// The store has no room for even one key.
    #[cfg(feature = "receiver")]
    InvalidCapacity = "invalid_capacity",
    /// The API key is absent, empty, not visible ASCII, or, for CuraeAI, of neither environment.
    #[cfg(feature = "client")]
    InvalidApiKey = "invalid_api_key",
    /// The base URL is not a plain `https` URL, nor an `http` URL of a loopback host.
    #[cfg(feature = "client")]
    InvalidBaseUrl = "invalid_base_url",
    /// The API key belongs to the sandbox and the base URL to production, or the reverse.
    #[cfg(feature = "client")]
    WrongEnvironment = "wrong_environment",
    /// The window ends before it starts.
    #[cfg(feature = "client")]
    InvalidWindow = "invalid_window",
    /// An option is out of its range.
    InvalidOption = "invalid_option",
    /// There is no transport to send requests with.
    #[cfg(feature = "client")]
    NoTransport = "no_transport",
    /// What was given as the body is not the raw bytes of the request.
    #[cfg(feature = "full")]
    BodyAlreadyParsed = "body_already_parsed",
    /// What was given as the headers is not a set of headers, or cannot be read.
    #[cfg(feature = "full")]
    UnreadableHeaders = "unreadable_headers",
    /// The body is over the receiver's limit; it was not hashed.
    #[cfg(feature = "receiver")]
    BodyTooLarge = "body_too_large",
    /// The signature header, or the timestamp header of the scheme, is absent.
    MissingHeader = "missing_header",
    /// One of these headers occurs more than once.
    DuplicateHeader = "duplicate_header",
    /// One of these headers is over 8 KiB, or holds more than 16 `v1` values.
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
    #[cfg(feature = "events")]
    HeaderBodyMismatch = "header_body_mismatch",
    /// The verified body is not the system's JSON.
    #[cfg(feature = "events")]
    MalformedEvent = "malformed_event",
    /// The claim has been taken over, released, already committed, or forgotten after its lease.
    #[cfg(feature = "receiver")]
    LeaseLost = "lease_lost",
    /// The store has no room: claims in progress hold every place, or its disk or memory is full.
    #[cfg(feature = "receiver")]
    StoreFull = "store_full",
    /// The store could not be reached, or did not answer in time.
    #[cfg(feature = "receiver")]
    StoreUnavailable = "store_unavailable",
    /// The caller's handler returned an error; the claim was released, or expires.
    #[cfg(feature = "receiver")]
    HandlerFailed = "handler_failed",
    /// The caller's handler panicked; the claim was released, or expires.
    #[cfg(feature = "receiver")]
    HandlerPanicked = "handler_panicked",
    /// The request body could not be read to its end.
    #[cfg(feature = "receiver")]
    BodyUnreadable = "body_unreadable",
    /// The API key or token is missing, unknown or expired (401).
    #[cfg(feature = "client")]
    Unauthorized = "unauthorized",
    /// The API key lacks a scope or a role (403).
    #[cfg(feature = "client")]
    Forbidden = "forbidden",
    /// What was requested does not exist, or no longer does (404, 410).
    #[cfg(feature = "client")]
    NotFound = "not_found",
    /// The call conflicts with the current state of the resource (409, 412).
    #[cfg(feature = "client")]
    Conflict = "conflict",
    /// The system refused the request (any other 4xx), or it was refused before it was sent.
    #[cfg(feature = "client")]
    InvalidRequest = "invalid_request",
    /// Too many requests (429), or the system asks for a longer wait than the client allows.
    #[cfg(feature = "client")]
    RateLimited = "rate_limited",
    /// The system failed (5xx).
    #[cfg(feature = "client")]
    ServerError = "server_error",
    /// The connection failed, or was cut before the end of the body.
    #[cfg(feature = "client")]
    Connection = "connection",
    /// Connecting, reading or the whole call took too long.
    #[cfg(feature = "client")]
    Timeout = "timeout",
    /// The body of a success is not what the system documents.
    #[cfg(feature = "client")]
    MalformedResponse = "malformed_response",
    /// The decoded body is over the client's limit; the rest was not read.
    #[cfg(feature = "client")]
    ResponseTooLarge = "response_too_large",
    /// More is announced, but with no new cursor; or over 1,000 pages in a row have no items.
    #[cfg(feature = "client")]
    CursorLoop = "cursor_loop",
    /// A window could not be proven to have been read completely.
    #[cfg(feature = "client")]
    IncompleteWindow = "incomplete_window",
    /// The system answered with a redirect, which is never followed.
    #[cfg(feature = "client")]
    UnexpectedRedirect = "unexpected_redirect",
    /// A file of an export could not be read, written or locked.
    #[cfg(feature = "client")]
    FileUnusable = "file_unusable",
    /// The file, or the checkpoint or manifest next to it, is not of this export.
    #[cfg(feature = "client")]
    FileMismatch = "file_mismatch",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
