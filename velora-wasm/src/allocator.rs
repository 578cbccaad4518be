//! A small allocator for what allocates when it is made, and for its frame; a quick one,
//! however much is held, for stores of many keys.

#[cfg(not(feature = "receiver"))]
mod chosen {
    #![allow(
        unsafe_code,
        reason = "a global allocator is promised to be used by one thread"
    )]

    use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

    // SAFETY: a module without shared memory has one thread.
    #[global_allocator]
    static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
        unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };
}

#[cfg(feature = "receiver")]
mod chosen {
    use rlsf::{GlobalTlsf, GlobalTlsfOptions};

    struct Small;

    impl GlobalTlsfOptions for Small {
        // What grows is copied.
        const ENABLE_REALLOCATION: bool = false;
    }

    #[global_allocator]
    static ALLOCATOR: GlobalTlsf<Small> = GlobalTlsf::new();
}
