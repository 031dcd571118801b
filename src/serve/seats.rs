//! How many connections there may be, in all and from one client, whatever is spoken on them.
//!
//! RFC 7766 §6.2.2 asks clients to be few and lets servers enforce it. Both numbers stand under
//! one lock, taken once when a connection comes and once when it goes, never for a query.
//!
//! A client is an IPv4 address or an IPv6 /64: who has one address of a /64 usually has all of
//! them, and could otherwise count as 2^64 clients. A connection of a proxy takes its seat first
//! and gets its client when the proxy has said for whom it is.
//!
//! When all seats are taken, a thread makes room among its own connections. One that cannot,
//! because none of them is idle, asks the other threads: whoever comes next finds a seat.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Limits;

/// The seats of a server, shared by its threads.
#[derive(Debug)]
pub(super) struct Seats {
    limits: Limits,
    taken: Mutex<Taken>,
    wanted: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    /// Only clients that have a seat.
    by_client: HashMap<IpAddr, usize>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    /// None until it is known.
    client: Option<IpAddr>,
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// This client has as many as it may have. Looked at first: it shall not push others out.
    Client,
    /// All are taken.
    House,
}

impl Seats {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default(), wanted: Notify::new() })
    }

    /// Takes a seat for this client; or for one who is not known yet.
    pub(super) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Seat, Full> {
        let mut taken = self.taken();
        let client = address.map(client_of);
        taken.judge(client, &self.limits)?;
        if taken.total >= self.limits.connections {
            return Err(Full::House);
        }
        taken.total += 1;
        taken.count(client);
        Ok(Seat { seats: Arc::clone(self), client })
    }

    /// Asks another thread for a seat.
    pub(super) fn want(&self) {
        self.wanted.notify_one();
    }

    /// Waits until another thread asks for a seat.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Numbers are whole at every moment, so a thread that panicked elsewhere does not matter.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Whether this client may have one more.
    fn judge(&self, client: Option<IpAddr>, limits: &Limits) -> Result<(), Full> {
        let held = client.and_then(|client| self.by_client.get(&client)).copied().unwrap_or(0);
        if held < limits.connections_per_client { Ok(()) } else { Err(Full::Client) }
    }

    fn count(&mut self, client: Option<IpAddr>) {
        if let Some(client) = client {
            *self.by_client.entry(client).or_default() += 1;
        }
    }

    fn discount(&mut self, client: Option<IpAddr>) {
        let Some(client) = client else { return };
        if let Some(held) = self.by_client.get_mut(&client) {
            *held -= 1;
            if *held == 0 {
                self.by_client.remove(&client);
            }
        }
    }
}

impl Seat {
    /// Makes it the seat of this client, if that may have one more.
    pub(super) fn assign(&mut self, address: IpAddr) -> Result<(), Full> {
        let client = Some(client_of(address));
        let mut taken = self.seats.taken();
        taken.discount(self.client.take());
        taken.judge(client, &self.seats.limits)?;
        taken.count(client);
        self.client = client;
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.total -= 1;
        taken.discount(self.client);
    }
}

fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (!0 << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes seats for each client in turn (`-client`: gives its oldest back; `~client`: by a
    /// proxy) and compares.
    #[track_caller]
    fn check(steps: &[(&str, Result<(), Full>)]) {
        let limits = Limits { connections: 3, connections_per_client: 2, ..Limits::default() };
        let seats = Seats::new(limits);
        let mut held: Vec<(IpAddr, Seat)> = Vec::new();
        for &(step, expected) in steps {
            if let Some(leaver) = step.strip_prefix('-') {
                let leaver: IpAddr = leaver.parse().unwrap();
                let oldest = held.iter().position(|(client, _)| *client == leaver).unwrap();
                held.remove(oldest);
                continue;
            }
            let client = step.trim_start_matches('~').parse().unwrap();
            let taken = match step.starts_with('~') {
                true => seats.take(None).and_then(|mut seat| seat.assign(client).map(|()| seat)),
                false => seats.take(Some(client)),
            };
            assert_eq!(taken.as_ref().map(|_| ()), expected.as_ref().map(|_| ()), "{step}");
            held.extend(taken.map(|seat| (client, seat)));
        }
        held.clear();
        let taken = seats.taken();
        assert_eq!((taken.total, taken.by_client.len()), (0, 0), "every seat came back");
    }

    #[test]
    fn one_client_has_its_share_and_all_have_the_house() {
        check(&[
            ("192.0.2.1", Ok(())),
            ("192.0.2.1", Ok(())),
            ("192.0.2.1", Err(Full::Client)),
            ("192.0.2.2", Ok(())),
            ("192.0.2.3", Err(Full::House)),
            ("192.0.2.1", Err(Full::Client)),
            ("-192.0.2.1", Ok(())),
            ("192.0.2.3", Ok(())),
            ("192.0.2.1", Err(Full::House)),
        ]);
    }

    #[test]
    fn a_client_behind_a_proxy_has_no_more_than_another() {
        check(&[
            ("~192.0.2.1", Ok(())),
            ("192.0.2.1", Ok(())),
            ("~192.0.2.1", Err(Full::Client)),
            ("~::ffff:192.0.2.1", Err(Full::Client)),
            ("-192.0.2.1", Ok(())),
            ("~192.0.2.1", Ok(())),
            ("~192.0.2.2", Ok(())),
            ("~192.0.2.3", Err(Full::House)),
        ]);
    }

    #[test]
    fn a_v6_client_is_its_network() {
        check(&[
            ("2001:db8::1", Ok(())),
            ("2001:db8::ffff:1", Ok(())),
            ("2001:db8::2", Err(Full::Client)),
            ("2001:db8:0:1::2", Ok(())),
        ]);
    }
}
