//! Deliveries that were refused.

#[cfg(feature = "events")]
use std::borrow::Cow;

use super::Code;
use super::text::says;
#[cfg(feature = "events")]
use super::text::text_of;
#[cfg(feature = "full")]
use crate::spell::decimal;
use crate::text::{Header, Reason};

/// A delivery was refused: it is forged, stale, malformed, or contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerificationError {
    /// `missing_header`
    MissingHeader {
        /// The header that is absent.
        header: Header,
    },
    /// `duplicate_header`
    DuplicateHeader {
        /// The header that is repeated.
        header: Header,
    },
    /// `header_too_large`
    HeaderTooLarge {
        /// The header that is too large.
        header: Header,
    },
    /// `malformed_header`
    MalformedHeader {
        /// The signature header.
        header: Header,
        /// What is wrong with it.
        reason: Reason,
    },
    /// `malformed_timestamp`
    MalformedTimestamp {
        /// A likely cause, if one is known.
        hint: Option<Reason>,
    },
    /// `timestamp_too_old`
    TimestampTooOld {
        /// The age of the timestamp in whole seconds.
        seconds: u64,
    },
    /// `timestamp_in_future`
    TimestampInFuture {
        /// How far ahead the timestamp is, in whole seconds.
        seconds: u64,
    },
    /// `signature_mismatch`
    SignatureMismatch,
    /// `header_body_mismatch`
    #[cfg(feature = "events")]
    HeaderBodyMismatch {
        /// The header outside the MAC.
        header: Header,
    },
    /// `malformed_event`
    #[cfg(feature = "events")]
    MalformedEvent {
        /// What is wrong with it.
        fault: EventFault,
    },
}

says! { VerificationError:
    Self::MissingHeader { header } => ["the ", header, " header is missing"],
    Self::DuplicateHeader { header } => ["the ", header, " header occurs more than once"],
    Self::HeaderTooLarge { header } => ["the ", header, " header is over 8 KiB, or has more than 16 signatures"],
    Self::MalformedHeader { header, reason } => ["the ", header, " header is malformed: ", reason],
    Self::MalformedTimestamp { hint } => ["the timestamp is not a plain decimal number", hint.unwrap_or_default()],
    Self::TimestampTooOld { seconds } => ["the timestamp is ", &decimal(*seconds), " s in the past, more than the tolerance"],
    Self::TimestampInFuture { seconds } => ["the timestamp is ", &decimal(*seconds), " s in the future, more than the tolerance"],
    Self::SignatureMismatch => ["the signature does not match: check that the secret is this endpoint's, and that the body is the raw bytes as received"],
    #[cfg(feature = "events")]
    Self::HeaderBodyMismatch { header } => ["the ", header, " header contradicts the verified body"],
    #[cfg(feature = "events")]
    Self::MalformedEvent { fault } => ["the verified body is not a valid event: ", &text_of(fault)],
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
            #[cfg(feature = "events")]
            Self::HeaderBodyMismatch { .. } => Code::HeaderBodyMismatch,
            #[cfg(feature = "events")]
            Self::MalformedEvent { .. } => Code::MalformedEvent,
        }
    }
}

/// Why a verified body is a `malformed_event`. Never carries a part of the body.
#[cfg(feature = "events")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventFault {
    /// The body is not UTF-8.
    NotUtf8,
    /// The body is not one JSON value.
    NotJson {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault in bytes, from 1.
        column: usize,
    },
    /// The body, or a member that must be one, is not a JSON object.
    NotAnObject,
    /// Arrays and objects are nested more than 64 levels deep.
    TooDeep,
    /// A member that identifies the event occurs more than once.
    DuplicateMember {
        /// The member's name.
        member: Cow<'static, str>,
    },
    /// A member that every event has is absent, null or empty.
    MissingMember {
        /// The member's name.
        member: Cow<'static, str>,
    },
    /// A member does not have its documented type.
    WrongType {
        /// The member's name.
        member: Cow<'static, str>,
    },
}

#[cfg(feature = "events")]
says! { EventFault:
    Self::NotUtf8 => ["not UTF-8"],
    Self::NotJson { line, column } => ["not JSON (line ", &decimal(*line as u64), ", column ", &decimal(*column as u64), ")"],
    Self::NotAnObject => ["not a JSON object"],
    Self::TooDeep => ["nested more than 64 levels deep"],
    Self::DuplicateMember { member } => ["the member `", member, "` occurs more than once"],
    Self::MissingMember { member } => ["the member `", member, "` is missing or empty"],
    Self::WrongType { member } => ["the member `", member, "` does not have its documented type"],
}

#[cfg(feature = "events")]
impl From<EventFault> for VerificationError {
    fn from(fault: EventFault) -> Self {
        Self::MalformedEvent { fault }
    }
}
