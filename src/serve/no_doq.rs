//! What stands for DNS over QUIC where it is not built in: nobody ever comes. A configuration that
//! asks for it is refused before.

use std::convert::Infallible;
use std::future::{Pending, pending};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;

use super::desk::Desk;
use super::presence::Presence;
use super::reception::End;

pub(super) struct Ports;

pub(super) struct Arrival(Infallible);

impl Ports {
    pub(super) fn open(_: Vec<UdpSocket>, _: &Desk) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn arrival(&mut self) -> Pending<Arrival> {
        pending()
    }

    pub(super) fn close(self) -> std::future::Ready<()> {
        std::future::ready(())
    }
}

impl Arrival {
    pub(super) fn peer(&self) -> SocketAddr {
        match self.0 {}
    }

    pub(super) fn refuse(self) {
        match self.0 {}
    }

    pub(super) fn receive(self, _: Rc<Desk>, _: Rc<Presence>) -> std::future::Ready<End> {
        match self.0 {}
    }
}
