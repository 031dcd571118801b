//! The page that is scraped: families and their rows, in OpenMetrics text.
//!
//! The library writes the text: escapes, suffixes, the order of HELP, TYPE and UNIT. Here its
//! encoders are given what a [`Family`] describes, and a family without a row is left out.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};

use super::family::Family;

/// Where families are written to.
#[derive(Debug)]
pub(super) struct Page<'e>(pub(super) DescriptorEncoder<'e>);

/// What one row of a family holds.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Of a counter.
    Count(u64),
    /// Of a counter of time.
    Passed(f64),
    /// Of a gauge.
    Level(f64),
    /// Of a histogram.
    Spread(Distribution),
}

/// Counts by size.
#[derive(Clone, Debug, Default)]
pub(super) struct Distribution {
    /// How many were at most so large, and larger than the bound before; the last is infinite.
    pub(super) buckets: Vec<(f64, u64)>,
    /// All sizes together.
    pub(super) sum: f64,
}

impl Page<'_> {
    /// A family whose rows are told apart by the values of its labels, in their order.
    pub(super) fn rows<L: AsRef<str>, const N: usize>(
        &mut self,
        family: &'static Family,
        rows: impl IntoIterator<Item = ([L; N], Value)>,
    ) -> fmt::Result {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        debug_assert_eq!(family.labels.len(), N, "{}", family.name);
        let unit = family.unit.map(|unit| unit.unit());
        let kind = family.kind.metric_type();
        let mut metric = self.0.encode_descriptor(family.stem(), family.help, unit, kind)?;
        for (values, value) in rows {
            let names = family.labels.iter().map(|label| label.name);
            let labels: Vec<(&str, &str)> = names.zip(values.iter().map(AsRef::as_ref)).collect();
            match labels.is_empty() {
                true => value.write(&mut metric)?,
                false => value.write(&mut metric.encode_family(&labels)?)?,
            }
        }
        Ok(())
    }

    /// A family of one row.
    pub(super) fn row(&mut self, family: &'static Family, value: Value) -> fmt::Result {
        self.rows(family, [([""; 0], value)])
    }
}

impl Value {
    fn write(&self, metric: &mut MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => metric.encode_counter::<NoLabelSet, _, f64>(count, None),
            Self::Passed(time) => metric.encode_counter::<NoLabelSet, _, f64>(time, None),
            Self::Level(level) => metric.encode_gauge(level),
            Self::Spread(Distribution { buckets, sum }) => {
                let count = buckets.iter().map(|(_, count)| count).sum();
                metric.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
            }
        }
    }
}
