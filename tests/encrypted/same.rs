//! There is one answer path: the same question gets the same octets over every transport.

use std::sync::Mutex;

use proptest::prelude::*;
use rota::serve::Way;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::engine::{NAMES, name, query, query_with_options};
use super::world::{AMPLE, Http, World, ask, ask_udp};

/// Names whose answers take no turns: the threads of different transports count their own.
fn is_steady(name: &str) -> bool {
    ["text", "big", "mail", "out", "loop", "wild", "b.c", "_sip", "sub", "odd", "nothing"]
        .iter()
        .chain(&["ordered", "hashed", "hashes", "split", "broken", "elsewhere"])
        .any(|part| name.starts_with(part) || name.contains(&format!(".{part}.")))
        || name == "example.test"
}

/// A connection of each transport.
struct Lines {
    world: World,
    runtime: tokio::runtime::Runtime,
    tcp: TcpStream,
    tls: TlsStream<TcpStream>,
    http: Http,
    #[cfg(feature = "doq")]
    quic: (quinn::Endpoint, quinn::Connection),
}

impl Lines {
    fn open() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let world = World::new(AMPLE);
        let (tcp, tls, http) = runtime.block_on(async {
            let tcp = TcpStream::connect(world.at(Way::Dns)).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            (tcp, world.tls(Way::Tls, b"dot").await, world.h2().await)
        });
        #[cfg(feature = "doq")]
        let quic = runtime.block_on(super::quic::connect(&world));
        Self {
            world,
            runtime,
            tcp,
            tls,
            http,
            #[cfg(feature = "doq")]
            quic,
        }
    }

    /// The answers over each transport; the first is UDP's.
    fn ask(&mut self, query: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let mut answers = vec![("udp", ask_udp(self.world.at(Way::Dns), query))];
        self.runtime.block_on(async {
            answers.push(("tcp", ask(&mut self.tcp, query).await));
            answers.push(("tls", ask(&mut self.tls, query).await));
            answers.push(("https", self.http.ask(query).await));
            #[cfg(feature = "doq")]
            answers.push(("quic", super::quic::ask(&self.quic.1, query).await));
        });
        answers
    }
}

fn question() -> impl Strategy<Value = Vec<u8>> {
    let known = NAMES.iter().copied().filter(|name| is_steady(name)).collect::<Vec<_>>();
    let names = prop_oneof![
        8 => prop::sample::select(known).prop_map(String::from),
        1 => "[a-z]{1,20}\\.nothing\\.example\\.test",
        1 => "[A-Z]{1,9}\\.elsewhere\\.test",
    ];
    let types = prop_oneof![
        prop::sample::select(vec![1_u16, 28, 2, 5, 6, 15, 16, 33, 65, 255, 252, 65_280]),
        any::<u16>(),
    ];
    let options = prop::sample::select(vec![
        None,
        Some(&b""[..]),
        Some(b"\0\x03\0\0"),
        Some(b"\0\x08\0\x07\0\x01\x18\0\xc0\0\x02"),
        Some(b"\0\x08\0\x04\0\x01\x18\0"),
        Some(b"\0\x63\0\x01x"),
        Some(b"\0\x0a\0\x01x"),
    ]);
    (names, types, options).prop_map(|(text, qtype, options)| {
        assert!(!name(&text).as_wire().is_empty());
        let mut message = match options {
            Some(options) => query_with_options(&text, qtype, options),
            None => query(0, &text, qtype, None),
        };
        // As HTTP and QUIC want it.
        message[..2].fill(0);
        message
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_transport_gives_the_same_octets(message in question()) {
        static LINES: Mutex<Option<Lines>> = Mutex::new(None);
        let mut lines = LINES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut answers = lines.get_or_insert_with(Lines::open).ask(&message);
        let (_, udp) = answers.remove(0);
        let (_, whole) = answers[0].clone();
        for (transport, answer) in answers {
            prop_assert_eq!(&answer, &whole, "{}", transport);
        }
        // A datagram may be too small for it.
        let is_cut = udp[2] & 2 != 0;
        prop_assert!(is_cut || udp == whole);
    }
}
