//! A small allocator: a verifier allocates when it is made, and for its frame.

#![allow(
    unsafe_code,
    reason = "a global allocator is promised to be used by one thread"
)]

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

// SAFETY: a module without shared memory has one thread.
#[global_allocator]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };
