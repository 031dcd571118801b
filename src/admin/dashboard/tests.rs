//! Pages from invented facts: what they show, what they escape, how large they get. What the
//! listener says beside them is in `tests/listener.rs`.

mod listener;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::super::docs::{
    AddressDoc, CheckDoc, FamilyDoc, GuardDoc, GuardWord, NodeDetailDoc, NodeDoc, OutcomeWord,
    OverrideDoc, PoolDoc, Says, ServiceDoc, Status, StatusDoc, SuspectDoc, VerdictDoc, ZoneDoc,
};
use super::super::reports::OpinionDoc;
use super::super::{Door, Events, Health, Phase, Request, bind, serve};
use super::super::{State, now};
use super::record::{EVENTS_MAX, Past};
use super::*;
use crate::respond::explain::{Explanation, NodeLine, Stage};

/// What a page may weigh, and how many elements it may have, whatever there is to show: what a
/// phone takes in its stride.
const PAGE_LEN_MAX: usize = 700_000;
const ELEMENTS_MAX: usize = 10_000;

fn verdict(reason: Option<&str>) -> VerdictDoc {
    VerdictDoc {
        ago_ms: 1500,
        outcome: if reason.is_some() { OutcomeWord::Fail } else { OutcomeWord::Pass },
        reason: reason.map(str::to_owned),
        warning: None,
        latency_ms: 1.5,
    }
}

fn node(service: &str, name: &str, number: u32, reason: Option<&str>) -> NodeDoc {
    let status = if reason.is_some() { Status::Down } else { Status::Up };
    let address = AddressDoc {
        address: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number)),
        real: status,
        effective: status,
        turning: false,
        answering: reason.is_none(),
        since: Some(400),
        last: Some(verdict(reason)),
        vantages: vec![OpinionDoc {
            from: "edge1".to_owned(),
            status,
            turning: false,
            since: 400,
            until: 1100,
            reason: reason.map(|why| format!("saw {why}")),
            words: Vec::new(),
        }],
        latencies_ms: vec![reason.is_none().then_some(1.5); 16],
        firsts: 0,
        guard: None,
    };
    NodeDoc {
        id: format!("{service}/{name}"),
        name: name.to_owned(),
        weight: 1,
        weight_configured: 1,
        overrides: Vec::new(),
        addresses: vec![address],
        cached: None,
    }
}

fn service(id: &str, nodes: Vec<NodeDoc>) -> ServiceDoc {
    let family = FamilyDoc {
        family: "A".to_owned(),
        row: "serving".to_owned(),
        why: "pools serve".to_owned(),
        pools: vec![String::new()],
        panicking: Vec::new(),
    };
    ServiceDoc {
        id: id.to_owned(),
        owner: format!("{}.lb.test", id.rsplit('/').next().unwrap()),
        ttl: 5,
        steer: "failover".to_owned(),
        policy: "rotate".to_owned(),
        families: vec![family],
        pools: vec![PoolDoc { name: String::new(), share: None, share_configured: None, nodes }],
    }
}

fn status(services: Vec<ServiceDoc>) -> StatusDoc {
    let ids = services.iter().map(|service| service.id.clone()).collect();
    let zone = ZoneDoc { apex: "lb.test".to_owned(), served: true, serial: Some(1), services: ids };
    StatusDoc {
        version: "1".to_owned(),
        now: 1000,
        started: 0,
        generation: 3,
        zones: vec![zone],
        services,
        ..StatusDoc::default()
    }
}

/// Services of so many nodes each; the last node of all is down.
fn crowd(services: u32, nodes: u32) -> StatusDoc {
    let of = |at: u32| {
        let id = format!("lb.test/s{at}");
        let one = |n: u32| {
            let last = at + 1 == services && n + 1 == nodes;
            node(&id, &format!("n{n}"), at * nodes + n, last.then_some("connection refused"))
        };
        service(&id, (0..nodes).map(one).collect())
    };
    status((0..services).map(of).collect())
}

fn details(service: &ServiceDoc) -> Vec<NodeDetailDoc> {
    let nodes = service.pools.iter().flat_map(|pool| &pool.nodes);
    let detail = |node: &NodeDoc| NodeDetailDoc {
        node: node.clone(),
        service: service.id.clone(),
        pool: String::new(),
        labels: [("rack".to_owned(), "<a>".to_owned())].into(),
        checks: vec![CheckDoc {
            address: node.addresses[0].address,
            asks: "http://10.0.0.1/<ready>".to_owned(),
            status: node.addresses[0].real,
            turning: false,
            since: Some(900),
            pace_ms: Some(1.0),
            history: (0..16).map(|n| verdict((n % 2 == 1).then_some("status <503>"))).collect(),
        }],
        curve: Vec::new(),
        left: None,
    };
    nodes.map(detail).collect()
}

fn way() -> Way {
    Way::Unix { uid: None }
}

fn overview(status: &StatusDoc, past: &Past, query: (&str, &str, usize)) -> String {
    let (text, wanted, page) = query;
    let filter = Filter::new(text, Wanted::read(wanted));
    let frame = Frame::new(status, &way(), false);
    Overview::new(frame, status, past, (Phase::Serving, Health::Well), filter, page)
        .render()
        .unwrap()
}

fn page_of(status: &StatusDoc, at: usize, query: (&str, usize)) -> String {
    let service = &status.services[at];
    let (frame, filter) = (Frame::new(status, &way(), false), Filter::new(query.0, Wanted::All));
    let (past, details) = (Past::default(), details(service));
    ServicePage::new(frame, (status, service), &details, &past, filter, query.1).render().unwrap()
}

/// Tags that begin an element.
fn elements(page: &str) -> usize {
    let begins = |(at, _): &(usize, &str)| page[at + 1..].starts_with(|c: char| c.is_alphabetic());
    page.match_indices('<').filter(begins).count()
}

/// What must hold of every page: well nested as far as it matters, and nothing in line that its
/// policy forbids.
#[track_caller]
fn check_page(page: &str) {
    assert!(page.len() < PAGE_LEN_MAX, "{} octets", page.len());
    let count = elements(page);
    assert!(count < ELEMENTS_MAX, "{count} elements");
    assert_eq!(page.matches("<script").count(), page.matches("<script src=\"/assets/").count());
    for forbidden in ["<style", " style=", "javascript:", " onclick=", " onload=", "http-equiv=\"c"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for tag in ["main", "section", "table", "tbody", "tr", "article", "svg", "ul", "ol", "form"] {
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        let opens = page
            .match_indices(&open)
            .filter(|(at, _)| page[at + open.len()..].starts_with([' ', '>']));
        assert_eq!(opens.count(), page.matches(&close).count(), "{tag}");
    }
    let ids: Vec<&str> = page
        .match_indices(" id=\"")
        .map(|(at, found)| page[at + found.len()..].split('"').next().unwrap())
        .collect();
    let twice = ids.iter().find(|id| ids.iter().filter(|other| other == id).count() > 1);
    assert_eq!(twice, None, "an id stands for one element");
}

#[test]
fn a_page_shows_what_holds_and_why() {
    let mut status = status(vec![service(
        "lb.test/app",
        vec![
            node("lb.test/app", "n1", 1, None),
            node("lb.test/app", "n2", 2, Some("status 503")),
            node("lb.test/app", "n3", 3, None),
        ],
    )]);
    let drained = &mut status.services[0].pools[0].nodes[2];
    drained.overrides = vec![7];
    drained.addresses[0].effective = Status::Draining;
    status.overrides = vec![OverrideDoc {
        id: 7,
        scope: "lb.test/app/n3".to_owned(),
        says: Says::Drain,
        reason: Some("new kernel".to_owned()),
        author: "ada".to_owned(),
        since: 900,
        until: Some(1060),
        nodes: 1,
    }];
    let mut past = Past::default();
    let start = now();
    for (n, firsts) in [(0, vec![0, 0, 0]), (2, vec![30, 0, 10])] {
        let counts = [n * 20, 0, 0, 0];
        past.look(start + Duration::from_secs(n), counts, [("lb.test/app".to_owned(), firsts)]);
    }
    let page = overview(&status, &past, ("", "", 1));
    check_page(&page);
    for expected in [
        "<title>1 down · rota</title>",
        "data-changes=\"open\"",
        "status 503",
        "checks say up",
        "edge1 says down: saw status 503",
        "href=\"#override-7\"",
        "id=\"override-7\"",
        "by ada, 1m40 ago, 1m00 left",
        "new kernel",
        ">75%<",
        "<b>20</b> answers/s",
        "last 16 probes: 16 did not pass",
        "16 probes passed, in 1.5 ms to 1.5 ms",
        ">10m00<",
    ] {
        assert!(page.contains(expected), "no {expected} in {page}");
    }
}

#[test]
fn guards_in_force_are_said_first() {
    let mut status = crowd(2, 2);
    status.suspect = Some(SuspectDoc { since: 940, frozen_until: 1030 });
    status.notices = vec!["overrides cannot be kept".to_owned()];
    status.zones[0].served = false;
    let address = &mut status.services[0].pools[0].nodes[0].addresses[0];
    let says = "held in the answers for 3s: too much has left them".to_owned();
    address.guard = Some(GuardDoc { guard: GuardWord::MaxWithdraw, says });
    status.services[1].families[0].panicking = vec![String::new()];
    let page = overview(&status, &Past::default(), ("", "", 1));
    check_page(&page);
    let mut at = 0;
    for expected in [
        "silent for 1m00: no node goes down for silence, for 30s yet",
        "overrides cannot be kept",
        "lb.test has errors: its names get SERVFAIL",
        "A: too little is up, so it answers with all nodes",
        "1 address failing, but held in the answers",
        "held in the answers for 3s",
    ] {
        let found = page[at..].find(expected);
        at += found.unwrap_or_else(|| panic!("no {expected} after {at} in {page}"));
    }
}

#[test]
fn whatever_is_named_how_it_likes_is_text() {
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";
    let mut evil = service(EVIL, vec![node(EVIL, EVIL, 1, Some(EVIL))]);
    evil.owner = EVIL.to_owned();
    evil.families[0].row = EVIL.to_owned();
    evil.families[0].why = EVIL.to_owned();
    evil.pools[0].name = EVIL.to_owned();
    let guard = GuardDoc { guard: GuardWord::HoldDown, says: EVIL.to_owned() };
    evil.pools[0].nodes[0].addresses[0].guard = Some(guard);
    evil.pools[0].nodes[0].overrides = vec![1];
    let mut status = status(vec![evil]);
    status.version = EVIL.to_owned();
    status.notices = vec![EVIL.to_owned()];
    status.overrides = vec![OverrideDoc {
        id: 1,
        scope: EVIL.to_owned(),
        says: Says::Down,
        reason: Some(EVIL.to_owned()),
        author: EVIL.to_owned(),
        since: 0,
        until: None,
        nodes: 0,
    }];
    let mut past = Past::default();
    let event = super::super::Event::Status {
        target: EVIL.to_owned(),
        from: Status::Up,
        to: Status::Down,
        reason: Some(EVIL.to_owned()),
        nodes: vec![EVIL.to_owned()],
    };
    past.note(1, event);
    let stage = Stage::Name { found: EVIL.to_owned() };
    let told = Explanation {
        stages: vec![stage, Stage::Alias { to: EVIL.to_owned() }],
        rcode: Some(EVIL.to_owned()),
        why: Some(EVIL.to_owned()),
        answer: vec![EVIL.to_owned()],
    };
    let params = Params { name: EVIL.to_owned(), ecs: Some(EVIL.to_owned()), ..Params::default() };
    let frame = Frame::new(&status, &way(), false);
    let explained = ExplainPage { frame, params, told: Told::Stages(told) };
    for page in [
        overview(&status, &past, ("", "", 1)),
        overview(&status, &past, (EVIL, "", 1)),
        page_of(&status, 0, ("", 1)),
        explained.render().unwrap(),
    ] {
        check_page(&page);
        assert!(!page.contains("<img src=x") && !page.contains("alert(1)</script>"), "{page}");
        assert!(page.contains("&#60;script&#62;alert(1)"), "it is shown as it is: {page}");
    }
}

#[test]
fn a_thousand_nodes_are_a_page_of_bounded_size() {
    for (services, nodes) in [(1, 1000), (1000, 1), (100, 100), (3000, 2)] {
        let status = crowd(services, nodes);
        let mut past = Past::default();
        (0..2 * EVENTS_MAX as u64)
            .for_each(|n| past.note(n, super::super::Event::Lost { events: n }));
        let page = overview(&status, &past, ("", "", 1));
        check_page(&page);
        // Of all that could be shown, what somebody should look at is.
        assert!(page.contains("connection refused"), "{services} × {nodes}");
        check_page(&overview(&status, &past, ("s", "", 1)));
        check_page(&overview(&status, &past, ("", "up", 9)));
        check_page(&page_of(&status, 0, ("", 1)));
        let last = format!("n{}", nodes - 1);
        let found = page_of(&status, status.services.len() - 1, (&last, 1));
        assert!(found.contains("connection refused"), "{services} × {nodes}");
    }
}

#[test]
fn a_search_shows_what_it_means_and_pages_go_on() {
    let status = crowd(250, 2);
    let past = Past::default();
    let one = overview(&status, &past, ("S249/N1", "", 1));
    assert!(one.contains("connection refused") && one.matches("<article").count() == 1, "{one}");
    let none = overview(&status, &past, ("nowhere", "", 1));
    assert!(none.contains("Nothing matches"), "{none}");
    let by_address = overview(&status, &past, ("10.0.1.243", "down", 1));
    assert!(by_address.contains("connection refused"), "{by_address}");
    // What is in trouble stands on the first page, though it is written last.
    let second = overview(&status, &past, ("", "", 2));
    assert!(second.contains("Page 2 of 3") && second.contains("/?q=&#38;status=&#38;page=3"));
    assert!(!second.contains("s249.lb.test"), "{second}");
    let beyond = overview(&status, &past, ("", "", 99));
    assert!(beyond.contains("Page 3 of 3"), "{beyond}");
    let nodes = crowd(1, 120);
    assert!(page_of(&nodes, 0, ("", 3)).contains("Page 3 of 3"));
}

#[test]
fn a_part_is_the_main_part_alone() {
    let status = crowd(1, 2);
    let frame = Frame::new(&status, &way(), true);
    let state = (Phase::Serving, Health::Well);
    let (past, filter) = (Past::default(), Filter::default());
    let part = Overview::new(frame, &status, &past, state, filter, 1).render().unwrap();
    assert!(part.starts_with("<main ") && part.trim_end().ends_with("</main>"), "{part}");
    assert!(overview(&status, &past, ("", "", 1)).contains(part.trim()), "{part}");
}

#[test]
fn where_nothing_can_be_changed_no_button_is_shown() {
    let status = crowd(1, 2);
    let peer = SocketAddr::from(([192, 0, 2, 1], 4000));
    let far = Way::Tcp { peer, loopback: false, token: None };
    let frame = Frame::new(&status, &far, false);
    let state = (Phase::Serving, Health::Well);
    let (past, filter) = (Past::default(), Filter::default());
    let page = Overview::new(frame, &status, &past, state, filter, 1).render().unwrap();
    assert!(page.contains("data-changes=\"never\""), "{page}");
    assert!(!page.contains("class=\"ghost change") && !page.contains("<dialog"), "{page}");
}

#[test]
fn an_explanation_is_drawn_stage_by_stage_and_bounded() {
    let line = |n: u32| NodeLine {
        pool: String::new(),
        node: format!("n{n}"),
        address: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n)),
        weight: 1,
        kept: n == 1999,
        why: "status 503".to_owned(),
    };
    let nodes: Vec<NodeLine> = (0..2000).map(line).collect();
    let document = serde_json::json!({
        "stages": [{"service": {
            "id": "lb.test/app", "family": "A", "row": "pools serve", "steer": "failover",
            "pools": [], "policy": "rotate", "nodes": nodes, "answers": 1,
            "picked": ["10.0.7.207"], "ttl": 5, "scope": 24,
        }}],
        "rcode": "NOERROR", "why": null, "answer": ["app.lb.test. 5 IN A 10.0.7.207"],
    });
    let told = Told::Stages(serde_json::from_value(document).unwrap());
    let params = Params { name: "app.lb.test".to_owned(), ..Params::default() };
    let frame = Frame::new(&crowd(1, 1), &way(), false);
    let page = ExplainPage { frame, params, told }.render().unwrap();
    check_page(&page);
    assert!(page.contains("1 of 2000 could be picked") && page.contains("1900 more are not shown"));
    // The one that was picked stands first, with its place.
    let (picked, dropped) = (page.find(">n1999<").unwrap(), page.find(">n0<").unwrap());
    assert!(picked < dropped && page.contains("title=\"its place in the answer\">1<"), "{page}");
    assert!(page.contains("all of the client’s /24 choose the same"), "{page}");
}
