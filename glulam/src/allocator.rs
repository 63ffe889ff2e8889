//! Where memory comes from. Queries make and drop many small pieces of it from several threads, at which the system's
//! allocator is slow: it is mimalloc's.
//!
//! Pages are small but for the large pieces, which are asked for as huge ones. With small ones alone, a third of the time
//! of a join over large tables went into pages that were touched for the first time; with huge ones everywhere, a job that
//! writes many partitions spent a fifth of its time clearing two megabytes whenever a byte of them was touched anew, and
//! held more memory.
#![allow(unsafe_code, reason = "an allocator cannot be written, nor the system asked for pages, without it")]

use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout};

/// What allocates everything.
pub(crate) struct Allocator(MiMalloc);

/// The size of a huge page on the machines we know. Where it is another, the advice is still only advice.
const HUGE: usize = 2 << 20;
/// From this size on, pieces are large: hash tables and columns that grow, not the buffers of batches.
const LARGE: usize = 4 << 20;

impl Allocator {
    /// The only one there is.
    pub(crate) const NEW: Self = Self(MiMalloc);
}

/// Asks for huge pages below what was just allocated, and not yet touched.
fn advise(start: *mut u8, size: usize) {
    #[cfg(target_os = "linux")]
    {
        let from = start.addr().next_multiple_of(HUGE);
        let to = (start.addr() + size) / HUGE * HUGE;
        if !start.is_null() && to > from {
            // SAFETY: the range lies within one piece that is ours. Advice changes no byte; whether it is taken does not
            // matter, so what the system answers does not either.
            unsafe {
                nix::libc::madvise(start.with_addr(from).cast(), to - from, nix::libc::MADV_HUGEPAGE);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (start, size, HUGE);
}

// SAFETY: every piece comes from mimalloc and goes back to it with the layout it was made for; advice about its pages
// leaves its bytes as they are.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are mimalloc's conditions.
        let start = unsafe { self.0.alloc(layout) };
        if layout.size() >= LARGE {
            advise(start, layout.size());
        }
        start
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.0.dealloc(start, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above. Pages fresh from the system are zero already and not touched by this.
        let start = unsafe { self.0.alloc_zeroed(layout) };
        if layout.size() >= LARGE {
            advise(start, layout.size());
        }
        start
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size < LARGE || size <= layout.size() {
            // SAFETY: as above.
            return unsafe { self.0.realloc(start, layout, size) };
        }
        // mimalloc would copy as well, into pages for which nothing was asked yet.
        // SAFETY: the caller promises that the size, rounded up to the alignment, is no overflow. The new piece is another
        // one and longer, and the old one is not used after this.
        unsafe {
            let grown = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !grown.is_null() {
                std::ptr::copy_nonoverlapping(start, grown, layout.size());
                self.dealloc(start, layout);
            }
            grown
        }
    }
}

/// Sees to it that pages are huge only where they were asked for, as the system is set up or not.
#[cfg(target_os = "linux")]
pub(crate) fn huge_pages_on_request() {
    /// `PR_THP_DISABLE_EXCEPT_ADVISED` of Linux 6.18.
    const EXCEPT_ADVISED: nix::libc::c_ulong = 1 << 1;
    const ON: nix::libc::c_ulong = 1;
    const NONE: nix::libc::c_ulong = 0;
    // SAFETY: this call takes numbers and changes a switch of this process.
    let done = unsafe { nix::libc::prctl(nix::libc::PR_SET_THP_DISABLE, ON, EXCEPT_ADVISED, NONE, NONE) };
    if done == 0 {
        return;
    }
    let set = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    if set.contains("[always]") {
        // An older system knows only all or nothing.
        let _ = nix::sys::prctl::set_thp_disable(true);
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn huge_pages_on_request() {}
