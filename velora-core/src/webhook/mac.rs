//! HMAC-SHA-256 (RFC 2104) whose keyed state is computed once.
//!
//! The tests compare the results with those of the `hmac` crate. That crate copies each message
//! through its own block buffer, which for a webhook costs more than hashing a block. Here the
//! signed prefix and the start of the body share the first block, and the rest of the body is
//! hashed in place.

use std::fmt;
use std::slice::from_ref;

use sha2::block_api::compress256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::ConfigError;
use crate::secret::{self, SigningSecret};

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
pub(crate) struct Mac(pub(super) [u32; 8]);

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

    /// Compares all 32 bytes, wherever the first difference is.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        let difference = pairs.fold(0, |difference, (a, b)| difference | (a ^ b));
        difference.ct_eq(&0).into()
    }
}

/// The bytes under the MAC before the body; they always fit into the first block.
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

    /// Appends the bytes; `None` if they do not fit into the block.
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

/// A secret as the two hash states that every MAC under it starts from, for hosts that keep it
/// themselves. It verifies and signs as the secret does, so guard it like the secret.
///
/// `Debug` shows nothing of it, and its memory is wiped on drop.
///
/// ```
/// use velora_core::{HashedSecret, Precheck, Scheme, Signer, SigningSecret, UnixTime};
///
/// let secret = SigningSecret::new("0123456789abcdef0123456789abcdef")?;
/// let kept: [u8; 64] = HashedSecret::new(&secret).to_bytes();
///
/// let now = UnixTime::from_secs(1_780_000_000);
/// let signed = Signer::new(Scheme::named("tv")?, [secret])?.sign_at(br#"{"id":"evt_1"}"#, now);
/// let secrets = [HashedSecret::from_bytes(&kept)];
/// let precheck = Precheck::new(Scheme::named("tv")?)?;
/// let delivery = precheck.verify_at(&signed.body, &signed.headers, now, secrets)?;
/// assert_eq!(delivery.body(), signed.body);
/// # Ok::<(), velora_core::Error>(())
/// ```
#[derive(Clone, ZeroizeOnDrop)]
pub struct HashedSecret {
    inner: [u32; 8],
    outer: [u32; 8],
}

/// The secrets of one owner, or of several.
#[cfg(feature = "full")]
pub(crate) type Secrets = std::sync::Arc<[HashedSecret]>;
#[cfg(not(feature = "full"))]
pub(crate) type Secrets = Vec<HashedSecret>;

impl HashedSecret {
    /// Hashes a secret.
    pub fn new(secret: &SigningSecret) -> Self {
        Self::of(secret.expose_secret())
    }

    /// Hashes a secret that is text, as [`SigningSecret::new`] takes it.
    ///
    /// Errors: `empty_secret`, `secret_has_whitespace`.
    pub fn of_text(text: &str) -> Result<Self, ConfigError> {
        secret::of_text(text).map(Self::of)
    }

    /// Hashes a secret that is raw bytes, as [`SigningSecret::from_bytes`] takes it.
    ///
    /// Errors: `empty_secret`.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, ConfigError> {
        secret::of_bytes(bytes).map(Self::of)
    }

    /// The states. Guard them like the secret.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let (inner, outer) = bytes.split_at_mut(32);
        inner.copy_from_slice(&Mac(self.inner).to_bytes());
        outer.copy_from_slice(&Mac(self.outer).to_bytes());
        bytes
    }

    /// Restores what [`to_bytes`](Self::to_bytes) returned.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let mut states = [[0; 8]; 2];
        let (words, _) = bytes.as_chunks::<4>();
        for (word, bytes) in states.as_flattened_mut().iter_mut().zip(words) {
            *word = u32::from_be_bytes(*bytes);
        }
        let [inner, outer] = states;
        Self { inner, outer }
    }

    /// Checks that this many secrets are enough for a verifier or a signer.
    ///
    /// Errors: `no_secret`.
    pub fn are_enough(secrets: usize) -> Result<(), ConfigError> {
        match secrets {
            0 => Err(ConfigError::NoSecret),
            _ => Ok(()),
        }
    }

    fn of(secret: &[u8]) -> Self {
        let mut key = [0; BLOCK];
        if secret.len() <= BLOCK {
            put(&mut key, 0, secret);
        } else {
            put(&mut key, 0, &sha256(secret));
        }
        let this = Self {
            inner: padded_state(&key, 0x36),
            outer: padded_state(&key, 0x5c),
        };
        key.zeroize();
        this
    }

    /// The MAC over `prefix` and `body`: their own blocks, and one more.
    #[inline]
    pub(crate) fn mac(&self, prefix: &Prefix, body: &[u8]) -> Mac {
        let mut blocks = EMPTY;
        let state = hash(self.inner, BLOCK, prefix, body, &mut blocks);

        let mut digest = OUTER;
        let (words, _) = digest.as_chunks_mut::<4>();
        for (bytes, word) in words.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        let mut outer = self.outer;
        compress256(&mut outer, from_ref(&digest));
        Mac(outer)
    }
}

impl fmt::Debug for HashedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedSecret(..)")
    }
}

/// The parts of a message that are copied because they are not whole blocks: the first block,
/// and the one or two that end it.
type Blocks = [[u8; BLOCK]; 3];
const EMPTY: Blocks = [[0; BLOCK]; 3];

/// Continues from a state that has seen `before` bytes, with `prefix` and `body`, to the end.
fn hash(
    mut state: [u32; 8],
    before: usize,
    prefix: &Prefix,
    body: &[u8],
    [first, last @ ..]: &mut Blocks,
) -> [u32; 8] {
    let bytes = before as u64 + prefix.len as u64 + body.len() as u64;
    let (head, rest) = body.split_at(body.len().min(BLOCK - prefix.len));
    let used = prefix.len + head.len();
    if used < BLOCK {
        let flat = last.as_flattened_mut();
        put(flat, 0, prefix.as_bytes());
        put(flat, prefix.len, head);
        compress256(&mut state, pad(last, used, bytes));
    } else {
        // All copies come before the first compression, which hides their latency.
        *first = prefix.block;
        put(first, prefix.len, head);
        let (whole, tail) = rest.as_chunks::<BLOCK>();
        put(last.as_flattened_mut(), 0, tail);
        let last = pad(last, tail.len(), bytes);
        compress256(&mut state, from_ref(first));
        compress256(&mut state, whole);
        compress256(&mut state, last);
    }
    state
}

/// The block of the outer hash without the inner digest, which comes first: the padding of a
/// message of 64 + 32 bytes.
const OUTER: [u8; BLOCK] = {
    let mut block = [0; BLOCK];
    block[32] = 0x80;
    block[62] = 0x03;
    block
};

/// Pads a message of `bytes` bytes, whose last `used` bytes are in `last`. Returns the one or
/// two blocks that end it.
fn pad(last: &mut [[u8; BLOCK]; 2], used: usize, bytes: u64) -> &[[u8; BLOCK]] {
    let count = 1 + usize::from(used >= BLOCK - 8);
    let flat = last.as_flattened_mut();
    put(flat, used, &[0x80]);
    put(
        flat,
        count * BLOCK - 8,
        &bytes.wrapping_mul(8).to_be_bytes(),
    );
    last.get(..count).unwrap_or_default()
}

/// The digest of a secret that is longer than a block.
fn sha256(secret: &[u8]) -> [u8; 32] {
    let mut blocks = EMPTY;
    let state = hash(INITIAL, 0, &Prefix::EMPTY, secret, &mut blocks);
    blocks.as_flattened_mut().zeroize();
    Mac(state).to_bytes()
}

fn padded_state(key: &[u8; BLOCK], pad: u8) -> [u32; 8] {
    let mut block = key.map(|byte| byte ^ pad);
    let mut state = INITIAL;
    compress256(&mut state, from_ref(&block));
    block.zeroize();
    state
}

fn put(blocks: &mut [u8], at: usize, bytes: &[u8]) {
    // Every caller stays inside the blocks.
    if let Some(slot) = blocks.get_mut(at..at + bytes.len()) {
        slot.copy_from_slice(bytes);
    }
}
