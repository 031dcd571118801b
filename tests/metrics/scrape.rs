//! The built binary, asked in known ways and then scraped.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use hickory_proto::rr::RecordType;

use super::common::{Client, Folder, Mode, PATIENCE, Rota, nodes, wait_until};
use super::openmetrics::Scrape;

/// The head and the body of what the admin listener answers.
fn get(server: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn scrape(rota: &Rota) -> Scrape {
    let (head, body) = get(rota.admin, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let head = head.to_ascii_lowercase();
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(head.contains(kind), "{head}");
    Scrape::read(&body)
}

const TOML: &str = "workers = 1\n[metrics]\nnodes = 10\n";

fn zone(port: u16, addresses: &str) -> String {
    format!(
        "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.app]\n\
         check = {{ http = \":{port}/ready\", every = \"500ms\", timeout = \"500ms\", \
         fails = 2, passes = 1 }}\n\
         nodes = [{addresses}]\n"
    )
}

#[test]
fn a_scrape_tells_what_was_asked_and_how_all_stands() {
    let has_v6 = UdpSocket::bind("[::1]:0").is_ok();
    let up = nodes(&[[127, 8, 1, 1], [127, 8, 1, 2]]);
    let folder = Folder::new("metrics");
    let dns = if has_v6 { r#""127.0.0.1:0", "[::1]:0""# } else { r#""127.0.0.1:0""# };
    folder.write("rota.toml", &format!("[listen]\ndns = [{dns}]\nadmin = \"127.0.0.1:0\"\n{TOML}"));
    let both = zone(up[0].addr.port(), "\"127.8.1.1\", \"127.8.1.2\"");
    folder.write("zones/lb.test.toml", &both);
    let mut rota = Rota::start(&folder.0, &["--seed", "7"]);

    let mut client = Client::new(rota.dns);
    (0..6).for_each(|_| drop(client.ask("app.lb.test.", RecordType::A)));
    client.ask("app.lb.test.", RecordType::AAAA);
    client.ask("nothing.lb.test.", RecordType::MX);
    client.ask("elsewhere.test.", RecordType::A);
    client.ask("lb.test.", RecordType::Unknown(4711));
    client.ask_stream(&["app.lb.test."; 4], RecordType::A);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // A header that promises a question, and a runt that is met with silence before it.
    for bytes in [&b"runt"[..], &[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]] {
        socket.send_to(bytes, rota.dns).unwrap();
    }
    let mut buffer = [0; 512];
    let (len, _) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!((len, buffer[3] & 15), (12, 1), "FORMERR");
    if has_v6 {
        let v6 = rota.wait_for_log("the second address", |line| {
            let address: SocketAddr = line["dns"].as_str()?.parse().ok()?;
            address.is_ipv6().then_some(address)
        });
        Client::new(v6).ask("app.lb.test.", RecordType::A);
    }
    let sixth = f64::from(u8::from(has_v6));

    let first = scrape(&rota);
    let queries = |transport: &str, family: &str, rtype: &str| {
        let labels = [("transport", transport), ("family", family), ("type", rtype)];
        first.value("rota_queries_total", &labels)
    };
    assert_eq!(queries("udp", "ipv4", "A"), 7.0);
    assert_eq!(queries("udp", "ipv4", "AAAA"), 1.0);
    assert_eq!(queries("udp", "ipv4", "MX"), 1.0);
    assert_eq!(queries("udp", "ipv4", "other"), 1.0);
    assert_eq!(queries("udp", "ipv4", "none"), 2.0);
    assert_eq!(queries("udp", "ipv6", "A"), sixth);
    assert_eq!(queries("tcp", "ipv4", "A"), 4.0);
    let packets = first.sum("rota_queries_total", &[]);
    assert_eq!(packets, 16.0 + sixth);
    assert_eq!(first.sum("rota_outcomes_total", &[]), packets);
    let responses = |rcode: &str| first.value("rota_responses_total", &[("rcode", rcode)]);
    assert_eq!(responses("NOERROR"), 12.0 + sixth);
    assert_eq!(responses("NXDOMAIN"), 1.0);
    assert_eq!(responses("REFUSED"), 1.0);
    assert_eq!(responses("FORMERR"), 1.0);
    assert_eq!(first.value("rota_packets_dropped_total", &[("reason", "ignored")]), 1.0);
    assert_eq!(first.value("rota_zone_queries_total", &[("zone", "lb.test")]), 13.0 + sixth);
    let node = |name| [("service", "lb.test/app"), ("pool", ""), ("node", name)];
    let answers = ["127-8-1-1", "127-8-1-2"].map(|it| first.value("rota_answers_total", &node(it)));
    assert_eq!(answers.iter().sum::<f64>(), 10.0 + sixth);
    assert_eq!(first.value("rota_node_up", &node("127-8-1-1")), 1.0);
    assert_eq!(first.value("rota_targets", &[("status", "up")]), 2.0);
    assert!(first.value("rota_checks_total", &[("result", "pass"), ("reason", "none")]) >= 2.0);
    assert!(first.value("rota_response_seconds_count", &[("transport", "udp")]) >= 1.0);
    assert_eq!(first.value("rota_connections_accepted_total", &[("transport", "tcp")]), 1.0);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(first.value("rota_build_info", &[("version", version)]), 1.0);
    assert!(first.value("process_resident_memory_bytes", &[]) > 1e6);

    // One node fails, then the other: the last resort answers, and all of it is told.
    up[0].set(Mode::Unready);
    wait_until("a node is down", || scrape(&rota).value("rota_node_up", &node("127-8-1-1")) == 0.0);
    up[1].set(Mode::Unready);
    let open = [("service", "lb.test/app"), ("family", "ipv4"), ("tier", "open")];
    wait_until("all are down", || scrape(&rota).sum("rota_service_tier", &open) == 1.0);
    client.ask("app.lb.test.", RecordType::A);
    let failed = scrape(&rota);
    assert_eq!(failed.value("rota_fallback_queries_total", &[("tier", "open")]), 1.0);
    let addresses = [("service", "lb.test/app"), ("duty", "failed")];
    assert_eq!(failed.value("rota_service_addresses", &addresses), 2.0);
    assert!(failed.value("rota_transitions_total", &[("to", "down")]) >= 2.0);
    assert!(failed.sum("rota_checks_total", &[("reason", "http_status")]) >= 2.0);
    assert!(failed.value("rota_plans_total", &[]) >= 2.0);

    // A configuration with a mistake, then a good one; it is read when files change and when asked.
    folder.write("zones/lb.test.toml", "[service.app]\nnodse = []\n");
    rota.signal("HUP");
    // Both the signal and the files that are watched may lead to a reload: one or two are told.
    let reloads = |how| scrape(&rota).value("rota_reloads_total", &[("result", how)]);
    wait_until("the reload is told", || reloads("partial") >= 1.0);
    assert_eq!(scrape(&rota).value("rota_config_last_reload_success", &[]), 0.0);
    folder.write("rota.toml", "[metrics]\nnodes = \"all\"\n");
    rota.signal("HUP");
    wait_until("the refusal is told", || reloads("refused") >= 1.0);
    folder.write("rota.toml", "[metrics]\nnodes = 0\n");
    folder.write("zones/lb.test.toml", &both);
    rota.signal("HUP");
    wait_until("the success is told", || reloads("applied") >= 1.0);
    let last = scrape(&rota);
    assert_eq!(last.value("rota_config_last_reload_success", &[]), 1.0);
    assert_eq!(last.rows("rota_node_up").count(), 0);
    assert_eq!(last.sum("rota_answers_total", &[("node", "(other)")]), 11.0 + sixth);
    assert!(rota.stop().success());
}

#[test]
fn metrics_can_be_switched_off() {
    let folder = Folder::new("metrics-off");
    let local = "\"127.0.0.1:0\"";
    folder.write(
        "rota.toml",
        &format!("[listen]\ndns = [{local}]\nadmin = {local}\n[metrics]\nenabled = false\n"),
    );
    folder.write("zones/lb.test.toml", "[zone]\nns = [\"ns1 127.0.0.1\"]\n");
    let rota = Rota::start(&folder.0, &[]);
    let (head, body) = get(rota.admin, "/metrics");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert!(body.contains("enabled = false"), "{body}");
    assert!(rota.stop().success());
}
