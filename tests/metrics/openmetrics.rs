//! A strict reader of OpenMetrics text: whatever the specification forbids and a scraper might
//! forgive is a failed test. <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::collections::{BTreeMap, BTreeSet};

/// What a page says of a family before its samples.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) help: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) unit: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) families: BTreeMap<String, Family>,
    pub(crate) samples: Vec<Sample>,
}

/// What may stand behind the name of a family in the names of its samples.
const SUFFIXES: &[(&str, &[&str])] =
    &[("counter", &["_total"]), ("gauge", &[""]), ("histogram", &["_bucket", "_count", "_sum"])];

impl Scrape {
    pub(crate) fn read(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the page ends with its end marker");
        assert!(body.is_empty() || body.ends_with('\n'), "lines are whole");
        let (mut scrape, mut current) = (Self::default(), String::new());
        for line in body.lines() {
            assert!(!line.is_empty() && !line.starts_with("# EOF"), "{line:?}");
            match line.strip_prefix("# ") {
                Some(described) => scrape.describe(described, &mut current),
                None => scrape.sample(line, &current),
            }
        }
        scrape.check_series();
        scrape.check_histograms();
        scrape
    }

    /// The value of one series; its labels must be exactly these.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.samples.iter().find(|sample| {
            sample.name == name
                && sample.labels.len() == labels.len()
                && labels.iter().all(|(key, value)| sample.labels[*key] == *value)
        });
        found.unwrap_or_else(|| panic!("no {name} {labels:?}")).value
    }

    /// The sum of all series of a name that have these labels among theirs.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let such = self.rows(name).filter(|sample| {
            labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|it| it == value))
        });
        such.map(|sample| sample.value).sum()
    }

    pub(crate) fn rows<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }

    fn describe(&mut self, line: &str, current: &mut String) {
        let mut parts = line.splitn(3, ' ');
        let (what, name) = (parts.next().unwrap(), parts.next().expect("a name"));
        let text = parts.next().expect("what is said of it").to_owned();
        assert!(is_name(name), "{line}");
        if name != current {
            assert!(!self.families.contains_key(name), "{name} is in two places");
            *current = name.to_owned();
        }
        assert!(!self.samples.iter().any(|it| self.owner(&it.name) == Some(name)), "{line}");
        let family = self.families.entry(name.to_owned()).or_default();
        let slot = match what {
            "HELP" => &mut family.help,
            "TYPE" => &mut family.kind,
            "UNIT" => &mut family.unit,
            other => panic!("{other} is nothing that can be said of a family"),
        };
        assert!(slot.is_none(), "said twice: {line}");
        match what {
            "TYPE" => assert!(SUFFIXES.iter().any(|(kind, _)| *kind == text), "{line}"),
            "UNIT" => assert!(name.ends_with(&format!("_{text}")), "{line}"),
            _ => assert!(is_escaped(&text) && !text.contains('"'), "{line}"),
        }
        *slot = Some(text);
    }

    fn sample(&mut self, line: &str, current: &str) {
        let name_len = line.find(['{', ' ']).expect("a value stands behind a name");
        let (name, rest) = line.split_at(name_len);
        let family = &self.families[current];
        let kind = family.kind.as_deref().expect("TYPE stands before the samples");
        assert!(family.help.is_some(), "HELP stands before the samples: {line}");
        let suffix = name.strip_prefix(current).unwrap_or_else(|| panic!("{line} in {current}"));
        let (_, suffixes) = SUFFIXES.iter().find(|(it, _)| *it == kind).unwrap();
        assert!(suffixes.contains(&suffix), "{line} is no sample of a {kind}");
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => read_labels(rest),
            None => (BTreeMap::new(), rest),
        };
        let value = rest.strip_prefix(' ').expect("one space before the value");
        assert!(!value.contains(' '), "no timestamp: {line}");
        let value: f64 = match value {
            "+Inf" | "inf" => f64::INFINITY,
            value => value.parse().unwrap_or_else(|_| panic!("{line}: no number")),
        };
        let counts = kind == "counter" || kind == "histogram";
        assert!(!value.is_nan() && (!counts || value >= 0.0), "{line}");
        assert_eq!(suffix == "_bucket", labels.contains_key("le"), "{line}");
        self.samples.push(Sample { name: name.to_owned(), labels, value });
    }

    fn owner(&self, sample: &str) -> Option<&str> {
        let of = |(name, family): (&'_ String, &Family)| {
            let kind = family.kind.as_deref()?;
            let (_, suffixes) = SUFFIXES.iter().find(|(it, _)| *it == kind)?;
            suffixes.iter().any(|suffix| format!("{name}{suffix}") == sample).then_some(())
        };
        let found = self.families.iter().find(|(name, family)| of((name, family)).is_some());
        found.map(|(name, _)| name.as_str())
    }

    fn check_series(&self) {
        let mut seen = BTreeSet::new();
        for sample in &self.samples {
            assert!(seen.insert((&sample.name, &sample.labels)), "twice: {sample:?}");
        }
        for (name, family) in &self.families {
            assert!(family.kind.is_some() && family.help.is_some(), "{name} {family:?}");
            let has_samples = self.samples.iter().any(|it| self.owner(&it.name) == Some(name));
            assert!(has_samples, "{name} has no sample");
        }
    }

    /// Buckets grow with their bounds, end with the infinite one, and that is the count.
    fn check_histograms(&self) {
        for (name, _) in
            self.families.iter().filter(|(_, it)| it.kind.as_deref() == Some("histogram"))
        {
            for count in self.rows(&format!("{name}_count")) {
                let bucket_name = format!("{name}_bucket");
                let own = self.rows(&bucket_name).filter(|sample| {
                    sample.labels.iter().filter(|(key, _)| *key != "le").eq(&count.labels)
                });
                let bound = |sample: &Sample| match &*sample.labels["le"] {
                    "+Inf" => f64::INFINITY,
                    text => text.parse::<f64>().unwrap(),
                };
                let buckets: Vec<_> = own.map(|sample| (bound(sample), sample.value)).collect();
                assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{name} {buckets:?}");
                assert_eq!(buckets.last(), Some(&(f64::INFINITY, count.value)), "{name}");
                let sum_name = format!("{name}_sum");
                assert!(self.rows(&sum_name).any(|sum| sum.labels == count.labels), "{name}");
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// True where every backslash begins one of the three escapes.
fn is_escaped(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && !matches!(chars.next(), Some('\\' | '"' | 'n')) {
            return false;
        }
    }
    true
}

/// The labels up to the closing brace, and what stands behind it.
fn read_labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let (mut labels, mut rest) = (BTreeMap::new(), text);
    assert!(!rest.starts_with('}'), "empty braces say nothing");
    loop {
        let (name, value) = rest.split_once("=\"").expect("a label has a quoted value");
        assert!(is_name(name) && !name.contains(':'), "{text}");
        let mut end = 0;
        while !value[end..].starts_with('"') {
            end += if value[end..].starts_with('\\') { 2 } else { 1 };
            while !value.is_char_boundary(end) {
                end += 1;
            }
        }
        assert!(is_escaped(&value[..end]), "{text}");
        let told = value[..end].replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\");
        assert!(labels.insert(name.to_owned(), told).is_none(), "{name} twice in {text}");
        rest = &value[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, rest.strip_prefix('}').expect("a closing brace")),
        }
    }
}

/// The text of a page with its end marker, and whether it is taken.
#[track_caller]
fn check(text: &str, taken: bool) {
    let text = format!("{text}# EOF\n");
    let read = std::panic::catch_unwind(|| Scrape::read(&text));
    assert_eq!(read.is_ok(), taken, "{text}");
}

#[test]
fn the_reader_takes_what_is_right_and_nothing_else() {
    let head = "# HELP a_seconds Help\n# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n";
    let with = |text: &str| format!("{head}{text}");
    check("", true);
    check(&with("a_seconds 1\n"), true);
    check(&with("a_seconds{x=\"\\\\ \\\" \\n é\",y=\"\"} 1.5\n"), true);
    check(head, false);
    check(&with("a_seconds 1"), false);
    check(&with("\na_seconds 1\n"), false);
    check(&with("a_seconds 1\na_seconds 2\n"), false);
    check(&with("a_seconds_total 1\n"), false);
    check(&with("a_seconds one\n"), false);
    check(&with("a_seconds  1\n"), false);
    check(&with("a_seconds{} 1\n"), false);
    check(&with("a_seconds{x=\"\\t\"} 1\n"), false);
    check(&with("a_seconds{x=\"1\",x=\"2\"} 1\n"), false);
    check(&with("a_seconds 1\n# EOF\n"), false);
    check(&format!("a_seconds 1\n{head}"), false);
    check("# HELP a H\n# TYPE a gauge\n# UNIT a seconds\na 1\n", false);
    check("# TYPE a gauge\na 1\n", false);
    check("# HELP a H\na 1\n", false);
    check("# HELP a H\n# TYPE a counter\na 1\n", false);
    check("# HELP a H\n# TYPE a counter\na_total -1\n", false);
    let histogram = "# HELP h H\n# TYPE h histogram\nh_sum 1.0\nh_count 2\n";
    let buckets = |one, all| {
        format!("{histogram}h_bucket{{le=\"1.0\"}} {one}\nh_bucket{{le=\"+Inf\"}} {all}\n")
    };
    check(&buckets(1, 2), true);
    check(&buckets(3, 2), false);
    check(&buckets(1, 3), false);
    check(&format!("{histogram}h_bucket{{le=\"1.0\"}} 2\n"), false);
}
