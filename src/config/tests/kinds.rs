//! What each kind of check takes and refuses, beside HTTP, TCP and TLS.

use std::path::Path;

use super::{all_said, check, service};
use crate::health::{AgentAsk, Ask};
use crate::steer::Rule;
use crate::wire::RecordType;

/// What the one check of a service asks.
fn ask(written: &str) -> Ask {
    let service = service(&format!("[service.a]\ncheck = {{ {written} }}\n{NODES}"));
    service.targets().next().unwrap().check.ask.clone()
}

/// All that is said of the one check of a service, which begins in column 11 of line 4.
fn refused(written: &str, expected: &[&str]) {
    check(&format!("[service.a]\ncheck = {{ {written} }}\n{NODES}"), expected);
}

const NODES: &str = "nodes = [\"192.0.2.1\"]";

#[test]
fn a_program_is_a_list_of_words_or_a_table() {
    let Ask::Exec(asked) = ask("exec = [\"check_x\", \"-H\", \"{address}\"]") else { panic!() };
    assert_eq!(asked.program, Path::new("check_x"));
    assert_eq!(
        (&asked.arguments[..], &*asked.node),
        (&["-H", "{address}"].map(String::from)[..], "app.test/a/192-0-2-1")
    );
    let Ask::Exec(asked) = ask("exec = { argv = [\"x\"], env = { A_1 = \"v\" } }") else {
        panic!()
    };
    let environment: Vec<_> = asked.environment.iter().map(|it| (&*it.name, &*it.value)).collect();
    assert_eq!(environment, [("A_1", "v")]);
    for (written, expected) in [
        ("exec = []", "4:18: no program (write [\"check_http\", \"-H\", \"{address}\"])"),
        (
            "exec = { env = {} }",
            "4:18: a program needs `argv` (write `argv = …`: a list, each item \
          a word (\"check_http\"))",
        ),
        (
            "exec = \"x\"",
            "4:18: `exec` takes a list, each item a word (\"check_http\") or a table \
          { argv, env }, not text",
        ),
        (
            "exec = { argv = [\"x\"], env = { ROTA_NODE = \"v\" } }",
            "4:42: a probe writes \
          `ROTA_NODE` itself (give yours another name)",
        ),
        (
            "exec = { argv = [\"x\"], env = { \"A B\" = \"v\" } }",
            "4:42: \"A B\" is not a variable's \
          name (write letters, digits and underscores)",
        ),
        ("exec = [\"x\\u0000\"]", "4:19: a word holds a zero octet (write it without)"),
    ] {
        refused(written, &[expected]);
    }
}

#[test]
fn a_file_of_states_stands_in_its_folder() {
    let Ask::File(asked) = ask("file = \"a/b.states\"") else { panic!() };
    assert_eq!((asked.path, &*asked.node), ("a/b.states".into(), "app.test/a/192-0-2-1"));
    for name in ["/etc/passwd", "../x", ""] {
        let said = all_said(&format!("[service.a]\ncheck = {{ file = \"{name}\" }}\n{NODES}"));
        assert!(said.len() == 1 && said[0].contains("files of states are those of"), "{said:?}");
    }
}

#[test]
fn checks_come_together_by_name() {
    let two = "[check.a]\ntcp = \":1\"\n[check.b]\ntcp = \":2\"\n";
    let service =
        |text: &str| service(&format!("{two}{text}\n{NODES}")).nodes().next().unwrap().clone();
    let shape = |rule: &Rule| format!("{rule:?}").matches("Any").count();
    let node = service("[check.one]\nany = [\"a\", \"b\"]\n[service.a]\ncheck = [\"a\", \"one\"]");
    let Rule::All(rules) = &node.addresses[0].check else { panic!() };
    assert!(matches!(&rules[..], [Rule::Target(_), Rule::Any(any)] if any.len() == 2));
    let node = service("[service.a]\ncheck = { all = [\"a\", \"b\"] }");
    let rule = &node.addresses[0].check;
    assert_eq!((shape(rule), rule.targets().len()), (0, 2));

    let service = format!("[service.a]\n{NODES}\ncheck");
    for (written, expected) in [
        ("any = []", "8:7: `any` names no check (name at least one: any = [\"a\", \"b\"])"),
        ("all = [\"a\", \"a\"]", "8:14: the check \"a\" stands here twice (remove one)"),
        ("any = [\"x\"]", "8:9: there is no check \"x\" (the checks here are a, b, g)"),
        (
            "any = [\"a\", \"g\"]",
            "8:14: the check \"g\" is part of itself (\"g\" names it again: take one of them out)",
        ),
        (
            "every = \"1s\"\nany = [\"a\"]",
            "8:1: `every` beside `any` (write it in the checks that `any` names: each has its own)",
        ),
        (
            "tcp = \":1\"\nany = [\"a\"]",
            "8:1: `tcp` beside `any` (write it in the checks that `any` names: each has its own)",
        ),
    ] {
        check(
            &format!("{two}[check.g]\n{written}\n{service} = [\"g\", \"b\", \"a\"]"),
            &[expected],
        );
    }
    // Round about, and only once.
    let ring =
        "[check.g]\nany = [\"h\"]\n[check.h]\nall = [\"i\", \"a\"]\n[check.i]\nany = [\"g\"]\n";
    let said = all_said(&format!("{two}{ring}{service} = [\"g\", \"b\"]"));
    assert!(said.len() == 1 && said[0].contains("is part of itself"), "{said:?}");
    // Each doubles the next.
    let mut tower = String::from("[check.c0]\ntcp = \":1\"\n[check.d0]\ntcp = \":2\"\n");
    for floor in 1..30 {
        for name in ["c", "d"] {
            let below = floor - 1;
            tower += &format!("[check.{name}{floor}]\nany = [\"c{below}\", \"d{below}\"]\n");
        }
    }
    let said = all_said(&format!("{tower}{service} = [\"c29\", \"d29\"]"));
    assert!(said.len() == 2 && said[0].contains("more than 32 checks come together"), "{said:?}");
}

#[test]
fn a_node_may_be_asked_elsewhere_and_otherwise() {
    let whole = "[check.a]\ntcp = \":1\"\n[check.db]\ntcp = \":2\"\naddress = \"203.0.113.9\"\n\
                 [service.a]\ncheck = [\"a\", \"db\"]\nnodes = [\"192.0.2.1\",\n\
                 { address = [\"192.0.2.2\", \"2001:db8::2\"], check_address = \"10.0.0.2\" },\n\
                 { address = \"192.0.2.3\", check = { tcp = \":3\" } },\n\
                 { address = \"192.0.2.4\", check = [] }]";
    let asked: Vec<Vec<String>> = service(whole)
        .nodes()
        .map(|node| {
            let targets = node.addresses.iter().flat_map(|address| address.check.targets());
            targets.map(|target| target.place().to_string()).collect()
        })
        .collect();
    let db = "tcp://203.0.113.9:2";
    assert_eq!(
        asked,
        [
            vec!["tcp://192.0.2.1:1", db],
            vec!["tcp://10.0.0.2:1", db, "tcp://10.0.0.2:1", db],
            vec!["tcp://192.0.2.3:3"],
            vec![],
        ]
    );
    let node = |keys: &str| format!("[service.a]\nnodes = [{{ address = \"192.0.2.1\", {keys} }}]");
    let help = "(write IPv4 like 192.0.2.11, or IPv6 like 2001:db8::11)";
    check(&node("check_address = \"x::\""), &[&format!("4:52: \"x::\" is not an address {help}")]);
    let help = "(write a table [check.b] with what to ask)";
    check(&node("check = \"b\""), &[&format!("4:44: there is no check \"b\" {help}")]);
}

#[test]
fn a_grpc_check_is_a_port_or_a_table() {
    for (written, expected) in [
        ("grpc = \":50051\"", (false, 50051, "", "a.app.test")),
        ("grpc = { port = 1, service = \"acme.Shop\" }", (false, 1, "acme.Shop", "a.app.test")),
        ("grpc = { port = 2, tls = true, host = \"h.test\" }", (true, 2, "", "h.test")),
    ] {
        let Ask::Grpc(ask) = ask(written) else { panic!("{written}") };
        let found = (ask.tls.is_some(), ask.port, ask.service.as_str(), ask.host.as_str());
        assert_eq!(found, expected);
    }
    let help = "(write \":50051\", or grpc = { port = 50051, service = \"…\" })";
    refused("grpc = \"\"", &[&format!("4:18: there is no usual port for gRPC {help}")]);
    let said = "4:18: a gRPC check needs `port` (write `port = …`: a number from 1 to 65535)";
    refused("grpc = { service = \"a\" }", &[said]);
    let long = format!("grpc = {{ port = 1, service = \"{}\" }}", "x".repeat(128));
    let said = "4:40: a service's name has no 128 octets (write its package and name, at most 127 \
                octets)";
    refused(&long, &[said]);
    let said = "4:30: `ca` goes with `tls` (write tls = true, or leave `ca` out)";
    refused("grpc = { port = 1, ca = \"ca.pem\" }", &[said]);
}

#[test]
fn an_agent_is_a_port_or_a_table() {
    for (written, port, send) in [
        ("agent = \":7777\"", 7777, ""),
        ("agent = { port = 1, send = \"status\\n\" }", 1, "status\n"),
    ] {
        assert_eq!(ask(written), Ask::Agent(AgentAsk { port, send: send.into() }));
    }
    let help = "(write \":7777\", or agent = { port = 7777, send = \"…\" })";
    refused("agent = \"\"", &[&format!("4:19: there is no usual port for agents {help}")]);
    let said = "4:34: an agent check has no key `agent-send` (here it is called `send`)";
    refused("agent = { port = 7777, agent-send = \"x\" }", &[said]);
}

#[test]
fn a_dns_check_is_a_name_or_a_table() {
    let Ask::Dns(ask_for) = ask("dns = \"www.example.org\"") else { panic!() };
    let found = (ask_for.port, ask_for.tcp, ask_for.name.to_string(), ask_for.rtype);
    assert_eq!(found, (53, false, "www.example.org.".to_owned(), RecordType::A));
    assert_eq!((ask_for.rcode.to_string(), &ask_for.answer), ("NOERROR".to_owned(), &None));
    let whole = "dns = { port = 5353, name = \"example.org\", type = \"mx\", rcode = \"noerror\", \
                 answer = \"10 MAIL.example.org.\", tcp = true }";
    let Ask::Dns(ask_for) = ask(whole) else { panic!() };
    assert_eq!((ask_for.port, ask_for.tcp, ask_for.rtype), (5353, true, RecordType::MX));
    let octets = ask_for.answer.unwrap().octets;
    assert_eq!(*octets, *b"\0\x0a\x04MAIL\x07example\x03org\0");
    for (written, expected) in [
        (
            "dns = \"a..b\"",
            "4:18: \"a..b\" is not a name: a label is empty (two dots in a row, or a leading \
             dot) (write a complete name: \
             \"www.example.org\", or \".\" for the root)",
        ),
        (
            "dns = { type = \"A\" }",
            "4:17: a DNS check needs `name` (write `name = …`: a name (\"www.example.org\"))",
        ),
        (
            "dns = { name = \".\", type = \"AXFR\" }",
            "4:38: \"AXFR\" is no record type that can be asked for (write for example A, AAAA, \
             SOA or TXT)",
        ),
        (
            "dns = { name = \".\", rcode = \"OK\" }",
            "4:39: \"OK\" is no response code (write NOERROR, NXDOMAIN, REFUSED or another of \
             RFC 1035 §4.1.1)",
        ),
    ] {
        refused(written, &[expected]);
    }
    for answer in ["192.0.2", "192.0.2.1\\n@ A 192.0.2.2", ""] {
        let text =
            format!("[service.a]\ncheck = {{ dns = {{ name = \".\", answer = \"{answer}\" }} }}");
        let said = all_said(&format!("{text}\n{NODES}"));
        assert!(said.len() == 1 && said[0].contains("is not the data of one A record"), "{said:?}");
    }
}

#[test]
fn a_websocket_is_a_path_or_a_table() {
    for (written, expected) in [
        ("websocket = \"\"", ("ws", 80, "/", "a.app.test")),
        ("websocket = \":9009/chat?x=1\"", ("ws", 9009, "/chat?x=1", "a.app.test")),
        ("websocket = { path = \"/x\", host = \"h.test\" }", ("ws", 80, "/x", "h.test")),
        ("websocket = { tls = true }", ("wss", 443, "/", "a.app.test")),
        ("websocket = { tls = true, port = 1 }", ("wss", 1, "/", "a.app.test")),
    ] {
        let Ask::WebSocket(ask) = ask(written) else { panic!("{written}") };
        assert_eq!((ask.scheme(), ask.port, ask.path.as_str(), ask.host.as_str()), expected);
    }
    for (written, expected) in [
        (
            "websocket = \"9009\"",
            "4:24: \"9009\" is not a port of 1 to 65535 with a colon before it (write \
             \":8080/chat\"; the address is each node's own, and another host goes into \
             websocket = { port = 8080, path = \"/chat\", host = \"…\" })",
        ),
        ("websocket = { path = \"x\" }", "4:33: a path begins with a slash (write \"/x\")"),
        (
            "websocket = { headers = { Upgrade = \"h2c\" } }",
            "4:37: a probe writes `Upgrade` itself (leave it out: it is always websocket)",
        ),
        (
            "websocket = { verify = false }",
            "4:25: `verify` goes with `tls` (write tls = true, or leave `verify` out)",
        ),
        (
            "websocket = { method = \"GET\" }",
            "4:25: a WebSocket check has no key `method` (`method` belongs to an HTTP check: \
             http = { … } of a check)",
        ),
    ] {
        refused(written, &[expected]);
    }
}
