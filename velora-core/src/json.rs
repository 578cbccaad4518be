//! JSON as RFC 8259 has it: whether a text is, where the members of an object lie, and
//! what a text says.
//!
//! A body is gone over once and no value of it is built, so that which event it is costs
//! little in time, and little in the size of what an edge worker carries.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;
use std::ops::Range;

/// Deeper nesting is refused: no system sends it, and readers further on recurse.
const MAX_DEPTH: u32 = 64;

/// Why a text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not JSON, as seen at this byte.
    Syntax(usize),
    TooDeep,
    NotAnObject,
}

/// Where a member of an object lies in its text.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Between the quotes.
    name: Range<usize>,
    /// What a name with escapes says.
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

    /// The name as it stands, escapes and all.
    pub(crate) fn written_name<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.name.clone()).unwrap_or_default()
    }

    pub(crate) fn value<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.value.clone()).unwrap_or_default()
    }
}

/// The members of the object that the text is, in order, repeated ones too.
pub(crate) fn members(text: &str) -> Result<Vec<Place>, Fault> {
    let mut places = Vec::with_capacity(16);
    each_member(text, &mut |place| places.push(place))?;
    Ok(places)
}

fn each_member(text: &str, each: &mut dyn FnMut(Place)) -> Result<(), Fault> {
    let mut scan = Scan::new(text);
    scan.blanks();
    let object = scan.peek() == Some(b'{');
    if object {
        scan.object(each)?;
    } else {
        scan.value(0)?;
    }
    scan.blanks();
    match scan.peek() {
        Some(_) => Err(scan.fault()),
        None if object => Ok(()),
        None => Err(Fault::NotAnObject),
    }
}

/// The values of these members of the object that the text is; of one that is repeated,
/// the last. What is `null` is absent.
#[cfg(feature = "client")]
pub(crate) fn values<'t, const NAMES: usize>(
    text: &'t str,
    names: [&str; NAMES],
) -> Result<[Option<&'t str>; NAMES], Fault> {
    let mut values = [None; NAMES];
    find(text, &names, &mut values)?;
    Ok(values)
}

#[cfg(feature = "client")]
fn find<'t>(text: &'t str, names: &[&str], values: &mut [Option<&'t str>]) -> Result<(), Fault> {
    each_member(text, &mut |place| {
        let name = place.name(text.as_bytes());
        for (known, value) in names.iter().zip(&mut *values) {
            if known.as_bytes() == name {
                *value = text
                    .get(place.value.clone())
                    .filter(|value| *value != "null");
            }
        }
    })
}

/// The items of the array that a value is; `None` where it is something else.
#[cfg(feature = "client")]
pub(crate) fn items(array: &str) -> Option<Vec<&str>> {
    let mut scan = Scan::new(array);
    scan.expect(b"[").ok()?;
    scan.blanks();
    let mut items = Vec::new();
    if scan.peek() == Some(b']') {
        return Some(items);
    }
    loop {
        scan.blanks();
        let start = scan.at;
        scan.value(1).ok()?;
        items.push(array.get(start..scan.at)?);
        scan.blanks();
        if scan.peek() != Some(b',') {
            return scan.expect(b"]").is_ok().then_some(items);
        }
        scan.skip(1);
    }
}

/// The value that the text begins with, whatever follows it.
#[cfg(feature = "client")]
pub(crate) fn first_value(text: &str) -> Result<&str, Fault> {
    let mut scan = Scan::new(text);
    scan.blanks();
    let start = scan.at;
    scan.value(0)?;
    Ok(text.get(start..scan.at).unwrap_or_default())
}

/// Whether the text is one value.
#[cfg(feature = "client")]
pub(crate) fn check(text: &str) -> Result<(), Fault> {
    match each_member(text, &mut |_| {}) {
        Err(Fault::NotAnObject) => Ok(()),
        checked => checked,
    }
}

/// Adds a text as JSON has it.
#[cfg(feature = "client")]
pub(crate) fn quote(out: &mut String, text: &str) {
    out.push('"');
    for one in text.chars() {
        match one {
            '"' | '\\' => out.extend(['\\', one]),
            '\0'..' ' => {
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or_default();
                out.push_str("\\u00");
                out.extend([digit(u32::from(one) >> 4), digit(u32::from(one) & 15)]);
            }
            _ => out.push(one),
        }
    }
    out.push('"');
}

#[cfg(feature = "client")]
impl Fault {
    /// Whether the text only wants an end: it would be JSON if more followed.
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

/// What a value of a JSON text says, if it is a text itself: borrowed where it has no
/// escapes. `None` where an escape stands for half a character.
pub(crate) fn text_of(value: &[u8]) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let inner = str::from_utf8(inner).ok()?;
    if inner.contains('\\') {
        return unescaped(inner).map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut pieces = inner.split('\\');
    text.push_str(pieces.next()?);
    // Half of a character in UTF-16, until the other half comes.
    let mut high: Option<u32> = None;
    while let Some(piece) = pieces.next() {
        let mut rest = piece.chars();
        let unit = match rest.next() {
            Some('u') => {
                let unit = u32::from_str_radix(piece.get(1..5)?, 16).ok()?;
                rest = piece.get(5..)?.chars();
                unit
            }
            Some('b') => 0x08,
            Some('f') => 0x0c,
            Some('n') => 0x0a,
            Some('r') => 0x0d,
            Some('t') => 0x09,
            Some(other) => other.into(),
            // Two in a row: the piece between them is empty, the next one is plain.
            None => {
                rest = pieces.next()?.chars();
                '\\'.into()
            }
        };
        match (high.take(), unit) {
            (None, 0xd800..=0xdbff) => high = Some(unit),
            (None, _) => text.push(char::from_u32(unit)?),
            (Some(high), 0xdc00..=0xdfff) => {
                let pair = [high, unit].map(|unit| unit as u16);
                text.push(char::decode_utf16(pair).next()?.ok()?);
            }
            (Some(_), _) => return None,
        }
        if high.is_some() && !rest.as_str().is_empty() {
            return None;
        }
        text.push_str(rest.as_str());
    }
    high.is_none().then_some(text)
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// The block that was last looked into, and what is [`special`] in it.
    block: Option<usize>,
    special: u64,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            block: None,
            special: 0,
        }
    }

    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Goes on to the next quote, backslash or control character, or to the end.
    fn plain(&mut self) {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let block = self.at / BLOCK;
            if self.block != Some(block) {
                (self.block, self.special) = (Some(block), self.look_into(block));
            }
            let ahead = self.special >> (self.at % BLOCK);
            if ahead != 0 {
                self.skip(usize::try_from(ahead.trailing_zeros()).unwrap_or(BLOCK));
                return;
            }
            self.at = block.saturating_add(1).saturating_mul(BLOCK);
        }
        self.at = bytes.len();
    }

    fn look_into(&self, block: usize) -> u64 {
        let start = block.saturating_mul(BLOCK);
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        if let Some(block) = rest.first_chunk() {
            return special(block);
        }
        let mut last = [b' '; BLOCK];
        if let Some(beginning) = last.get_mut(..rest.len()) {
            beginning.copy_from_slice(rest);
        }
        special(&last)
    }

    fn fault(&self) -> Fault {
        Fault::Syntax(self.at)
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.skip(1);
        }
    }

    /// Goes on behind these bytes, which must stand here.
    fn expect(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if !self.rest().starts_with(bytes) {
            return Err(self.fault());
        }
        self.skip(bytes.len());
        Ok(())
    }

    /// The object that begins here.
    fn object(&mut self, each: &mut dyn FnMut(Place)) -> Result<(), Fault> {
        self.skip(1);
        self.blanks();
        if self.peek() == Some(b'}') {
            self.skip(1);
            return Ok(());
        }
        loop {
            let (name, escaped) = self.name()?;
            let said = if escaped {
                let said = self.text.as_bytes().get(name.clone()).and_then(text_of);
                Some(said.ok_or(Fault::Syntax(name.start))?.into())
            } else {
                None
            };
            self.blanks();
            let start = self.at;
            self.value(1)?;
            each(Place {
                name: name.start.saturating_add(1)..name.end.saturating_sub(1),
                said,
                value: start..self.at,
            });
            self.blanks();
            match self.peek() {
                Some(b',') => self.skip(1),
                Some(b'}') => break,
                _ => return Err(self.fault()),
            }
        }
        self.skip(1);
        Ok(())
    }

    /// A member's name, up to behind its colon: where it stands, quotes included, and
    /// whether it has escapes.
    fn name(&mut self) -> Result<(Range<usize>, bool), Fault> {
        self.blanks();
        let quote = self.at;
        let escaped = self.string()?;
        let name = quote..self.at;
        self.blanks();
        self.expect(b":")?;
        Ok((name, escaped))
    }

    /// The text that must begin here; whether it has escapes.
    fn string(&mut self) -> Result<bool, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault());
        }
        self.skip(1);
        let mut escaped = false;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(self.fault()),
            }
            escaped = true;
        }
        self.skip(1);
        Ok(escaped)
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let (units, length) = match self.rest() {
            [
                _,
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                ..,
            ] => (&[][..], 2),
            [_, b'u', units @ ..] => (units.get(..4).ok_or(self.fault())?, 6),
            _ => return Err(self.fault()),
        };
        if !units.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.fault());
        }
        self.skip(length);
        Ok(())
    }

    /// The value that must begin here, inside of `outer` others.
    fn value(&mut self, outer: u32) -> Result<(), Fault> {
        // What is open, the innermost last: a bit that is set for an object.
        let mut open = 0_u64;
        let mut depth = outer;
        loop {
            self.blanks();
            let begun = match self.peek() {
                Some(b'"') => self.string().map(|_| false),
                Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
                Some(b't') => self.expect(b"true").map(|()| false),
                Some(b'f') => self.expect(b"false").map(|()| false),
                Some(b'n') => self.expect(b"null").map(|()| false),
                Some(bracket @ (b'{' | b'[')) => {
                    if depth == MAX_DEPTH {
                        return Err(Fault::TooDeep);
                    }
                    let object = bracket == b'{';
                    self.skip(1);
                    self.blanks();
                    let empty = self.peek() == Some(if object { b'}' } else { b']' });
                    if empty {
                        self.skip(1);
                    } else {
                        depth = depth.saturating_add(1);
                        open = (open << 1) | u64::from(object);
                        if object {
                            self.name()?;
                        }
                    }
                    Ok(!empty)
                }
                _ => Err(self.fault()),
            }?;
            if begun {
                continue;
            }
            // A value has ended, and with it each that it was the last one of.
            loop {
                if depth == outer {
                    return Ok(());
                }
                self.blanks();
                let object = open & 1 == 1;
                match self.peek() {
                    Some(b',') => break,
                    Some(b'}') if object => {}
                    Some(b']') if !object => {}
                    _ => return Err(self.fault()),
                }
                self.skip(1);
                depth = depth.saturating_sub(1);
                open >>= 1;
            }
            self.skip(1);
            if open & 1 == 1 {
                self.name()?;
            }
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.skip(1);
        }
        match self.peek() {
            Some(b'0') => self.skip(1),
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.skip(1);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.skip(1);
            if let Some(b'+' | b'-') = self.peek() {
                self.skip(1);
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit at least.
    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit());
        match digits.unwrap_or(rest.len()) {
            0 => Err(self.fault()),
            digits => {
                self.skip(digits);
                Ok(())
            }
        }
    }
}

/// So many bytes are looked at in one go for what ends a run of plain ones: nearly all of a
/// body is what its texts say, and a branch for each of its bytes is slow.
const BLOCK: usize = 64;

/// A bit for each byte of the block that is a quote, a backslash or a control character.
fn special(block: &[u8; BLOCK]) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const LOWER: u64 = ONES * 0x7f;
    /// Brings the highest bits of eight bytes together, in the highest byte.
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let (words, _) = block.as_chunks();
    words.iter().rev().fold(0, |bits, word| {
        let word = u64::from_le_bytes(*word);
        // The highest bit of each byte that is not zero.
        let some = |word: u64| (word & LOWER).wrapping_add(LOWER) | word;
        let control = some(word & ONES.wrapping_mul(0xe0));
        let quote = some(word ^ ONES.wrapping_mul(b'"'.into()));
        let backslash = some(word ^ ONES.wrapping_mul(b'\\'.into()));
        let found = !(control & quote & backslash) & !LOWER;
        let [.., gathered] = found.wrapping_mul(GATHER).to_le_bytes();
        bits << 8 | u64::from(gathered)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::*;

    /// Any text that is nearly JSON.
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
        if !object {
            let json = serde_json::from_str::<&RawValue>(text).is_ok();
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
        fn a_text_goes_on_to_the_first_that_is_special(
            text in "[\u{0}-#\\[-\\]a-c\u{7f}-\u{a2}\u{d55c}\u{1f600}]{0,200}",
            starts in prop::collection::vec(0..400_usize, 4),
        ) {
            let bytes = text.as_bytes();
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            let mut scan = Scan::new(&text);
            for start in starts {
                let start = start.min(bytes.len());
                scan.at = start;
                scan.plain();
                let first = bytes.iter().skip(start).position(special);
                prop_assert_eq!(scan.at, first.map_or(bytes.len(), |first| start.saturating_add(first)));
            }
        }

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

        #[test]
        fn says_what_a_parser_says(text in any::<String>(), units in prop::collection::vec(any::<u16>(), 0..4)) {
            let escaped = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(text_of(escaped.as_bytes()), Some(Cow::Borrowed(text.as_str())));
            let units: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let units = format!("\"{text}{units}\"", text = text.replace(['"', '\\'], ""));
            let said: Option<String> = serde_json::from_str(&units).ok();
            if !text.chars().any(|one| one < ' ') {
                prop_assert_eq!(text_of(units.as_bytes()), said.map(Cow::Owned));
            }
        }
    }

    #[test]
    fn the_deepest_that_is_read() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(members(&nested(63)).is_ok());
        assert_eq!(members(&nested(64)).unwrap_err(), Fault::TooDeep);
        let objects = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        assert!(members(&objects(64)).is_ok());
        assert_eq!(members(&objects(65)).unwrap_err(), Fault::TooDeep);
        // Many of them beside each other are not deep.
        let wide = format!("{{\"a\":[{}[]]}}", "{},".repeat(1_000));
        assert!(members(&wide).is_ok());
    }
}
