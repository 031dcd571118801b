//! The report of `rota check`, word by word.

use rota::cli::report::report;
use rota::config::Loaded;

use super::zone;

/// A zone that is good, and the report of it.
#[track_caller]
fn check_report(apex: &str, text: &str, expected: &str) {
    let (zone, out) = zone(apex, text);
    assert_eq!(out, []);
    let loaded =
        Loaded { server: None, geo: None, keys: None, zones: vec![zone], diagnostics: out };
    let found = report(&loaded);
    assert_eq!(found, expected, "{found}");
}

#[test]
fn reports_read_well() {
    let text = include_str!("../../zones/thoughtspot.customer.com.toml");
    check_report("thoughtspot.customer.com", text, include_str!("simple.txt"));
    check_report("lb.customer.com", STEERED, include_str!("steered.txt"));
}

/// Every kind of rule between pools, and all that a service can publish.
const STEERED: &str = r#"[zone]
ns = ["ns1 192.0.2.53"]
[service.app]
steer  = "geo"
policy = "weighted"
answers = 2
spread  = ["rack"]
when_all_down = "us"
srv     = { "_https._tcp" = 443 }
https   = { port = 8443, alpn = ["h3", "h2"] }
names   = ["all"]
explain = ["127.0.0.0/8", "::1"]
[service.app.pool.eu]
place = ["EU", "AE", "country:SA", "TR", "IL", "EG", "MA", "TN", "DZ", "10.0.0.0/8", "2001:db8::/32"]
nodes = [{ name = "eu1", address = ["192.0.2.11", "2001:db8::11"], weight = 3, labels = { rack = "a" } }, "192.0.2.12"]
[service.app.pool.us]
place = ["*"]
min_healthy = 2
nodes = ["198.51.100.11 x3", "198.51.100.12"]
[service.canary]
steer  = "split"
policy = "hash"
[service.canary.pool.blue]
share = 90
nodes = ["192.0.2.11"]
[service.canary.pool.green]
share = 10
nodes = ["192.0.2.12"]
[service.near]
steer  = "nearest"
policy = "nearest"
https  = true
[service.near.pool.berlin]
at    = "52.52, 13.40"
nodes = ["192.0.2.11", { address = "192.0.2.12", at = "52.39, 13.06" }]
[service.near.pool.sydney]
at    = "-33.87, 151.21"
nodes = ["192.0.2.13"]
"#;
