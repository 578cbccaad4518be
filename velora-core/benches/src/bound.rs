//! The time below which no HMAC-SHA-256 verifier can go.

use std::hint::black_box;

use sha2::block_api::compress256;

const BLOCK: usize = 64;

/// Long enough that the call costs nothing beside it, short enough for the cache
/// nearest to the core.
const RUN: usize = 256;

/// `t=`, ten digits and a dot: what Velora Health signs before the body.
const PREFIX: usize = 13;

/// The compressions that a delivery needs, once the key's own two are done in
/// advance: the padded message, and the outer hash.
pub fn blocks(body_bytes: usize) -> usize {
    // The padding is a bit and a length of eight bytes: nine bytes.
    (PREFIX + body_bytes + 9).div_ceil(BLOCK) + 1
}

/// Compresses blocks for their own sake.
#[derive(Debug)]
pub struct Compression {
    state: [u32; 8],
    run: Vec<[u8; BLOCK]>,
}

impl Compression {
    /// The blocks that one [`run`](Self::run) compresses.
    pub const BLOCKS: usize = RUN;

    /// A run of blocks, ready to be compressed.
    pub fn new() -> Self {
        Self {
            state: [0x6a09_e667; 8],
            run: vec![[0x5a; BLOCK]; RUN],
        }
    }

    /// Compresses [`BLOCKS`](Self::BLOCKS) blocks in one call.
    pub fn run(&mut self) {
        compress256(&mut self.state, black_box(&self.run));
        black_box(&self.state);
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_those_of_the_padded_message_and_one() {
        // 13 + 42 + 9 bytes just fill a block.
        assert_eq!(
            [blocks(0), blocks(42), blocks(43), blocks(350)],
            [2, 2, 3, 7]
        );
    }

    #[test]
    fn a_run_changes_the_state() {
        let mut compression = Compression::new();
        let before = compression.state;
        compression.run();
        assert_ne!(compression.state, before);
    }
}
