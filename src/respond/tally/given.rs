//! What the answer at hand says of a service: noted while it is written, and used once it is known
//! to go out.

use crate::snapshot::{AddressSlot, PoolSlot};

/// What an answer says of a service.
#[derive(Debug, Default)]
pub(in crate::respond) struct Given {
    /// The addresses that it names, in order.
    named: Vec<AddressSlot>,
    /// For how long, in seconds.
    ttl: u32,
    /// A pool of the service.
    service: Option<PoolSlot>,
}

impl Given {
    /// Another query.
    pub(super) fn reset(&mut self) {
        self.forget();
        self.service = None;
    }

    /// It is about the service with this pool.
    pub(in crate::respond) fn about(&mut self, service: Option<PoolSlot>) {
        self.service = service;
    }

    pub(super) fn service(&self) -> Option<PoolSlot> {
        self.service
    }

    /// An answer that lives so long is about to be written.
    pub(in crate::respond) fn begin(&mut self, ttl: u32) {
        self.named.clear();
        self.ttl = ttl;
    }

    /// It says nothing of a service, or there is no room for what it would say.
    pub(in crate::respond) fn forget(&mut self) {
        self.named.clear();
    }

    /// It names this address.
    pub(in crate::respond) fn name(&mut self, address: AddressSlot) {
        // There is room for all of the largest service: see [`Self::reserve`].
        if self.named.len() < self.named.capacity() {
            self.named.push(address);
        }
    }

    /// Makes room for so many addresses.
    pub(super) fn reserve(&mut self, addresses: usize) {
        self.forget();
        self.named.reserve(addresses);
    }

    pub(super) fn named(&self) -> &[AddressSlot] {
        &self.named
    }

    pub(super) fn ttl(&self) -> u32 {
        self.ttl
    }
}
