//! The monitor and the prober together, against real nodes and the real clock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rota::health::{Ask, Change, Check, HttpAsk, Monitor, Reason, Status, Target};
use rota::probe::{Prober, Reports};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until, timeout};

/// Longer than anything here takes on any machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node that answers with the code it is told, and gives its address.
async fn node(code: Arc<AtomicU16>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has spare ports");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
                    break;
                }
            }
            let code = code.load(Ordering::SeqCst);
            let answer = format!("HTTP/1.1 {code} Told\r\nContent-Length: 0\r\n\r\n");
            // The prober may have given up.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

fn target(address: SocketAddr) -> Arc<Target> {
    let ask = HttpAsk::get(address.port(), "/ready", "app.example.org");
    let check = Check {
        every: Duration::from_millis(20),
        timeout: Duration::from_secs(5),
        ..Check::new(Ask::Http(ask))
    };
    Arc::new(Target { address: address.ip(), check })
}

/// The publisher's loop, as far as health goes.
struct Publisher {
    monitor: Monitor,
    prober: Prober,
    reports: Reports,
    rng: fastrand::Rng,
}

impl Publisher {
    fn new(targets: impl IntoIterator<Item = Arc<Target>>) -> Self {
        let (prober, reports) = Prober::new();
        let mut rng = fastrand::Rng::with_seed(1);
        let mut monitor = Monitor::new(2);
        monitor.configure(targets, Instant::now().into_std(), &mut rng);
        Self { monitor, prober, reports, rng }
    }

    /// Runs until a status turns.
    async fn transition(&mut self) -> Change {
        let turning = async {
            loop {
                while let Some(order) = self.monitor.poll_probe(Instant::now().into_std()) {
                    self.prober.start(order);
                }
                let wake = self.monitor.poll_timeout().map(Instant::from_std);
                tokio::select! {
                    Some(report) = self.reports.recv() => {
                        let (id, now) = (report.id, Instant::now().into_std());
                        let change =
                            self.monitor.handle_verdict(id, report.verdict, now, &mut self.rng);
                        match change {
                            Some(change) if change.is_transition() => return change,
                            Some(_) | None => {}
                        }
                    }
                    () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
                }
            }
        };
        timeout(PATIENCE, turning).await.expect("a status turns while probes are answered")
    }
}

#[tokio::test]
async fn a_node_goes_down_and_comes_back() {
    let code = Arc::new(AtomicU16::new(200));
    let target = target(node(Arc::clone(&code)).await);
    let mut publisher = Publisher::new([Arc::clone(&target)]);
    for (answer, reason, expected) in [
        (200, None, Status::Up),
        (500, Some(Reason::HttpStatus(500)), Status::Down),
        (204, None, Status::Up),
    ] {
        code.store(answer, Ordering::SeqCst);
        let change = publisher.transition().await;
        assert_eq!((change.to.status, change.reason), (expected, reason));
        assert_eq!(publisher.monitor.standing(&target).status, expected);
    }
}

#[tokio::test]
async fn every_node_gets_its_turn_within_the_limit_of_probes() {
    let mut targets = Vec::new();
    for _ in 0..8 {
        targets.push(target(node(Arc::new(AtomicU16::new(200))).await));
    }
    let mut publisher = Publisher::new(targets.clone());
    while !publisher.monitor.is_settled() {
        assert_eq!(publisher.transition().await.to.status, Status::Up);
    }
    assert!(targets.iter().all(|target| publisher.monitor.standing(target).status == Status::Up));
}
