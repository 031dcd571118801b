//! What others say who look at nodes, from outside: a proxy reports over the API or the command line,
//! DNS shows what came of it, and everything that shows a node shows who said what.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use common::operator::{status, told, verb};
use common::{Client, Folder, PATIENCE, Rota, nodes, wait_until};
use serde_json::{Value, json};

const NAME: &str = "app.lb.test.";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A server whose service has two nodes that answer and one that is not probed; `more` is written
/// into the service, `server` into `rota.toml`.
fn start(
    folder: &Folder,
    ips: [[u8; 4]; 2],
    more: &str,
    server: &str,
) -> (Rota, Vec<common::Node>) {
    let all = nodes(&ips);
    folder.write(
        "rota.toml",
        &format!(
            "[listen]\ndns = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nworkers = 1\n{server}"
        ),
    );
    write_zone(folder, &all, more);
    (Rota::start(&folder.0, &[]), all)
}

fn write_zone(folder: &Folder, all: &[common::Node], more: &str) {
    let (port, [n1, n2]) = (all[0].addr.port(), [all[0].addr.ip(), all[1].addr.ip()]);
    folder.write(
        "zones/lb.test.toml",
        &format!(
            "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.app]\nttl = {{ calm = \"30s\", alert = \"5s\" }}\n\
             check = {{ http = \":{port}/ready\", every = \"1s\" }}\n{more}\n\
             nodes = [{{ name = \"n1\", address = \"{n1}\" }}, {{ name = \"n2\", address = \"{n2}\" }}, \
             {{ name = \"n3\", address = \"192.0.2.3\", check = [] }}]\n"
        ),
    );
}

/// The names of the nodes that are answered.
fn answered(rota: &Rota, all: &[common::Node]) -> String {
    let found = Client::new(rota.dns).addresses(NAME);
    let is = |ip: std::net::IpAddr| found.iter().any(|it| std::net::IpAddr::from(*it) == ip);
    let ips = [all[0].addr.ip(), all[1].addr.ip(), [192, 0, 2, 3].into()];
    let names = ["n1", "n2", "n3"].into_iter().zip(ips).filter(|(_, ip)| is(*ip));
    names.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

/// Posts a report over TCP: the response code and the document.
fn post(rota: &Rota, headers: &str, form: &Value) -> (u16, Value) {
    let (code, text) = http(rota, "POST /api/v1/reports", headers, &form.to_string());
    (code, serde_json::from_str(&text).unwrap_or_default())
}

fn http(rota: &Rota, head: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(rota.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (host, len) = (rota.admin, body.len());
    let request = format!(
        "{head} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {len}\r\n\
         content-type: application/json\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let code = response.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
    (code, response.split_once("\r\n\r\n").unwrap_or_default().1.to_owned())
}

fn failed(node: &str, count: u32) -> Value {
    json!({"from": "haproxy-eu", "reports": [
        {"node": node, "verdict": "failed", "count": count, "status": 500}
    ]})
}

#[test]
fn five_failures_that_a_proxy_saw_take_a_node_out_and_show_everywhere() {
    let folder = Folder::new("reports-shown");
    let lasts = "[reports]\nlasts = \"1h\"\n";
    let (mut rota, all) = start(&folder, [[127, 1, 61, 1], [127, 1, 61, 2]], "", lasts);
    let mut events = UnixStream::connect(folder.0.join("state/rota.sock")).unwrap();
    events.set_read_timeout(Some(PATIENCE)).unwrap();
    events.write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut heard = String::new();
    let mut hear = |wanted: &str| {
        let mut buffer = [0; 4096];
        while !heard.contains(wanted) {
            let len = events.read(&mut buffer).unwrap();
            assert_ne!(len, 0, "no {wanted:?} in {heard}");
            heard.push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
    };
    hear("text/event-stream");
    assert_eq!(answered(&rota, &all), "n1 n2 n3");

    // Four are counted, and answers age faster; the fifth decides.
    let (code, told_back) = post(&rota, "", &failed("n1", 4));
    assert_eq!((code, &told_back["addresses"][0]["says"]), (200, &json!("unknown")));
    let address =
        |status: &Value| status["services"][0]["pools"][0]["nodes"][0]["addresses"][0].clone();
    let before = status(&folder);
    assert_eq!(before["services"][0]["ttl"], 5);
    assert_eq!(
        (&address(&before)["real"], &address(&before)["turning"]),
        (&json!("up"), &json!(true))
    );
    assert_eq!(answered(&rota, &all), "n1 n2 n3");
    let said = told(&folder, "report n1 --from haproxy-eu --failed --status 500 --count 5", 0);
    let ip = all[0].addr.ip();
    assert_eq!(said, format!("lb.test/app/n1 {ip}: haproxy-eu says down; it is down\n"));
    assert_eq!(answered(&rota, &all), "n2 n3");

    // The checks pass all the while: who has it down is told wherever the node is.
    let now = address(&status(&folder));
    assert_eq!((&now["real"], &now["effective"]), (&json!("down"), &json!("down")));
    let vantage = &now["vantages"][0];
    assert_eq!((&vantage["from"], &vantage["status"]), (&json!("haproxy-eu"), &json!("down")));
    assert_eq!(vantage["reason"], "5 × status 500");
    assert_eq!(vantage["words"].as_array().unwrap().len(), 2);
    assert!(told(&folder, "status", 0).contains("haproxy-eu: 5 × status"));
    let why = "dropped: down; haproxy-eu says down (5 × status 500)";
    let explained = told(&folder, "explain app.lb.test", 0);
    assert!(explained.contains(why), "{explained}");
    hear("event: vantage\ndata: {\"event\":\"vantage\",\"from\":\"haproxy-eu\"");
    hear("\"now\":\"down\",\"reason\":\"5 × status 500\"");
    let metrics = http(&rota, "GET /metrics", "", "").1;
    for row in [
        "rota_reports_total{vantage=\"haproxy-eu\",result=\"failed\"} 9",
        "rota_vantage_addresses{vantage=\"haproxy-eu\",status=\"down\"} 1",
        "rota_node_up{service=\"lb.test/app\",pool=\"\",node=\"n1\"} 0",
    ] {
        assert!(metrics.contains(row), "{row} in {metrics}");
    }
    let line = rota.wait_for_log("the audit", |line| {
        (line["message"] == "vantage turned").then(|| line.clone())
    });
    assert!(line["source"].as_str().unwrap().contains("unix socket"), "{line}");

    // A reload keeps it, where the node stays.
    write_zone(&folder, &all, "answers = 3");
    told(&folder, "reload", 0);
    assert_eq!(answered(&rota, &all), "n2 n3");
    told(&folder, "report n1 --from haproxy-eu --passed", 0);
    assert_eq!(answered(&rota, &all), "n2 n3");
    told(&folder, "report n1 --from haproxy-eu --passed", 0);
    assert_eq!(answered(&rota, &all), "n1 n2 n3");
    assert!(rota.stop().success());
}

#[test]
fn who_says_nothing_more_is_forgotten() {
    let folder = Folder::new("reports-lapse");
    let lasts = "[reports]\nlasts = \"1s\"\nfails = 1\n";
    let (mut rota, all) = start(&folder, [[127, 1, 62, 1], [127, 1, 62, 2]], "", lasts);
    // A node that is not probed at all, by its address.
    told(&folder, "report 192.0.2.3 --from ada --failed logins~hang", 0);
    wait_until("it leaves", || {
        answered(&rota, &all) == "n1 n2" || { rota.logged("vantage turned") == 2 }
    });
    wait_until("it is forgotten", || answered(&rota, &all) == "n1 n2 n3");
    let source = "not repeated in time";
    rota.wait_for_log("the lapse", |line| (line["source"] == source).then_some(()));
    wait_until("nothing is shown any more", || {
        let told = status(&folder);
        told["services"][0]["pools"][0]["nodes"][2]["addresses"][0]["vantages"] == json!([])
    });
    assert!(rota.stop().success());
}

#[test]
fn a_quorum_decides_between_those_who_look() {
    let folder = Folder::new("reports-quorum");
    let lasts = "[reports]\nlasts = \"1h\"\n";
    let quorum = "quorum = \"majority\"";
    let (rota, mut all) = start(&folder, [[127, 1, 63, 1], [127, 1, 63, 2]], quorum, lasts);
    told(&folder, "report n1 --from liar --failed --count 9", 0);
    assert_eq!(answered(&rota, &all), "n1 n2 n3");
    assert_eq!(status(&folder)["services"][0]["ttl"], 5, "they differ: answers age faster");
    told(&folder, "report n1 --from second --failed --count 9", 0);
    assert_eq!(answered(&rota, &all), "n2 n3");
    told(&folder, "report n1 --from second --passed --count 9", 0);
    assert_eq!(answered(&rota, &all), "n1 n2 n3");

    // What is dead to the prober alone serves, and without others it decides alone.
    for name in ["a", "b"] {
        told(&folder, &format!("report n2 --from {name} --passed"), 0);
    }
    all[1].refuse();
    wait_until("the prober has it down", || {
        let node = http(&rota, "GET /api/v1/nodes/lb.test/app/n2", "", "").1;
        let node: Value = serde_json::from_str(&node).unwrap();
        node["checks"][0]["status"] == "down"
    });
    assert_eq!(answered(&rota, &all), "n1 n2 n3");
    told(&folder, "report n2 --from a --failed --count 5", 0);
    assert_eq!(answered(&rota, &all), "n1 n3");
    assert!(rota.stop().success());
}

#[test]
fn no_report_goes_over_an_operators_word() {
    let folder = Folder::new("reports-override");
    let lasts = "[reports]\nlasts = \"1h\"\n";
    let (rota, all) = start(&folder, [[127, 1, 64, 1], [127, 1, 64, 2]], "", lasts);
    told(&folder, "up n1", 0);
    let said = told(&folder, "report n1 --from liar --failed --count 9", 0);
    assert!(said.contains("liar says down; it is down, held up"), "{said}");
    told(&folder, "down n2", 0);
    told(&folder, "report n2 --from liar --passed --count 9", 0);
    assert_eq!(answered(&rota, &all), "n1 n3");
    // Nor is all that there is taken away.
    told(&folder, "auto app", 0);
    for node in ["n2", "n3"] {
        told(&folder, &format!("report {node} --from liar --failed --count 9"), 0);
    }
    assert_eq!(answered(&rota, &all), "n1 n2 n3", "all down: all are answered");
    assert!(rota.stop().success());
}

#[test]
fn who_lacks_what_it_needs_says_so() {
    let folder = Folder::new("reports-needs");
    let lasts = "[reports]\nlasts = \"1h\"\n";
    let (rota, all) = start(&folder, [[127, 1, 67, 1], [127, 1, 67, 2]], "", lasts);
    let zone = folder.0.join("zones/lb.test.toml");
    let text = std::fs::read_to_string(&zone).unwrap();
    let web = "[service.web]\nneeds = \"app\"\nwhen_all_down = \"closed\"\n\
               nodes = [{ name = \"w1\", address = \"192.0.2.9\" }]\n";
    folder.write("zones/lb.test.toml", &format!("{text}{web}"));
    told(&folder, "reload", 0);
    assert_eq!(Client::new(rota.dns).addresses("web.lb.test.").len(), 1);
    for node in ["n1", "n2", "n3"] {
        told(&folder, &format!("report {node} --from proxy --failed --count 9"), 0);
    }
    assert_eq!(answered(&rota, &all), "n1 n2 n3", "all down: open");
    assert_eq!(Client::new(rota.dns).addresses("web.lb.test.").len(), 0);
    let why = "its pool needs lb.test/app, where nothing serves";
    let explained = told(&folder, "explain web.lb.test", 1);
    assert!(explained.contains(why), "{explained}");
    let shown = status(&folder);
    let web = shown["services"].as_array().unwrap().iter().find(|it| it["id"] == "lb.test/web");
    let guard = &web.unwrap()["pools"][0]["nodes"][0]["addresses"][0]["guard"];
    assert_eq!(*guard, json!({"guard": "needs", "says": why}));
    told(&folder, "report n1 --from proxy --passed --count 2", 0);
    assert_eq!(Client::new(rota.dns).addresses("web.lb.test.").len(), 1);
    assert!(rota.stop().success());
}

#[test]
fn what_is_not_meant_so_is_refused_as_a_whole() {
    let folder = Folder::new("reports-refused");
    folder.write("token", TOKEN);
    let server = "[admin]\ntoken_file = \"token\"\n[reports]\nfrom = [\"haproxy-eu\", \"b\"]\n";
    let (rota, all) = start(&folder, [[127, 1, 65, 1], [127, 1, 65, 2]], "", server);
    assert_eq!(post(&rota, "", &failed("n1", 5)).0, 401);
    assert_eq!(post(&rota, "authorization: Bearer wrong\r\n", &failed("n1", 5)).0, 401);
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    let one = |from: &str, seen: Value| json!({"from": from, "reports": [seen]});
    let seen = |more: Value| {
        let mut seen = json!({"node": "n1", "verdict": "failed"});
        seen.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        one("haproxy-eu", seen)
    };
    for (form, code, error) in [
        (failed("n11", 5), 404, "no service, pool or node is called"),
        (failed("app", 5), 400, "lb.test/app is not a node"),
        (failed("n*", 5), 400, "is a pattern"),
        (failed("n1", 0), 400, "`count` must be 1 to"),
        (seen(json!({"status": 99})), 400, "`status` must be a response code"),
        (seen(json!({"reason": "two\nlines"})), 400, "`reason` must be one line"),
        (seen(json!({"reason": "x".repeat(201)})), 400, "`reason` must be one line"),
        (seen(json!({"verdict": "slow"})), 400, "unknown variant `slow`"),
        (seen(json!({"node": 1})), 400, "invalid type"),
        (seen(json!({"weight": 1})), 400, "unknown field `weight`"),
        (one("stranger", json!({"node": "n1", "verdict": "failed"})), 400, "nobody of that name"),
        (
            one("two words", json!({"node": "n1", "verdict": "failed"})),
            400,
            "`from` must be a name",
        ),
        (json!({"from": "b", "reports": []}), 400, "`reports` must hold 1 to 100"),
        (
            json!({"from": "b", "reports": [
                {"node": "n1", "verdict": "failed", "count": 5},
                {"node": "nowhere", "verdict": "failed"}
            ]}),
            404,
            "no service, pool or node is called",
        ),
    ] {
        let (found, doc) = post(&rota, &token, &form);
        let text = doc["error"].as_str().unwrap_or_default();
        assert!(found == code && text.contains(error), "{form}: {found} {doc}");
    }
    assert_eq!(answered(&rota, &all), "n1 n2 n3");
    assert_eq!(post(&rota, &token, &failed("n1", 5)).0, 200);
    assert_eq!(answered(&rota, &all), "n2 n3");

    // Who is heard no more has said nothing.
    let text = std::fs::read_to_string(folder.0.join("rota.toml")).unwrap();
    folder.write("rota.toml", &text.replace("\"haproxy-eu\", ", ""));
    assert_eq!(verb(&folder.0, "reload").status.code(), Some(0));
    assert_eq!(answered(&rota, &all), "n1 n2 n3");
    assert!(rota.stop().success());
}
