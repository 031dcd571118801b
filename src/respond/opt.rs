//! The OPT record that a response gets, as far as it does not depend on the answer.
//!
//! | option in the query | in the response                                              |
//! |---------------------|--------------------------------------------------------------|
//! | NSID                | ours, if told                                                |
//! | client subnet       | the same, if trusted                                         |
//! | COOKIE              | a cookie                                                     |
//! | TCP keepalive       | over TCP and TLS the idle time, or FORMERR; else passed over |
//! | padding             | where it is encrypted, up to a whole block; else passed over |
//! | any other           | passed over                                                  |
//!
//! RFC 7871 §12.1 has a client subnet returned with every response, errors too, so that resolvers
//! know that it is understood; its scope is the answer's to set.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::snapshot::Settings;
use crate::steer::Asker;
use crate::wire::cookie::Trust;
use crate::wire::{Edns, Opt, OptionCode, Subnet};

use super::{Client, Transport};

/// The unit of the keepalive option's timeout. RFC 7828 §3.1.
const KEEPALIVE_UNIT: Duration = Duration::from_millis(100);

/// The client subnet of a query, if it comes from where one is believed. From elsewhere it is as if
/// it had not been sent, and the response has none: RFC 7871 §7.2.1 of a server without the option.
#[inline]
pub(super) fn subnet<'m>(
    edns: Option<&Edns<'m>>,
    source: IpAddr,
    settings: &Settings,
) -> Option<Subnet<'m>> {
    let subnet = edns?.options.subnet?;
    settings.ecs.trusts(source).then_some(subnet)
}

/// Whom the answer to a query with this subnet is for. RFC 7871 §7.1.2: where its prefix has no
/// bits, it is for the source.
#[inline]
pub(super) fn asker(subnet: Option<Subnet<'_>>, source: IpAddr) -> Asker {
    match subnet.and_then(|subnet| subnet.prefix()) {
        Some((address, length)) => Asker::prefix(address, length),
        None => Asker::source(source),
    }
}

/// Fills the record for the response to a client that speaks EDNS and told this subnet; gives what
/// its cookie is worth, if it sent one and cookies are in use.
pub(super) fn fill(
    opt: &mut Opt,
    edns: &Edns<'_>,
    subnet: Option<Subnet<'_>>,
    client: &Client,
    settings: &Settings,
    now: Option<Instant>,
) -> Option<Trust> {
    let asked = &edns.options;
    opt.begin(settings.udp_size, edns.dnssec_ok);
    let mut trust = None;
    if let (Some(cookie), Some(cookies), Some(now)) = (&asked.cookie, &settings.cookies, now) {
        // One client is one address, whichever kind of socket it came by.
        let ip = client.addr.ip().to_canonical();
        let (data, worth) = cookies.secrets.reply(cookie, ip, cookies.clock.unix(now));
        opt.option(OptionCode::COOKIE, &data);
        trust = Some(worth);
    }
    if let (true, Some(nsid)) = (asked.nsid, &settings.nsid) {
        opt.option(OptionCode::NSID, nsid.as_bytes());
    }
    if let Some(subnet) = subnet {
        opt.subnet(&subnet);
    }
    // RFC 7828 §3.3.2: only to a client that asked, and only over TCP.
    if asked.keepalive.is_some() && client.transport.has_keepalive() {
        let units = settings.idle.as_millis() / KEEPALIVE_UNIT.as_millis();
        let timeout = u16::try_from(units).unwrap_or(u16::MAX);
        opt.option(OptionCode::TCP_KEEPALIVE, &timeout.to_be_bytes());
    }
    // RFC 7830 §4 and §6: whoever pads is padded for, but not where others can read the text.
    if asked.padding && client.transport.is_encrypted() {
        opt.padded();
    }
    trust
}

/// True where the client says how long it will wait, which only a server may. RFC 7828 §3.2.1;
/// §3.2.2 has the option ignored over UDP.
pub(super) fn misuses_keepalive(edns: &Edns<'_>, transport: Transport) -> bool {
    transport.has_keepalive() && edns.options.keepalive.is_some_and(|len| len > 0)
}
