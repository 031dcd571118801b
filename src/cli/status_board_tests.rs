//! The board as an operator sees it.

use crate::admin::docs::{
    CertificateDoc, FamilyDoc, GuardDoc, GuardWord, OutcomeWord, Says, Status, SuspectDoc,
    VerdictDoc, ZoneDoc,
};

use super::*;

fn node(name: &str, last: u8, effective: Status, real: Status, overrides: &[u64]) -> NodeDoc {
    let passed = real == Status::Up;
    let verdict = VerdictDoc {
        ago_ms: 100,
        outcome: if passed { OutcomeWord::Pass } else { OutcomeWord::Fail },
        reason: (!passed).then(|| "timed out".to_owned()),
        warning: None,
        latency_ms: 0.412,
    };
    let address = AddressDoc {
        address: [192, 0, 2, last].into(),
        real,
        effective,
        turning: false,
        answering: effective == Status::Up,
        since: Some(515),
        last: Some(verdict),
        vantages: Vec::new(),
        latencies_ms: vec![Some(1.0), Some(4.0), passed.then_some(8.0)],
        firsts: 0,
        guard: (!passed).then(|| GuardDoc {
            guard: GuardWord::MaxWithdraw,
            says: "held in the answers for 58s".to_owned(),
        }),
    };
    NodeDoc {
        id: format!("lb.test/app/eu/{name}"),
        name: name.to_owned(),
        weight: if overrides.is_empty() { 3 } else { 0 },
        weight_configured: 3,
        overrides: overrides.to_vec(),
        addresses: vec![address],
        cached: (effective == Status::Draining).then_some(CachedDoc {
            resolvers: 12,
            at_least: false,
            gone_in_seconds: 4,
            unknown_seconds: 0,
        }),
    }
}

fn status() -> StatusDoc {
    let nodes = vec![
        node("eu1", 11, Status::Up, Status::Up, &[]),
        node("eu2", 12, Status::Draining, Status::Up, &[3, 4]),
        node("eu3", 13, Status::Down, Status::Down, &[]),
    ];
    let pool = |name: &str, nodes| PoolDoc {
        name: name.to_owned(),
        share: Some(90),
        share_configured: Some(50),
        nodes,
    };
    let family = FamilyDoc {
        family: "A".to_owned(),
        row: "short".to_owned(),
        why: "every pool is below its min_healthy: the healthiest serves".to_owned(),
        pools: vec!["eu".to_owned()],
        panicking: vec!["eu".to_owned()],
    };
    let service = ServiceDoc {
        id: "lb.test/app".to_owned(),
        owner: "app.lb.test".to_owned(),
        ttl: 5,
        steer: "split".to_owned(),
        policy: "weighted".to_owned(),
        families: vec![family],
        pools: vec![pool("eu", nodes), pool("us", Vec::new())],
    };
    let zone = |apex: &str, served| ZoneDoc {
        apex: apex.to_owned(),
        served,
        serial: served.then_some(1),
        services: Vec::new(),
    };
    let over = |id, scope: &str, says, until, nodes| OverrideDoc {
        id,
        scope: scope.to_owned(),
        says,
        reason: Some("kernel update".to_owned()),
        author: "ada".to_owned(),
        since: 815,
        until,
        nodes,
    };
    StatusDoc {
        version: "1".to_owned(),
        now: 1000,
        started: 0,
        generation: 1,
        notices: vec!["no override is in force".to_owned()],
        zones: vec![zone("lb.test", true), zone("broken.test", false)],
        services: vec![service],
        overrides: vec![
            over(3, "lb.test/app/eu/eu2", Says::Drain, Some(4420), 1),
            over(12, "gone*", Says::Weight(0), None, 0),
        ],
        suspect: Some(SuspectDoc { since: 940, frozen_until: 1030 }),
        certificates: vec![
            CertificateDoc { file: "a.pem".to_owned(), ends: 1000 + 86_400 * 80, near: false },
            CertificateDoc { file: "b.pem".to_owned(), ends: 995, near: true },
        ],
    }
}

fn shares() -> Vec<Shares> {
    vec![Shares { per_second: 12.2, of: vec![Some(0.75), Some(0.25), Some(0.0)] }]
}

const EXPECTED: &str = "  \
  no override is in force
  the prober is suspected: control targets have been silent for 1m00: no node goes down for
  silence, for 30s yet
  broken.test has errors: its names get SERVFAIL
  app.lb.test   split   weighted   ttl 5s   12 answers/s
  A: every pool is below its min_healthy: the healthiest serves
  panic: A: too little is up, so eu answers with all nodes
    node  address     weight  status                 since  last verdict  probes  answered first
  eu   50→90 % of all clients
    eu1   192.0.2.11       3  ● up                    8m05  ok in 0.4 ms  ▂▅█      75% ███████
    eu2   192.0.2.12     3→0  ◐ draining (up) #3 #4   8m05  ok in 0.4 ms  ▂▅█      25% ██
          cached by about 12 resolvers, gone in 4s
    eu3   192.0.2.13       3  ○ down                  8m05  timed out     ▃█×       0%
          max_withdraw: held in the answers for 58s
  us   50→90 % of all clients

  overrides
    #3   lb.test/app/eu/eu2  drain     by ada 3m05 ago, 57m00 left  kernel update
    #12  gone*               weight 0  by ada 3m05 ago  matches nothing  kernel update

  the certificate a.pem ends in 80d00h
  the certificate b.pem has ended 5s ago
  1 service in 2 zones, running for 16m40
";

#[test]
fn what_is_not_well_is_told_and_the_rest_is_quiet() {
    let text = render(&status(), &shares(), 96, false);
    assert_eq!(text, EXPECTED, "\n{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in 0..150 {
        for line in render(&status(), &shares(), width, false).lines() {
            assert!(columns(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn notices_are_told_to_their_end() {
    for (width, expected) in [
        (80, &["no override is in force"][..]),
        (14, &["no override is", "in force"]),
        (13, &["no override", "is in force"]),
        (3, &["no", "override", "is", "in", "force"]),
    ] {
        assert_eq!(wrapped("no override is in force", width), expected);
    }
}

#[test]
fn sparklines_are_to_scale() {
    for (latencies, expected) in [
        (&[][..], ""),
        (&[None, None], "××"),
        (&[Some(0.0), Some(0.0)], "▁▁"),
        (&[Some(1.0), Some(2.0), Some(4.0), Some(8.0), None], "▂▃▅█×"),
    ] {
        assert_eq!(sparkline(latencies), expected);
    }
}
