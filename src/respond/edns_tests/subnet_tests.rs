//! Client subnets (RFC 7871): what goes back, and for whom an answer is.

use super::*;

const SUBNET: &[u8] = b"\x00\x01\x18\x00\xc0\x00\x02";

#[test]
fn a_client_subnet_goes_back_with_whatever_is_answered() {
    let asked =
        |qname, qtype| Ask { opt: Some(opt(&option(8, SUBNET))), ..plain(qname, qtype) }.octets();
    check(&asked("app.example.test", 1), "NOERROR aa 2 | v0 1232 8=00011800c00002");
    check(&asked("alias.example.test", 1), "NOERROR aa 3 | v0 1232 8=00011800c00002");
    check(&asked("app.example.test", 16), "NOERROR aa 0 | v0 1232 8=00011800c00002");
    check(&asked("nothing.example.test", 1), "NXDOMAIN aa 0 | v0 1232 8=00011800c00002");
    check(&asked("elsewhere.test", 1), "REFUSED 0 | v0 1232 8=00011800c00002 15=0014");
    check_tcp(&asked("app.example.test", 1), "NOERROR aa 2 | v0 1232 8=00011800c00002");
    let v6 = option(8, b"\x00\x02\x20\x00\x20\x01\x0d\xb8");
    check(&ask(&v6).octets(), "NOERROR aa 2 | v0 1232 8=0002200020010db8");
    for nobody in [b"\0\0\0\0", b"\0\x01\0\0", b"\0\x02\0\0"] {
        let expected = format!("NOERROR aa 2 | v0 1232 8=000{}0000", nobody[1]);
        check(&ask(&option(8, nobody)).octets(), &expected);
    }
}

#[test]
fn a_client_subnet_that_breaks_the_format_is_an_error_and_not_returned() {
    for data in [
        &b""[..],
        b"\x00\x01\x18\x00\xc0\x00",
        b"\x00\x01\x18\x00\xc0\x00\x02\x00",
        b"\x00\x01\x17\x00\xc0\x00\x03",
        b"\x00\x01\x18\x18\xc0\x00\x02",
        b"\x00\x03\x18\x00\xc0\x00\x02",
    ] {
        check(&ask(&option(8, data)).octets(), "FORMERR 0 | v0 1232");
    }
}

/// Writes down for whom an answer is.
struct For(Option<(Asker, bool)>);

impl Trace for For {
    fn step(&mut self, step: Step<'_>) {
        if let Step::Client { asker, untrusted } = step {
            self.0 = Some((asker, untrusted));
        }
    }
}

#[test]
fn an_answer_is_for_the_subnet_of_a_trusted_source_and_for_the_source_otherwise() {
    let listed = || EcsFrom::Networks([Network::parse("192.0.2.0/24").unwrap()].into());
    let (subnet, none) = (option(8, b"\x00\x01\x10\x00\xcb\x00"), option(8, b"\0\x01\0\0"));
    let v6 = option(8, b"\x00\x02\x20\x00\x20\x01\x0d\xb8");
    let source = |text: &str| Asker::source(text.parse().unwrap());
    let prefix = |text: &str, length| Asker::prefix(text.parse().unwrap(), length);
    for (ecs, from, options, expected, untrusted) in [
        (EcsFrom::Everyone, CLIENT, &b""[..], source(CLIENT), false),
        (EcsFrom::Everyone, "::ffff:192.0.2.99", b"", source(CLIENT), false),
        (EcsFrom::Everyone, CLIENT, &subnet, prefix("203.0.0.0", 16), false),
        (EcsFrom::Everyone, CLIENT, &v6, prefix("2001:db8::", 32), false),
        (EcsFrom::Everyone, CLIENT, &none, source(CLIENT), false),
        (EcsFrom::Nobody, CLIENT, &subnet, source(CLIENT), true),
        (listed(), CLIENT, &subnet, prefix("203.0.0.0", 16), false),
        (listed(), "::ffff:192.0.2.99", &subnet, prefix("203.0.0.0", 16), false),
        (listed(), "198.51.100.1", &subnet, source("198.51.100.1"), true),
        (listed(), "198.51.100.1", b"", source("198.51.100.1"), false),
    ] {
        let mut bench = Bench::new(|_| Settings { ecs: ecs.clone(), ..settings() });
        let snapshot = bench.publisher.current().load();
        let ip: IpAddr = from.parse().unwrap();
        let client = Client { addr: (ip, 5353).into(), transport: Transport::Udp };
        let (mut seen, mut out) = (For(None), [0; 512]);
        let message = ask(options).octets();
        let action = respond(&message, &client, &snapshot, &mut bench.worker, &mut seen, &mut out);
        assert_eq!(seen.0, Some((expected, untrusted)), "{ecs:?} {from} {options:02x?}");
        let Action::Send(len) = action else { panic!("silence") };
        let returned = !options.is_empty() && !untrusted;
        assert_eq!(show(&out[..len]).contains(" 8="), returned, "{ecs:?} {from} {options:02x?}");
    }
}
