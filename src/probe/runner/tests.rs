use std::panic;
use std::time::Duration;

use tokio::net::TcpListener;

use super::*;
use crate::health::{Check, HttpAsk, Stage};

fn order(port: u16, timeout: Duration) -> ProbeOrder {
    let ask = HttpAsk::get(port, "/ready", "app.example.org");
    let check = Check { timeout, ..Check::new(Ask::Http(ask)) };
    let target = Arc::new(Target { address: [127, 0, 0, 1].into(), check });
    ProbeOrder { id: TargetId::FIRST.next(), target, late_by: Duration::ZERO }
}

#[tokio::test]
async fn an_order_is_reported_once() {
    // Accepts in the kernel's queue, and never answers.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let order = order(listener.local_addr().unwrap().port(), Duration::from_millis(100));
    let (prober, mut reports) = Prober::new();
    prober.start(order.clone());
    let report = reports.recv().await.unwrap();
    assert_eq!(
        (report.id, report.verdict.outcome),
        (order.id, Outcome::Fail(Reason::Timeout(Stage::Headers)))
    );
    assert!(report.verdict.latency >= Duration::from_millis(100));
    drop(prober);
    assert_eq!(reports.recv().await, None);
}

#[tokio::test]
async fn a_probe_that_is_cancelled_still_reports() {
    let (sender, mut reports) = mpsc::unbounded_channel();
    let promise = Promise::new(TargetId::FIRST, sender);
    let task = tokio::spawn(async move {
        std::future::pending::<()>().await;
        promise.keep(Verdict::new(Outcome::Pass, Duration::ZERO));
    });
    task.abort();
    let report = reports.recv().await.unwrap();
    assert!(matches!(report.verdict.outcome, Outcome::NoVerdict(Reason::Local(_))));
    assert_eq!(reports.recv().await, None);
}

#[test]
fn a_probe_that_panics_still_reports() {
    let (sender, mut reports) = mpsc::unbounded_channel();
    let promise = Promise::new(TargetId::FIRST, sender);
    let died = panic::catch_unwind(panic::AssertUnwindSafe(move || {
        let _promise = promise;
        // Unwinds like a panic, and does not write one into the test's output.
        panic::resume_unwind(Box::new("a bug in a probe"));
    }));
    assert!(died.is_err());
    let report = reports.try_recv().unwrap();
    assert!(matches!(report.verdict.outcome, Outcome::NoVerdict(Reason::Local(_))));
    assert!(reports.try_recv().is_err());
}
