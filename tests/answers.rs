//! Whatever comes in, what goes out is a message that others can read, or nothing.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

#[path = "common/engine.rs"]
mod engine;

use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use engine::{Engine, NAMES, everything, query, query_with_options};
use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsCode, EdnsOption};
use proptest::prelude::*;
use rota::respond::Transport;

/// One engine for all cases: making one costs more than a thousand answers.
fn engine() -> MutexGuard<'static, Engine> {
    static ENGINE: LazyLock<Mutex<Engine>> = LazyLock::new(|| Mutex::new(Engine::new(1)));
    // A case that failed has poisoned it and left it as good as before.
    ENGINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One message in: nothing, or a response that hickory-proto and domain both read whole.
fn check(engine: &mut Engine, message: &[u8], transport: Transport) -> Result<(), TestCaseError> {
    let mut out = vec![0; 65_535];
    let Some(len) = engine.respond(message, transport, &mut out) else { return Ok(()) };
    let response = &out[..len];
    prop_assert!(message.len() >= 12, "a runt gets no response");
    prop_assert_eq!(message[2] & 0x80, 0, "a response gets no response");
    prop_assert_eq!(&response[..2], &message[..2]);
    prop_assert_eq!(response[2] & 0x80, 0x80);
    // Opcode and RD come back as they are.
    prop_assert_eq!(response[2] & 0x79, message[2] & 0x79);
    let limit = if transport == Transport::Tcp { 65_535 } else { 1232 };
    prop_assert!(len <= limit, "{} octets", len);

    let ours = Message::from_vec(response);
    prop_assert!(ours.is_ok(), "hickory: {:?} of {:02x?}", ours, response);
    let ours = ours.unwrap();
    prop_assert_eq!(ours.metadata.message_type, MessageType::Response);
    if ours.edns.is_none() && transport == Transport::Udp {
        prop_assert!(len <= 512, "{} octets without EDNS", len);
    }

    let theirs = domain::base::Message::from_octets(response).unwrap();
    for question in theirs.question() {
        prop_assert!(question.is_ok());
    }
    let sections = [theirs.answer(), theirs.authority(), theirs.additional()];
    for section in sections {
        for record in section.unwrap() {
            let record = record.unwrap();
            let data = record.to_any_record::<domain::rdata::AllRecordData<_, _>>();
            prop_assert!(data.is_ok(), "domain: {:?} of {:02x?}", data, response);
        }
    }
    Ok(())
}

/// An engine with everything on, and a limit that these tests do not reach.
fn fully_equipped() -> MutexGuard<'static, Engine> {
    static ENGINE: LazyLock<Mutex<Engine>> =
        LazyLock::new(|| Mutex::new(Engine::with_settings(1, everything(1_000_000))));
    ENGINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client subnet as it should be: RFC 7871 §6.
fn subnet() -> impl Strategy<Value = Vec<u8>> {
    let family = prop_oneof![(Just(1_u8), 0..=32_u8), (Just(2), 0..=128_u8)];
    (family, any::<[u8; 16]>()).prop_map(|((family, source), address)| {
        let octets = usize::from(source).div_ceil(8);
        let mut data = [&[0, family, source, 0], &address[..octets]].concat();
        if let (Some(last), kept @ 1..) = (data.last_mut(), source % 8) {
            *last &= !(u8::MAX >> kept);
        }
        data
    })
}

/// An option: one that is known more often than not, of any length.
fn option() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![Just(3_u16), Just(8), Just(10), Just(11), Just(12), any::<u16>()];
    (code, prop::collection::vec(any::<u8>(), 0..45)).prop_map(|(code, data)| {
        let len = data.len() as u16;
        [&code.to_be_bytes()[..], &len.to_be_bytes(), &data].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_nothing_or_a_readable_response(
        message in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut engine = engine();
        check(&mut engine, &message, Transport::Udp)?;
        check(&mut engine, &message, Transport::Tcp)?;
    }

    #[test]
    fn damaged_queries_give_nothing_or_a_readable_response(
        at in 0..NAMES.len(),
        qtype in prop_oneof![
            Just(1_u16), Just(28), Just(255), Just(6), Just(16), Just(33), Just(65), any::<u16>()
        ],
        opt in prop::option::of(any::<u16>()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut message = query(7, NAMES[at], qtype, opt);
        for (place, octet) in damage {
            let place = place.index(message.len());
            message[place] = octet;
        }
        if let Some(cut) = cut {
            message.truncate(cut.index(message.len() + 1));
        }
        let mut engine = engine();
        check(&mut engine, &message, Transport::Udp)?;
        check(&mut engine, &message, Transport::Tcp)?;
    }

    #[test]
    fn any_options_give_a_readable_response(
        at in 0..NAMES.len(),
        qtype in prop_oneof![Just(1_u16), Just(16), Just(33), Just(65), Just(255), any::<u16>()],
        options in prop::collection::vec(option(), 0..5),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        udp_size in any::<[u8; 2]>(),
    ) {
        let options = options.concat();
        let mut message = query_with_options(NAMES[at], qtype, &options);
        let opt_at = message.len() - options.len() - 11;
        message[opt_at + 3..opt_at + 5].copy_from_slice(&udp_size);
        if let (Some((place, octet)), false) = (damage, options.is_empty()) {
            message[opt_at + 11 + place.index(options.len())] = octet;
        }
        let mut engine = fully_equipped();
        check(&mut engine, &message, Transport::Udp)?;
        check(&mut engine, &message, Transport::Tcp)?;
        let mut out = vec![0; 65_535];
        let len = engine.respond(&message, Transport::Tcp, &mut out);
        prop_assert!(len.is_some());
        let response = Message::from_vec(&out[..len.unwrap()]).unwrap();
        prop_assert!(response.edns.is_some());
    }

    #[test]
    fn a_sound_subnet_goes_back_with_no_more_than_its_scope_set(
        at in 0..NAMES.len(),
        data in subnet(),
    ) {
        let option = [&[0, 8, 0, data.len() as u8][..], &data].concat();
        let message = query_with_options(NAMES[at], 1, &option);
        let mut engine = engine();
        let mut out = vec![0; 65_535];
        let len = engine.respond(&message, Transport::Tcp, &mut out).expect("an answer");
        let response = Message::from_vec(&out[..len]).unwrap();
        let returned = response.edns.as_ref().and_then(|edns| edns.option(EdnsCode::Subnet));
        let Some(EdnsOption::Subnet(found)) = returned else { panic!("{returned:?}") };
        let scope_max = match found.addr() {
            _ if found.source_prefix() == 0 => 0,
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        prop_assert!(found.scope_prefix() <= scope_max);
        let unscoped = ClientSubnet::new(found.addr(), found.source_prefix(), 0);
        prop_assert_eq!(unscoped, ClientSubnet::try_from(&data[..]).unwrap());
    }

    #[test]
    fn well_formed_queries_are_always_answered(
        at in 0..NAMES.len(),
        qtype in any::<u16>(),
        opt in prop::option::of(any::<u16>()),
    ) {
        let mut engine = engine();
        let message = query(7, NAMES[at], qtype, opt);
        let mut out = vec![0; 4096];
        let len = engine.respond(&message, Transport::Udp, &mut out);
        prop_assert!(len.is_some());
        check(&mut engine, &message, Transport::Udp)?;
        let response = Message::from_vec(&out[..len.unwrap()]).unwrap();
        prop_assert_eq!(response.queries.len(), 1);
        prop_assert_eq!(response.edns.is_some(), opt.is_some());
    }
}

#[test]
fn little_room_truncates_and_no_room_is_silence() {
    let mut engine = engine();
    let message = query(7, "big.example.test", 16, Some(4096));
    for room in 0..2000 {
        let mut out = vec![0; room];
        match engine.respond(&message, Transport::Udp, &mut out) {
            Some(len) => assert!(len <= room && Message::from_vec(&out[..len]).is_ok()),
            None => assert!(room < 45, "{room} octets hold a header, the question and OPT"),
        }
    }
}
