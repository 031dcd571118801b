//! What a family of metrics is: its name, its kind, its labels, described once.
//!
//! The page that is scraped and the page of the documentation are both made from these
//! descriptions, and the rules for alerts are held against them.

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// One family of metrics.
#[derive(Debug)]
pub struct Family {
    /// With its unit, without what a kind adds to it.
    pub name: &'static str,
    /// What its numbers are.
    pub kind: Kind,
    /// What they are counted in; none where they count things.
    pub unit: Option<Measure>,
    /// One sentence without a full stop.
    pub help: &'static str,
    /// What its rows are told apart by.
    pub labels: &'static [Label],
    /// How many of its labels' values are shown, where an operator can add more.
    pub bound: Option<Bound>,
}

/// One label of a family.
#[derive(Debug)]
pub struct Label {
    /// As it is written.
    pub name: &'static str,
    /// What its values are.
    pub doc: &'static str,
}

/// What a number of a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// What a number is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Of time; since 1970 where the name says `timestamp` or `start_time`.
    Seconds,
    /// Octets.
    Bytes,
}

impl Measure {
    /// As it ends the name of a family.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
        }
    }

    pub(super) fn unit(self) -> &'static Unit {
        match self {
            Self::Seconds => &Unit::Seconds,
            Self::Bytes => &Unit::Bytes,
        }
    }
}

/// Which key of `[metrics]` bounds a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `zones`.
    Zones,
    /// `services`.
    Services,
    /// `nodes`.
    Nodes,
}

impl Bound {
    /// The key of `[metrics]`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Zones => "zones",
            Self::Services => "services",
            Self::Nodes => "nodes",
        }
    }
}

impl Kind {
    /// One word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    pub(super) fn metric_type(self) -> MetricType {
        match self {
            Self::Counter => MetricType::Counter,
            Self::Gauge => MetricType::Gauge,
            Self::Histogram => MetricType::Histogram,
        }
    }
}

impl Family {
    /// The name without its unit.
    pub(super) fn stem(&self) -> &'static str {
        let unit = self.unit.map(Measure::word);
        let stem = unit.and_then(|unit| self.name.strip_suffix(unit)?.strip_suffix('_'));
        stem.unwrap_or(self.name)
    }

    /// The name as queries have it: `rota_queries_total`.
    pub fn series(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }

    /// Every name that a sample of it can have.
    pub fn sample_names(&self) -> Vec<String> {
        match self.kind {
            Kind::Counter | Kind::Gauge => vec![self.series()],
            Kind::Histogram => {
                ["bucket", "count", "sum"].map(|part| format!("{}_{part}", self.name)).into()
            }
        }
    }
}
