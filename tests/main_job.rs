//! The main job from outside: the built binary, four real nodes, real probes, a client that is not
//! ours. Nodes answer, fail in every way that nodes fail, and return.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;

use std::net::Ipv4Addr;

use common::{Client, Folder, Mode, Node, Rota, a_records, nodes, wait_until};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

const NAME: &str = "thoughtspot.customer.com.";

/// Loopback addresses of one test: tests run side by side, and each has its own.
fn ips(test: u8) -> [[u8; 4]; 4] {
    [1, 2, 3, 4].map(|node| [127, 1, test, node])
}

/// A server on one worker, so that rotation is exact for whoever asks, and its four nodes.
fn start(test: u8, service: &str) -> (Folder, Vec<Node>, Rota) {
    let nodes = nodes(&ips(test));
    let folder = Folder::new(&format!("main-job-{test}"));
    folder.write("rota.toml", &spare_ports(1));
    folder.write("zones/thoughtspot.customer.com.toml", &zone(&nodes, service));
    let rota = Rota::start(&folder.0, &["--seed", "7"]);
    (folder, nodes, rota)
}

/// A `rota.toml` that listens where nobody else does.
fn spare_ports(workers: usize) -> String {
    let local = "\"127.0.0.1:0\"";
    format!("[listen]\ndns = [{local}]\nadmin = {local}\nworkers = {workers}\n")
}

fn zone(nodes: &[Node], service: &str) -> String {
    let port = nodes[0].addr.port();
    format!(
        "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\n\
         check = {{ http = \":{port}/ready\", every = \"200ms\", timeout = \"150ms\", \
         fails = 2, passes = 2 }}\n{service}"
    )
}

/// `nodes = […]` with these weights.
fn listed(test: u8, weights: [u16; 4]) -> String {
    let texts: Vec<String> = ips(test)
        .iter()
        .zip(weights)
        .map(|(&ip, weight)| format!("\"{} x{weight}\"", Ipv4Addr::from(ip)))
        .collect();
    format!("nodes = [{}]\n", texts.join(", "))
}

fn addresses(test: u8) -> [Ipv4Addr; 4] {
    ips(test).map(Ipv4Addr::from)
}

#[test]
fn healthy_nodes_are_rotated_exactly_over_udp_and_tcp() {
    let (_folder, _nodes, rota) = start(1, &listed(1, [1, 1, 1, 1]));
    let all = addresses(1);
    let mut client = Client::new(rota.dns);
    for round in 0..8 {
        let mut expected = all;
        expected.rotate_left(round % 4);
        let message = client.ask(NAME, RecordType::A);
        assert_eq!(a_records(&message), expected);
        assert!(message.metadata.authoritative);
        assert!(message.answers.iter().all(|record| record.ttl == 5));
    }
    let over_tcp = client.ask_stream(&[NAME; 6], RecordType::A);
    let firsts: Vec<Ipv4Addr> = over_tcp.iter().map(|message| a_records(message)[0]).collect();
    assert_eq!(firsts, [all[0], all[1], all[2], all[3], all[0], all[1]]);

    let none = client.ask(NAME, RecordType::AAAA);
    assert_eq!(none.metadata.response_code, ResponseCode::NoError);
    assert!(none.answers.is_empty());
    assert_eq!(none.authorities.len(), 1, "NODATA carries the SOA");
    assert_eq!(none.authorities[0].ttl, 5);
    let refused = client.ask("elsewhere.test.", RecordType::A);
    assert_eq!(refused.metadata.response_code, ResponseCode::Refused);
    assert!(rota.stop().success());
}

#[test]
fn first_places_follow_the_weights() {
    let (_folder, _nodes, rota) = start(2, &listed(2, [4, 2, 1, 1]));
    let mut client = Client::new(rota.dns);
    let mut firsts = [0_u32; 4];
    for _ in 0..8000 {
        let found = client.addresses(NAME);
        assert_eq!(found.len(), 4);
        firsts[usize::from(found[0].octets()[3]) - 1] += 1;
    }
    // Pearson's χ² with three degrees of freedom; 16.27 is its 99.9 % point. The seed is fixed.
    let expected = [4000.0, 2000.0, 1000.0, 1000.0];
    let chi2: f64 = firsts.iter().zip(expected).map(|(&n, e)| (f64::from(n) - e).powi(2) / e).sum();
    assert!(chi2 < 16.27, "chi2 {chi2} of {firsts:?}");
    assert!(rota.stop().success());
}

#[test]
fn a_failing_node_leaves_and_returns() {
    let (_folder, mut nodes, mut rota) = start(3, &listed(3, [1, 1, 1, 1]));
    let all = addresses(3);
    let mut client = Client::new(rota.dns);
    let mut wait_for = |what: &str, expected: &[Ipv4Addr]| {
        wait_until(what, || {
            let mut found = client.addresses(NAME);
            found.sort_unstable();
            found == expected
        });
    };
    wait_for("all four at the start", &all);
    for mode in [Mode::Unready, Mode::Hang, Mode::Reset] {
        nodes[1].set(mode);
        wait_for(&format!("the node that is {mode:?} leaves"), &[all[0], all[2], all[3]]);
        nodes[1].set(Mode::Ready);
        wait_for(&format!("the node that was {mode:?} returns"), &all);
    }
    nodes[3].refuse();
    wait_for("the node that refuses leaves", &all[..3]);
    nodes[3].accept();
    wait_for("the node that refused returns", &all);
    let told = rota.wait_for_log("the node that refuses", |line| {
        (line["reason"] == "connection refused").then(|| line["target"].to_string())
    });
    assert!(told.contains(&nodes[3].addr.to_string()), "{told}");
    assert!(rota.stop().success());
}

#[test]
fn with_every_node_down_all_are_served_and_the_log_says_so() {
    let (_folder, nodes, mut rota) = start(4, &listed(4, [1, 1, 1, 1]));
    let all = addresses(4);
    let mut client = Client::new(rota.dns);
    for node in &nodes[..3] {
        node.set(Mode::Unready);
    }
    wait_until("only the last is left", || client.addresses(NAME) == all[3..]);
    nodes[3].set(Mode::Unready);
    wait_until("all are served", || client.addresses(NAME).len() == 4);
    rota.wait_for_log("the line that says so", |line| {
        (line["message"] == "all down: all addresses are served"
            && line["service"] == "thoughtspot.customer.com/@")
            .then_some(())
    });
    nodes[2].set(Mode::Ready);
    wait_until("the first that returns is alone", || client.addresses(NAME) == all[2..3]);
    assert!(rota.stop().success());
}

#[test]
fn pools_are_tried_in_order() {
    let [a, b, c, d] = addresses(10);
    let service = format!(
        "[service.\"@\".pool.first]\nmin_healthy = 2\nnodes = [\"{a}\", \"{b}\"]\n\
         [service.\"@\".pool.second]\nnodes = [\"{c}\", \"{d}\"]\n"
    );
    let (_folder, nodes, rota) = start(10, &service);
    let mut client = Client::new(rota.dns);
    let mut wait_for = |what: &str, expected: &[Ipv4Addr]| {
        wait_until(what, || {
            let mut found = client.addresses(NAME);
            found.sort_unstable();
            found == expected
        });
    };
    wait_for("the first pool serves", &[a, b]);
    nodes[0].set(Mode::Unready);
    wait_for("below its minimum it passes to the second", &[c, d]);
    nodes[0].set(Mode::Ready);
    wait_for("it serves again", &[a, b]);
    nodes.iter().for_each(|node| node.set(Mode::Unready));
    wait_for("with all down the first is served", &[a, b]);
    assert!(rota.stop().success());
}

#[test]
fn a_closed_service_answers_nothing_when_all_are_down() {
    let service = format!("when_all_down = \"closed\"\n{}", listed(5, [1, 1, 1, 1]));
    let (_folder, nodes, rota) = start(5, &service);
    let mut client = Client::new(rota.dns);
    nodes.iter().for_each(|node| node.set(Mode::Unready));
    wait_until("no address is left", || client.addresses(NAME).is_empty());
    let message = client.ask(NAME, RecordType::A);
    assert_eq!(message.metadata.response_code, ResponseCode::NoError);
    assert!(rota.stop().success());
}

#[test]
fn a_node_that_is_down_at_the_start_is_never_answered() {
    let nodes = nodes(&ips(6));
    nodes[0].set(Mode::Unready);
    let folder = Folder::new("main-job-6");
    folder.write("rota.toml", &spare_ports(2));
    folder.write("zones/thoughtspot.customer.com.toml", &zone(&nodes, &listed(6, [1, 1, 1, 1])));
    let rota = Rota::start(&folder.0, &[]);
    for _ in 0..50 {
        // A new socket each time, so that every worker is asked.
        let mut found = Client::new(rota.dns).addresses(NAME);
        found.sort_unstable();
        assert_eq!(found, addresses(6)[1..]);
    }
    assert!(rota.stop().success());
}

#[test]
fn statuses_outlive_a_restart() {
    let nodes = nodes(&ips(11));
    let folder = Folder::new("main-job-11");
    folder.write("rota.toml", &spare_ports(1));
    // Slow enough that the second good verdict after the restart is seconds away.
    let slow = zone(&nodes, &listed(11, [1, 1, 1, 1]))
        .replace("every = \"200ms\", timeout = \"150ms\"", "every = \"20s\"");
    folder.write("zones/thoughtspot.customer.com.toml", &slow);
    nodes[1].set(Mode::Unready);
    let found = |rota: &Rota| {
        let mut found = Client::new(rota.dns).addresses(NAME);
        found.sort_unstable();
        found
    };
    let [a, _, c, d] = addresses(11);
    let first = Rota::start(&folder.0, &[]);
    assert_eq!(found(&first), [a, c, d]);
    assert!(first.stop().success());

    // Well again, but one good verdict is not `passes`, and that it was down has been kept.
    nodes[1].set(Mode::Ready);
    let mut second = Rota::start(&folder.0, &[]);
    second.wait_for_log("the line that says so", |line| {
        (line["message"] == "saved statuses taken over" && line["statuses"] == 4).then_some(())
    });
    assert_eq!(found(&second), [a, c, d]);
    assert!(second.stop().success());
}

#[test]
fn a_reload_takes_what_is_right_and_keeps_the_old_where_it_is_wrong() {
    let (folder, nodes, mut rota) = start(7, &listed(7, [1, 1, 1, 1]));
    let all = addresses(7);
    let mut client = Client::new(rota.dns);
    nodes[0].set(Mode::Unready);
    wait_until("one leaves", || client.addresses(NAME).len() == 3);

    // A mistake: the old zone serves on, its statuses too.
    folder.write("zones/thoughtspot.customer.com.toml", &zone(&nodes, "nodez = [\"192.0.2.1\"]\n"));
    rota.signal("HUP");
    rota.wait_for_log("the mistake", |line| {
        line["message"].as_str().filter(|text| text.contains("nodez")).map(String::from)
    });
    let mut found = client.addresses(NAME);
    found.sort_unstable();
    assert_eq!(found, all[1..]);

    // Fewer nodes, and a static record beside them.
    let three = format!(
        "nodes = [\"{}\", \"{}\", \"{}\"]\n[service.two]\nnodes = [\"192.0.2.2\"]\n",
        all[0], all[1], all[2]
    );
    folder.write("zones/thoughtspot.customer.com.toml", &zone(&nodes, &three));
    rota.signal("HUP");
    wait_until("the new service answers", || {
        client.addresses("two.thoughtspot.customer.com.") == [Ipv4Addr::new(192, 0, 2, 2)]
    });
    // The node that was down before is down still: a reload changes no status.
    let mut found = client.addresses(NAME);
    found.sort_unstable();
    assert_eq!(found, all[1..3]);
    assert!(rota.stop().success());
}

#[test]
fn the_admin_listener_tells_health_and_readiness() {
    let (_folder, _nodes, rota) = start(8, &listed(8, [1, 1, 1, 1]));
    for (path, expected) in [("/healthz", "200"), ("/readyz", "200"), ("/nothing", "404")] {
        assert_eq!(common::http_status(rota.admin, path), expected, "{path}");
    }
    assert!(rota.stop().success());
}

#[test]
fn a_master_file_and_services_stand_side_by_side() {
    let nodes = nodes(&ips(9));
    let folder = Folder::new("main-job-9");
    folder.write("rota.toml", &spare_ports(1));
    folder.write(
        "zones/customer.test.zone",
        "$TTL 300\n@ SOA ns1 hostmaster 7 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n\
         www A 192.0.2.1\nwww A 192.0.2.2\nalias CNAME app\nsub NS ns.sub\nns.sub A 192.0.2.54\n",
    );
    let port = nodes[0].addr.port();
    let app = addresses(9)[0];
    folder.write(
        "zones/customer.test.toml",
        &format!("[service.app]\ncheck = {{ http = \":{port}/ready\" }}\nnodes = [\"{app}\"]\n"),
    );
    let rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    assert_eq!(client.addresses("www.customer.test.").len(), 2);
    assert_eq!(client.addresses("alias.customer.test."), [app]);
    let referral = client.ask("x.sub.customer.test.", RecordType::A);
    assert!(!referral.metadata.authoritative);
    assert_eq!((referral.authorities.len(), referral.additionals.len()), (1, 1));
    let missing = client.ask("nothing.customer.test.", RecordType::A);
    assert_eq!(missing.metadata.response_code, ResponseCode::NXDomain);
    assert!(rota.stop().success());
}
