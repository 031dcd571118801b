//! The documentation says what the page has: made from the same descriptions, or held against
//! them.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use rota::admin::metrics::{FAMILIES, document};
use rota::steer::Tier;

/// Where this is set, the page of the documentation is written rather than compared.
const WRITE: &str = "ROTA_RENEW";

/// Names that Prometheus adds to every target by itself.
const OF_PROMETHEUS: &[&str] = &["up"];

/// Labels that it adds to every row of a target.
const OF_TARGETS: &[&str] = &["job", "instance"];

fn docs(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(file)
}

#[test]
fn the_page_of_the_documentation_is_up_to_date() {
    let (path, made) = (docs("metrics.md"), document::page());
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == made, "docs/metrics.md: {WRITE}=1 cargo test --test metrics writes it anew");
}

#[test]
fn names_and_descriptions_keep_the_conventions() {
    let mut names = HashSet::new();
    for family in FAMILIES {
        let name = family.name;
        assert!(names.insert(name), "{name} twice");
        assert!(name.starts_with("rota_") || name.starts_with("process_"), "{name}");
        assert!(!name.ends_with("_total"), "{name}: the kind adds that");
        let unit = family.unit.map(|unit| unit.word());
        assert!(unit.is_none_or(|unit| name.ends_with(unit)), "{name}");
        let help = family.help;
        assert!(help.len() > 10 && !help.ends_with('.') && !help.contains('\n'), "{name}: {help}");
        let labels: HashSet<_> = family.labels.iter().map(|label| label.name).collect();
        assert_eq!(labels.len(), family.labels.len(), "{name}");
    }
}

/// The metrics of an expression of PromQL, each with the labels that it must have and their values.
fn metrics(expression: &str) -> Vec<(String, Vec<(String, String)>)> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(word) {
        let text = &rest[start..];
        let (name, behind) = text.split_at(text.find(|c| !word(c)).unwrap_or(text.len()));
        rest = behind;
        let known = name.starts_with("rota_") || name.starts_with("process_");
        if !known && !OF_PROMETHEUS.contains(&name) {
            // A function, a keyword, a number, or what they are told.
            continue;
        }
        let mut labels = Vec::new();
        if let Some(selector) = behind.strip_prefix('{') {
            let (selector, behind) = selector.split_once('}').expect("a selector ends");
            rest = behind;
            labels.extend(selector.split(", ").map(|one| {
                let sign = one.find(['=', '!']).expect("a label has a value");
                let (key, value) = one.split_at(sign);
                let value = value.trim_start_matches(['=', '!', '~']).trim_matches('"');
                (key.to_owned(), value.to_owned())
            }));
        }
        found.push((name.to_owned(), labels));
    }
    found
}

/// Every expression of the rules: behind `expr:`, and its indented lines where it has some.
fn expressions(rules: &str) -> Vec<String> {
    let mut lines = rules.lines().peekable();
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let Some(one) = line.trim_start().strip_prefix("expr: ") else { continue };
        let mut text = one.trim_start_matches('|').to_owned();
        while let Some(more) = lines.next_if(|next| one == "|" && next.starts_with("          ")) {
            text.push_str(more);
        }
        all.push(text);
    }
    all
}

#[test]
fn alerts_ask_for_metrics_that_there_are() {
    let rules = fs::read_to_string(docs("alerts.yaml")).unwrap();
    let all = expressions(&rules);
    assert_eq!(all.len(), rules.matches("- alert: ").count());
    assert!(all.len() > 10);
    all.iter().for_each(|expression| check(expression));
}

/// An expression asks for what there is, by labels that it has and values that they can have.
#[track_caller]
fn check(expression: &str) {
    let asked = metrics(expression);
    assert!(!asked.is_empty(), "{expression}");
    for (name, labels) in asked {
        if OF_PROMETHEUS.contains(&&*name) {
            continue;
        }
        let family = FAMILIES.iter().find(|family| family.sample_names().contains(&name));
        let family = family.unwrap_or_else(|| panic!("there is no {name}: {expression}"));
        for (key, values) in labels.iter().filter(|(key, _)| !OF_TARGETS.contains(&&**key)) {
            let label = family.labels.iter().find(|label| label.name == key);
            let label = label.unwrap_or_else(|| panic!("{name} has no {key}: {expression}"));
            // What a reader of the dashboard chooses is one of those that there are.
            for value in values.split('|').filter(|value| !value.starts_with('$')) {
                let is_tier = key == "tier" && Tier::ALL.iter().any(|it| it.word() == value);
                let told = label.doc.contains(&format!("`{value}`"));
                assert!(is_tier || told, "no {key} is {value}: {expression}");
            }
        }
    }
}

/// `promtool test rules tests/alerts.yaml` shows that they do; here, that none is left out.
#[test]
fn every_alert_is_made_to_fire() {
    let rules = fs::read_to_string(docs("alerts.yaml")).unwrap();
    let tests = fs::read_to_string(docs("../tests/alerts.yaml")).unwrap();
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    for name in names {
        assert!(tests.contains(&format!("  - name: {name}\n")), "{name} never fires");
        assert_eq!(tests.matches(&format!("alertname: {name}\n")).count(), 2, "{name}");
    }
}

#[test]
fn the_dashboard_for_grafana_asks_for_metrics_that_there_are() {
    let text = fs::read_to_string(docs("grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    let mut count = 0;
    for target in targets.chain(annotations) {
        check(target["expr"].as_str().unwrap());
        count += 1;
    }
    assert!(count > 30, "{count} expressions");
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let query = variable["query"].as_str().unwrap();
        if query != "prometheus" {
            check(query);
        }
    }
    // No panel lies on another, and each has a number of its own.
    let mut ids = HashSet::new();
    let mut places = HashSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(x < 24 && places.insert((x, y)), "{}", panel["title"]);
            }
        }
    }
}
