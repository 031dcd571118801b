//! Whether the prober itself is cut off: targets that should always answer, and do not either.
//!
//! A prober behind a dead switch finds every node dead, and would withdraw what serves well. So an
//! operator may name control targets: the gateway, a resolver, anything that is there whenever the
//! network is. While all of them are silent, silence of a node proves nothing, and is *frozen*: it
//! is shown, but neither counts nor settles. What does come back still counts: an answer of 500 was
//! given by somebody.
//!
//! Any answer of a control target will do, even a refusal: it is the way that is examined. One that
//! has never answered is no witness, so a wrong address freezes nothing. And no freeze is longer
//! than its limit: a gateway may be taken away for good, and then dead nodes must leave again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Ask, Check, Outcome, Reason, Target, TcpAsk};

/// So often, because a node's last verdict must not come before what explains it: with the default
/// pace a node needs 10 s to go down.
const EVERY: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(1);

/// Control targets, and what they say of the prober.
#[derive(Clone, Debug, Default)]
pub struct Suspicion {
    control: Vec<Control>,
    freeze_max: Duration,
}

#[derive(Clone, Debug)]
struct Control {
    target: Arc<Target>,
    /// It has answered once, so that its silence means something.
    proven: bool,
    silent_since: Option<Instant>,
}

/// Every control target is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Since then.
    pub since: Instant,
    /// The silence of nodes proves nothing until then.
    pub frozen_until: Instant,
}

impl Suspicion {
    /// Control targets at these addresses and ports; a freeze is at most this long.
    pub fn new(control: &[SocketAddr], freeze_max: Duration) -> Self {
        let control = control.iter().map(|socket| {
            let (send, expect) = (String::new(), String::new());
            let ask = Ask::Tcp(TcpAsk { port: socket.port(), send, expect });
            let check = Check { every: EVERY, timeout: TIMEOUT, ..Check::new(ask) };
            let target = Arc::new(Target { address: socket.ip(), check });
            Control { target, proven: false, silent_since: None }
        });
        Self { control: control.collect(), freeze_max }
    }

    /// The same as another that was in force before: what its targets have proven stays so.
    pub(super) fn inherit(&mut self, before: &Self) {
        for control in &mut self.control {
            let same = before.control.iter().find(|old| old.target == control.target);
            if let Some(same) = same {
                *control = same.clone();
            }
        }
    }

    /// What is to be probed for it.
    pub fn targets(&self) -> impl Iterator<Item = Arc<Target>> {
        self.control.iter().map(|control| Arc::clone(&control.target))
    }

    /// Takes the verdict of a target, if that is one of control.
    pub(super) fn handle_verdict(&mut self, target: &Target, outcome: &Outcome, now: Instant) {
        for control in self.control.iter_mut().filter(|control| *control.target == *target) {
            if is_silence(outcome) {
                control.silent_since.get_or_insert(now);
            } else {
                (control.proven, control.silent_since) = (true, None);
            }
        }
    }

    /// Whether the prober is suspected to be cut off.
    pub fn suspect(&self) -> Option<Suspect> {
        let witnesses = || self.control.iter().filter(|control| control.proven);
        if witnesses().any(|control| control.silent_since.is_none()) {
            return None;
        }
        let since = witnesses().filter_map(|control| control.silent_since).max()?;
        Some(Suspect { since, frozen_until: since + self.freeze_max })
    }

    /// True where a verdict of a node proves nothing now.
    pub(super) fn freezes(&self, outcome: &Outcome, now: Instant) -> bool {
        is_silence(outcome) && self.suspect().is_some_and(|suspect| now < suspect.frozen_until)
    }
}

/// True where nothing came back.
fn is_silence(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Fail(Reason::Timeout(_) | Reason::Unreachable) | Outcome::NoVerdict(_) => true,
        Outcome::Pass
        | Outcome::Fail(
            Reason::Refused
            | Reason::Reset
            | Reason::HttpStatus(_)
            | Reason::Mismatch(_)
            | Reason::TooSlow { .. }
            | Reason::Draining
            | Reason::SaysDown(_)
            | Reason::NoState(_)
            | Reason::Exit(..)
            | Reason::Killed(..)
            | Reason::Tls(_)
            | Reason::Dns(_)
            | Reason::Grpc(_)
            | Reason::NoUpgrade(_)
            | Reason::Protocol(_)
            | Reason::Other(_)
            | Reason::Local(_),
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Stage;

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// At each second the verdicts of two control targets (`p`ass, `r`efused, `t`imeout, `n`o
    /// verdict, `-` none yet), and whether the silence of a node is frozen then. At most 10 s.
    #[track_caller]
    fn check(steps: &[(u32, &str, bool)]) {
        let start = start();
        let sockets = ["192.0.2.1:80", "192.0.2.2:80"].map(|text| text.parse().unwrap());
        let mut suspicion = Suspicion::new(&sockets, 10 * SECOND);
        let targets: Vec<_> = suspicion.targets().collect();
        let silence = Outcome::Fail(Reason::Timeout(Stage::Connect));
        for &(at, letters, expected) in steps {
            let now = start + at * SECOND;
            for (target, letter) in targets.iter().zip(letters.chars()) {
                let outcome = match letter {
                    'p' => Outcome::Pass,
                    'r' => Outcome::Fail(Reason::Refused),
                    't' => silence.clone(),
                    'n' => Outcome::NoVerdict(Reason::Local("no route".into())),
                    _ => continue,
                };
                suspicion.handle_verdict(target, &outcome, now);
            }
            assert_eq!(suspicion.freezes(&silence, now), expected, "{at}: {letters}");
            assert!(!suspicion.freezes(&Outcome::Fail(Reason::HttpStatus(500)), now));
        }
    }

    #[test]
    fn silence_is_frozen_while_every_witness_is_silent() {
        check(&[(0, "pp", false), (1, "tp", false), (2, "-t", true), (3, "p-", false)]);
        check(&[(0, "rp", false), (1, "nn", true), (2, "r-", false)]);
    }

    #[test]
    fn who_has_never_answered_is_no_witness() {
        check(&[(0, "tt", false), (1, "tt", false)]);
        check(&[(0, "pt", false), (1, "t-", true)]);
    }

    #[test]
    fn a_freeze_ends() {
        let steps = [(0, "pp", false), (1, "tt", true), (10, "tt", true), (11, "tt", false)];
        check(&[&steps[..], &[(12, "p-", false), (13, "t-", true)]].concat());
    }

    #[test]
    fn a_reload_forgets_no_witness() {
        let socket = "192.0.2.1:80".parse().unwrap();
        let mut before = Suspicion::new(&[socket], SECOND);
        before.handle_verdict(&before.control[0].target.clone(), &Outcome::Pass, start());
        let mut after = Suspicion::new(&[socket], 2 * SECOND);
        after.inherit(&before);
        assert!(after.control[0].proven);
    }
}
