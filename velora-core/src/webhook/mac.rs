//! HMAC-SHA-256 (RFC 2104) whose keyed state is computed once.
//!
//! The `hmac` crate gives the same result, and the tests hold this module to it.
//! It copies each message through its own block buffer, which at the size of a
//! webhook costs more than the hash of a block; here the signed prefix and the
//! head of the body share the first block, and the rest of the body is hashed
//! where it lies.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

const BLOCK: usize = 64;

/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A MAC as eight big-endian words, compared in constant time only.
#[derive(Clone, Copy)]
pub(crate) struct Mac([u32; 8]);

impl Mac {
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let mut mac = [0; 8];
        for (word, bytes) in mac.iter_mut().zip(words) {
            *word = u32::from_be_bytes(*bytes);
        }
        Self(mac)
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let (words, _) = bytes.as_chunks_mut::<4>();
        for (bytes, word) in words.iter_mut().zip(self.0) {
            *bytes = word.to_be_bytes();
        }
        bytes
    }

    /// All 32 bytes against all 32 bytes, whatever the first difference.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(&other.0).into()
    }
}

/// What stands under the MAC before the body; it always fits the first block.
#[derive(Clone)]
pub(crate) struct Prefix {
    block: [u8; BLOCK],
    len: usize,
}

impl Prefix {
    pub(crate) const EMPTY: Self = Self {
        block: [0; BLOCK],
        len: 0,
    };

    /// Appends; what would not fit the block is refused with `None`.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        self.block.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.block.get(..self.len).unwrap_or_default()
    }
}

/// A secret as the two hash states that every MAC under it starts from.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct MacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl MacKey {
    pub(crate) fn new(secret: &[u8]) -> Self {
        let mut key = [0; BLOCK];
        if secret.len() <= BLOCK {
            put(&mut key, 0, secret);
        } else {
            put(&mut key, 0, &Sha256::digest(secret));
        }
        let this = Self {
            inner: padded_state(&key, 0x36),
            outer: padded_state(&key, 0x5c),
        };
        key.zeroize();
        this
    }

    /// The MAC over `prefix` and `body`: their own blocks, and one more.
    pub(crate) fn mac(&self, prefix: &Prefix, body: &[u8]) -> Mac {
        let mut state = self.inner;
        let mut block = prefix.block;
        let mut used = prefix.len;

        let (head, rest) = body.split_at(body.len().min(BLOCK - used));
        put(&mut block, used, head);
        used += head.len();
        if used == BLOCK {
            compress256(&mut state, &[block]);
            let (whole, tail) = rest.as_chunks::<BLOCK>();
            compress256(&mut state, whole);
            block = [0; BLOCK];
            put(&mut block, 0, tail);
            used = tail.len();
        }

        // The key's own block counts into the length.
        let bytes = BLOCK as u64 + prefix.len as u64 + body.len() as u64;
        finish(&mut state, block, used, bytes);

        let mut digest = [0; BLOCK];
        put(&mut digest, 0, &Mac(state).to_bytes());
        let mut outer = self.outer;
        finish(&mut outer, digest, 32, BLOCK as u64 + 32);
        Mac(outer)
    }
}

fn padded_state(key: &[u8; BLOCK], pad: u8) -> [u32; 8] {
    let mut block = key.map(|byte| byte ^ pad);
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    block.zeroize();
    state
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    // Every caller stays inside the block.
    if let Some(slot) = block.get_mut(at..at + bytes.len()) {
        slot.copy_from_slice(bytes);
    }
}

/// Pads the last block (zero from `used` on) of a message of `bytes` bytes, and hashes it.
fn finish(state: &mut [u32; 8], mut block: [u8; BLOCK], used: usize, bytes: u64) {
    put(&mut block, used, &[0x80]);
    if used >= BLOCK - 8 {
        compress256(state, &[block]);
        block = [0; BLOCK];
    }
    put(&mut block, BLOCK - 8, &bytes.wrapping_mul(8).to_be_bytes());
    compress256(state, &[block]);
}
