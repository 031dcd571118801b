//! The program, run by a small machine of the tests over frames in memory.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::assembler::*;
use super::*;
use crate::wire::frame::Datagram;
use crate::wire::frame::made::Made;

const MAP: i32 = 77;
const QUEUE: u64 = 3;
/// Where frames seem to lie.
const BASE: u64 = 0x1000;

/// What the program does with a frame: the queue whose socket gets it, or none.
fn run(code: &[Instruction], frame: &[u8]) -> Option<u64> {
    let end = BASE + frame.len() as u64;
    let context: HashMap<i16, u64> = [(0, BASE), (4, end), (16, QUEUE)].into();
    let mut registers = [0_u64; 11];
    let mut at = 0;
    for _ in 0..10_000 {
        let Instruction { operation, registers: both, offset, number } = code[at];
        let (target, source) = (usize::from(both & 15), usize::from(both >> 4));
        at += 1;
        let load = |len: usize| {
            if registers[source] == 0 {
                // The context stands at zero.
                return context[&offset];
            }
            let from = (registers[source] - BASE) as usize + offset as usize;
            let mut octets = [0; 8];
            octets[..len].copy_from_slice(&frame[from..from + len]);
            u64::from_le_bytes(octets)
        };
        let left = registers[target];
        let jumps = match operation {
            LOAD | LOAD_HALF | LOAD_OCTET => {
                let len = match operation {
                    LOAD => 4,
                    LOAD_HALF => 2,
                    _ => 1,
                };
                registers[target] = load(len);
                false
            }
            LOAD_WIDE => {
                registers[target] = number as u64;
                at += 1;
                false
            }
            MOVE => {
                registers[target] = registers[source];
                false
            }
            MOVE_NUMBER => {
                registers[target] = number as u64;
                false
            }
            ADD_NUMBER => {
                registers[target] = left.wrapping_add(number as u64);
                false
            }
            AND_NUMBER => {
                registers[target] = left & number as u64;
                false
            }
            JUMP => true,
            JUMP_EQUAL => left as u32 == number as u32,
            JUMP_NOT_EQUAL => left as u32 != number as u32,
            JUMP_GREATER => left > registers[source],
            CALL => {
                assert_eq!((number, registers[1], registers[3]), (51, MAP as u64, PASS as u64));
                return Some(registers[2]);
            }
            EXIT => {
                assert_eq!(registers[0], PASS as u64);
                return None;
            }
            other => panic!("no such operation: {other:#x}"),
        };
        if jumps {
            at += offset as usize;
        }
    }
    panic!("it does not end");
}

fn wanted() -> Wanted {
    let addresses = ["198.51.100.1:53", "198.51.100.2:5353", "[2001:db8::53]:53"];
    Wanted {
        mac: [2, 0, 0, 0, 0, 1],
        vlans: vec![100, 4000],
        addresses: addresses.map(|it| it.parse().unwrap()).to_vec(),
        frame_len_max: 1500,
    }
}

#[track_caller]
fn check(made: Made, taken: bool) {
    let code = program(&wanted(), MAP).unwrap();
    let found = run(&code, &made.octets());
    assert_eq!(found, taken.then_some(QUEUE), "{made:?}");
}

fn v4() -> Made {
    Made::new("192.0.2.7:4000", "198.51.100.1:53", b"question")
}

fn v6() -> Made {
    Made::new("[2001:db8::7]:4000", "[2001:db8::53]:53", b"question")
}

#[test]
fn what_is_for_the_addresses_and_ports_is_taken() {
    for made in [v4(), v6()] {
        check(made.clone(), true);
        check(Made { payload: Vec::new(), ..made.clone() }, true);
        for tag in [100, 4000, 0x6000 | 100] {
            for kind in TYPES_TAG {
                check(Made { tag: Some((kind, tag)), ..made.clone() }, true);
            }
        }
    }
    check(Made { destination: "198.51.100.2:5353".parse().unwrap(), ..v4() }, true);
    check(Made { fragment: 0x4000, ..v4() }, true);
}

#[test]
fn everything_else_is_the_kernels() {
    for made in [v4(), v6()] {
        check(Made { to: [0xff; 6], ..made.clone() }, false);
        check(Made { to: [2, 0, 0, 0, 0, 3], ..made.clone() }, false);
        check(Made { to: [3, 0, 0, 0, 0, 1], ..made.clone() }, false);
        check(Made { protocol: 6, ..made.clone() }, false);
        check(Made { tag: Some((TYPES_TAG[0], 101)), ..made.clone() }, false);
        check(Made { padding: 1500, ..made.clone() }, false);
    }
    for (source, destination) in [
        ("192.0.2.7:4000", "198.51.100.1:5353"),
        ("192.0.2.7:4000", "198.51.100.2:53"),
        ("192.0.2.7:53", "198.51.100.3:53"),
        ("[2001:db8::7]:1", "[2001:db8::54]:53"),
        ("[2001:db8::7]:1", "[2001:db9::53]:53"),
        ("[2001:db8::7]:1", "[2001:db8::1:53]:53"),
        ("[2001:db8::7]:1", "[2001:db8:1::53]:53"),
        ("[2001:db8::7]:1", "[2001:db8::53]:54"),
    ] {
        check(Made::new(source, destination, b"question"), false);
    }
    for fragment in [0x2000, 1, 0x1fff] {
        check(Made { fragment, ..v4() }, false);
    }
    check(Made { options: vec![1; 4], ..v4() }, false);
    check(Made { protocol: 0, ..v6() }, false);
    let two = Made { tag: Some((TYPES_TAG[1], 100)), ..v4() }.octets();
    let two = [&two[..16], &[0x81, 0x00, 0, 100], &two[16..]].concat();
    assert_eq!(run(&program(&wanted(), MAP).unwrap(), &two), None);
}

#[test]
fn without_vlans_every_tag_is_the_kernels() {
    let code = program(&Wanted { vlans: Vec::new(), ..wanted() }, MAP).unwrap();
    let tagged = Made { tag: Some((TYPES_TAG[0], 100)), ..v4() };
    assert_eq!(run(&code, &tagged.octets()), None);
    assert_eq!(run(&code, &v4().octets()), Some(QUEUE));
}

#[test]
fn more_than_a_program_should_compare_is_refused() {
    let address = |n: u32| SocketAddr::from((std::net::Ipv4Addr::from(n), 53));
    let many = |count| Wanted { addresses: (0..count).map(address).collect(), ..wanted() };
    let most = program(&many(ADDRESSES_MAX as u32), MAP).unwrap();
    let last = Made { destination: address(255), ..v4() };
    assert_eq!(run(&most, &last.octets()), Some(QUEUE));
    assert!(program(&many(ADDRESSES_MAX as u32 + 1), MAP).is_none());
}

proptest! {
    /// Any frame is left or taken without a look beyond its end, which the machine here would not
    /// survive; one of another length of header is never taken.
    #[test]
    fn any_frame_is_judged(
        start in proptest::sample::select(vec![v4().octets(), v6().octets()]),
        changes in vec((0..80_usize, any::<u8>()), 0..6),
        len in 0..90_usize,
    ) {
        let mut frame = start;
        for (at, octet) in changes {
            if let Some(place) = frame.get_mut(at) {
                *place = octet;
            }
        }
        frame.truncate(len);
        let code = program(&wanted(), MAP).unwrap();
        if run(&code, &frame).is_some() {
            // What is read of it is for the addresses that are wanted.
            if let Ok(found) = Datagram::parse(&frame) {
                prop_assert!(wanted().addresses.contains(&found.destination));
            }
        }
    }
}
