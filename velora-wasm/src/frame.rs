//! The memory in which strings and bytes are passed.
//!
//! The host writes into one buffer before a call; a second buffer holds the result of a call
//! until the next one. Anything that a call leaves in the first buffer is at its start. Several
//! strings are passed as items: a tag (one byte), a length (four bytes, little-endian) and the
//! bytes. A number is a double (eight bytes, little-endian).

use std::cell::RefCell;
use std::ptr;

use velora_core::{HeaderName, Headers, Precheck};

/// A larger buffer is freed at the next smaller request, if anything else can use the memory.
const KEPT: usize = 64 * 1024;

thread_local! {
    static HEARD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static SAID: RefCell<Said> = const { RefCell::new(NOTHING) };
}

exports! {
    /// Makes room for this many bytes, and returns its address.
    fn reserve(bytes: usize) -> usize {
        HEARD.with_borrow_mut(|heard| {
            let is_large = cfg!(feature = "receiver") && heard.len() > KEPT;
            if heard.len() < bytes || (is_large && bytes <= KEPT) {
                // Not resized, because its content need not be copied.
                *heard = Vec::new();
                *heard = vec![0; bytes.max(KEPT)];
            }
            heard.as_ptr().addr()
        })
    }

    /// The address of the last call's result.
    fn said_at() -> usize {
        SAID.with_borrow(|said| said.as_ptr().addr())
    }

    /// The length of the last call's result in bytes.
    fn said_length() -> usize {
        SAID.with_borrow(|said| said.len())
    }
}

/// Calls with the first bytes, and with the bytes after them.
#[cfg(feature = "receiver")]
pub(crate) fn read<T>(first: usize, behind: usize, call: impl FnOnce(&[u8], &[u8]) -> T) -> T {
    with(|heard| {
        let [first, behind] = parts(heard, [first, behind]);
        call(first, behind)
    })
}

/// Calls with everything that the host may have written.
pub(crate) fn with<T>(call: impl FnOnce(&mut [u8]) -> T) -> T {
    HEARD.with_borrow_mut(|heard| call(heard))
}

/// Splits the buffer into parts of these lengths.
pub(crate) fn parts<const COUNT: usize>(
    mut heard: &[u8],
    lengths: [usize; COUNT],
) -> [&[u8]; COUNT] {
    lengths.map(|length| {
        let (part, behind) = heard.split_at_checked(length).unwrap_or_default();
        heard = behind;
        part
    })
}

/// Leaves bytes at the start of the buffer.
pub(crate) fn leave(heard: &mut [u8], bytes: &[u8]) {
    if let Some(place) = heard.get_mut(..bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// The result of a call. Without the feature `receiver`, all results are constants.
#[cfg(feature = "receiver")]
type Said = Vec<u8>;
#[cfg(feature = "receiver")]
const NOTHING: Said = Vec::new();
#[cfg(not(feature = "receiver"))]
type Said = &'static [u8];
#[cfg(not(feature = "receiver"))]
const NOTHING: Said = &[];

/// Leaves a result.
pub(crate) fn say(bytes: Said) {
    SAID.replace(bytes);
}

/// The items in a part of the frame.
#[derive(Clone, Copy)]
pub(crate) struct Items<'f>(pub(crate) &'f [u8]);

impl<'f> Iterator for Items<'f> {
    type Item = (u8, &'f [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, bytes))
    }
}

/// The host writes only UTF-8; anything else is read as empty.
#[cfg(feature = "receiver")]
pub(crate) fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

/// Unchecked, because the check takes more code than the hash.
#[cfg(not(feature = "receiver"))]
#[expect(
    unsafe_code,
    reason = "the host's own encoder wrote it, which writes UTF-8 alone"
)]
pub(crate) fn text(bytes: &[u8]) -> &str {
    // SAFETY: see above.
    unsafe { str::from_utf8_unchecked(bytes) }
}

/// Adds an item that is made of these parts.
#[cfg(feature = "receiver")]
#[inline(never)]
pub(crate) fn item(bytes: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    bytes.push(tag);
    bytes.extend_from_slice(&(length as u32).to_le_bytes());
    for part in parts {
        bytes.extend_from_slice(part);
    }
}

/// Numbers in a row; NaN stands for none.
#[cfg(feature = "receiver")]
pub(crate) fn numbers<const COUNT: usize>(numbers: [f64; COUNT]) -> Vec<u8> {
    let bytes = numbers.map(f64::to_le_bytes);
    bytes.as_flattened().to_vec()
}

/// The values of just the headers that a verifier looks at. The tag of each is the header's
/// place among [`Precheck::headers`].
pub(crate) struct Values<'f> {
    pub(crate) precheck: &'f Precheck,
    pub(crate) items: Items<'f>,
}

impl Headers for Values<'_> {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        let mut names = self.precheck.headers();
        let place = names.position(|known| ptr::eq(known, name));
        for (tag, value) in self.items {
            if Some(usize::from(tag)) == place {
                each(value);
            }
        }
    }
}
