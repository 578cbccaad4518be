//! A small allocator, quick however much is held: a store has many keys.

use rlsf::{GlobalTlsf, GlobalTlsfOptions};

struct Small;

impl GlobalTlsfOptions for Small {
    // What grows is copied.
    const ENABLE_REALLOCATION: bool = false;
}

#[global_allocator]
static ALLOCATOR: GlobalTlsf<Small> = GlobalTlsf::new();
