//! Drafts, and the questions that complete them.

use super::draft::{Check, Draft};
use super::questions::ask;
use super::zonefile;
use crate::wire::Name;

fn app() -> Draft {
    Draft::of(Name::from_text("app.example.org").unwrap())
}

#[test]
fn a_draft_is_taken_by_the_reader_of_configurations() {
    for check in [":8080/ready", "https://:443/", "tcp://:6379", "tls://:443", "none"] {
        let draft = Draft {
            name_servers: vec!["ns1 192.0.2.53 2001:db8::53".into(), "ns.example.net.".into()],
            nodes: vec!["192.0.2.11 x2".into(), "2001:db8::11".into()],
            check: Some(Check::parse(check).unwrap()),
            ..app()
        };
        assert_eq!(draft.complaints(), None, "{}", draft.toml());
        assert_eq!(draft.missing(), []);
    }
}

#[test]
fn checks_are_a_kind_and_a_port() {
    for (text, expected) in [
        (":8080/ready", Ok("http://:8080/ready")),
        ("http://:80/", Ok("http://:80/")),
        ("tls://:443", Ok("tls://:443")),
        ("none", Ok("none")),
        ("ftp://:21", Err("\"ftp\" is no kind of check")),
        ("http://app.example.org/", Err("write a port and a path")),
        ("/ready", Err("write a port and a path")),
    ] {
        let read = Check::parse(text).map(|check| check.to_string());
        match expected {
            Ok(shown) => assert_eq!(read.as_deref(), Ok(shown)),
            Err(start) => assert!(read.unwrap_err().starts_with(start), "{text}"),
        }
    }
}

/// What is asked and told where these lines are said, and what comes of it.
fn talk(draft: &mut Draft, lines: &str) -> (String, bool) {
    let mut told = Vec::new();
    let done = ask(draft, &mut lines.as_bytes(), &mut told).is_ok();
    (String::from_utf8(told).unwrap(), done)
}

#[test]
fn nonsense_is_asked_again_with_what_is_wrong() {
    let mut draft = Draft::default();
    let lines = "app\n*.app.example.org\na/b.example.org\n\
                 app.example.org\n192.0.2.53\nns1\nns1 192.0.2.53\n\
                 192.0.2.11:80\n,\n192.0.2.11 x2, 192.0.2.12\nhttp\n\n";
    let (told, done) = talk(&mut draft, lines);
    assert!(done, "{told}");
    for complaint in [
        "write the whole name",
        "a wildcard cannot be delegated",
        "cannot be a file's name",
        "a name server needs a name: write a name first",
        "has no address: add it",
        "leave the port out",
        "there is nothing in it",
        "write a port and a path",
    ] {
        assert!(told.contains(complaint), "{complaint} in {told}");
    }
    assert_eq!(draft.name_servers, ["ns1 192.0.2.53"]);
    assert_eq!(draft.nodes, ["192.0.2.11 x2", "192.0.2.12"]);
    // A bare Enter is the default.
    assert_eq!(draft.check, Some(Check::Ask("http", ":8080/ready".into())));
    assert_eq!(draft.complaints(), None);
}

#[test]
fn only_what_is_missing_is_asked_and_an_end_is_an_end() {
    let mut draft = Draft { nodes: vec!["192.0.2.11".into()], check: Some(Check::None), ..app() };
    let (told, done) = talk(&mut draft, "ns1 192.0.2.53\n");
    assert!(done && told.matches("> ").count() == 1, "{told}");
    let (told, done) = talk(&mut app(), "ns1 192.0.2.53\n");
    assert!(!done, "{told}");
}

const EXAMPLE_ORG: &str = "\
$ORIGIN example.org.
$TTL 300
@    SOA ns1 hostmaster 7 3600 600 86400 60
@    NS  ns1
@    A   192.0.2.80
ns1  A   192.0.2.1
app  A   192.0.2.11
app  A   192.0.2.12
app  AAAA 2001:db8::11
app  MX  10 mail.example.org.
app  TXT \"v=spf1 \\\"quoted\\\" -all\" \"more\"
app  TYPE65280 \\# 2 0102
_sip._tcp.app SRV 0 5 5060 sip.app
sip.app  CAA 0 issue \"ca.example.net\"
www  CNAME app
sub  NS  ns.sub
ns.sub A 192.0.2.99
";

/// A draft of a name in that zone.
fn of_file(name: Option<&str>) -> Result<Draft, String> {
    let file = format!("rota-test-{}-{}", std::process::id(), name.unwrap_or("whole"));
    let path = std::env::temp_dir().join(file);
    std::fs::write(&path, EXAMPLE_ORG).unwrap();
    let name = name.map(|name| Name::from_text(name).unwrap());
    let draft = zonefile::draft(&path, name.as_ref(), None);
    std::fs::remove_file(&path).unwrap();
    draft.map_err(|error| format!("{error:#}"))
}

#[test]
fn a_name_moves_with_all_that_stands_at_and_below_it() {
    let draft = of_file(Some("app.example.org")).unwrap();
    assert_eq!(draft.nodes, ["192.0.2.11", "192.0.2.12", "2001:db8::11"]);
    let expected = [
        "app.example.org.\t300\tIN\tMX\t10 mail.example.org.",
        "app.example.org.\t300\tIN\tTXT\t\"v=spf1 \\\"quoted\\\" -all\" \"more\"",
        "app.example.org.\t300\tIN\tTYPE65280\t\\# 2 01 02",
        "sip.app.example.org.\t300\tIN\tCAA\t0 issue \"ca.example.net\"",
        "_sip._tcp.app.example.org.\t300\tIN\tSRV\t0 5 5060 sip.app.example.org.",
    ];
    let mut records = draft.records.clone();
    records.sort();
    let mut wanted = expected.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(records, wanted);
    let whole =
        Draft { name_servers: vec!["ns1 192.0.2.53".into()], check: Some(Check::None), ..draft };
    assert_eq!(whole.complaints(), None, "{}", whole.toml());
}

#[test]
fn a_whole_zone_keeps_its_own_start() {
    let draft = Draft { check: Some(Check::None), ..of_file(None).unwrap() };
    assert!(draft.missing().is_empty() && !draft.toml().contains("[zone]"), "{}", draft.toml());
    assert_eq!(draft.nodes, ["192.0.2.80"]);
    assert_eq!(draft.complaints(), None);
}

#[test]
fn what_has_no_addresses_there_is_refused() {
    for (name, why) in [
        ("www.example.org", "is an alias of app.example.org"),
        ("sub.example.org", "is delegated there already"),
        ("none.example.org", "has neither A nor AAAA"),
        ("app.example.net", "is not in example.org"),
    ] {
        let told = of_file(Some(name)).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}
