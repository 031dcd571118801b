//! The report: for people, or as JSON for `compare.py`. Only what was measured is told, beside the
//! number of all answers.

use crate::stats::Outcome;

/// RFC 1035 §4.1.1; the others are told by their number.
const RCODES: [&str; 6] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/// A few lines for people.
pub(crate) fn text(outcome: &Outcome, secs: f64) -> String {
    let it = &outcome.measured;
    let [half, most, nearly_all] = percentiles_us(outcome);
    let (octets, records) = averages(outcome);
    let rcodes = rcodes(outcome).map(|(name, count)| format!("{name} {count}"));
    format!(
        "{:.0} answers a second: {} in {secs} s, of {} questions\n\
         lost {}, bad {}, truncated {}, errors {}\n\
         latency: {half:.1} us for half of them, {most:.1} for 99 %, {nearly_all:.1} for 99.9 %\n\
         an answer: {octets:.1} octets, {records:.2} records; {}",
        it.answered as f64 / secs,
        it.answered,
        it.sent,
        it.lost,
        it.bad,
        it.truncated,
        it.io_errors,
        rcodes.collect::<Vec<_>>().join(", "),
    )
}

/// One object; its keys are what `compare.py` knows.
pub(crate) fn json(outcome: &Outcome, secs: f64) -> String {
    let it = &outcome.measured;
    let [half, most, nearly_all] = percentiles_us(outcome).map(|us| format!("{us:.1}"));
    let (octets, records) = averages(outcome);
    let rcodes = rcodes(outcome).map(|(name, count)| (name, count.to_string()));
    object([
        ("qps", format!("{:.0}", it.answered as f64 / secs)),
        ("answered", it.answered.to_string()),
        ("total_answered", outcome.total_answered().to_string()),
        ("sent", it.sent.to_string()),
        ("lost", it.lost.to_string()),
        ("bad", it.bad.to_string()),
        ("io_err", it.io_errors.to_string()),
        ("tc", it.truncated.to_string()),
        ("p50_us", half),
        ("p99_us", most),
        ("p999_us", nearly_all),
        ("bytes_avg", format!("{octets:.1}")),
        ("answers_avg", format!("{records:.2}")),
        ("rcodes", object(rcodes)),
    ])
}

/// JSON of keys that need no escapes, and values that are JSON.
fn object(members: impl IntoIterator<Item = (impl AsRef<str>, String)>) -> String {
    let member = |(key, value): (_, _)| format!("\"{}\":{value}", AsRef::<str>::as_ref(&key));
    format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
}

fn percentiles_us(outcome: &Outcome) -> [f64; 3] {
    let latencies = &outcome.measured.latencies;
    [0.5, 0.99, 0.999].map(|share| latencies.percentile_ns(share) as f64 / 1e3)
}

/// Octets and records of an answer.
fn averages(outcome: &Outcome) -> (f64, f64) {
    let it = &outcome.measured;
    let answered = it.answered.max(1) as f64;
    (it.octets as f64 / answered, it.records as f64 / answered)
}

/// The rcodes that came, and how often.
fn rcodes(outcome: &Outcome) -> impl Iterator<Item = (String, u64)> {
    let counts = outcome.measured.rcodes.into_iter().enumerate().filter(|(_, count)| *count > 0);
    let name = |at: usize| RCODES.get(at).map_or_else(|| at.to_string(), ToString::to_string);
    counts.map(move |(at, count)| (name(at), count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Phase;

    fn outcome() -> Outcome {
        let mut outcome = Outcome::default();
        let measured = outcome.of(Phase::Measured);
        (measured.sent, measured.lost) = (4, 1);
        measured.add_answer(&[0, 0, 0x80, 0, 0, 1, 0, 4, 0, 0, 0, 0], 12_300);
        measured.add_answer(&[0, 0, 0x82, 11, 0, 1, 0, 0, 0, 0, 0, 0], 100);
        outcome.of(Phase::Drain).answered = 1;
        outcome
    }

    #[test]
    fn json_has_what_was_measured() {
        let expected = r#"{"qps":4,"answered":2,"total_answered":3,"sent":4,"lost":1,"bad":0,"#
            .to_owned()
            + r#""io_err":0,"tc":1,"p50_us":0.1,"p99_us":12.3,"p999_us":12.3,"bytes_avg":12.0,"#
            + r#""answers_avg":2.00,"rcodes":{"NOERROR":1,"11":1}}"#;
        assert_eq!(json(&outcome(), 0.5), expected);
    }

    #[test]
    fn text_has_it_too() {
        let expected = "4 answers a second: 2 in 0.5 s, of 4 questions\n\
            lost 1, bad 0, truncated 1, errors 0\n\
            latency: 0.1 us for half of them, 12.3 for 99 %, 12.3 for 99.9 %\n\
            an answer: 12.0 octets, 2.00 records; NOERROR 1, 11 1";
        assert_eq!(text(&outcome(), 0.5), expected);
    }
}
