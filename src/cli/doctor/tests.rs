//! What is said of a parent's word, of this machine, and of a walk.

use super::finding::{Finding, Mark};
use super::here::{self, Grants};
use super::parent::{Evidence, judge};
use super::walk::{Cut, End, Walk};
use crate::cli::delegation::{Delegation, NameServer};
use crate::cli::dns::{Data, Record};
use crate::config::read_server;
use crate::wire::Name;
use crate::zone::Source;

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

/// `"ns1.app.test 192.0.2.53, ns.example.net"`.
fn servers(text: &str) -> Vec<NameServer> {
    let server = |one: &str| {
        let mut words = one.split_ascii_whitespace();
        let name = name(words.next().unwrap());
        NameServer { name, addresses: words.map(|word| word.parse().unwrap()).collect() }
    };
    text.split(", ").filter(|one| !one.is_empty()).map(server).collect()
}

fn cut(owner: &str, text: &str) -> Cut {
    Cut { owner: name(owner), servers: servers(text) }
}

/// What is said where the zone `app.test` has the first, and this evidence is found.
fn check(ours: &str, evidence: Evidence, expected: &[(Mark, &str)]) {
    let zone = Delegation { apex: name("app.test"), ttl: 3600, servers: servers(ours) };
    let found = judge(&zone, &evidence);
    let told: Vec<(Mark, &str)> = found.iter().map(|it| (it.mark, it.message.as_str())).collect();
    assert_eq!(told, expected);
    let helped = |one: &Finding| (one.mark == Mark::Good) == one.remedy.is_empty();
    assert!(found.iter().all(helped), "{found:?}");
}

fn walked(cuts: Vec<Cut>, end: End) -> Evidence {
    Evidence { walk: Walk { cuts, end }, deeper: None, serves_the_cut: true }
}

#[test]
fn the_parents_word_is_compared_with_the_zones() {
    const OURS: &str = "ns1.app.test 192.0.2.53, ns2.app.test 192.0.2.54";
    for (ours, theirs, expected) in [
        (
            OURS,
            OURS,
            &[(
                Mark::Good,
                "test delegates app.test to ns1.app.test, ns2.app.test, and knows where",
            )][..],
        ),
        (
            OURS,
            "ns1.app.test 192.0.2.53, ns2.app.test",
            &[(Mark::Bad, "test has no glue for ns2.app.test: nobody can find it")],
        ),
        (
            OURS,
            "NS1.app.test 192.0.2.53, ns2.app.test 192.0.2.99",
            &[(
                Mark::Bad,
                "test says that ns2.app.test is at 192.0.2.99, the zone says 192.0.2.54",
            )],
        ),
        (
            OURS,
            "ns1.app.test 192.0.2.53",
            &[(Mark::Doubt, "test does not name ns2.app.test, which the zone does")],
        ),
        (
            "ns1.app.test 192.0.2.53",
            OURS,
            &[(Mark::Bad, "test also names ns2.app.test, which the zone does not")],
        ),
        (
            OURS,
            "ns.example.net",
            &[(Mark::Bad, "test delegates app.test to others: ns.example.net")],
        ),
        (
            "ns1.app.test 192.0.2.53 2001:db8::53",
            "ns1.app.test 192.0.2.53",
            &[(Mark::Doubt, "test has no glue for 2001:db8::53 of ns1.app.test")],
        ),
        // Names outside the zone need no glue: their own zone has their addresses.
        (
            "ns.example.net",
            "ns.example.net",
            &[(Mark::Good, "test delegates app.test to ns.example.net, and knows where")],
        ),
    ] {
        let cuts = vec![cut("test", "ns.test 192.0.2.1"), cut("app.test", theirs)];
        check(ours, walked(cuts, End::Cut), expected);
    }
}

#[test]
fn what_is_not_delegated_says_who_answers_in_its_place() {
    let ours = "ns1.app.test 192.0.2.53";
    let above = || vec![cut("test", "ns.test 192.0.2.1")];
    let held = |data: Data| vec![Record { owner: name("app.test"), ttl: 5, data }];
    for (held, expected) in [
        (vec![], "test does not delegate app.test"),
        (
            held(Data::Alias(name("lb.example.net"))),
            "test does not delegate app.test: it answers itself, with CNAME lb.example.net",
        ),
        (
            held(Data::Address([192, 0, 2, 80].into())),
            "test does not delegate app.test: it answers itself, with address 192.0.2.80",
        ),
    ] {
        let evidence = walked(above(), End::NotDelegated(held));
        check(ours, evidence, &[(Mark::Bad, expected)]);
    }
    let lost = walked(above(), End::Lost(vec!["192.0.2.1: no answer within 2s".into()]));
    let expected = "no server of test leads on to app.test: 192.0.2.1: no answer within 2s";
    check(ours, lost, &[(Mark::Bad, expected)]);
}

#[test]
fn an_apex_that_is_not_the_cut_is_told_which_one_it_should_be() {
    let ours = "ns1.app.test 192.0.2.53";
    let above = walked(vec![cut("test", "ns.test 192.0.2.1")], End::NotDelegated(vec![]));
    let above = Evidence { deeper: Some(name("www.app.test")), ..above };
    let expected = "what is delegated here is www.app.test, but the zone is app.test";
    check(ours, above, &[(Mark::Bad, expected)]);
    let within = || walked(vec![cut("test", "ns.test 192.0.2.53")], End::Within);
    let below = Evidence { serves_the_cut: false, ..within() };
    let expected = "what is delegated here is test, but the zone is app.test";
    check(ours, below, &[(Mark::Bad, expected)]);
    let expected = "the servers of test serve app.test too: its delegation is not seen";
    check(ours, within(), &[(Mark::Doubt, expected)]);
}

#[test]
fn what_the_kernel_does_not_grant_is_told() {
    let interfaces = vec![String::from("eth0")];
    let plenty = Grants { descriptors: 65_536, free_ports_from: 1024, capabilities: 0, interfaces };
    let plenty = || plenty.clone();
    let low_ports = 1 << here::CAP_NET_BIND_SERVICE;
    for (toml, grants, port, expected) in [
        ("dns = [\"127.0.0.1:5300\"]", plenty(), 5300, &[][..]),
        ("dns = [\"127.0.0.1:5300\"]", plenty(), 53, &["it listens on no port 53"]),
        (
            "dns = [\"127.0.0.1:53\"]",
            Grants { capabilities: low_ports, ..plenty() },
            53,
            &["it listens on this machine's own"],
        ),
        ("dns = [\"0.0.0.0:53\"]", plenty(), 53, &["this user may not listen on 0.0.0.0:53"]),
        ("dns = [\"0.0.0.0:53\"]", Grants { free_ports_from: 53, ..plenty() }, 53, &[]),
        (
            "dns = [\"0.0.0.0:53\"]",
            Grants { capabilities: low_ports, descriptors: 1024, ..plenty() },
            53,
            &["1024 descriptors are fewer than the 1576"],
        ),
        (
            "dns = [\"0.0.0.0:5300\"]\nxdp = [\"eth0\"]",
            Grants { capabilities: 1 << 12 | 1 << 13 | 1 << 39, ..plenty() },
            5300,
            &[],
        ),
        (
            "dns = [\"0.0.0.0:5300\"]\nxdp = [\"eth0\", \"eth7\"]",
            Grants { capabilities: 1 << 12, ..plenty() },
            5300,
            &["there is no interface eth7", "this user lacks CAP_NET_RAW, CAP_BPF for `xdp`"],
        ),
    ] {
        let text = format!("[listen]\n{toml}\n");
        let source = Source { path: "rota.toml".into(), text };
        let (_, server) = read_server(&source.into(), "".as_ref(), &mut Vec::new());
        let found = here::judge(&server.unwrap(), Some(grants), port);
        assert_eq!(found.len(), expected.len(), "{toml}: {found:?}");
        for (one, expected) in found.iter().zip(expected) {
            assert!(one.message.starts_with(expected), "{toml}: {found:?}");
        }
    }
}
