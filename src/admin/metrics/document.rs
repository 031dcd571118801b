//! The page of the documentation that tells every family, made from their descriptions.

use std::fmt::Write;

use crate::respond::Outcome;
use crate::steer::Tier;

use super::families::FAMILIES;

const OPENING: &str = "\
# Metrics

`GET /metrics` on the admin listener answers in [OpenMetrics] text, which Prometheus and all that
reads its format understand. It costs the threads that answer queries nothing: what they count
anyway is read and added up when somebody asks.

```yaml
scrape_configs:
  - job_name: rota
    static_configs:
      - targets: [\"127.0.0.1:9153\"]
```

Rules for alerts are in `alerts.yaml` beside this page, a dashboard for Grafana in `grafana.json`.
What `[metrics]` of `rota.toml` bounds, with its defaults:

```toml
[metrics]
enabled  = true
zones    = 1000
services = 1000
nodes    = 1000
```

Those that came first have rows of their own, whatever comes later; the others are one row
`(other)` of a counter, and are not in a gauge of which a sum says nothing. Counters begin with the
process. A name below is what a query has; of a histogram there are `_bucket`, `_sum` and `_count`.

[OpenMetrics]: https://prometheus.io/docs/specs/om/open_metrics_spec/
";

const LISTS: &str = "\
## What adds up

Every packet is in one row of `rota_queries_total`, and in one of `rota_outcomes_total`. Those
that were answered are in one row of `rota_responses_total`, the others in one of
`rota_packets_dropped_total`; sizes are counted of all responses. `rota_zone_queries_total`,
`rota_client_subnet_queries_total`, `rota_cookie_queries_total` and `rota_fallback_queries_total`
are parts of all packets, `rota_answers_total` is a part of the outcome `answered`: answers with A
or AAAA records of a service.
";

/// The whole page.
pub fn page() -> String {
    let mut text = OPENING.to_owned();
    for family in FAMILIES {
        let (name, kind, help) = (family.series(), family.kind.word(), family.help);
        let unit = family.unit.map(|unit| format!(", in {}", unit.word())).unwrap_or_default();
        let bound = family.bound.map(|bound| format!(", bounded by `{}`", bound.key()));
        let bound = bound.unwrap_or_default();
        let _ = write!(text, "\n## `{name}`\n\n{help}.\n\n*{kind}{unit}{bound}*\n");
        if !family.labels.is_empty() {
            text.push('\n');
        }
        for label in family.labels {
            let _ = writeln!(text, "- `{}`: {}", label.name, label.doc);
        }
    }
    text.push('\n');
    text.push_str(LISTS);
    list(&mut text, "Outcomes", Outcome::ALL.map(Outcome::word));
    list(&mut text, "Tiers", Tier::ALL.map(Tier::word));
    text
}

fn list<const N: usize>(text: &mut String, title: &str, words: [&str; N]) {
    let words = words.map(|word| format!("`{word}`")).join(", ");
    let _ = write!(text, "\n## {title}\n\n{words}.\n");
}
