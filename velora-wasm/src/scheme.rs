//! Schemes and secrets on their way in, as items of the frame.

use std::borrow::Cow;

use velora_core::{ConfigError, Scheme, SigningSecret};
#[cfg(feature = "receiver")]
use velora_core::{Identity, SignatureForm, SignedPayload, TimeUnit};

use crate::frame::Items;
#[cfg(feature = "receiver")]
use crate::number::whole;

/// The tags of the items; those of a described scheme are in the order of its options.
mod tag {
    pub(super) const SCHEME: u8 = 0;
    pub(super) const SECRET_TEXT: u8 = 1;
    pub(super) const SECRET_BYTES: u8 = 2;
    #[cfg(feature = "receiver")]
    pub(super) const NAME: u8 = 16;
}

/// The scheme, then the secrets in their order: the first that is none is the error.
pub(crate) fn read(items: &[u8]) -> Result<(Scheme, Vec<SigningSecret>), ConfigError> {
    let scheme = scheme(Items(items))?;
    let secrets = Items(items).filter_map(|(tag, bytes)| match tag {
        tag::SECRET_TEXT => Some(SigningSecret::new(text(bytes))),
        tag::SECRET_BYTES => Some(SigningSecret::from_bytes(bytes)),
        _ => None,
    });
    Ok((scheme, secrets.collect::<Result<_, _>>()?))
}

fn scheme(items: Items<'_>) -> Result<Scheme, ConfigError> {
    match { items }.find(|(tag, _)| *tag == tag::SCHEME) {
        Some((_, name)) => Scheme::named(&text(name)),
        #[cfg(feature = "receiver")]
        None => Description::read(items).scheme(),
        #[cfg(not(feature = "receiver"))]
        None => Scheme::named(""),
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A scheme of the caller's own, member for member what `Scheme` has methods for.
#[cfg(feature = "receiver")]
#[derive(Default)]
struct Description {
    texts: [Option<String>; 9],
    identity: Option<Vec<String>>,
}

#[cfg(feature = "receiver")]
impl Description {
    fn read(items: Items<'_>) -> Self {
        let mut description = Self::default();
        for (tag, bytes) in items {
            let place = usize::from(tag.wrapping_sub(tag::NAME));
            let read = text(bytes).into_owned();
            match description.texts.get_mut(place) {
                Some(slot) => *slot = Some(read),
                None if tag < tag::NAME => {}
                None => description.identity.get_or_insert_default().push(read),
            }
        }
        description
    }

    fn scheme(self) -> Result<Scheme, ConfigError> {
        let [
            name,
            signature,
            prefix,
            timestamp,
            millis,
            before,
            after,
            status,
            last,
        ] = self.texts;
        let form = match prefix {
            Some(prefix) => SignatureForm::prefixed(prefix),
            None => SignatureForm::List,
        };
        let mut scheme = Scheme::new(
            name.unwrap_or_default(),
            signature.unwrap_or_default(),
            form,
        );
        if let Some(header) = timestamp {
            let unit = match millis {
                Some(_) => TimeUnit::Milliseconds,
                None => TimeUnit::Seconds,
            };
            scheme = scheme.timestamp_header(header, unit);
        }
        if let Some((before, after)) = before.zip(after) {
            scheme = scheme.signed_payload(SignedPayload::timestamped(before, after));
        }
        if let Some(members) = self.identity {
            let members = members.into_iter().filter(|member| !member.is_empty());
            scheme = scheme.identity(Identity::Members(members.map(Into::into).collect()));
        }
        if let Some(status) = status {
            // A text that is no whole number is as little a status as NaN is.
            let status = status.parse().map_or(f64::NAN, |status: u32| status.into());
            scheme = scheme.reject_status(whole("rejectStatus", status)?);
        }
        Ok(match last {
            Some(_) => scheme.client_errors_are_final(),
            None => scheme,
        })
    }
}
