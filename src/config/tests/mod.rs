//! One table per subject: a zone's text, and all that is said of it.

mod checks;
mod crew;
mod guards;
mod kinds;
mod nodes;
mod published;
mod services;
mod steering;
mod zone;

use std::sync::Arc;

use toml::de::DeValue;

use super::keys::{Fallback, Takes};
use super::tables::KINDS;
use super::value::as_share;
use super::{ZoneFiles, read_zone};
use crate::snapshot::{Authored, ZoneModel};
use crate::steer::Service;
use crate::wire::Name;
use crate::zone::{Diagnostic, Source};

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn files(text: &str) -> ZoneFiles {
    let source = Source { path: "app.test.toml".to_owned(), text: text.to_owned() };
    ZoneFiles { apex: name("app.test"), toml: Some(Arc::new(source)), master: None, serial: 7 }
}

/// `[zone]`, then the text from line 3 on: what is said, without the file's name.
fn check(text: &str, expected: &[&str]) {
    let text = format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{text}");
    check_whole(&text, expected);
}

/// `[zone]`, then the text from line 3 on: what is said.
fn all_said(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    read_zone(&files(&format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{text}")), &mut out);
    said(&out)
}

fn check_whole(text: &str, expected: &[&str]) {
    let mut out = Vec::new();
    read_zone(&files(text), &mut out);
    assert_eq!(said(&out), expected, "{text}");
}

fn said(out: &[Diagnostic]) -> Vec<String> {
    out.iter().map(|one| one.to_string().replace("app.test.toml:", "")).collect()
}

fn good_in(text: &str) -> Arc<ZoneModel> {
    let text = format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{text}");
    let mut out = Vec::new();
    match read_zone(&files(&text), &mut out) {
        Authored::Good(model) => model,
        Authored::Broken(_) => panic!("{:?}", said(&out)),
    }
}

fn service(text: &str) -> Arc<Service> {
    Arc::clone(&good_in(text).services[0])
}

#[test]
fn every_default_is_what_its_key_takes() {
    fn fits(takes: &Takes, value: &DeValue<'_>) -> bool {
        match (takes, value) {
            (Takes::Either(all), _) => all.iter().any(|one| fits(one, value)),
            (Takes::List(inner), DeValue::Array(all)) => {
                all.iter().all(|one| fits(inner, one.get_ref()))
            }
            (Takes::Number { min, max }, DeValue::Integer(number)) => {
                number.as_str().parse().is_ok_and(|n: u64| (*min..=*max).contains(&n))
            }
            (Takes::Duration { min, max, .. }, DeValue::String(text)) => {
                humantime::parse_duration(text).is_ok_and(|time| (*min..=*max).contains(&time))
            }
            (Takes::Words { words, .. }, DeValue::String(text)) => words.contains(&&**text),
            (Takes::Share, found) => as_share(found).is_some(),
            (Takes::Text(_), DeValue::String(_)) | (Takes::Flag, DeValue::Boolean(_)) => true,
            _ => false,
        }
    }
    for kind in KINDS {
        for (index, key) in kind.keys.iter().enumerate() {
            let at = format!("{}: {}", kind.noun, key.name);
            assert!(!key.doc.is_empty() && !key.doc.ends_with('.'), "{at}");
            assert!(!kind.keys[..index].iter().any(|other| other.name == key.name), "{at}");
            if let Fallback::Value(text) = key.default {
                let value = DeValue::parse(text).expect(&at).into_inner();
                assert!(fits(&key.takes, &value), "{at} = {text}");
            }
        }
    }
}

#[test]
fn types_and_bounds_are_told_with_what_to_write() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    for (line, expected) in [
        (
            "ttl = 5",
            "4:7: `ttl` takes a duration (like \"5s\") or a table { calm, alert }, not a \
          number (write the unit: \"5s\")",
        ),
        (
            "ttl = \"1500ms\"",
            "4:7: `ttl` is 1500ms, but must be a multiple of 1s (write a number \
          and a unit: \"500ms\", \"5s\", \"1m30s\")",
        ),
        (
            "ttl = { calm = \"5s\", alert = \"6s\" }",
            "4:30: `alert` is longer than `calm`, but \
          answers must age faster in trouble (lower `alert`, or raise `calm`)",
        ),
        ("answers = 0", "4:11: `answers` is 0, but must be 1 to 65535"),
        ("answers = \"al\"", "4:11: `answers` knows no \"al\" (did you mean \"all\"?)"),
        ("policy = \"hsh\"", "4:10: `policy` knows no \"hsh\" (did you mean \"hash\"?)"),
        ("together = 1", "4:12: `together` takes true or false, not a number"),
        ("members = []", "4:1: a service has no key `members` (here it is called `nodes`)"),
        (
            "every = \"5s\"",
            "4:1: a service has no key `every` (`every` belongs to a check: \
          [check.<name>], or in check = { … })",
        ),
    ] {
        check(&format!("[service.a]\n{line}\n{nodes}"), &[expected]);
    }
}

#[test]
fn equal_files_make_equal_zones() {
    let text = "[service.a]\nnodes = [\"192.0.2.1\"]\ncheck = { http = \"/\" }";
    assert_eq!(good_in(text), good_in(text));
}

proptest::proptest! {
    /// A slip anywhere is a report, never a panic, and every place in it can be shown.
    #[test]
    fn any_slip_is_a_report(
        at in 0..EXAMPLE.len(),
        len in 0..40_usize,
        instead in proptest::string::string_regex("[a-z0-9\\[\\]{}\"'=.,:#\n é*@x-]{0,6}").unwrap(),
    ) {
        let mut text = EXAMPLE.to_owned();
        text.replace_range(at..(at + len).min(EXAMPLE.len()), &instead);
        let mut out = Vec::new();
        let zone = read_zone(&files(&text), &mut out);
        let broken = matches!(zone, Authored::Broken(_));
        proptest::prop_assert_eq!(broken, crate::zone::diagnostic::has_errors(&out));
        proptest::prop_assert_eq!(super::render(&out, false).is_empty(), out.is_empty());
    }
}

/// Something of every kind, in ASCII so that it can be cut anywhere.
const EXAMPLE: &str = r#"[zone]
ns = ["ns1 192.0.2.53", "ns2.other.test."]
contact = "dns.team@example.org"
[check.ready]
http = { port = 8080, path = "/ready", host = "app.test", expect = ["200-299", 404] }
every = "5s"
timeout = "500ms"
[service."*.app"]
check = ["ready", { https = { host = "h.test" }, fails = 2 }]
ttl = { calm = "30s", alert = "5s" }
answers = 2
nodes = [
  "192.0.2.11 x4",
  { name = "eu1", address = ["192.0.2.12", "2001:db8::11"], labels = { rack = "a" } },
]
[service."@"]
check = { http = ":8080/ready" }
policy = "rotate"
srv = { "_https._tcp" = 443 }
https = { port = 8443, alpn = ["h2"] }
names = ["nodes", "all"]
explain = ["127.0.0.0/8"]
nodes = ["192.0.2.13"]
[service.geo]
steer = "geo"
when_all_down = "us"
[service.geo.pool.eu]
place = ["EU", "AE", "SA", "10.0.0.0/8"]
nodes = ["192.0.2.14"]
[service.geo.pool.us]
place = ["US-CA", "AS64500", "*"]
nodes = ["192.0.2.15"]
[service.near]
policy = "nearest"
steer = "split"
spread = ["rack"]
[service.near.pool.a]
share = 40
at = "52.52, 13.40"
nodes = ["192.0.2.16"]
[service.near.pool.b]
share = 60
nodes = [{ address = "192.0.2.17", at = "-33.87, 151.21", labels = { rack = "a" } }]
"#;
