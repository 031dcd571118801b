//! What nodes say of their load, and what that makes of their weights.
//!
//! A node says with a probe how busy it is: in the header `X-Rota-Load`, at a pointer into a JSON
//! body, or as a metric on a Prometheus page. A report is a number, and the check says which number
//! is a full load (1 unless written, 100 for percent, 200 for connections of which a node takes
//! 200). A number may as well say what the node wants of its weight: then the rest is its load.
//! What is left of a node is its part of its configured weight: at 0.75 a quarter.
//!
//! ```text
//!   report ─► smoothed over about four probes ─► what is left ─► told, when it left a dead band
//!                                                0.1 to 1
//! ```
//!
//! So a node never gets more than its configured weight, and never less than a tenth of it: a
//! report may be wrong, and whoever gets no client at all can never say that it is idle again.
//! Plans change in steps that matter, not with every probe. A node whose reports stay away for
//! [`STALE_AFTER`] verdicts has its configured weight again.

use serde_json::Value;

use super::Share;

/// The header of a report.
pub const HEADER: &str = "x-rota-load";
/// Verdicts in a row without a report after which there is none.
pub const STALE_AFTER: u32 = 3;
/// No node's part of its weight is less.
pub const PART_MIN: Share = Share::thousandths(100);

/// A load beyond ten times the full one says no more than that.
const LOAD_MAX: u32 = 10_000;
/// How much a new report counts, of so many.
const SMOOTHING: u32 = 4;
/// The dead band around what was told, in thousandths.
const BAND: u32 = 100;

/// Where a check finds the load of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LoadFrom {
    /// Where the number stands.
    pub at: LoadAt,
    /// The number that is a full load, or the whole weight; at least 1.
    pub full: u32,
    /// What the number says.
    pub says: LoadSays,
}

/// What the number of a report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoadSays {
    /// How busy the node is.
    Load,
    /// What it wants to have of its weight.
    Weight,
}

/// Where the number of a report stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LoadAt {
    /// In the header [`HEADER`].
    Header,
    /// At this pointer (RFC 6901) into a JSON body.
    Json(String),
    /// On a Prometheus page: a name, or a name with labels as they stand there. Several lines of a
    /// name are added up.
    Metric(String),
}

impl LoadFrom {
    /// True where the number stands in the body.
    pub fn needs_body(&self) -> bool {
        match self.at {
            LoadAt::Header => false,
            LoadAt::Json(_) | LoadAt::Metric(_) => true,
        }
    }

    /// The report of a header's value.
    pub fn of_header(&self, value: &[u8]) -> Option<Share> {
        self.of_number(std::str::from_utf8(value).ok()?.trim().parse().ok()?)
    }

    /// The report of a body; `whole` is false where it went on beyond what was read.
    pub fn of_body(&self, body: &[u8], whole: bool) -> Option<Share> {
        match &self.at {
            LoadAt::Header => None,
            LoadAt::Json(pointer) => {
                let document: Value = serde_json::from_slice(body).ok()?;
                self.of_number(document.pointer(pointer)?.as_f64()?)
            }
            LoadAt::Metric(name) => self.of_number(metric(name, body, whole)?),
        }
    }

    fn of_number(&self, number: f64) -> Option<Share> {
        let load = number / f64::from(self.full) * f64::from(Share::WHOLE.count());
        let sane = number.is_finite() && number >= 0.0;
        let said = Share::thousandths(load.min(f64::from(LOAD_MAX)) as u32);
        let load = match self.says {
            LoadSays::Load => said,
            LoadSays::Weight => {
                Share::thousandths(Share::WHOLE.count().saturating_sub(said.count()))
            }
        };
        sane.then_some(load)
    }
}

/// The sum of a metric's lines: `name{labels} value timestamp`.
fn metric(name: &str, page: &[u8], whole: bool) -> Option<f64> {
    let page = String::from_utf8_lossy(page);
    let end = if whole { page.len() } else { page.rfind('\n')? };
    let mut sum = None;
    for line in page[..end].lines() {
        let Some(rest) = line.strip_prefix(name) else { continue };
        let values = match rest.strip_prefix('{') {
            // Labels may hold braces in their text; numbers behind them cannot.
            Some(labels) => labels.rsplit_once('}').map(|(_, values)| values),
            None => Some(rest).filter(|rest| rest.starts_with([' ', '\t'])),
        };
        let value = values.and_then(|values| values.split_whitespace().next());
        if let Some(value) = value.and_then(|value| value.parse::<f64>().ok()) {
            sum = Some(sum.unwrap_or(0.0) + value);
        }
    }
    sum
}

/// The load of one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Thousandths.
    smoothed: Option<u32>,
    told: Option<u32>,
    missed: u32,
}

impl Load {
    /// Takes what came with a verdict.
    pub(super) fn take(&mut self, report: Option<Share>) {
        let Some(report) = report else {
            self.missed = self.missed.saturating_add(1);
            if self.missed >= STALE_AFTER {
                *self = Self::default();
            }
            return;
        };
        self.missed = 0;
        let sample = report.count().min(LOAD_MAX);
        let smoothed = match self.smoothed {
            None => sample,
            Some(before) => (before * (SMOOTHING - 1) + sample) / SMOOTHING,
        };
        self.smoothed = Some(smoothed);
        let left = Share::WHOLE.count().saturating_sub(smoothed).max(PART_MIN.count());
        if self.told.is_none_or(|told| told.abs_diff(left) > BAND) {
            self.told = Some(left);
        }
    }

    /// The part of its weight that the node has by its load; none where nothing is known.
    pub(super) fn part(&self) -> Option<Share> {
        self.told.map(Share::thousandths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: LoadAt, full: u32, text: &str, expected: Option<u32>) {
        let from = LoadFrom { at, full, says: LoadSays::Load };
        let found = if from.needs_body() {
            from.of_body(text.as_bytes(), true)
        } else {
            from.of_header(text.as_bytes())
        };
        assert_eq!(found.map(Share::count), expected, "{from:?} of {text:?}");
    }

    #[test]
    fn a_header_is_a_number() {
        check(LoadAt::Header, 1, "0.75", Some(750));
        check(LoadAt::Header, 100, " 75 ", Some(750));
        check(LoadAt::Header, 1, "0", Some(0));
        check(LoadAt::Header, 1, "1e9", Some(10_000));
        for odd in ["", "NaN", "inf", "-1", "75%", "busy"] {
            check(LoadAt::Header, 1, odd, None);
        }
    }

    #[test]
    fn who_says_a_weight_is_loaded_by_the_rest() {
        let from =
            LoadFrom { at: LoadAt::Json("/weight".into()), full: 100, says: LoadSays::Weight };
        for (weight, load) in [("100", 0), ("75", 250), ("0", 1000), ("300", 0)] {
            let body = format!("{{\"weight\":{weight}}}");
            let found = from.of_body(body.as_bytes(), true);
            assert_eq!(found, Some(Share::thousandths(load)), "{weight}");
        }
        assert_eq!(from.of_body(br#"{"weight":-1}"#, true), None);
    }

    #[test]
    fn a_document_has_it_at_a_pointer() {
        let at = |pointer: &str| LoadAt::Json(pointer.to_owned());
        check(at("/load"), 1, r#"{"load":0.5}"#, Some(500));
        check(at("/pool/connections"), 200, r#"{"pool":{"connections":50}}"#, Some(250));
        check(at("/load"), 1, r#"{"load":"0.5"}"#, None);
        check(at("/load"), 1, r#"{"weight":1}"#, None);
        check(at("/load"), 1, "0.5", None);
    }

    #[test]
    fn a_page_has_it_in_its_lines() {
        let page = "# HELP conns Open connections\nconns_total 900\nconns{site=\"}\"} 30\n\
                    conns{site=\"b\"} 20 1712000000\nload 0.25\n";
        let at = |name: &str| LoadAt::Metric(name.to_owned());
        check(at("conns"), 100, page, Some(500));
        check(at("conns{site=\"b\"}"), 100, page, Some(200));
        check(at("load"), 1, page, Some(250));
        check(at("loa"), 1, page, None);
        check(at("HELP"), 1, page, None);
        // Half a line is none.
        let from = LoadFrom { at: at("load"), full: 1, says: LoadSays::Load };
        assert_eq!(from.of_body(b"load 0.25\nload 0.1", false), Some(Share::thousandths(250)));
        assert_eq!(from.of_body(b"load 0.25", false), None);
    }

    /// Reports in thousandths (`-` is none), and the parts that are told.
    #[track_caller]
    fn check_parts(reports: &str, expected: &str) {
        let mut load = Load::default();
        let part = |word: &str| {
            load.take(word.parse().ok().map(Share::thousandths));
            load.part().map_or("-".to_owned(), |part| part.count().to_string())
        };
        let told: Vec<String> = reports.split(' ').map(part).collect();
        assert_eq!(told.join(" "), expected, "{reports}");
    }

    #[test]
    fn parts_follow_lasting_changes_within_their_bounds() {
        check_parts("0 50 90 40", "1000 1000 1000 1000");
        check_parts("0 800 800 800 800", "1000 800 650 538 538");
        check_parts("5000 900 0", "100 100 100");
    }

    #[test]
    fn reports_that_stay_away_are_forgotten() {
        check_parts("500 - - -", "500 500 500 -");
        check_parts("500 - - 500 - -", "500 500 500 500 500 500");
        check_parts("900 - - - 100", "100 100 100 - 900");
    }
}
