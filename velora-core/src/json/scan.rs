//! Scans a text without building any values.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use wide::u8x16;

use super::text::text_of;
use super::{Fault, Place};

/// Why a scan stopped at its current position.
pub(super) enum Stop {
    Syntax,
    TooDeep,
}

pub(super) type Step<T = ()> = Result<T, Stop>;

pub(super) struct Scan<'t> {
    text: &'t [u8],
    pub(super) at: usize,
    /// How deep values may be nested.
    most: u32,
    /// The block that was examined last, and the [`special`] bytes in it.
    block: usize,
    special: u64,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str, most: u32) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
            most,
            block: usize::MAX,
            special: 0,
        }
    }

    /// Collects the members of the one value that the text is; returns whether it is an object.
    pub(super) fn members(&mut self, places: &mut Vec<Place>) -> Step<bool> {
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

    /// Scans the one value that the text is.
    pub(super) fn one(&mut self) -> Step {
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

    pub(super) fn fault(&self, stop: Stop) -> Fault {
        match stop {
            Stop::Syntax => Fault::Syntax(self.at),
            Stop::TooDeep => Fault::TooDeep,
        }
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Moves past bytes that were already seen, so it stays within the text.
    #[inline]
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.at.wrapping_add(bytes);
    }

    /// The special bytes in the current block, from the current position on.
    #[inline]
    fn ahead(&self) -> u64 {
        self.special >> (self.at % BLOCK)
    }

    /// Moves to the next quote, backslash or control character, or to the end.
    #[inline]
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

    #[inline(never)]
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
    pub(super) fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.skip(1);
        }
    }

    /// Moves past these bytes, which must come next.
    pub(super) fn expect(&mut self, bytes: &[u8]) -> Step {
        if !self.rest().starts_with(bytes) {
            return Err(Stop::Syntax);
        }
        self.skip(bytes.len());
        Ok(())
    }

    /// Scans the object that begins here.
    pub(super) fn object(&mut self, places: &mut Vec<Place>) -> Step {
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
            // Most values are strings, for which no nesting needs to be tracked.
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

    /// Decodes a name with escapes. A name with a lone surrogate is empty in the data of an API,
    /// and a syntax error in a delivery.
    fn said(&mut self, name: Range<usize>) -> Step<Box<str>> {
        let start = name.start;
        let said = self.text.get(name).and_then(text_of);
        match said {
            Some(said) => Ok(said.into()),
            None if self.most == u32::MAX => Ok(Box::default()),
            None => {
                self.at = start;
                Err(Stop::Syntax)
            }
        }
    }

    /// Scans a member's name and the colon after it.
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

    /// Scans the string that must begin here; returns whether it has escapes.
    #[inline]
    fn string(&mut self) -> Step<bool> {
        if self.peek() != Some(b'"') {
            return Err(Stop::Syntax);
        }
        self.skip(1);
        self.plain();
        if self.peek() == Some(b'"') {
            self.skip(1);
            return Ok(false);
        }
        self.escaped_string()
    }

    /// Scans the rest of a string, from its first escape on.
    #[inline(never)]
    fn escaped_string(&mut self) -> Step<bool> {
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(Stop::Syntax),
            }
            self.plain();
        }
        self.skip(1);
        Ok(true)
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

    /// Scans the value that must begin here, nested inside `outer` others.
    pub(super) fn value(&mut self, outer: u32) -> Step {
        // The open arrays and objects, innermost last: a bit is set for an object. If there
        // are more than fit into one number, the others are in `outside`.
        let mut open = 0_u64;
        let mut outside = Vec::new();
        let mut depth = outer;
        let is_full =
            |depth: u32| depth != outer && depth.wrapping_sub(outer).is_multiple_of(u64::BITS);
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
                    if depth == self.most {
                        return Err(Stop::TooDeep);
                    }
                    let object = bracket == b'{';
                    self.skip(1);
                    self.blanks();
                    if self.peek() == Some(if object { b'}' } else { b']' }) {
                        self.skip(1);
                    } else {
                        if is_full(depth) {
                            outside.push(open);
                        }
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
            // A value has ended, and with it each container of which it was the last one.
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
                if is_full(depth) {
                    open = outside.pop().unwrap_or_default();
                }
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

    /// Scans digits, of which there must be at least one.
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

/// How many bytes are examined at once for the end of a run of plain ones: nearly all of a body
/// is inside strings, and a branch for each byte is slow.
const BLOCK: usize = 64;

/// A bit for each byte of the block, set if it is a quote, a backslash or a control character.
fn special(block: &[u8; BLOCK]) -> u64 {
    let (lanes, _) = block.as_chunks();
    lanes.iter().rev().fold(0, |bits, lanes| {
        let bytes = u8x16::new(*lanes);
        let found = bytes.simd_eq(u8x16::splat(b'"'))
            | bytes.simd_eq(u8x16::splat(b'\\'))
            | bytes.simd_eq(bytes.min(u8x16::splat(b' ' - 1)));
        (bits << 16) | u64::from(found.to_bitmask())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_text_goes_on_to_the_first_that_is_special(
            text in "[\u{0}-#\\[-\\]a-c\u{7f}-\u{a2}\u{d55c}\u{1f600}]{0,200}",
            starts in prop::collection::vec(0..400_usize, 4),
        ) {
            let bytes = text.as_bytes();
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            let mut scan = Scan::new(&text, u32::MAX);
            for start in starts {
                let start = start.min(bytes.len());
                scan.at = start;
                scan.plain();
                let first = bytes.iter().skip(start).position(special);
                prop_assert_eq!(scan.at, first.map_or(bytes.len(), |first| start.saturating_add(first)));
            }
        }
    }
}
