//! The stage stands without a server; what the board is told is what the server and the client saw.

use crate::health::{Outcome, Reason, Standing};

use super::*;

/// What a server says whose second node is down and whose first was answered so often.
fn view(firsts: u64) -> ServiceView {
    let address = |ip: Ipv4Addr, weight| {
        let down = ip.octets()[3] == 12;
        let (status, outcome) = if down {
            (Status::Down, Outcome::Fail(Reason::HttpStatus(503)))
        } else {
            (Status::Up, Outcome::Pass)
        };
        AddressView {
            node: ip.to_string().replace('.', "-"),
            ip: ip.into(),
            weight,
            standing: Some(Standing { status, contradicted: false }),
            since: Some(Duration::from_secs(1)),
            last: Some((outcome, Duration::ZERO)),
            firsts: if ip.octets()[3] == 11 { firsts } else { 0 },
        }
    };
    ServiceView {
        id: "thoughtspot.customer.com/@".to_owned(),
        owner: "thoughtspot.customer.com.".to_owned(),
        ttl: 5,
        policy: Policy::Weighted,
        addresses: NODES.map(|(ip, weight)| address(ip, weight)).into(),
    }
}

fn args(port: u16, admin_port: u16) -> DemoArgs {
    DemoArgs { port, admin_port, node_port: 8080, plain: true }
}

#[test]
fn the_zone_is_the_six_lines_of_the_readme() {
    assert_eq!(
        zone(8080),
        r#"[zone]
ns = ["ns1 127.0.0.1"]
[service."@"]
check = { http = ":8080/ready", every = "1s", timeout = "500ms", fails = 2, passes = 2 }
nodes = ["127.0.0.11 x4", "127.0.0.12 x2", "127.0.0.13 x1", "127.0.0.14 x1"]
"#
    );
}

#[test]
fn the_board_shows_what_was_seen_and_what_changed() {
    let mut show = Show::new(&args(5300, 9153));
    show.look(&view(0), now());
    let board = show.look(&view(50), now());
    assert_eq!(board.service, APEX);
    assert_eq!(board.rows[0].share, Some(1.0));
    assert_eq!((board.rows[1].node.as_str(), board.rows[1].status), ("node2", Status::Down));
    assert_eq!(board.notice, None);
    // The second look saw nothing new.
    let events: Vec<&str> = board.events.iter().map(|event| event.text.as_str()).collect();
    assert_eq!(
        events,
        [
            "node4 (127.0.0.14) is up",
            "node3 (127.0.0.13) is up",
            "node2 (127.0.0.12) is down",
            "node1 (127.0.0.11) is up",
        ]
    );
}

#[test]
fn a_red_board_is_explained() {
    let mut view = view(0);
    let mut show = Show::new(&args(5300, 9153));
    for address in &mut view.addresses {
        address.standing = Some(Standing { status: Status::Down, contradicted: false });
    }
    let board = show.look(&view, now());
    assert!(board.notice.is_some_and(|text| text.contains("all are answered")));
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let message = stage(&args(port, 0)).unwrap_err().to_string();
    assert!(message.contains(&format!("127.0.0.1:{port} cannot be used for DNS")), "{message}");
    assert!(message.contains("rota demo --port"), "{message}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let message = stage(&args(0, port)).unwrap_err().to_string();
    assert!(message.contains("rota demo --admin-port"), "{message}");
}

#[test]
fn a_node_that_cannot_listen_is_named_with_the_way_out() {
    let node = "127.0.0.11:8080".parse().unwrap();
    for (kind, expected) in [
        (std::io::ErrorKind::AddrInUse, "rota demo --node-port 8081"),
        (std::io::ErrorKind::AddrNotAvailable, "ifconfig lo0 alias"),
    ] {
        let message = cannot_bind(node, &kind.into()).to_string();
        assert!(message.contains("127.0.0.11:8080") && message.contains(expected), "{message}");
    }
}
