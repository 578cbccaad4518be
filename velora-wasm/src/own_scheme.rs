//! Reads schemes of the caller's own from the items in the frame.

use velora_core::{ConfigError, Identity, Scheme, SignatureForm, SignedPayload, TimeUnit};

use crate::frame::{self, Items};
use crate::number::whole;
use crate::{failure, scheme};

/// The tags of the items, in the order of the options.
mod tag {
    pub(super) const NAME: u8 = 0;
    pub(super) const SIGNATURE_HEADER: u8 = 1;
    pub(super) const PREFIX: u8 = 2;
    pub(super) const TIMESTAMP_HEADER: u8 = 3;
    pub(super) const IN_MILLISECONDS: u8 = 4;
    pub(super) const SIGNED_BEFORE: u8 = 5;
    pub(super) const SIGNED_AFTER: u8 = 6;
    pub(super) const REJECT_STATUS: u8 = 7;
    pub(super) const CLIENT_ERRORS_ARE_FINAL: u8 = 8;
    /// Marks that there is a list of members, which may be empty.
    pub(super) const IDENTITY: u8 = 9;
    /// Once for each member.
    pub(super) const MEMBER: u8 = 10;
}

exports! {
    /// Creates a scheme from the items in the frame.
    ///
    /// Errors: `invalid_scheme`, `invalid_option`.
    fn own_scheme(items: usize) -> f64 {
        failure::number(frame::read(items, 0, |items, _| {
            scheme::number(described(Items(items))?)
        }))
    }
}

#[inline(never)]
fn given(mut items: Items<'_>, wanted: u8) -> Option<String> {
    let (_, bytes) = items.find(|(tag, _)| *tag == wanted)?;
    Some(frame::text(bytes).to_owned())
}

/// A scheme of the caller's own. Each member is a method of the core's `Scheme`.
fn described(items: Items<'_>) -> Result<Scheme, ConfigError> {
    let given = |wanted| given(items, wanted);
    let form = match given(tag::PREFIX) {
        Some(prefix) => SignatureForm::prefixed(prefix),
        None => SignatureForm::List,
    };
    let mut scheme = Scheme::new(
        given(tag::NAME).unwrap_or_default(),
        given(tag::SIGNATURE_HEADER).unwrap_or_default(),
        form,
    );
    if let Some(header) = given(tag::TIMESTAMP_HEADER) {
        let unit = match given(tag::IN_MILLISECONDS) {
            Some(_) => TimeUnit::Milliseconds,
            None => TimeUnit::Seconds,
        };
        scheme = scheme.timestamp_header(header, unit);
    }
    if let Some((before, after)) = given(tag::SIGNED_BEFORE).zip(given(tag::SIGNED_AFTER)) {
        scheme = scheme.signed_payload(SignedPayload::timestamped(before, after));
    }
    if given(tag::IDENTITY).is_some() {
        let members = items.filter(|(tag, _)| *tag == tag::MEMBER);
        let members = members.map(|(_, bytes)| frame::text(bytes).to_owned().into());
        scheme = scheme.identity(Identity::Members(members.collect()));
    }
    if let Some(status) = given(tag::REJECT_STATUS) {
        // A string that is not a whole number is as invalid a status as NaN.
        let status = status.parse().map_or(f64::NAN, |status: u32| status.into());
        scheme = scheme.reject_status(whole("rejectStatus", status)?);
    }
    Ok(match given(tag::CLIENT_ERRORS_ARE_FINAL) {
        Some(_) => scheme.client_errors_are_final(),
        None => scheme,
    })
}
