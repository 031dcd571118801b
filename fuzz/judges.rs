//! What must hold for any input, one function for each fuzz target; whatever does not hold panics.
//!
//! Shared with `tests/fuzz_cases.rs`, which replays every input that once found something: the file
//! is part of both by its path, and uses nothing but what both have.

#![allow(unreachable_pub, reason = "part of several crates by its path")]
#![allow(dead_code, reason = "each target uses its part")]

#[path = "../tests/common/engine.rs"]
mod engine;

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use domain::rdata::AllRecordData;
use hickory_proto::op::Message;
use hickory_proto::serialize::binary::DecodeError;
use rota::config::{ZoneFiles, read_server, read_zone, render};
use rota::respond::Transport;
use rota::snapshot::{Authored, Settings};
use rota::wire::frame::{Datagram, Unfit};
use rota::wire::{Malformed, Name, Query, proxy};
use rota::zone::diagnostic::has_errors;
use rota::zone::{Diagnostic, Place, Source, check, masterfile};

use engine::Engine;

/// Longer texts are not longer mistakes, only slower ones.
const TEXT_LEN_MAX: usize = 16 * 1024;
/// On a line of its own, this ends a zone's TOML file and begins its master file.
const BETWEEN: &str = "\n%%\n";

/// The option of a client subnet without a family (RFC 7871 §6).
const SUBNET_OF_NOBODY: &[u8] = b"\0\x08\0\x04\0\0\0\0";

/// A query is read or refused; what is read lies inside the message.
pub fn query(input: &[u8]) {
    match Query::parse(input) {
        Ok(query) => {
            assert!(Name::from_wire(query.qname).is_ok(), "{:02x?}", query.qname);
            assert_eq!(query.question.len(), query.qname.len() + 4);
            assert!(input[12..].starts_with(query.question));
            assert_eq!(query.header.counts[0], 1);
            assert!(query.edns.is_none_or(|edns| edns.udp_size >= 512));
            let theirs = Message::from_vec(input);
            let name = theirs.as_ref().ok().and_then(|theirs| theirs.queries.first());
            assert!(name.is_none_or(|name| u16::from(name.query_type()) == query.qtype.0));
        }
        Err(Malformed::Answered { question, .. }) => {
            assert!(question.is_empty() || input[12..].starts_with(question));
        }
        Err(Malformed::CookieOnly { header, edns, cookie }) => {
            assert_eq!((header.counts[0], edns.options.cookie), (0, Some(cookie)));
        }
        Err(Malformed::Ignored) => assert!(input.len() < 12 || input[2] & 0x80 != 0),
    }
}

/// A header of the PROXY protocol is read, waited for or refused, the same in whatever pieces it
/// comes; what is read lies inside.
pub fn proxy(input: &[u8]) {
    let whole = proxy::parse(input);
    if let Ok(Some(header)) = whole {
        assert!(header.len <= input.len() && header.len <= proxy::HEADER_LEN_MAX);
        assert_eq!(proxy::parse(&input[..header.len]), whole, "what follows does not matter");
        for len in (0..header.len).step_by(1 + header.len / 64) {
            assert_eq!(proxy::parse(&input[..len]), Ok(None), "a part of it is no error");
        }
    }
    if whole == Ok(None) {
        assert!(input.len() < proxy::HEADER_LEN_MAX, "nobody is waited for without end");
    }
    match proxy::parse_datagram(input) {
        Ok(header) => assert_eq!(whole, Ok(Some(header))),
        Err(proxy::NoHeader) => {
            assert!(!input.starts_with(b"\r\n\r\n\0\r\nQUIT\n") || !matches!(whole, Ok(Some(_))));
        }
    }
}

/// A frame is read or refused. What is read lies inside, and its answer, whatever is written there,
/// is a frame that is read in its turn: from whom was asked, to whom had asked.
pub fn frame(input: &[u8]) {
    let Ok(datagram) = Datagram::parse(input) else { return };
    let payload = input[datagram.payload.clone()].to_vec();
    assert!(datagram.frame_len_max(1500) <= 1518);
    let mut frame = input.to_vec();
    frame.resize(frame.len() + 80, 0xa5);
    let at = datagram.reply_at();
    frame[at..at + payload.len()].copy_from_slice(&payload);
    let len = datagram.reply(&mut frame, payload.len(), 7).expect("there is room");
    let answer = &frame[..len];
    assert_eq!((&answer[..6], &answer[6..12]), (&input[6..12], &input[..6]), "who and whom");
    let type_at = at - 8 - if datagram.source.is_ipv4() { 20 } else { 40 };
    assert_eq!(answer[12..type_at], input[12..type_at], "the tag and the type");
    match Datagram::parse(answer) {
        Ok(found) => {
            assert_eq!((found.source, found.destination), (datagram.destination, datagram.source));
            assert_eq!(answer[found.payload], payload);
        }
        // Only what was asked can have been what no machine sends from.
        Err(why) => assert_eq!(why, Unfit::Source),
    }
}

/// A message gets silence, or a response that others read; the first octet says over what it came,
/// and whether the server has everything switched on that an option can ask for.
pub fn respond(input: &[u8]) {
    static PLAIN: LazyLock<Mutex<Engine>> = LazyLock::new(|| Mutex::new(Engine::new(1)));
    // Without a limit: its table is made anew with each worker, which takes longer than an answer.
    static EQUIPPED: LazyLock<Mutex<Engine>> = LazyLock::new(|| {
        let settings = Settings { rate_limit: None, ..engine::everything(1) };
        Mutex::new(Engine::with_settings(1, settings))
    });
    let Some((how, message)) = input.split_first() else { return };
    let transport = if how & 1 == 0 { Transport::Udp } else { Transport::Tcp };
    let engine = if how & 2 == 0 { &PLAIN } else { &EQUIPPED };
    let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
    // The same input shall find the same thing, whatever came before it.
    engine.restart(1);
    let mut out = vec![0; 65_535];
    let Some(len) = engine.respond(message, transport, &mut out) else { return };
    let response = &out[..len];
    assert_eq!(response[..2], message[..2], "the id");
    assert_eq!(response[2] & 0xf9, message[2] & 0x79 | 0x80, "QR, opcode and RD");
    let limit = if transport == Transport::Tcp { 65_535 } else { 1232 };
    assert!(len <= limit, "{len} octets");
    read_with_domain(response);
    let hickory = match Message::from_vec(response) {
        // A client subnet of no family and no bits goes back as it came, and hickory reads no such
        // message; what it complains of depends on whether another option follows.
        Err(DecodeError::UnknownAddressFamily(0)) => return,
        Err(_) if response.windows(SUBNET_OF_NOBODY.len()).any(|it| it == SUBNET_OF_NOBODY) => {
            return;
        }
        Err(error) => panic!("hickory: {error} of {response:02x?}"),
        Ok(hickory) => hickory,
    };
    assert!(transport == Transport::Tcp || hickory.edns.is_some() || len <= 512, "{len} octets");
}

/// A master file is read or refused; what is read is served, and what is said can be shown.
pub fn masterfile(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let source = source("example.test.zone", text);
    let apex = engine::name("example.test");
    let beside = self::source("beside", "beside A 192.0.2.9\n");
    let mut includes = |path: &str| match path {
        "beside" => Ok(Arc::clone(&beside)),
        _ => Err(String::from("there is no such file")),
    };
    let mut diagnostics = Vec::new();
    let file = masterfile::parse(&source, &apex, &mut includes, &mut diagnostics);
    let records = file.records.finish();
    check::check(&records, &file.places, &|_| false, &mut diagnostics);
    show(&diagnostics);
    if !has_errors(&diagnostics) {
        let model = rota::snapshot::ZoneModel { records, services: Vec::new() };
        serve(Authored::Good(Arc::new(model)));
    }
}

/// A configuration is read or refused, with a reason; what is read is served.
pub fn configuration(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let (toml, master) = match text.split_once(BETWEEN) {
        Some((toml, master)) => (toml, Some(source("example.test.zone", master))),
        None => (text, None),
    };
    let files = ZoneFiles {
        apex: engine::name("example.test"),
        toml: Some(source("example.test.toml", toml)),
        master,
        serial: 1,
    };
    let mut diagnostics = Vec::new();
    let authored = read_zone(&files, &mut diagnostics);
    show(&diagnostics);
    let broken = matches!(authored, Authored::Broken(_));
    assert_eq!(broken, has_errors(&diagnostics), "{diagnostics:#?}");
    serve(authored);

    let mut diagnostics = Vec::new();
    let (_, server) =
        read_server(&source("rota.toml", toml), Path::new("/etc/rota"), &mut diagnostics);
    show(&diagnostics);
    assert_eq!(server.is_none(), has_errors(&diagnostics), "{diagnostics:#?}");
}

/// The input as text, if it is one that is worth its time.
fn text(input: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(input).ok().filter(|text| text.len() <= TEXT_LEN_MAX)?;
    // A directive may make a million records, which is right and takes its time.
    let is_long = |digits: &str| digits.len() > 3 && digits.bytes().all(|it| it.is_ascii_digit());
    let makes_many = text.to_ascii_uppercase().contains("$GENERATE")
        && text.split(|it: char| !it.is_ascii_digit()).any(is_long);
    (!makes_many).then_some(text)
}

fn source(path: &str, text: &str) -> Arc<Source> {
    Arc::new(Source { path: path.into(), text: text.into() })
}

/// Every diagnostic lies inside its text and can be shown both ways.
fn show(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        assert!(!diagnostic.to_string().is_empty());
        if let Some(Place { source, span }) = &diagnostic.place {
            let text = &source.text;
            assert!(span.start <= span.end && span.end <= text.len(), "{diagnostic:?}");
            assert!(text.is_char_boundary(span.start), "{diagnostic:?}");
            assert!(text.is_char_boundary(span.end), "{diagnostic:?}");
        }
    }
    assert_eq!(render(diagnostics, true).is_empty(), diagnostics.is_empty());
    assert_eq!(render(diagnostics, false).is_empty(), diagnostics.is_empty());
}

/// Publishes a zone and asks for everything that is in it.
fn serve(authored: Authored) {
    let mut questions = vec![(engine::name("nothing.example.test"), 1)];
    if let Authored::Good(model) = &authored {
        let rrsets = model.records.rrsets().take(50);
        questions.extend(rrsets.map(|rrset| (rrset.name(), rrset.rtype.0)));
        let services = model.services.iter().take(50);
        questions.extend(services.map(|service| (service.owner.clone(), 255)));
    }
    let mut engine = Engine::with_zones(1, &[authored]);
    let mut out = vec![0; 65_535];
    for (owner, rtype) in questions {
        let message = engine::query_of(7, &owner, rtype, Some(1232));
        let len = engine.respond(&message, Transport::Tcp, &mut out);
        let len = len.unwrap_or_else(|| panic!("silence about {owner} {rtype}"));
        read_with_domain(&out[..len]);
    }
}

/// Every record of a response as `domain` knows its type.
fn read_with_domain(response: &[u8]) {
    let message = domain::base::Message::from_octets(response).expect("a whole header");
    assert!(message.question().all(|question| question.is_ok()));
    let sections = [message.answer(), message.authority(), message.additional()];
    for record in sections.into_iter().flat_map(|section| section.expect("a section")) {
        let record = record.expect("a record");
        let data = record.to_any_record::<AllRecordData<_, _>>();
        assert!(data.is_ok(), "domain: {data:?} of {response:02x?}");
    }
}
