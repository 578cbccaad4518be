//! JSON (RFC 8259): checks that a text is valid JSON, locates the members of an object, and
//! decodes strings.
//!
//! A body is scanned once, and no values are built, so identifying an event takes little time,
//! and little code in an edge worker.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod scan;
mod text;

use std::ops::Range;

use scan::Scan;

#[cfg(feature = "client")]
pub(crate) use text::quote;
pub(crate) use text::text_of;

/// Deeper nesting in a delivery is refused: no system sends it, and later readers recurse. The
/// data of an API is read at any depth, because one row must not end a listing.
const MAX_DEPTH: u32 = 64;

/// Why a text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not JSON: the fault is at this byte.
    Syntax(usize),
    TooDeep,
    NotAnObject,
}

/// The place of an object's member in the text.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Between the quotes.
    name: Range<usize>,
    /// The decoded name, if it has escapes.
    said: Option<Box<str>>,
    value: Range<usize>,
}

impl Place {
    pub(crate) fn name<'t>(&'t self, text: &'t [u8]) -> &'t [u8] {
        match &self.said {
            Some(name) => name.as_bytes(),
            None => self.written_name(text),
        }
    }

    /// Whether this is its name. Most names differ in their lengths.
    #[inline]
    pub(crate) fn is_named(&self, text: &[u8], name: &str) -> bool {
        let maybe = self.said.is_some() || self.name.len() == name.len();
        maybe && self.name(text) == name.as_bytes()
    }

    /// The name as written, including escapes.
    pub(crate) fn written_name<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.name.clone()).unwrap_or_default()
    }

    pub(crate) fn value<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.value.clone()).unwrap_or_default()
    }
}

/// The members of the object that the text consists of, in order, including repeated ones.
pub(crate) fn members(text: &str) -> Result<Vec<Place>, Fault> {
    members_of(Scan::new(text, MAX_DEPTH))
}

fn members_of(mut scan: Scan<'_>) -> Result<Vec<Place>, Fault> {
    let mut places = Vec::new();
    match scan.members(&mut places) {
        Ok(true) => Ok(places),
        Ok(false) => Err(Fault::NotAnObject),
        Err(stop) => Err(scan.fault(stop)),
    }
}

/// The values of some members of an object.
#[cfg(feature = "client")]
type Values<'t, const NAMES: usize> = [Option<&'t str>; NAMES];

/// The values of these members of the object that the text consists of. Of a repeated member
/// the last counts; `null` counts as absent.
#[cfg(feature = "client")]
pub(crate) fn values<'t, const NAMES: usize>(
    text: &'t str,
    names: [&str; NAMES],
) -> Result<Values<'t, NAMES>, Fault> {
    let places = members_of(Scan::new(text, u32::MAX))?;
    let mut values = [None; NAMES];
    find(text, &places, &names, &mut values);
    Ok(values)
}

#[cfg(feature = "client")]
fn find<'t>(text: &'t str, places: &[Place], names: &[&str], values: &mut [Option<&'t str>]) {
    for place in places {
        for (known, value) in names.iter().zip(&mut *values) {
            if place.is_named(text.as_bytes(), known) {
                *value = text
                    .get(place.value.clone())
                    .filter(|value| *value != "null");
            }
        }
    }
}

/// The items of a value that is an array; `None` if it is something else.
#[cfg(feature = "client")]
pub(crate) fn items(array: &str) -> Option<Vec<&str>> {
    let mut items = Vec::new();
    each_item(array, &mut |item, _| items.push(item))?;
    Some(items)
}

/// The items of a value that is an array, each with its [`values`], of which it has none if it
/// is no object; `None` if the value is no array.
#[cfg(feature = "client")]
pub(crate) fn items_with<'t, const NAMES: usize>(
    array: &'t str,
    names: [&str; NAMES],
) -> Option<Vec<(&'t str, Values<'t, NAMES>)>> {
    let mut items = Vec::new();
    each_item(array, &mut |item, places| {
        let mut values = [None; NAMES];
        find(array, places, &names, &mut values);
        items.push((item, values));
    })?;
    Some(items)
}

/// Calls this for every item, with its members if it is an object. They are located in the array.
#[cfg(feature = "client")]
fn each_item<'t>(array: &'t str, each: &mut dyn FnMut(&'t str, &[Place])) -> Option<()> {
    let mut scan = Scan::new(array, u32::MAX);
    scan.expect(b"[").ok()?;
    scan.blanks();
    if scan.peek() == Some(b']') {
        return Some(());
    }
    let mut places = Vec::new();
    loop {
        scan.blanks();
        let start = scan.at;
        places.clear();
        match scan.peek() {
            Some(b'{') => scan.object(&mut places).ok()?,
            _ => scan.value(1).ok()?,
        }
        each(array.get(start..scan.at)?, &places);
        scan.blanks();
        if scan.peek() != Some(b',') {
            return scan.expect(b"]").ok();
        }
        scan.skip(1);
    }
}

/// The value at the beginning of the text, whatever follows it.
#[cfg(feature = "client")]
pub(crate) fn first_value(text: &str) -> Option<&str> {
    let mut scan = Scan::new(text, u32::MAX);
    scan.blanks();
    let start = scan.at;
    scan.value(0).ok()?;
    text.get(start..scan.at)
}

/// Checks that the text is one value, without decoding its names.
#[cfg(feature = "client")]
pub(crate) fn check(text: &str) -> Result<(), Fault> {
    let mut scan = Scan::new(text, u32::MAX);
    scan.one().map_err(|stop| scan.fault(stop))
}

#[cfg(feature = "client")]
impl Fault {
    /// Whether the text may only be cut off: it could be JSON if more followed.
    pub(crate) fn is_cut(self, text: &str) -> bool {
        let Self::Syntax(at) = self else {
            return false;
        };
        let rest = text.get(at..).unwrap_or_default();
        let begins = |whole: &str| whole.starts_with(rest);
        ["true", "false", "null"].into_iter().any(begins)
            || rest.strip_prefix('\\').is_some_and(|escape| {
                let hex = |byte: u8| byte.is_ascii_hexdigit();
                escape.is_empty()
                    || escape
                        .strip_prefix('u')
                        .is_some_and(|units| units.len() < 4 && units.bytes().all(hex))
            })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use std::borrow::Cow;

    use super::*;

    /// Any text that is almost JSON.
    fn nearly() -> impl Strategy<Value = String> {
        let token = prop_oneof![
            8 => "[{}\\[\\],:\"]",
            2 => "[ \n\t]",
            4 => "\"[a-b\u{e9}]{0,2}\"",
            2 => "\"(\\\\(u[0-9a-fD]{4}|[\"\\\\/bfnrtux]|ud83d\\\\ude00|udc00)|[a\u{1}])*\"",
            2 => "-?[0-9]{1,2}(\\.[0-9]{0,2})?([eE][+-]?[0-9]?)?",
            2 => "true|false|null|nul",
        ];
        prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ -~\n\u{7f}\u{e9}\u{1f600}]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-c\"\\\\]{0,3}", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn agrees(text: &str) -> Result<(), TestCaseError> {
        let object = text
            .trim_start_matches([' ', '\n', '\r', '\t'])
            .starts_with('{');
        let found = members(text);
        let json = serde_json::from_str::<&RawValue>(text).is_ok();
        #[cfg(feature = "client")]
        prop_assert_eq!(check(text).is_ok(), json, "{}", text);
        if !object {
            let not_an_object = matches!(found, Err(Fault::NotAnObject));
            prop_assert_eq!(not_an_object, json, "{}", text);
            prop_assert!(found.is_err());
            return Ok(());
        }
        let parsed: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(text).ok();
        match (found, parsed) {
            (Ok(places), Some(parsed)) => {
                let found: BTreeMap<_, _> = places
                    .iter()
                    .map(|place| {
                        let name = str::from_utf8(place.name(text.as_bytes())).unwrap();
                        (name, str::from_utf8(place.value(text.as_bytes())).unwrap())
                    })
                    .collect();
                for value in found.values().filter(|value| value.starts_with('"')) {
                    let said: Option<String> = serde_json::from_str(value).ok();
                    prop_assert_eq!(text_of(value.as_bytes()), said.map(Cow::Owned));
                }
                let parsed = parsed
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.get()));
                prop_assert_eq!(found, parsed.collect());
            }
            (Err(Fault::Syntax(at)), None) => prop_assert!(at <= text.len()),
            (found, parsed) => prop_assert!(false, "{text}: {found:?}, {parsed:?}"),
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn refuses_what_a_parser_refuses(inner in nearly(), whole in any::<bool>()) {
            let text = if whole { format!("{{\"a\":{inner}}}") } else { inner };
            agrees(&text)?;
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_parser_finds(value in json(), pretty in any::<bool>()) {
            let text = match pretty {
                true => serde_json::to_string_pretty(&value).unwrap(),
                false => value.to_string(),
            };
            prop_assert_eq!(members(&text).is_ok(), value.is_object());
            agrees(&text)?;
        }
    }

    #[cfg(feature = "client")]
    #[test]
    fn a_name_that_no_text_has_is_json() {
        for text in [r#"{"\ud800":1}"#, r#"{"a":{"\ud800":1}}"#] {
            assert_eq!(check(text), Ok(()));
        }
        assert!(members(r#"{"\ud800":1}"#).is_err());
    }

    #[test]
    fn the_deepest_that_is_read() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(members(&nested(63)).is_ok());
        assert_eq!(members(&nested(64)).unwrap_err(), Fault::TooDeep);
        let objects = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        assert!(members(&objects(64)).is_ok());
        assert_eq!(members(&objects(65)).unwrap_err(), Fault::TooDeep);
        // Many of them side by side are not deep.
        let wide = format!("{{\"a\":[{}[]]}}", "{},".repeat(1_000));
        assert!(members(&wide).is_ok());
    }
    #[cfg(feature = "client")]
    #[test]
    fn what_was_kept_is_read_however_deep_it_is() {
        for depth in [63, 64, 65, 127, 128, 129, 1_000] {
            for (begin, end) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
                let deep = format!("{}1{}", begin.repeat(depth), end.repeat(depth));
                let object = format!("{{\"a\":{deep},\"b\":2}}");
                assert_eq!(check(&deep), Ok(()), "{depth} {begin}");
                assert_eq!(values(&object, ["a", "b"]), Ok([Some(&*deep), Some("2")]));
                assert_eq!(items(&format!("[{deep}, 2]")), Some(vec![&*deep, "2"]));
                let open = deep.len().saturating_sub(1);
                assert!(check(&deep[..open]).is_err());
                assert!(
                    check(&format!(
                        "{}{}",
                        &deep[..open],
                        if end.ends_with(']') { "}" } else { "]" }
                    ))
                    .is_err()
                );
            }
        }
    }
}
