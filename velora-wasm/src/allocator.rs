//! The allocator: a minimal one for a module that keeps nothing but the frame, and one that
//! stays fast for stores with many keys.

#[cfg(not(feature = "receiver"))]
mod chosen {
    #![expect(unsafe_code, reason = "memory is given out by its address")]

    use std::alloc::{GlobalAlloc, Layout};
    use std::arch::wasm32::{memory_grow, memory_size};
    use std::ptr;
    use std::sync::atomic::{AtomicBool, Ordering};

    const PAGE: usize = 64 * 1024;

    unsafe extern "C" {
        /// The end of the linker's layout.
        static mut __heap_base: u8;
    }

    /// One block at a time, after everything else.
    struct OneBlock {
        taken: AtomicBool,
    }

    impl OneBlock {
        fn place(layout: Layout) -> Option<*mut u8> {
            let base = (&raw mut __heap_base).expose_provenance();
            let place = base.checked_next_multiple_of(layout.align())?;
            let end = place.checked_add(layout.size())?;
            let missing = end.div_ceil(PAGE).saturating_sub(memory_size::<0>());
            let grown = missing == 0 || memory_grow::<0>(missing) != usize::MAX;
            grown.then(|| ptr::with_exposed_provenance_mut(place))
        }
    }

    // SAFETY: the block lies in memory that nothing else uses, and is not given out again until
    // it is returned: requests in between are refused, and a refused request ends the module.
    unsafe impl GlobalAlloc for OneBlock {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if self.taken.swap(true, Ordering::Relaxed) {
                return ptr::null_mut();
            }
            Self::place(layout).unwrap_or(ptr::null_mut())
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
            self.taken.store(false, Ordering::Relaxed);
        }
    }

    #[global_allocator]
    static ALLOCATOR: OneBlock = OneBlock {
        taken: AtomicBool::new(false),
    };
}

#[cfg(feature = "receiver")]
mod chosen {
    use rlsf::{GlobalTlsf, GlobalTlsfOptions};

    struct Small;

    impl GlobalTlsfOptions for Small {
        // A growing block is copied.
        const ENABLE_REALLOCATION: bool = false;
    }

    #[global_allocator]
    static ALLOCATOR: GlobalTlsf<Small> = GlobalTlsf::new();
}
