//! The stage stands without a server, and says what keeps it from standing.

use super::*;

#[test]
fn the_zone_is_the_readmes_with_names() {
    assert_eq!(
        zone(8080),
        r#"[zone]
ns = ["ns1 127.0.0.1"]
[service."@"]
check = { http = ":8080/ready", every = "1s", timeout = "500ms", fails = 2, passes = 2 }
nodes = [
  { name = "node1", address = "127.0.0.11", weight = 4 },
  { name = "node2", address = "127.0.0.12", weight = 2 },
  { name = "node3", address = "127.0.0.13", weight = 1 },
  { name = "node4", address = "127.0.0.14", weight = 1 },
]
"#
    );
}

#[test]
fn all_taken_ports_are_named_with_one_way_out() {
    let dns = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = dns.local_addr().unwrap().port();
    let admin_port = admin.local_addr().unwrap().port();
    let (tls_port, https_port) = (0, 0);
    let args =
        DemoArgs { port, admin_port, node_port: 0, tls: false, tls_port, https_port, plain: true };
    let message = stage(&args).unwrap_err().to_string();
    assert!(message.contains(&format!("127.0.0.1:{port} cannot be used for DNS")), "{message}");
    let way_out = format!("rota demo --port {} --admin-port {}", port + 1, admin_port + 1);
    assert!(message.ends_with(&way_out), "{message}");
}

#[test]
fn an_address_that_the_system_lacks_comes_with_the_way_out() {
    let message = no_such_address("127.0.0.11".parse().unwrap()).to_string();
    assert!(message.contains("no address 127.0.0.11"), "{message}");
    assert!(message.contains("ifconfig lo0 alias"), "{message}");
}
