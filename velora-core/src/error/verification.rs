//! Deliveries that were refused.

use std::borrow::Cow;

use super::Code;

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
