//! The stage stands without a server, and says what keeps it from standing.

use super::*;

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
