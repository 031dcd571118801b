//! The stage stands without a server; what the board is told is what the server and the client saw.

use crate::health::{Outcome, Reason};

use super::*;

/// A server whose second node is down.
struct Fixed;

impl Server for Fixed {
    fn sight(&self, address: IpAddr) -> Option<Sight> {
        let down = address == IpAddr::from([127, 0, 0, 12]);
        let (status, outcome) = if down {
            (Status::Down, Outcome::Fail(Reason::HttpStatus(503)))
        } else {
            (Status::Up, Outcome::Pass)
        };
        Some(Sight {
            standing: Standing { status, contradicted: false },
            since: Some(now()),
            last: Some(Verdict { outcome, latency: Duration::ZERO }),
        })
    }

    async fn stop(self) {}
}

fn args(port: u16, admin_port: u16) -> DemoArgs {
    DemoArgs { port, admin_port, node_port: 8080, plain: true }
}

fn show() -> Show {
    Show {
        nodes: (1..=4).map(|n| Node::new(&format!("node{n}"))).collect(),
        tally: Tally::default(),
        hints: hints(&args(5300, 9153)),
        started: now(),
        events: VecDeque::new(),
    }
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
    let mut show = show();
    let mut before = vec![Status::Unknown; 4];
    let first = [127, 0, 0, 11].into();
    show.tally.note(now(), Some(first));
    let board = show.board(&Fixed, now(), &mut before, false);
    assert_eq!(board.rows[0].share, Some(1.0));
    assert_eq!(board.rows[1].status, Status::Down);
    assert_eq!(board.events.len(), EVENTS_MAX);
    assert_eq!(board.events[2].text, "node2 (127.0.0.12) is down");
    assert_eq!(board.notice, None);

    // Nothing changed: nothing new happened.
    assert_eq!(show.board(&Fixed, now(), &mut before, false).events.len(), EVENTS_MAX);
}

#[test]
fn a_red_board_is_explained() {
    let mut show = show();
    let mut rows = show.board(&Fixed, now(), &mut [Status::Unknown; 4], false).rows;
    assert_eq!(notice(&rows), None);
    for row in &mut rows {
        row.status = Status::Down;
    }
    assert!(notice(&rows).is_some_and(|text| text.contains("all are answered")));
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
