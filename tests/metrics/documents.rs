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
                let (key, value) = one.split_once('=').expect("a label has a value");
                let value = value.trim_start_matches('~').trim_matches('"');
                (key.trim_end_matches('!').to_owned(), value.to_owned())
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
    for expression in &all {
        let asked = metrics(expression);
        assert!(!asked.is_empty(), "{expression}");
        for (name, labels) in asked {
            if OF_PROMETHEUS.contains(&&*name) {
                continue;
            }
            let family = FAMILIES.iter().find(|family| family.sample_names().contains(&name));
            let family = family.unwrap_or_else(|| panic!("there is no {name}: {expression}"));
            for (key, values) in labels.iter().filter(|(key, _)| key != "job") {
                let label = family.labels.iter().find(|label| label.name == key);
                let label = label.unwrap_or_else(|| panic!("{name} has no {key}: {expression}"));
                for value in values.split('|') {
                    let is_tier = key == "tier" && Tier::ALL.iter().any(|it| it.word() == value);
                    let told = label.doc.contains(&format!("`{value}`"));
                    assert!(is_tier || told, "no {key} is {value}: {expression}");
                }
            }
        }
    }
}
