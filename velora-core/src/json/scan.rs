//! Going over a text, of which nothing is built.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use wide::u8x16;

use super::text::text_of;
use super::{Fault, Place};

/// Why a scan ends where it is.
pub(super) enum Stop {
    Syntax,
    TooDeep,
}

pub(super) type Step<T = ()> = Result<T, Stop>;

pub(super) struct Scan<'t> {
    text: &'t [u8],
    pub(super) at: usize,
    /// So many values may lie inside of each other.
    most: u32,
    /// The block that was last looked into, and what is [`special`] in it.
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

    /// The members of the one value that the text is; whether it is an object.
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

    /// The one value that the text is.
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

    /// Goes on by bytes that were seen, so that it stays in the text.
    #[inline]
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.at.wrapping_add(bytes);
    }

    /// What is special in the block here, from here on.
    #[inline]
    fn ahead(&self) -> u64 {
        self.special >> (self.at % BLOCK)
    }

    /// Goes on to the next quote, backslash or control character, or to the end.
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

    /// Goes on behind these bytes, which must stand here.
    pub(super) fn expect(&mut self, bytes: &[u8]) -> Step {
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

    /// What a name with escapes says, which stands here. One that says half a character is
    /// nobody's in what an API has kept: it says nothing.
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
        self.plain();
        if self.peek() == Some(b'"') {
            self.skip(1);
            return Ok(false);
        }
        self.escaped_string()
    }

    /// The rest of a text, from where its first escape must stand.
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

    /// The value that must begin here, inside of `outer` others.
    pub(super) fn value(&mut self, outer: u32) -> Step {
        // What is open, the innermost last: a bit that is set for an object. Of more than
        // can be told in one number, the others are outside.
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
