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

    /// Whether this is its name. Most differ in their lengths.
    #[inline]
    pub(crate) fn is_named(&self, text: &[u8], name: &str) -> bool {
        let maybe = self.said.is_some() || self.name.len() == name.len();
        maybe && self.name(text) == name.as_bytes()
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
    let mut scan = Scan::new(text);
    let mut places = Vec::new();
    match scan.members(&mut places) {
        Ok(true) => Ok(places),
        Ok(false) => Err(Fault::NotAnObject),
        Err(stop) => Err(scan.fault(stop)),
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
    for place in members(text)? {
        for (known, value) in names.iter().zip(&mut *values) {
            if place.is_named(text.as_bytes(), known) {
                *value = text
                    .get(place.value.clone())
                    .filter(|value| *value != "null");
            }
        }
    }
    Ok(())
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
pub(crate) fn first_value(text: &str) -> Option<&str> {
    let mut scan = Scan::new(text);
    scan.blanks();
    let start = scan.at;
    scan.value(0).ok()?;
    text.get(start..scan.at)
}

/// Whether the text is one value, whatever its names say.
#[cfg(feature = "client")]
pub(crate) fn check(text: &str) -> Result<(), Fault> {
    let mut scan = Scan::new(text);
    scan.one().map_err(|stop| scan.fault(stop))
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
    // Without a branch for each byte: most have none.
    let escaped = inner
        .iter()
        .fold(false, |found, byte| found | (*byte == b'\\'));
    let inner = str::from_utf8(inner).ok()?;
    if escaped {
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

/// Why a scan ends where it is.
enum Stop {
    Syntax,
    TooDeep,
}

type Step<T = ()> = Result<T, Stop>;

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    /// The block that was last looked into, and what is [`special`] in it.
    block: usize,
    special: u64,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
            block: usize::MAX,
            special: 0,
        }
    }

    /// The members of the one value that the text is; whether it is an object.
    fn members(&mut self, places: &mut Vec<Place>) -> Step<bool> {
        self.blanks();
        if self.peek() != Some(b'{') {
            self.one()?;
            return Ok(false);
        }
        places.reserve(16);
        self.object(places)?;
        self.end()?;
        Ok(true)
    }

    /// The one value that the text is.
    fn one(&mut self) -> Step {
        self.blanks();
        self.value(0)?;
        self.end()
    }

    fn end(&mut self) -> Step {
        self.blanks();
        match self.peek() {
            Some(_) => Err(Stop::Syntax),
            None => Ok(()),
        }
    }

    fn fault(&self, stop: Stop) -> Fault {
        match stop {
            Stop::Syntax => Fault::Syntax(self.at),
            Stop::TooDeep => Fault::TooDeep,
        }
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Goes on by bytes that were seen, so that it stays in the text.
    #[inline]
    fn skip(&mut self, bytes: usize) {
        self.at = self.at.wrapping_add(bytes);
    }

    /// What is special in the block here, from here on.
    #[inline]
    fn ahead(&self) -> u64 {
        self.special >> (self.at % BLOCK)
    }

    /// Goes on to the next quote, backslash or control character, or to the end.
    fn plain(&mut self) {
        while self.at < self.text.len() {
            let block = self.at / BLOCK;
            if self.block != block {
                (self.block, self.special) = (block, self.look_into(block));
            }
            let ahead = self.ahead();
            if ahead != 0 {
                self.skip(ahead.trailing_zeros() as usize);
                return;
            }
            self.at = block.saturating_add(1).saturating_mul(BLOCK);
        }
        self.at = self.text.len();
    }

    fn look_into(&self, block: usize) -> u64 {
        let start = block.saturating_mul(BLOCK);
        let rest = self.text.get(start..).unwrap_or_default();
        if let Some(block) = rest.first_chunk() {
            return special(block);
        }
        let mut last = [b' '; BLOCK];
        if let Some(beginning) = last.get_mut(..rest.len()) {
            beginning.copy_from_slice(rest);
        }
        special(&last)
    }

    #[inline]
    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.skip(1);
        }
    }

    /// Goes on behind these bytes, which must stand here.
    fn expect(&mut self, bytes: &[u8]) -> Step {
        if !self.rest().starts_with(bytes) {
            return Err(Stop::Syntax);
        }
        self.skip(bytes.len());
        Ok(())
    }

    /// The object that begins here.
    fn object(&mut self, places: &mut Vec<Place>) -> Step {
        self.skip(1);
        self.blanks();
        if self.peek() == Some(b'}') {
            self.skip(1);
            return Ok(());
        }
        loop {
            self.blanks();
            let quote = self.at;
            let escaped = self.string()?;
            let name = quote..self.at;
            let said = if escaped {
                Some(self.said(name.clone())?)
            } else {
                None
            };
            self.colon()?;
            self.blanks();
            let start = self.at;
            // Most are texts, for which nothing needs to be kept.
            if self.peek() == Some(b'"') {
                self.string()?;
            } else {
                self.value(1)?;
            }
            places.push(Place {
                name: name.start.wrapping_add(1)..name.end.wrapping_sub(1),
                said,
                value: start..self.at,
            });
            self.blanks();
            match self.peek() {
                Some(b',') => self.skip(1),
                Some(b'}') => break,
                _ => return Err(Stop::Syntax),
            }
        }
        self.skip(1);
        Ok(())
    }

    /// What a name with escapes says, which stands here.
    fn said(&mut self, name: Range<usize>) -> Step<Box<str>> {
        let start = name.start;
        let said = self.text.get(name).and_then(text_of);
        said.map(Into::into).ok_or_else(|| {
            self.at = start;
            Stop::Syntax
        })
    }

    /// A member's name, up to behind its colon.
    #[inline]
    fn name(&mut self) -> Step {
        self.blanks();
        self.string()?;
        self.colon()
    }

    #[inline]
    fn colon(&mut self) -> Step {
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(Stop::Syntax);
        }
        self.skip(1);
        Ok(())
    }

    /// The text that must begin here; whether it has escapes.
    #[inline]
    fn string(&mut self) -> Step<bool> {
        if self.peek() != Some(b'"') {
            return Err(Stop::Syntax);
        }
        self.skip(1);
        // Most are short, and end in the block that was looked into for what is before them.
        let ahead = self.ahead();
        if self.at / BLOCK == self.block && ahead != 0 {
            let end = self.at.wrapping_add(ahead.trailing_zeros() as usize);
            if self.text.get(end) == Some(&b'"') {
                self.at = end.wrapping_add(1);
                return Ok(false);
            }
        }
        self.any_string()
    }

    /// The same, from behind the first quote, wherever it ends.
    #[inline(never)]
    fn any_string(&mut self) -> Step<bool> {
        let mut escaped = false;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(Stop::Syntax),
            }
            escaped = true;
        }
        self.skip(1);
        Ok(escaped)
    }

    fn escape(&mut self) -> Step {
        let (units, length) = match self.rest() {
            [
                _,
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                ..,
            ] => (&[][..], 2),
            [_, b'u', units @ ..] => (units.get(..4).ok_or(Stop::Syntax)?, 6),
            _ => return Err(Stop::Syntax),
        };
        if !units.iter().all(u8::is_ascii_hexdigit) {
            return Err(Stop::Syntax);
        }
        self.skip(length);
        Ok(())
    }

    /// The value that must begin here, inside of `outer` others.
    fn value(&mut self, outer: u32) -> Step {
        // What is open, the innermost last: a bit that is set for an object.
        let mut open = 0_u64;
        let mut depth = outer;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.expect(b"true")?,
                Some(b'f') => self.expect(b"false")?,
                Some(b'n') => self.expect(b"null")?,
                Some(bracket @ (b'{' | b'[')) => {
                    if depth == MAX_DEPTH {
                        return Err(Stop::TooDeep);
                    }
                    let object = bracket == b'{';
                    self.skip(1);
                    self.blanks();
                    if self.peek() == Some(if object { b'}' } else { b']' }) {
                        self.skip(1);
                    } else {
                        depth = depth.wrapping_add(1);
                        open = (open << 1) | u64::from(object);
                        if object {
                            self.name()?;
                        }
                        self.blanks();
                        continue;
                    }
                }
                _ => return Err(Stop::Syntax),
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
                    _ => return Err(Stop::Syntax),
                }
                self.skip(1);
                depth = depth.wrapping_sub(1);
                open >>= 1;
            }
            self.skip(1);
            if open & 1 == 1 {
                self.name()?;
            }
            self.blanks();
        }
    }

    fn number(&mut self) -> Step {
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
    fn digits(&mut self) -> Step {
        let rest = self.rest();
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit());
        match digits.unwrap_or(rest.len()) {
            0 => Err(Stop::Syntax),
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
    /// Brings the lowest bits of eight bytes together, in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    // Compiles to a few comparisons of many bytes each.
    let found =
        block.map(|byte| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\'));
    let (words, _) = found.as_chunks();
    let gathered = words
        .iter()
        .map(|word| u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56);
    gathered
        .zip([0, 8, 16, 24, 32, 40, 48, 56])
        .fold(0, |bits, (gathered, at)| bits | gathered << at)
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
        // Many of them beside each other are not deep.
        let wide = format!("{{\"a\":[{}[]]}}", "{},".repeat(1_000));
        assert!(members(&wide).is_ok());
    }
}
