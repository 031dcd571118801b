//! The nodes of a world: what they do to a probe, and what operators do to their recipes.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rota::health::{Ask, Check, HoldDown, HttpAsk, Outcome, Reason, Secure, Stage, Target, Trust};

/// Where the nodes are: RFC 3849.
const NETWORK: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0);

/// What a node does to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    Erring,
    Refusing,
    Silent,
    Draining,
    /// Good and bad by chance.
    Flapping,
    /// Good for a while and bad for a while, again and again.
    Cycling,
    /// The prober cannot even try.
    OutOfReach,
}

impl Mood {
    /// What a probe finds, and how long that takes: mostly quick, never above the timeout.
    /// `lived` is how long it has been in this mood.
    pub(crate) fn answer(
        self,
        timeout: Duration,
        lived: Duration,
        rng: &mut fastrand::Rng,
    ) -> (Outcome, Duration) {
        let latency = timeout.mul_f64(rng.f64().powi(4));
        match self {
            Self::Good => (Outcome::Pass, latency),
            Self::Erring => (Outcome::Fail(Reason::HttpStatus(500)), latency),
            Self::Refusing => (Outcome::Fail(Reason::Refused), Duration::ZERO),
            Self::Silent => (Outcome::Fail(Reason::Timeout(Stage::Headers)), timeout),
            Self::Draining => (Outcome::Fail(Reason::Draining), latency),
            Self::Flapping => match rng.u8(0..4) {
                0 => (Outcome::Fail(Reason::Reset), latency),
                1 => (Outcome::Fail(Reason::Draining), latency),
                _ => (Outcome::Pass, latency),
            },
            Self::Cycling if lived.as_secs() % 40 < 20 => (Outcome::Pass, latency),
            Self::Cycling => (Outcome::Fail(Reason::Refused), latency),
            Self::OutOfReach => (Outcome::NoVerdict(Reason::Local("trouble".into())), latency),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) target: Arc<Target>,
    pub(crate) configured: bool,
    pub(crate) mood: Mood,
    /// Since when mood and recipe are what they are.
    pub(crate) since: Instant,
}

pub(crate) fn mood(trouble: bool, rng: &mut fastrand::Rng) -> Mood {
    match rng.u8(0..12) {
        0..=4 => Mood::Good,
        5 => Mood::Erring,
        6 => Mood::Refusing,
        7 => Mood::Silent,
        8 => Mood::Draining,
        9 => Mood::Flapping,
        10 => Mood::Cycling,
        _ if trouble => Mood::OutOfReach,
        _ => Mood::Good,
    }
}

pub(crate) fn node(n: usize, now: Instant, rng: &mut fastrand::Rng) -> Node {
    let number = n as u128;
    let address = IpAddr::V6(Ipv6Addr::from_bits(NETWORK.to_bits() + number));
    let secure = Secure { trust: Trust::System, identity: None, warn_before: Duration::ZERO };
    let tls = n.is_multiple_of(5).then(|| Arc::new(secure));
    let ask = HttpAsk { tls, ..HttpAsk::get(8080, "/ready", "app.example.org") };
    let mut check = Check::new(Ask::Http(ask));
    if rng.bool() {
        change_pace(&mut check, rng);
        check.timeout = check.timeout.min(Duration::from_secs(2));
    }
    let target = Arc::new(Target { address, check });
    Node { target, configured: true, mood: Mood::Good, since: now }
}

pub(crate) fn remade(target: &Target, change: impl FnOnce(&mut Check)) -> Arc<Target> {
    let mut target = target.clone();
    change(&mut target.check);
    Arc::new(target)
}

pub(crate) fn change_pace(check: &mut Check, rng: &mut fastrand::Rng) {
    check.every = Duration::from_millis(rng.u64(200..15_000));
    // Sometimes longer than `every`.
    check.timeout = Duration::from_millis(rng.u64(100..5_000));
    check.fails = rng.u32(1..6);
    check.passes = rng.u32(1..4);
    check.fast = rng.bool().then(|| check.every.mul_f64(rng.f64()));
    check.idle = rng.bool().then(|| check.every.mul_f64(1.0 + 4.0 * rng.f64()));
    check.hold_down = match rng.u8(0..4) {
        0 => None,
        1 => {
            let within = Duration::from_secs(rng.u64(30..600));
            let max = within.mul_f64(0.1 + 0.9 * rng.f64());
            Some(HoldDown { after: rng.u32(1..5), within, max })
        }
        _ => Some(HoldDown::DEFAULT),
    };
}

pub(crate) fn change_expect(check: &mut Check) {
    let Ask::Http(ask) = &mut check.ask else { unreachable!("nodes are asked over HTTP") };
    ask.expect.push(301..=301);
}

pub(crate) fn change_path(check: &mut Check) {
    let Ask::Http(ask) = &mut check.ask else { unreachable!("nodes are asked over HTTP") };
    ask.path.push('x');
}
