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
//!
//! What is the same for every kind of check is here once: the time that a probe may take, the time
//! that it took, and what is warned of beside the outcome.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use super::file::StateFiles;
use super::trust::Keyring;
use super::{Course, agent, dns, exec, file, grpc, http, tcp, tls, websocket};
use crate::health::{Ask, Check, Outcome, ProbeOrder, Reason, Target, TargetId, Verdict};

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
    means: Arc<Means>,
    reports: mpsc::UnboundedSender<Report>,
}

/// What all probes share.
#[derive(Debug)]
struct Means {
    keyring: Keyring,
    /// Seats for programs.
    programs: Semaphore,
    states: StateFiles,
}

impl Means {
    fn new() -> Self {
        Self {
            keyring: Keyring::default(),
            programs: Semaphore::new(exec::PROGRAMS_MAX),
            states: StateFiles::default(),
        }
    }
}

impl Prober {
    /// A prober, and where its reports come in.
    pub fn new() -> (Self, Reports) {
        let (sender, reports) = mpsc::unbounded_channel();
        (Self { means: Arc::new(Means::new()), reports: sender }, reports)
    }

    /// Starts a probe on the current runtime; exactly one report follows, within the timeout.
    pub fn start(&self, order: ProbeOrder) {
        let means = Arc::clone(&self.means);
        let promise = Promise::new(order.id, self.reports.clone());
        tokio::spawn(async move {
            let verdict = probe(&order.target, &means, promise.started).await;
            promise.keep(verdict);
        });
    }
}

/// One probe of any kind; ends within the check's timeout, whatever the target does.
async fn probe(target: &Target, means: &Means, started: Instant) -> Verdict {
    let check = &target.check;
    let mut course = Course::new();
    let asking = ask(target, means, &mut course);
    let outcome = match timeout_at(started + check.timeout, asking).await {
        Ok(Ok(())) => Outcome::Pass,
        Ok(Err(outcome)) => outcome,
        Err(_elapsed) => course.at_timeout(),
    };
    let latency = started.elapsed();
    course.verdict(in_time(outcome, latency, check), latency)
}

/// The one place that knows every kind; an error is the outcome of what did not pass.
///
/// A task has the size of the largest kind in it. So HTTP, of which there are most, stands in it by
/// itself, and the others apart.
async fn ask(target: &Target, means: &Means, course: &mut Course) -> Result<(), Outcome> {
    let keyring = &means.keyring;
    let at = |port| SocketAddr::new(target.address, port);
    match &target.check.ask {
        Ask::Http(ask) => http::probe(at(ask.port), ask, keyring, course).await,
        Ask::Tcp(ask) => Box::pin(tcp::probe(at(ask.port), ask, course)).await,
        Ask::Tls(ask) => Box::pin(tls::probe(at(ask.port), ask, keyring, course)).await,
        Ask::Grpc(ask) => Box::pin(grpc::probe(at(ask.port), ask, keyring, course)).await,
        Ask::Dns(ask) => Box::pin(dns::probe(at(ask.port), ask, course)).await,
        Ask::Agent(ask) => Box::pin(agent::probe(at(ask.port), ask, course)).await,
        Ask::Exec(ask) => Box::pin(exec::probe(target.address, ask, &means.programs, course)).await,
        Ask::File(ask) => Box::pin(file::probe(target.address, ask, &means.states, course)).await,
        Ask::WebSocket(ask) => Box::pin(websocket::probe(at(ask.port), ask, keyring, course)).await,
    }
}

/// A pass that took too long is none.
fn in_time(outcome: Outcome, took: Duration, check: &Check) -> Outcome {
    match check.max_latency {
        Some(max) if outcome.is_pass() && took > max => {
            Outcome::Fail(Reason::TooSlow { took, max })
        }
        Some(_) | None => outcome,
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

    fn keep(mut self, verdict: Verdict) {
        self.report(verdict);
    }

    fn report(&mut self, verdict: Verdict) {
        let Some(reports) = self.reports.take() else { return };
        // Nobody listens while the server stops.
        let _ = reports.send(Report { id: self.id, verdict });
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let outcome = Outcome::NoVerdict(Reason::Local("the probe broke off".into()));
        self.report(Verdict::new(outcome, self.started.elapsed()));
    }
}

#[cfg(test)]
mod tests;
