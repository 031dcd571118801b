//! What a page holds, and how long it may become: made in process, of any number of zones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rota::admin::metrics::{
    Caps, Connections, FAMILIES, Facts, Ledger, OTHER, Reload, Requests, Traffic, Vantage,
};
use rota::health::{Monitor, Outcome, Reason, Status, Verdict};
use rota::respond::Transport;
use rota::snapshot::{Authored, ZoneModel};
use rota::steer::{Address, Node, Pool, Service};
use rota::wire::{Name, RecordType};
use rota::zone::RecordsBuilder;

use super::engine::{Engine, name, query};
use super::openmetrics::Scrape;

/// Everything that a page can be made of, over what an engine has in force and counted.
#[expect(clippy::disallowed_methods, reason = "any time will do")]
fn facts(engine: &Engine, caps: Caps) -> Facts {
    let mut ledger = Ledger::new(1_700_000_000);
    let ms = Duration::from_millis(7);
    ledger.verdict(&Verdict::new(Outcome::Pass, ms));
    ledger.verdict(&Verdict::new(Outcome::Fail(Reason::HttpStatus(503)), ms));
    ledger.verdict(&Verdict::new(Outcome::NoVerdict(Reason::Local("none".into())), ms));
    ledger.transition(Status::Down);
    ledger.reload(Reload::Refused, 1_700_000_001);
    let times = vec![(Some(ms), 3), (None, 1)];
    let traffic = |transport, connections| Traffic {
        transport,
        times: times.clone(),
        time_sum: ms,
        send_errors: 1,
        receive_errors: 2,
        frames_lost: transport.is_datagram().then_some([6, 7]),
        connections,
        refused_requests: (transport == Transport::Https).then_some(4),
        requests: (transport == Transport::Https).then_some(Requests::default()),
    };
    let connections = Connections { accepted: 5, closed: 3, ..Connections::default() };
    Facts {
        snapshot: Arc::clone(&engine.publisher.current().load()),
        tallies: vec![Arc::clone(engine.worker.tally())],
        transports: Transport::ALL
            .map(|it| traffic(it, (!it.is_datagram()).then_some(connections)))
            .into(),
        ledger,
        plans: 9,
        targets: vec![(Status::Up, 2), (Status::Down, 1)],
        held: 1,
        guarded: (2, 1),
        suspect: false,
        vantages: vec![Vantage {
            name: "haproxy-eu".into(),
            said: [3, 5],
            addresses: [1, 2, 0],
            heard: 1_700_000_002,
        }],
        certificates: vec![("tls://192.0.2.1:443 \"a\\b\"".into(), 1_800_000_000)],
        own_certificates: vec![("cert \"1\".pem".into(), 1_800_000_001)],
        pulse: Monitor::new(4).pulse(Instant::now()),
        started: 1_700_000_000,
        process: rota::admin::metrics::Process::read(),
        caps,
    }
}

fn scrape(engine: &Engine, caps: Caps) -> Scrape {
    Scrape::read(&facts(engine, caps).page())
}

/// One query over UDP.
fn ask(engine: &mut Engine, name: &str) {
    let mut out = vec![0; 4096];
    assert!(engine.respond(&query(1, name, 1, None), Transport::Udp, &mut out).is_some());
}

/// A zone of a name server and of services with so many nodes each.
fn zone(apex: &str, services: usize, nodes: usize) -> Authored {
    let apex_name = name(apex);
    let mut records = RecordsBuilder::new(apex_name.clone());
    let numbers = [7_u32, 1, 1, 1, 60].map(u32::to_be_bytes).concat();
    let soa = [apex_name.as_wire(), apex_name.as_wire(), &numbers].concat();
    for (rtype, rdata) in [(RecordType::SOA, soa), (RecordType::NS, apex_name.as_wire().to_vec())] {
        records.add(&apex_name, rtype, 60, &rdata);
    }
    let service = |at: usize| {
        let node = |index: usize| {
            let ip = [10, at as u8, (index / 250) as u8, (index % 250) as u8];
            let address = Address::new(ip.into(), Vec::new());
            Node::new(format!("{apex}/s{at}/{index}"), format!("n{index}"), vec![address])
        };
        let owner: Name = name(&format!("s{at}.{apex}"));
        let pool = Pool::new("", (0..nodes).map(node).collect());
        Arc::new(Service::new(owner, format!("{apex}/s{at}"), vec![pool]))
    };
    let services = (0..services).map(service).collect();
    Authored::Good(Arc::new(ZoneModel { records: records.finish(), services }))
}

#[test]
fn every_family_is_on_the_page_as_it_is_described() {
    let mut engine = Engine::new(1);
    ask(&mut engine, "rotated.example.test");
    let scrape = scrape(&engine, Caps::default());
    for family in FAMILIES {
        let found = scrape.families.get(family.name).unwrap_or_else(|| panic!("{}", family.name));
        assert_eq!(found.kind.as_deref(), Some(family.kind.word()), "{}", family.name);
        assert_eq!(found.help.as_deref(), Some(family.help));
        assert_eq!(found.unit.as_deref(), family.unit.map(|unit| unit.word()));
        let names = family.sample_names();
        let mut samples = scrape.samples.iter().filter(|it| names.contains(&it.name)).peekable();
        assert!(samples.peek().is_some(), "{}", family.name);
        for sample in samples {
            let keys = sample.labels.keys().filter(|key| *key != "le").map(String::as_str);
            let mut expected: Vec<_> = family.labels.iter().map(|label| label.name).collect();
            expected.sort_unstable();
            assert!(keys.eq(expected), "{sample:?}");
        }
    }
    assert_eq!(scrape.families.len(), FAMILIES.len());
}

#[test]
fn values_are_those_of_their_sources() {
    let mut engine = Engine::new(1);
    (0..4).for_each(|_| ask(&mut engine, "rotated.example.test"));
    ask(&mut engine, "nowhere.test");
    let scrape = scrape(&engine, Caps::default());
    let check = |series: &str, labels: &[(&str, &str)], expected: f64| {
        assert_eq!(scrape.value(series, labels), expected, "{series} {labels:?}");
    };
    let of = |service, node| [("service", service), ("pool", ""), ("node", node)];
    let by = |family| [("transport", "udp"), ("family", family), ("type", "A")];
    check("rota_queries_total", &by("ipv4"), 5.0);
    check("rota_queries_total", &by("ipv6"), 0.0);
    check("rota_zone_queries_total", &[("zone", "example.test")], 4.0);
    check("rota_responses_total", &[("rcode", "REFUSED")], 1.0);
    check("rota_outcomes_total", &[("outcome", "answered")], 4.0);
    check("rota_response_size_bytes_count", &[], 5.0);
    check("rota_answers_total", &of("rotated", "n0"), 1.0);
    check("rota_node_up", &of("rotated", "n0"), 1.0);
    check("rota_node_weight", &of("weighted", "n3"), 4.0);
    let tier = |tier| [("service", "rotated"), ("family", "ipv6"), ("tier", tier)];
    check("rota_service_tier", &tier("serving"), 1.0);
    check("rota_service_addresses", &[("service", "rotated"), ("duty", "serving")], 8.0);
    check("rota_zones", &[("state", "served")], 1.0);
    check("rota_zones", &[("state", "broken")], 1.0);
    check("rota_zone_serial", &[("zone", "example.test")], 1.0);
    check("rota_response_seconds_count", &[("transport", "udp")], 4.0);
    check("rota_connections", &[("transport", "tcp")], 2.0);
    check("rota_checks_total", &[("result", "fail"), ("reason", "http_status")], 1.0);
    check("rota_check_duration_seconds_count", &[], 3.0);
    check("rota_targets_held", &[], 1.0);
    check("rota_prober_suspect", &[], 0.0);
    check("rota_transitions_total", &[("to", "down")], 1.0);
    check("rota_reloads_total", &[("result", "refused")], 1.0);
    check("rota_config_last_reload_success", &[], 0.0);
    let written = "tls://192.0.2.1:443 \"a\\b\"";
    check("rota_certificate_expiry_timestamp_seconds", &[("target", written)], 1_800_000_000.0);
}

#[test]
fn sums_of_a_page_agree() {
    let mut engine = Engine::new(1);
    for name in super::engine::NAMES {
        ask(&mut engine, name);
    }
    let scrape = scrape(&engine, Caps::default());
    let packets = scrape.sum("rota_queries_total", &[]);
    assert_eq!(packets, super::engine::NAMES.len() as f64);
    assert_eq!(scrape.sum("rota_outcomes_total", &[]), packets);
    let responses = scrape.sum("rota_responses_total", &[]);
    assert_eq!(responses + scrape.sum("rota_packets_dropped_total", &[]), packets);
    assert_eq!(scrape.value("rota_response_size_bytes_count", &[]), responses);
    let answered = scrape.value("rota_outcomes_total", &[("outcome", "answered")]);
    assert!(scrape.sum("rota_answers_total", &[]) <= answered);
    // Beyond a bound nothing is lost, it only has no name.
    let bounded = self::scrape(&engine, Caps { zones: 0, services: 1, nodes: 3 });
    for family in ["rota_answers_total", "rota_zone_queries_total"] {
        assert_eq!(bounded.sum(family, &[]), scrape.sum(family, &[]), "{family}");
    }
    let addresses = "rota_service_addresses";
    assert_eq!(bounded.sum(addresses, &[]), scrape.sum(addresses, &[]));
    assert_eq!(bounded.sum("rota_services", &[]), scrape.sum("rota_services", &[]));
}

#[test]
fn many_zones_and_nodes_do_not_make_many_series() {
    let mut zones: Vec<Authored> =
        (0..100_000).map(|at| zone(&format!("z{at}.test"), 0, 0)).collect();
    zones.push(zone("large.test", 10, 1000));
    let mut engine = Engine::with_zones(1, &zones);
    for name in ["z0.test", "z999.test", "z1000.test", "z99999.test", "s0.large.test"] {
        ask(&mut engine, name);
    }
    let caps = Caps { zones: 100, services: 5, nodes: 200 };
    let found = scrape(&engine, caps);
    assert_eq!(found.rows("rota_zone_queries_total").count(), 101);
    assert_eq!(found.rows("rota_zone_serial").count(), 100);
    assert_eq!(found.rows("rota_answers_total").count(), 201);
    assert_eq!(found.rows("rota_node_up").count(), 200);
    assert_eq!(found.rows("rota_service_tier").count(), 2 * 5);
    assert_eq!(found.rows("rota_service_addresses").count(), 4 * 6);
    assert_eq!(found.value("rota_zone_queries_total", &[("zone", "z0.test")]), 1.0);
    assert_eq!(found.value("rota_zone_queries_total", &[("zone", OTHER)]), 4.0);
    assert_eq!(found.sum("rota_services", &[("family", "ipv4")]), 10.0);
    let addresses = found.sum("rota_service_addresses", &[("duty", "serving")]);
    assert_eq!(addresses, 10_000.0);
    let wide = scrape(&engine, Caps::default());
    assert!(wide.samples.len() < 6_000, "{}", wide.samples.len());

    // Who was there keeps its row, whoever comes before it in the alphabet.
    zones.insert(0, zone("a.test", 0, 0));
    engine.publisher.publish(&zones, Default::default(), &rota::steer::Unchecked);
    let later = scrape(&engine, caps);
    assert_eq!(later.value("rota_zone_queries_total", &[("zone", "z0.test")]), 1.0);
    assert!(later.rows("rota_zone_queries_total").all(|row| row.labels["zone"] != "a.test"));
}
