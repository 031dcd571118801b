//! The committed schemas and the page of all keys are what this version says, and editors that go
//! by the schemas accept what is accepted.

use rota::cli::schema::{What, text};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::checker::problems;
use super::{Kind, blocks_of_all_pages};

#[test]
fn committed_documents_are_what_this_version_says() {
    for (what, file) in [
        (What::Server, "docs/schema/server.json"),
        (What::Zone, "docs/schema/zone.json"),
        (What::Keys, "docs/keys.md"),
    ] {
        super::compare(file, &text(what));
    }
}

#[test]
fn every_configuration_in_the_documentation_fits_its_schema() {
    for block in blocks_of_all_pages() {
        let found = problems_of(block.kind(), &block.whole());
        assert!(found.is_empty(), "{}, line {}: {found:?}", block.page, block.line);
    }
}

#[test]
fn what_does_not_fit_is_underlined() {
    let zone = "[zone]\nns = [\"ns1 192.0.2.53\"]\n";
    for (kind, toml, expected) in [
        (Kind::Server, "", None),
        (Kind::Server, "zonse = \"zones\"", Some("/: has no `zonse`")),
        (Kind::Server, "[dns]\nudp_size = 65536", Some("/dns/udp_size: 65536 is above 4096")),
        (Kind::Server, "[dns]\nudp_size = 100", Some("/dns/udp_size: 100 is below 512")),
        (Kind::Server, "[dns]\nrate_limit = \"200\"", Some("/dns/rate_limit: fits none")),
        (Kind::Server, "[dns]\nrate_limit = true", None),
        (Kind::Server, "[listen]\ndns = \"0.0.0.0:53\"", Some("/listen/dns: is no array")),
        (Kind::Server, "[listen]\nidle_time = \"5\"", Some("/listen/idle_time: \"5\" is not like")),
        (Kind::Server, "[listen]\nidle_time = \"1m 30s\"", None),
        (Kind::Zone, "[zone]", Some("/zone: needs `ns`")),
        (Kind::Zone, "[service.a]\npolicy = \"random\"", Some("/service/a/policy: is none of")),
        (
            Kind::Zone,
            "[service.a]\npolicy = \"least-loadd\"",
            Some("/service/a/policy: is none of"),
        ),
        (Kind::Zone, "[service.a]\nwhen_all_down = \"sorry\"", None),
        (
            Kind::Zone,
            "[service.a]\nnodes = [{ weight = 3 }]",
            Some("/service/a/nodes/0: fits none"),
        ),
        (
            Kind::Zone,
            "[service.a]\ncheck = { http = { port = 0 } }",
            Some("/service/a/check: fits none"),
        ),
        (Kind::Zone, "[service.a.pool.b]", Some("/service/a/pool/b: needs `nodes`")),
        (Kind::Zone, "[check.c]\nfails = 3.5", Some("/check/c/fails: is no integer")),
    ] {
        let head = if kind == Kind::Zone && !toml.contains("[zone]") { zone } else { "" };
        let found = problems_of(kind, &format!("{head}{toml}"));
        let first = found.first().map(String::as_str).unwrap_or_default();
        match expected {
            Some(start) => assert!(first.starts_with(start), "{toml}: {found:?}"),
            None => assert!(found.is_empty(), "{toml}: {found:?}"),
        }
    }
}

/// What an editor underlines in a text.
fn problems_of(kind: Kind, toml: &str) -> Vec<String> {
    let what = match kind {
        Kind::Server => What::Server,
        Kind::Zone => What::Zone,
    };
    let schema: Value = serde_json::from_str(&text(what)).unwrap();
    problems(&schema, &json_of_table(DeTable::parse(toml).unwrap().get_ref()))
}

/// TOML as the JSON that a schema speaks of.
fn json_of_table(table: &DeTable<'_>) -> Value {
    table.iter().map(|(key, one)| (key.get_ref().to_string(), json(one.get_ref()))).collect()
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.to_string().into(),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).unwrap().into()
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().unwrap().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(all) => all.iter().map(|one| json(one.get_ref())).collect(),
        DeValue::Table(table) => json_of_table(table),
    }
}
