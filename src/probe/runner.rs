//! Probes as tasks: one report for every order.
//!
//! The monitor belongs to the publisher, which is one task; so probes do not touch it but report
//! into a queue, and the publisher's loop is a choice between three things:
//!
//! ```text
//!   loop {
//!       while let Some(order) = monitor.poll_probe(now) { prober.start(order) }
//!       select! {
//!           report = reports.recv()              => monitor.handle_verdict(..), publish
//!           _ = sleep_until(monitor.poll_timeout()) => {}
//!           command = commands.recv()            => ..
//!       }
//!   }
//! ```
//!
//! A target whose report never came would never be probed again. So every task holds a promise,
//! which reports on its way out even if the task panics or is cancelled.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Http;
use crate::health::{Ask, Outcome, ProbeOrder, Reason, Target, TargetId, Verdict};

/// What a probe brought back, and which order it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// From the order.
    pub id: TargetId,
    /// For `Monitor::handle_verdict`.
    pub verdict: Verdict,
}

/// Where reports come in.
///
/// The queue has no bound of its own: it holds one report for each probe in flight at most, and the
/// monitor bounds those.
pub type Reports = mpsc::UnboundedReceiver<Report>;

/// Starts probes.
#[derive(Clone, Debug)]
pub struct Prober {
    http: Arc<Http>,
    reports: mpsc::UnboundedSender<Report>,
}

impl Prober {
    /// A prober, and where its reports come in.
    pub fn new(http: Http) -> (Self, Reports) {
        let (sender, reports) = mpsc::unbounded_channel();
        (Self { http: Arc::new(http), reports: sender }, reports)
    }

    /// Starts a probe on the current runtime; exactly one report follows, within the timeout.
    pub fn start(&self, order: ProbeOrder) {
        let http = Arc::clone(&self.http);
        let promise = Promise::new(order.id, self.reports.clone());
        tokio::spawn(async move {
            let deadline = promise.started + order.target.check.timeout;
            let outcome = probe(&http, &order.target, deadline).await;
            promise.keep(outcome);
        });
    }
}

/// One probe of any kind; ends by the deadline.
async fn probe(http: &Http, target: &Target, deadline: Instant) -> Outcome {
    match &target.check.ask {
        Ask::Http(ask) => http.probe(target.address, ask, deadline).await,
    }
}

/// Reports exactly once: what it was told, or at its end that it was told nothing.
struct Promise {
    id: TargetId,
    started: Instant,
    reports: Option<mpsc::UnboundedSender<Report>>,
}

impl Promise {
    fn new(id: TargetId, reports: mpsc::UnboundedSender<Report>) -> Self {
        Self { id, started: Instant::now(), reports: Some(reports) }
    }

    fn keep(mut self, outcome: Outcome) {
        self.report(outcome);
    }

    fn report(&mut self, outcome: Outcome) {
        let Some(reports) = self.reports.take() else { return };
        let verdict = Verdict { outcome, latency: self.started.elapsed() };
        // Nobody listens while the server stops.
        let _ = reports.send(Report { id: self.id, verdict });
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.report(Outcome::NoVerdict(Reason::Local("the probe broke off".into())));
    }
}

#[cfg(test)]
mod tests;
