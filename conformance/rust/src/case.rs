//! One case: from its line to the verdict.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use velora_core::{
    ConfigError, Delivery, Error, Event, Extra, Scheme, SigningSecret, Tolerance, UnixTime,
    Verifier, tv,
};

use crate::answer::Verdict;

/// A case in which everything could be read.
pub(crate) struct Case<'l> {
    pub(crate) id: Option<&'l RawValue>,
    scheme: Cow<'l, str>,
    secrets: Secrets<'l>,
    tolerance: Option<f64>,
    body: Vec<u8>,
    headers: Vec<(Text<'l>, Text<'l>)>,
    now: UnixTime,
}

enum Secrets<'l> {
    Text(Vec<Text<'l>>),
    Bytes(Vec<Vec<u8>>),
}

impl<'l> Case<'l> {
    /// A line that is not a case returns its `id`, if it has one.
    pub(crate) fn read(line: &'l [u8]) -> Result<Self, Option<&'l RawValue>> {
        let fields: Fields<'l> = read_object(line).ok_or_else(|| {
            let Identified { id } = read_object(line)?;
            id
        })?;
        let id = fields.id;
        Self::from_fields(fields).ok_or(id)
    }

    fn from_fields(fields: Fields<'l>) -> Option<Self> {
        let secrets = match (fields.secrets, fields.secrets_b64) {
            (texts, None) => Secrets::Text(texts.unwrap_or_default()),
            (None, Some(encoded)) => Secrets::Bytes(
                encoded
                    .iter()
                    .map(|text| decode(&text.0))
                    .collect::<Option<_>>()?,
            ),
            (Some(_), Some(_)) => return None,
        };
        Some(Self {
            id: fields.id,
            scheme: fields.scheme.0,
            secrets,
            tolerance: match fields.tolerance {
                Some(raw) => Some(seconds(raw)?),
                None => None,
            },
            body: decode(&fields.body_b64.0)?,
            headers: fields.headers,
            now: instant(fields.now)?,
        })
    }

    /// The order of the construction errors: scheme, secrets, tolerance.
    fn verifier(&self) -> Result<Verifier, ConfigError> {
        let scheme = Scheme::named(&self.scheme)?;
        let secrets: Vec<SigningSecret> = match &self.secrets {
            Secrets::Text(texts) => texts
                .iter()
                .map(SigningSecret::new)
                .collect::<Result<_, _>>(),
            Secrets::Bytes(keys) => keys
                .iter()
                .map(SigningSecret::from_bytes)
                .collect::<Result<_, _>>(),
        }?;
        let verifier = Verifier::new(scheme, secrets)?;
        Ok(match self.tolerance {
            Some(seconds) => verifier.with_tolerance(Tolerance::try_from_secs_f64(seconds)?),
            None => verifier,
        })
    }

    fn delivery(&self) -> Result<Delivery<'static>, Error> {
        let verifier = self.verifier()?;
        let delivery = verifier.verify_at(&self.body, &self.headers, self.now)?;
        Ok(delivery.into_owned())
    }
}

pub(crate) fn verify(case: &Case<'_>) -> Verdict {
    let verified = || {
        case.delivery()?.check_headers()?;
        Ok::<_, Error>(Verdict::Verified)
    };
    verified().unwrap_or_else(Verdict::from)
}

pub(crate) fn event(case: &Case<'_>) -> Verdict {
    let read = || {
        let delivery = case.delivery()?;
        let event: Event = delivery.event()?;
        Ok::<_, Error>(Verdict::Event {
            event_type: event.event_type().map(str::to_owned),
            key: delivery.key()?.as_str().to_owned(),
            extra: extra(&event),
        })
    };
    read().unwrap_or_else(Verdict::from)
}

pub(crate) fn key(case: &Case<'_>) -> Verdict {
    let read = || {
        let key = case.delivery()?.key()?;
        Ok::<_, Error>(Verdict::Key(key.as_str().to_owned()))
    };
    read().unwrap_or_else(Verdict::from)
}

/// Sorted; those of an object of the event with its name before theirs.
fn extra(event: &Event) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut add = |path: &str, extra: &Extra| {
        names.extend(extra.iter().map(|(name, _)| format!("{path}{name}")));
    };
    let mut add_data = |data: &Option<tv::Data>| {
        if let Some(tv::Data::StreamOnline(online)) = data {
            add("data.", &online.extra);
        }
    };
    match event {
        Event::Tv(event) => {
            add_data(&event.data);
            add("", &event.extra);
        }
        Event::TvBodyOnly(event) => {
            add_data(&event.data);
            add("", &event.extra);
        }
        Event::Curae(event) => add("", &event.extra),
        Event::Health(event) => {
            add("", &event.extra);
            if let Some(actor) = &event.actor {
                add("actor.", &actor.extra);
            }
            if let Some(resource) = &event.resource {
                add("resource.", &resource.extra);
            }
        }
        // Their members are not documented.
        _ => {}
    }
    names.into_iter().collect()
}

/// The members of a line, before their texts are decoded. Others are ignored.
#[derive(Deserialize)]
struct Fields<'l> {
    #[serde(borrow)]
    id: Option<&'l RawValue>,
    #[serde(borrow)]
    scheme: Text<'l>,
    #[serde(borrow)]
    secrets: Option<Vec<Text<'l>>>,
    #[serde(borrow)]
    secrets_b64: Option<Vec<Text<'l>>>,
    #[serde(borrow)]
    body_b64: Text<'l>,
    #[serde(borrow)]
    headers: Vec<(Text<'l>, Text<'l>)>,
    #[serde(borrow)]
    now: &'l RawValue,
    #[serde(borrow)]
    tolerance: Option<&'l RawValue>,
}

#[derive(Deserialize)]
struct Identified<'l> {
    #[serde(borrow)]
    id: Option<&'l RawValue>,
}

/// A string that is borrowed from the line if it has no escapes.
#[derive(Deserialize)]
struct Text<'l>(#[serde(borrow)] Cow<'l, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for Text<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn read_object<'l, T: Deserialize<'l>>(line: &'l [u8]) -> Option<T> {
    // Serde would take an array of the members in order as well.
    line.starts_with(b"{")
        .then(|| serde_json::from_slice(line).ok())
        .flatten()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

/// A number of seconds, or its name: JSON has no NaN and no infinity. Read from its
/// text, because a number that is too large for a float is infinite, not malformed.
fn seconds(raw: &RawValue) -> Option<f64> {
    let text = raw.get();
    match text.strip_prefix('"') {
        Some(rest) => match rest.strip_suffix('"')? {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        None => text.parse().ok(),
    }
}

/// Whole seconds, or seconds with a fraction that is cut off at the millisecond.
fn instant(raw: &RawValue) -> Option<UnixTime> {
    if let Ok(seconds) = raw.get().parse() {
        return Some(UnixTime::from_secs(seconds));
    }
    UnixTime::try_from_secs_f64(raw.get().parse().ok()?).ok()
}
