//! Schemes and secrets on their way in, as items of the frame.

use velora_core::{ConfigError, Scheme, SigningSecret};
#[cfg(feature = "receiver")]
use velora_core::{Identity, SignatureForm, SignedPayload, TimeUnit};

use crate::frame::{self, Items};
#[cfg(feature = "receiver")]
use crate::number::whole;

/// The tags of the items.
mod tag {
    pub(super) const SCHEME: u8 = 0;
    pub(super) const SECRET_TEXT: u8 = 1;
    pub(super) const SECRET_BYTES: u8 = 2;
}

/// The tags of a scheme of the caller's own, in the order of its options.
#[cfg(feature = "receiver")]
mod own {
    pub(super) const NAME: u8 = 16;
    pub(super) const SIGNATURE_HEADER: u8 = 17;
    pub(super) const PREFIX: u8 = 18;
    pub(super) const TIMESTAMP_HEADER: u8 = 19;
    pub(super) const IN_MILLISECONDS: u8 = 20;
    pub(super) const SIGNED_BEFORE: u8 = 21;
    pub(super) const SIGNED_AFTER: u8 = 22;
    pub(super) const REJECT_STATUS: u8 = 23;
    pub(super) const CLIENT_ERRORS_ARE_FINAL: u8 = 24;
    /// As often as there are members; an empty one says that there are some, or none.
    pub(super) const IDENTITY: u8 = 32;
}

/// The scheme, then the secrets in their order: the first that is none is the error.
pub(crate) fn read(items: &[u8]) -> Result<(Scheme, Vec<SigningSecret>), ConfigError> {
    let scheme = scheme(Items(items))?;
    let mut secrets = Vec::new();
    for (tag, bytes) in Items(items) {
        let secret = match tag {
            tag::SECRET_TEXT => SigningSecret::new(frame::text(bytes)),
            tag::SECRET_BYTES => SigningSecret::from_bytes(bytes),
            _ => continue,
        };
        secrets.push(secret?);
    }
    Ok((scheme, secrets))
}

fn scheme(items: Items<'_>) -> Result<Scheme, ConfigError> {
    match { items }.find(|(tag, _)| *tag == tag::SCHEME) {
        Some((_, name)) => Scheme::named(frame::text(name)),
        #[cfg(feature = "receiver")]
        None => described(items),
        #[cfg(not(feature = "receiver"))]
        None => Scheme::named(""),
    }
}

#[cfg(feature = "receiver")]
#[inline(never)]
fn given(mut items: Items<'_>, wanted: u8) -> Option<String> {
    let (_, bytes) = items.find(|(tag, _)| *tag == wanted)?;
    Some(frame::text(bytes).to_owned())
}

/// A scheme of the caller's own, member for member what `Scheme` has methods for.
#[cfg(feature = "receiver")]
fn described(items: Items<'_>) -> Result<Scheme, ConfigError> {
    let given = |wanted| given(items, wanted);
    let form = match given(own::PREFIX) {
        Some(prefix) => SignatureForm::prefixed(prefix),
        None => SignatureForm::List,
    };
    let mut scheme = Scheme::new(
        given(own::NAME).unwrap_or_default(),
        given(own::SIGNATURE_HEADER).unwrap_or_default(),
        form,
    );
    if let Some(header) = given(own::TIMESTAMP_HEADER) {
        let unit = match given(own::IN_MILLISECONDS) {
            Some(_) => TimeUnit::Milliseconds,
            None => TimeUnit::Seconds,
        };
        scheme = scheme.timestamp_header(header, unit);
    }
    if let Some((before, after)) = given(own::SIGNED_BEFORE).zip(given(own::SIGNED_AFTER)) {
        scheme = scheme.signed_payload(SignedPayload::timestamped(before, after));
    }
    if given(own::IDENTITY).is_some() {
        let members = items.filter(|(tag, bytes)| *tag == own::IDENTITY && !bytes.is_empty());
        let members = members.map(|(_, bytes)| frame::text(bytes).to_owned().into());
        scheme = scheme.identity(Identity::Members(members.collect()));
    }
    if let Some(status) = given(own::REJECT_STATUS) {
        // A text that is no whole number is as little a status as NaN is.
        let status = status.parse().map_or(f64::NAN, |status: u32| status.into());
        scheme = scheme.reject_status(whole("rejectStatus", status)?);
    }
    Ok(match given(own::CLIENT_ERRORS_ARE_FINAL) {
        Some(_) => scheme.client_errors_are_final(),
        None => scheme,
    })
}
