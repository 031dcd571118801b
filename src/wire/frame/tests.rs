use proptest::collection::vec;
use proptest::prelude::*;

use super::made::{Check, Made};
use super::*;

const V4: [&str; 2] = ["192.0.2.7:4000", "198.51.100.1:53"];
const V6: [&str; 2] = ["[2001:db8::7]:4000", "[2001:db8::53]:53"];

fn made([source, destination]: [&str; 2]) -> Made {
    Made::new(source, destination, b"question")
}

#[track_caller]
fn check(made: &Made, expected: Result<(), Unfit>) {
    let frame = made.octets();
    let found = Datagram::parse(&frame);
    assert_eq!(found.as_ref().map(|_| ()).map_err(|why| *why), expected, "{made:?}");
    if let Ok(found) = found {
        assert_eq!((found.source, found.destination), (made.source, made.destination));
        assert_eq!(frame[found.payload], made.payload);
    }
}

#[test]
fn a_datagram_is_read_whatever_is_around_it() {
    for pair in [V4, V6] {
        check(&made(pair), Ok(()));
        check(&Made { padding: 9, ..made(pair) }, Ok(()));
        check(&Made { payload: Vec::new(), ..made(pair) }, Ok(()));
        check(&Made { check: Check::Offloaded, ..made(pair) }, Ok(()));
        for kind in TYPES_TAG {
            check(&Made { tag: Some((kind, 0x6064)), ..made(pair) }, Ok(()));
        }
    }
    check(&Made { options: vec![1; 40], ..made(V4) }, Ok(()));
    check(&Made { check: Check::Absent, ..made(V4) }, Ok(()));
    // May not be cut, which says nothing of whether it was.
    check(&Made { fragment: 0x4000, ..made(V4) }, Ok(()));
}

#[test]
fn what_no_socket_would_be_given_is_refused() {
    for pair in [V4, V6] {
        check(&Made { to: [0xff; 6], ..made(pair) }, Err(Unfit::Group));
        check(&Made { to: [0x33, 0x33, 0, 0, 0, 1], ..made(pair) }, Err(Unfit::Group));
        check(&Made { from: [1, 0, 0, 0, 0, 1], ..made(pair) }, Err(Unfit::Group));
        check(&Made { protocol: 6, ..made(pair) }, Err(Unfit::Foreign));
    }
    check(&Made { protocol: 44, ..made(V6) }, Err(Unfit::Foreign));
    check(&Made { check: Check::Absent, ..made(V6) }, Err(Unfit::Checksum));
    for fragment in [0x2000, 0x0001, 0x3fff] {
        check(&Made { fragment, ..made(V4) }, Err(Unfit::Fragment));
    }
    for source in ["0.0.0.0:9", "0.1.2.3:9", "224.0.0.1:9", "255.255.255.255:9", "127.0.0.1:9"] {
        check(&made([source, V4[1]]), Err(Unfit::Source));
    }
    for source in ["[::]:9", "[::1]:9", "[ff02::1]:9", "[2001:db8::7]:0"] {
        check(&made([source, V6[1]]), Err(Unfit::Source));
    }
    check(&made(["192.0.2.7:0", V4[1]]), Err(Unfit::Source));
    for destination in ["224.0.0.251:53", "255.255.255.255:53"] {
        check(&made([V4[0], destination]), Err(Unfit::Group));
    }
    check(&made([V6[0], "[ff02::fb]:53"]), Err(Unfit::Group));
    let two_tags = Made { tag: Some((TYPES_TAG[1], 5)), ..made(V4) }.octets();
    let inner = [&two_tags[..16], &[0x81, 0x00, 0, 6], &two_tags[16..]].concat();
    assert_eq!(Datagram::parse(&inner), Err(Unfit::Foreign));
}

#[test]
fn a_frame_that_ends_early_is_short() {
    for pair in [V4, V6] {
        for tag in [None, Some((TYPES_TAG[0], 5))] {
            let frame = Made { tag, ..made(pair) }.octets();
            for len in 0..frame.len() {
                assert_eq!(Datagram::parse(&frame[..len]), Err(Unfit::Short), "{len}");
            }
        }
    }
}

#[test]
fn an_answer_that_has_no_room_is_not_made() {
    for pair in [V4, V6] {
        let frame = made(pair).octets();
        let datagram = Datagram::parse(&frame).unwrap();
        let mut room = frame.clone();
        room.resize(frame.len() + 9, 0);
        for (len, fits) in
            [(8, true), (17, true), (18, false), (65_535, false), (usize::MAX, false)]
        {
            let mut room = room.clone();
            // Adding to the largest number would be a fault, not an answer.
            let len = len.min(usize::MAX - 64);
            assert_eq!(datagram.reply(&mut room, len, 1).is_some(), fits, "{len}");
        }
    }
}

fn address() -> impl Strategy<Value = SocketAddr> {
    let fit = |addr: &SocketAddr| can_be_answered(*addr);
    prop_oneof![
        any::<([u8; 4], u16)>().prop_map(|(ip, port)| SocketAddr::from((ip, port))),
        any::<([u8; 16], u16)>().prop_map(|(ip, port)| SocketAddr::from((ip, port))),
    ]
    .prop_filter("nobody has it", fit)
}

prop_compose! {
    fn good()(
        source in address(),
        other in (any::<[u8; 16]>(), any::<u16>()),
        tag in proptest::option::of((proptest::sample::select(&TYPES_TAG[..]), any::<u16>())),
        macs in (any::<[u8; 6]>(), any::<[u8; 6]>()),
        words in 0..=10_usize,
        payload in vec(any::<u8>(), 0..600),
        offloaded: bool,
        padding in 0..20_usize,
    ) -> Made {
        let (ip, port) = other;
        // Never of a group.
        let destination = match source {
            SocketAddr::V4(_) => SocketAddr::from(([ip[0] & 0x7f, ip[1], ip[2], ip[3]], port)),
            SocketAddr::V6(_) => SocketAddr::from(([&[0x20], &ip[1..]].concat().try_into()
                .map(|octets: [u8; 16]| octets).unwrap(), port)),
        };
        let single = |mac: [u8; 6]| [mac[0] & 0xfe, mac[1], mac[2], mac[3], mac[4], mac[5]];
        Made {
            to: single(macs.0),
            from: single(macs.1),
            tag,
            source,
            destination,
            options: vec![1; if source.is_ipv4() { words * 4 } else { 0 }],
            fragment: 0,
            protocol: PROTOCOL_UDP,
            payload,
            check: if offloaded { Check::Offloaded } else { Check::Whole },
            padding,
        }
    }
}

proptest! {
    /// Any octets are read or refused.
    #[test]
    fn any_octets_are_judged(frame in vec(any::<u8>(), 0..120)) {
        if let Ok(found) = Datagram::parse(&frame) {
            prop_assert!(found.payload.end <= frame.len());
        }
    }

    /// The answer is the frame that a kernel would have sent: back to whom it came from, in the
    /// same VLAN, from the address that was asked.
    #[test]
    fn an_answer_is_the_query_turned_round(
        query in good(),
        answer in vec(any::<u8>(), 0..900),
        identification: u16,
    ) {
        let mut frame = query.octets();
        let datagram = Datagram::parse(&frame).unwrap();
        prop_assert_eq!(&frame[datagram.payload.clone()], &query.payload[..]);
        frame.resize(2048, 0xee);
        let at = datagram.reply_at();
        frame[at..at + answer.len()].copy_from_slice(&answer);
        let len = datagram.reply(&mut frame, answer.len(), identification).unwrap();
        let expected = Made {
            to: query.from,
            from: query.to,
            source: query.destination,
            destination: query.source,
            options: Vec::new(),
            payload: answer,
            check: Check::Whole,
            padding: 0,
            ..query
        };
        let mut expected = expected.octets();
        // What an answer has of its own, and what follows of that.
        let ip = if query.tag.is_some() { 18 } else { 14 };
        if query.source.is_ipv4() {
            expected[ip + 1] = 0;
            expected[ip + 4..ip + 6].copy_from_slice(&identification.to_be_bytes());
            expected[ip + 8] = HOPS;
            expected[ip + 10..ip + 12].fill(0);
            let check = Sum::of(&expected[ip..ip + 20]).checksum();
            expected[ip + 10..ip + 12].copy_from_slice(&check);
        } else {
            expected[ip..ip + 4].copy_from_slice(&[0x60, 0, 0, 0]);
            expected[ip + 7] = HOPS;
        }
        prop_assert_eq!(&frame[..len], &expected[..]);
    }

    /// One bit that turns on the way, anywhere in IPv4 or in the datagram, is noticed.
    #[test]
    fn no_changed_bit_is_answered(query in good(), place: prop::sample::Index, bit in 0..8_u8) {
        let query = Made { check: Check::Whole, padding: 0, ..query };
        let mut frame = query.octets();
        let ip = if query.tag.is_some() { 18 } else { 14 };
        // IPv6 has no sum over its header; what the datagram's covers of it are the addresses.
        let from = if query.source.is_ipv4() { ip } else { ip + 8 };
        let at = from + place.index(frame.len() - from);
        frame[at] ^= 1 << bit;
        // By chance a sum can be what the other ways of making it would have left.
        let sum = |frame: &[u8]| {
            let at = frame.len() - query.payload.len() - 2;
            [frame[at], frame[at + 1]]
        };
        let offloaded = Made { check: Check::Offloaded, ..query.clone() }.octets();
        prop_assume!(sum(&frame) != sum(&offloaded) && sum(&frame) != [0, 0]);
        prop_assert!(Datagram::parse(&frame).is_err());
    }
}
