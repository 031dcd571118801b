//! A ring that this process and the kernel share: one writes slots, the other reads them.
//!
//! ```text
//!   producer ─┐ next slot to be written           consumer ─┐ next slot to be read
//!             ▼                                             ▼
//!   | … written, not yet read … |        both count up for ever; a slot is the number's lower bits
//! ```
//!
//! Each side moves its own number and reads the other's: slots before the producer's number are
//! written (released, acquired), slots before the consumer's are free. What one side has done
//! counts for the other when its number is stored, once a batch.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// Memory that is mapped until this is dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory is not bound to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Memory of zeroes, of the process alone.
    pub(super) fn anonymous(len: usize) -> io::Result<Self> {
        Self::new(len, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE, None)
    }

    /// What a descriptor stands for, shared.
    pub(super) fn of(descriptor: BorrowedFd<'_>, offset: u64, len: usize) -> io::Result<Self> {
        let offset = libc::off_t::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        Self::new(len, libc::MAP_SHARED | libc::MAP_POPULATE, Some((descriptor, offset)))
    }

    fn new(
        len: usize,
        flags: libc::c_int,
        of: Option<(BorrowedFd<'_>, libc::off_t)>,
    ) -> io::Result<Self> {
        let (descriptor, offset) = of.map_or((-1, 0), |(fd, offset)| (fd.as_raw_fd(), offset));
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: without an address to be at, a new mapping touches no other.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, descriptor, offset) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len })
    }

    /// Where it begins.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where a value of this type stands in it.
    fn at<T>(&self, offset: u64, count: usize) -> io::Result<NonNull<T>> {
        let wrong = || io::Error::other("the kernel's ring is laid out in an unknown way");
        let offset = usize::try_from(offset).map_err(|_| wrong())?;
        let end = size_of::<T>().checked_mul(count).and_then(|len| offset.checked_add(len));
        if end.is_none_or(|end| end > self.len) || !offset.is_multiple_of(align_of::<T>()) {
            return Err(wrong());
        }
        // SAFETY: the offset lies within the mapping, as was just seen.
        Ok(unsafe { self.start.add(offset) }.cast())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped by `new`, and whoever has pointers into it owns it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// What rings are made of, whoever writes them.
#[derive(Debug)]
struct Ring<T> {
    _memory: Mapping,
    producer: NonNull<AtomicU32>,
    consumer: NonNull<AtomicU32>,
    flags: NonNull<AtomicU32>,
    slots: NonNull<T>,
    len: u32,
    /// Our number, ahead of what the kernel was shown.
    ours: u32,
    /// The kernel's number when it was last read.
    theirs: u32,
    _slots: PhantomData<T>,
}

// SAFETY: it owns its memory, which is not bound to a thread, and slots are plain numbers.
unsafe impl<T: Send> Send for Ring<T> {}

impl<T: Copy> Ring<T> {
    fn new(
        descriptor: BorrowedFd<'_>,
        page: u64,
        offsets: libc::xdp_ring_offset,
        len: u32,
    ) -> io::Result<Self> {
        let octets = offsets.desc + u64::from(len) * size_of::<T>() as u64;
        let octets = usize::try_from(octets).map_err(|_| io::ErrorKind::InvalidInput)?;
        let memory = Mapping::of(descriptor, page, octets)?;
        Ok(Self {
            producer: memory.at(offsets.producer, 1)?,
            consumer: memory.at(offsets.consumer, 1)?,
            flags: memory.at(offsets.flags, 1)?,
            slots: memory.at(offsets.desc, len as usize)?,
            _memory: memory,
            len,
            ours: 0,
            theirs: 0,
            _slots: PhantomData,
        })
    }

    fn producer(&self) -> &AtomicU32 {
        // SAFETY: it points into the memory that `self` owns, aligned; the kernel changes it as an
        // atomic number too.
        unsafe { self.producer.as_ref() }
    }

    fn consumer(&self) -> &AtomicU32 {
        // SAFETY: as above.
        unsafe { self.consumer.as_ref() }
    }

    fn slot(&self, number: u32) -> NonNull<T> {
        // SAFETY: the length is a power of two, so that the index is below it, and there are so
        // many slots in the memory that `self` owns.
        unsafe { self.slots.add((number & (self.len - 1)) as usize) }
    }
}

/// A ring that the kernel writes and this process reads.
#[derive(Debug)]
pub(super) struct Reader<T>(Ring<T>);

impl<T: Copy> Reader<T> {
    /// The ring of a socket that is mapped at this page; `len` is a power of two.
    pub(super) fn new(
        descriptor: BorrowedFd<'_>,
        page: u64,
        offsets: libc::xdp_ring_offset,
        len: u32,
    ) -> io::Result<Self> {
        Ring::new(descriptor, page, offsets, len).map(Self)
    }

    /// The next slot, if one is written.
    pub(super) fn take(&mut self) -> Option<T> {
        let ring = &mut self.0;
        if ring.ours == ring.theirs {
            ring.theirs = ring.producer().load(Ordering::Acquire);
            if ring.ours == ring.theirs {
                return None;
            }
        }
        // SAFETY: the kernel has written the slot before it moved its number beyond it, and writes
        // it again only after our number was stored.
        let value = unsafe { ring.slot(ring.ours).read() };
        ring.ours = ring.ours.wrapping_add(1);
        Some(value)
    }

    /// Lets the kernel write what was taken.
    pub(super) fn release(&mut self) {
        self.0.consumer().store(self.0.ours, Ordering::Release);
    }
}

/// A ring that this process writes and the kernel reads.
#[derive(Debug)]
pub(super) struct Writer<T>(Ring<T>);

impl<T: Copy> Writer<T> {
    /// The ring of a socket that is mapped at this page; `len` is a power of two.
    pub(super) fn new(
        descriptor: BorrowedFd<'_>,
        page: u64,
        offsets: libc::xdp_ring_offset,
        len: u32,
    ) -> io::Result<Self> {
        Ring::new(descriptor, page, offsets, len).map(Self)
    }

    /// Writes the next slot; false where none is free.
    pub(super) fn put(&mut self, value: T) -> bool {
        let ring = &mut self.0;
        if ring.ours.wrapping_sub(ring.theirs) >= ring.len {
            ring.theirs = ring.consumer().load(Ordering::Acquire);
            if ring.ours.wrapping_sub(ring.theirs) >= ring.len {
                return false;
            }
        }
        // SAFETY: the kernel has moved its number beyond this slot, or never read it, and reads it
        // only after our number was stored.
        unsafe { ring.slot(ring.ours).write(value) };
        ring.ours = ring.ours.wrapping_add(1);
        true
    }

    /// Lets the kernel read what was written.
    pub(super) fn publish(&mut self) {
        self.0.producer().store(self.0.ours, Ordering::Release);
    }

    /// Whether the kernel has yet to read something.
    pub(super) fn is_pending(&self) -> bool {
        self.0.consumer().load(Ordering::Acquire) != self.0.ours
    }

    /// Whether the kernel looks only when it is told.
    pub(super) fn wants_a_call(&self) -> bool {
        // SAFETY: as in `producer`.
        let flags = unsafe { self.0.flags.as_ref() };
        flags.load(Ordering::Relaxed) & libc::XDP_RING_NEED_WAKEUP != 0
    }
}
