//! Lines and strips: numbers go in, the coordinates of an SVG come out.
//!
//! A page has no script or style of its own in line (its policy forbids both), so a drawing is
//! shapes with classes, and the style sheet says what they look like, in light and in dark. What a
//! colour says, a shape says too: a probe that passed is a low bar, one that failed a high one.

use std::fmt::Write;

use super::super::docs::{OutcomeWord, VerdictDoc};
use super::words;

/// Width and height of a sparkline; the page scales it.
const SPARK: (f64, f64) = (72.0, 18.0);
/// The flattest scale, in milliseconds: below it a line would draw the noise of the machine.
const SPARK_FLOOR_MS: f64 = 1.0;
/// One bar of a strip with the gap behind it.
pub(super) const BAR_PITCH: usize = 5;

/// A line of how long probes took, with gaps where they failed.
#[derive(Debug, PartialEq)]
pub(super) struct Spark {
    /// The `d` of a path.
    pub(super) path: String,
    /// What it shows, in words.
    pub(super) title: String,
}

/// A line of these latencies, the oldest first; none where no probe has passed.
pub(super) fn spark(latencies_ms: &[Option<f64>]) -> Option<Spark> {
    let passed = || latencies_ms.iter().flatten().copied();
    let (fast, slow) = (passed().reduce(f64::min)?, passed().reduce(f64::max)?);
    let (width, height) = SPARK;
    let pitch = width / (latencies_ms.len() - 1).max(1) as f64;
    let scale = (height - 4.0) / slow.max(SPARK_FLOOR_MS);
    let mut path = String::new();
    let mut pen = 'M';
    for (at, latency) in latencies_ms.iter().enumerate() {
        let Some(latency) = latency else {
            pen = 'M';
            continue;
        };
        let (x, y) = (pitch * at as f64, height - 2.0 - latency * scale);
        let _ = write!(path, "{pen}{x:.0} {y:.1}");
        if pen == 'M' {
            // A point by itself is a line to itself: round caps make it visible.
            path.push_str("h.1");
        }
        pen = 'L';
    }
    let count = passed().count();
    let title = match count {
        1 => format!("one probe passed, in {}", words::milliseconds(fast)),
        _ => format!(
            "{count} probes passed, in {} to {}",
            words::milliseconds(fast),
            words::milliseconds(slow)
        ),
    };
    Some(Spark { path, title })
}

/// What became of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It passed.
    Pass,
    /// It passed, and warned of something.
    Warn,
    /// It failed.
    Fail,
    /// It could not be tried.
    None,
}

impl Mark {
    /// Its class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Pass => "p",
            Self::Warn => "w",
            Self::Fail => "f",
            Self::None => "n",
        }
    }

    /// From where to where its bar goes, from the top.
    pub(super) fn span(self) -> (u8, u8) {
        match self {
            Self::Pass => (10, 8),
            Self::Warn => (6, 12),
            Self::Fail => (0, 18),
            Self::None => (16, 2),
        }
    }
}

/// One bar of a strip.
#[derive(Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) mark: Mark,
    /// What it stands for, in words.
    pub(super) title: String,
}

impl Bar {
    pub(super) fn y(&self) -> u8 {
        self.mark.span().0
    }

    pub(super) fn height(&self) -> u8 {
        self.mark.span().1
    }
}

/// Probes in a row, the oldest first.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Strip {
    pub(super) bars: Vec<Bar>,
    /// All of it in one sentence.
    pub(super) title: String,
}

impl Strip {
    /// Of latencies, where it is not known why one is missing.
    pub(super) fn of_latencies(latencies_ms: &[Option<f64>]) -> Self {
        Self::of(latencies_ms.iter().map(|latency| match latency {
            Some(latency) => (Mark::Pass, format!("passed in {}", words::milliseconds(*latency))),
            None => (Mark::Fail, "did not pass".to_owned()),
        }))
    }

    /// Of verdicts with their reasons.
    pub(super) fn of_verdicts(verdicts: &[VerdictDoc]) -> Self {
        Self::of(verdicts.iter().map(|verdict| {
            let ago = words::age(verdict.ago_ms / 1000);
            (mark(verdict), format!("{ago} ago: {}", words::verdict(verdict)))
        }))
    }

    fn of(probes: impl Iterator<Item = (Mark, String)>) -> Self {
        let bar = |(at, (mark, title))| Bar { x: at * BAR_PITCH, mark, title };
        let bars: Vec<Bar> = probes.enumerate().map(bar).collect();
        let count = |mark| bars.iter().filter(|bar| bar.mark == mark).count();
        let parts = [
            (count(Mark::Pass), "passed"),
            (count(Mark::Warn), "passed with a warning"),
            (count(Mark::Fail), "did not pass"),
            (count(Mark::None), "could not be tried"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        let title = match bars.len() {
            0 => "no probe yet".to_owned(),
            1 => format!("last probe: {}", parts.join(", ")),
            all => format!("last {all} probes: {}", parts.join(", ")),
        };
        Self { bars, title }
    }

    /// How wide it is.
    pub(super) fn width(&self) -> usize {
        (self.bars.len() * BAR_PITCH).max(1)
    }
}

/// What a verdict is to a strip.
pub(super) fn mark(verdict: &VerdictDoc) -> Mark {
    match (verdict.outcome, &verdict.warning) {
        (OutcomeWord::Pass, None) => Mark::Pass,
        (OutcomeWord::Pass, Some(_)) => Mark::Warn,
        (OutcomeWord::Fail, _) => Mark::Fail,
        (OutcomeWord::NoVerdict, _) => Mark::None,
    }
}

/// Areas that stand on each other, the first at the bottom, in a box of this size; each is the `d`
/// of a path. They end at the right; what is not known yet is empty at the left.
pub(super) fn areas(
    course: &[[f64; 4]],
    looks_max: usize,
    (width, height): (f64, f64),
) -> Option<([String; 4], f64)> {
    if course.len() < 2 {
        return None;
    }
    let tallest = course.iter().map(|rates| rates.iter().sum::<f64>()).fold(0.0, f64::max);
    let scale = (height - 1.0) / tallest.max(1.0);
    let pitch = width / (looks_max - 1).max(1) as f64;
    let x = |at: usize| width - pitch * (course.len() - 1 - at) as f64;
    let mut floor = vec![0.0; course.len()];
    let paths = std::array::from_fn(|fate| {
        let below = floor.clone();
        for (sum, rates) in floor.iter_mut().zip(course) {
            *sum += rates[fate];
        }
        if course.iter().all(|rates| rates[fate] <= 0.0) {
            return String::new();
        }
        let mut path = String::new();
        for (at, sum) in floor.iter().enumerate() {
            let pen = if at == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{pen}{:.1} {:.1}", x(at), height - sum * scale);
        }
        for (at, sum) in below.iter().enumerate().rev() {
            let _ = write!(path, "L{:.1} {:.1}", x(at), height - sum * scale);
        }
        path.push('Z');
        path
    });
    Some((paths, tallest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_gaps_where_probes_failed() {
        let line = spark(&[Some(2.0), Some(4.0), None, Some(4.0)]).unwrap();
        assert_eq!(line.path, "M0 9.0h.1L24 2.0M72 2.0h.1");
        assert_eq!(line.title, "3 probes passed, in 2.0 ms to 4.0 ms");
        assert_eq!(spark(&[None, None]), None);
        assert_eq!(spark(&[]), None);
        // What is fast is flat: a tenth of a millisecond more is not a hill.
        assert_eq!(spark(&[Some(0.1)]).unwrap().path, "M0 14.6h.1");
    }

    #[test]
    fn a_strip_tells_each_probe_and_all_of_them() {
        let verdict = |outcome, reason: Option<&str>, warning: Option<&str>| VerdictDoc {
            ago_ms: 5000,
            outcome,
            reason: reason.map(str::to_owned),
            warning: warning.map(str::to_owned),
            latency_ms: 1.5,
        };
        let strip = Strip::of_verdicts(&[
            verdict(OutcomeWord::Pass, None, None),
            verdict(OutcomeWord::Pass, None, Some("certificate ends")),
            verdict(OutcomeWord::Fail, Some("status 503"), None),
            verdict(OutcomeWord::NoVerdict, Some("no route"), None),
        ]);
        let titles: Vec<&str> = strip.bars.iter().map(|bar| bar.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "5s ago: ok in 1.5 ms",
                "5s ago: ok in 1.5 ms, certificate ends",
                "5s ago: status 503",
                "5s ago: not tried: no route",
            ]
        );
        let all = "last 4 probes: 1 passed, 1 passed with a warning, 1 did not pass, \
                   1 could not be tried";
        assert_eq!((strip.title.as_str(), strip.width()), (all, 20));
        // Each mark has a shape of its own, for those who do not see its colour.
        let spans: Vec<(u8, u8)> = strip.bars.iter().map(|bar| bar.mark.span()).collect();
        assert!(spans.iter().all(|one| spans.iter().filter(|other| *other == one).count() == 1));
    }

    #[test]
    fn areas_stand_on_each_other_and_end_at_the_right() {
        let course = [[0.0, 0.0, 0.0, 0.0], [6.0, 0.0, 4.0, 0.0]];
        let (paths, tallest) = areas(&course, 11, (100.0, 11.0)).unwrap();
        assert_eq!(tallest, 10.0);
        assert_eq!(paths[0], "M90.0 11.0L100.0 5.0L100.0 11.0L90.0 11.0Z");
        assert_eq!(paths[1], "");
        assert_eq!(paths[2], "M90.0 11.0L100.0 1.0L100.0 5.0L90.0 11.0Z");
        assert_eq!(areas(&course[..1], 11, (100.0, 11.0)), None);
    }
}
