//! The memory that texts and bytes are handed over in, both ways.
//!
//! JavaScript writes into it between two calls, never during one. Several texts are
//! items: a tag (one byte), a length (four bytes, the lowest first), and the bytes.

use std::cell::RefCell;

use velora_core::{HeaderName, Headers, Precheck};
use wasm_bindgen::prelude::wasm_bindgen;

/// What is larger is given back once a smaller request comes.
const KEPT: usize = 64 * 1024;

thread_local! {
    static FRAME: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for so many bytes, and says where it is; of none it only says where.
#[wasm_bindgen]
pub fn reserve(bytes: usize) -> *const u8 {
    FRAME.with_borrow_mut(|frame| {
        let fits = frame.len() >= bytes && (frame.len() <= KEPT || bytes > KEPT);
        if bytes > 0 && !fits {
            // Not resized: what stands in it need not be copied.
            *frame = Vec::new();
            *frame = vec![0; bytes.max(KEPT)];
        }
        frame.as_ptr()
    })
}

/// Calls with the first so many bytes, and with so many bytes behind them.
pub(crate) fn read<T>(first: usize, behind: usize, call: impl FnOnce(&[u8], &[u8]) -> T) -> T {
    FRAME.with_borrow(|frame| {
        let (first, rest) = frame.split_at_checked(first).unwrap_or_default();
        call(first, rest.get(..behind).unwrap_or_default())
    })
}

/// Puts an answer at the start: gives its length. What there is no room for is left out.
pub(crate) fn write(bytes: &[u8]) -> usize {
    FRAME.with_borrow_mut(|frame| {
        let length = bytes.len().min(frame.len());
        if let (Some(slot), Some(bytes)) = (frame.get_mut(..length), bytes.get(..length)) {
            slot.copy_from_slice(bytes);
        }
        length
    })
}

/// The items of a piece of the frame.
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

/// The values of just the headers that a verifier looks at: the tag of each is its place
/// among [`Precheck::headers`].
pub(crate) struct Values<'f> {
    pub(crate) precheck: &'f Precheck,
    pub(crate) items: Items<'f>,
}

impl Headers for Values<'_> {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        let mut names = self.precheck.headers();
        let place = names.position(|known| known.as_str() == name.as_str());
        for (tag, value) in self.items {
            if Some(usize::from(tag)) == place {
                each(value);
            }
        }
    }
}
