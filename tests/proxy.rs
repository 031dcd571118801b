//! Headers of the PROXY protocol: whatever octets come, and whatever header is made.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;
use rota::wire::proxy::{self, Header};

#[path = "../fuzz/judges.rs"]
mod judges;

/// A header for a connection between these, in either version, with octets behind its addresses.
fn header(source: SocketAddr, to: SocketAddr, second: bool, more: &[u8]) -> Vec<u8> {
    if !second {
        let family = if source.is_ipv4() { 4 } else { 6 };
        let (from, at) = (source.ip(), to.ip());
        let ports = format!("{} {}", source.port(), to.port());
        return format!("PROXY TCP{family} {from} {at} {ports}\r\n").into_bytes();
    }
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let mut body = [octets(source.ip()), octets(to.ip())].concat();
    body.extend([source.port().to_be_bytes(), to.port().to_be_bytes()].concat());
    body.extend(more);
    let family = if source.is_ipv4() { 0x11 } else { 0x21 };
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
    header.push(family);
    header.extend((body.len() as u16).to_be_bytes());
    header.extend(body);
    header
}

fn pair() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let v4 = any::<([u8; 4], u16)>().prop_map(SocketAddr::from);
    let v6 = any::<([u8; 16], u16)>().prop_map(SocketAddr::from);
    let v4 = v4.boxed();
    let v6 = v6.boxed();
    prop_oneof![(v4.clone(), v4), (v6.clone(), v6)]
}

proptest! {
    #[test]
    fn what_a_proxy_says_is_understood(
        (source, to) in pair(),
        second in any::<bool>(),
        more in prop::collection::vec(any::<u8>(), 0..200),
        rest in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let made = header(source, to, second, &more);
        let expected = Ok(Some(Header { len: made.len(), client: Some(source) }));
        prop_assert_eq!(proxy::parse(&[&made[..], &rest].concat()), expected);
        judges::proxy(&made);
    }

    #[test]
    fn damaged_headers_are_judged_alike_in_pieces(
        (source, to) in pair(),
        second in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut made = header(source, to, second, b"");
        for (at, octet) in damage {
            let at = at.index(made.len());
            made[at] = octet;
        }
        judges::proxy(&made);
    }

    #[test]
    fn any_octets_are_judged(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        judges::proxy(&octets);
    }
}
