use std::time::Duration;

use super::*;
use crate::health::{Ask, BodyTest, Check, HttpAsk, Method, Secure, Trust};

const SECOND: Duration = Duration::from_secs(1);

fn target(host_octet: u8) -> Target {
    let ask = HttpAsk::get(8080, "/ready", "app.example.org");
    let check = Check::new(Ask::Http(ask));
    Target { address: [192, 0, 2, host_octet].into(), check }
}

fn with_check(change: impl FnOnce(&mut Check)) -> Target {
    let mut target = target(1);
    change(&mut target.check);
    target
}

fn with_ask(change: impl FnOnce(&mut HttpAsk)) -> Target {
    with_check(|check| {
        let Ask::Http(ask) = &mut check.ask else { unreachable!("all ask over HTTP") };
        change(ask);
    })
}

fn pass() -> Outcome {
    Outcome::Pass
}

fn fail() -> Outcome {
    Outcome::Fail(Reason::Refused)
}

/// A monitor with its clock and its chance.
struct Bench {
    monitor: Monitor,
    now: Instant,
    rng: fastrand::Rng,
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn new(targets: &[Target]) -> Self {
        let monitor = Monitor::new(crate::health::IN_FLIGHT_MAX);
        let mut bench = Self { monitor, now: Instant::now(), rng: fastrand::Rng::with_seed(1) };
        bench.configure(targets);
        bench
    }

    fn configure(&mut self, targets: &[Target]) {
        let targets = targets.iter().cloned().map(Arc::new);
        self.monitor.configure(targets, self.now, &mut self.rng);
    }

    /// Everything that is due now.
    fn orders(&mut self) -> Vec<ProbeOrder> {
        std::iter::from_fn(|| self.monitor.poll_probe(self.now)).collect()
    }

    fn report(&mut self, id: TargetId, outcome: Outcome) -> Option<Change> {
        let verdict = Verdict::new(outcome, SECOND / 100);
        self.monitor.handle_verdict(id, verdict, self.now, &mut self.rng)
    }

    /// Waits for the next probe of the only target.
    fn next_order(&mut self) -> ProbeOrder {
        self.now = self.now.max(self.monitor.poll_timeout().unwrap());
        let orders = self.orders();
        assert_eq!(orders.len(), 1);
        orders[0].clone()
    }

    /// Probes the only target once for each outcome.
    fn probe_all(&mut self, outcomes: impl IntoIterator<Item = Outcome>) -> Option<Change> {
        let mut last = None;
        for outcome in outcomes {
            let order = self.next_order();
            last = self.report(order.id, outcome);
        }
        last
    }

    fn standing(&self, target: &Target) -> (Status, bool) {
        let Standing { status, contradicted } = self.monitor.standing(target);
        (status, contradicted)
    }
}

#[test]
fn every_target_is_due_at_once_and_identical_ones_once() {
    let mut bench = Bench::new(&[target(1), target(2), target(1)]);
    let orders = bench.orders();
    let addresses: Vec<_> = orders.iter().map(|order| order.target.address).collect();
    assert_eq!(addresses, [target(1).address, target(2).address]);
    assert_eq!(bench.orders(), []);
}

#[test]
fn a_change_is_told_when_the_standing_changes_and_only_then() {
    let mut bench = Bench::new(&[target(1)]);
    for (outcome, expected) in [
        (pass(), Some((Status::Up, false, true))),
        (pass(), None),
        (fail(), Some((Status::Up, true, false))),
        (fail(), None),
        (fail(), Some((Status::Down, false, true))),
        (fail(), None),
        (pass(), Some((Status::Down, true, false))),
        (Outcome::NoVerdict(Reason::Local("no route".into())), None),
        (fail(), Some((Status::Down, false, false))),
    ] {
        let change = bench.probe_all([outcome]);
        let told = change
            .as_ref()
            .map(|change| (change.to.status, change.to.contradicted, change.is_transition()));
        assert_eq!(told, expected, "{change:?}");
    }
}

#[test]
fn a_warning_is_told_once_and_changes_no_plan() {
    let mut bench = Bench::new(&[target(1)]);
    let warning = Some(Warning::CertificateEnds(1_800_000_000));
    bench.probe_all([pass()]);
    for news in [warning, None] {
        let order = bench.next_order();
        let verdict = Verdict { warning, ..Verdict::new(pass(), SECOND / 100) };
        let change = bench.monitor.handle_verdict(order.id, verdict, bench.now, &mut bench.rng);
        assert_eq!(change.as_ref().and_then(|change| change.warning), news);
        let plans = |it: Change| it.is_restanding() || it.repaced || it.reason.is_some();
        assert!(!change.is_some_and(plans));
        assert_eq!(bench.monitor.view(&target(1)).unwrap().warning(), warning);
    }
}

#[test]
fn a_second_report_of_one_probe_changes_nothing() {
    let mut bench = Bench::new(&[target(1)]);
    let order = bench.next_order();
    assert!(bench.report(order.id, pass()).is_some());
    assert_eq!(bench.report(order.id, fail()), None);
    assert_eq!(bench.standing(&target(1)), (Status::Up, false));
}

#[test]
fn a_start_is_settled_when_the_last_target_is_known() {
    let mut bench = Bench::new(&[target(1), target(2)]);
    let orders = bench.orders();
    bench.report(orders[0].id, fail());
    bench.report(orders[1].id, Outcome::NoVerdict(Reason::Local("no route".into())));
    assert!(!bench.monitor.is_settled());
    let saved = HashMap::from([
        (target(1).place(), Status::Up),
        (Place::from(target(2).place().to_string()), Status::Draining),
    ]);
    bench.monitor.restore(&saved);
    assert!(bench.monitor.is_settled());
    assert_eq!(bench.standing(&target(1)), (Status::Down, false));
    assert_eq!(bench.standing(&target(2)), (Status::Draining, false));
    let statuses = bench.monitor.statuses();
    assert_eq!(statuses[&target(2).place()], Status::Draining);
}

/// Brings target 1 up, lets it fail once, reloads with another target alone, and looks at that.
#[track_caller]
fn check_reload(after: &Target, expected: (Status, bool)) {
    let mut bench = Bench::new(&[target(1)]);
    bench.probe_all([pass(), fail()]);
    bench.configure(std::slice::from_ref(after));
    assert_eq!(bench.standing(after), expected);
    assert_eq!(bench.monitor.views().count(), 1);
    assert_eq!(bench.monitor.is_settled(), expected.0 != Status::Unknown);
}

#[test]
fn a_status_stays_as_long_as_the_recipes_address() {
    check_reload(&target(1), (Status::Up, true));
    check_reload(&with_check(|check| check.every = SECOND), (Status::Up, true));
    check_reload(&with_check(|check| check.timeout = SECOND), (Status::Up, true));
    check_reload(&with_check(|check| (check.fails, check.passes) = (5, 5)), (Status::Up, true));
}

#[test]
fn a_count_starts_again_when_other_codes_pass() {
    check_reload(&with_ask(|ask| ask.expect = vec![200..=399]), (Status::Up, false));
}

#[test]
fn another_place_is_another_target() {
    let unknown = (Status::Unknown, false);
    check_reload(&target(2), unknown);
    check_reload(&with_ask(|ask| ask.port = 8081), unknown);
    check_reload(&with_ask(|ask| ask.path = "/live".into()), unknown);
    check_reload(&with_ask(|ask| ask.host = "other.example.org".into()), unknown);
    let secure = Secure { trust: Trust::System, identity: None, warn_before: SECOND };
    check_reload(&with_ask(|ask| ask.tls = Some(Arc::new(secure))), unknown);
    check_reload(&with_ask(|ask| ask.method = Method::Head), unknown);
}

#[test]
fn a_count_goes_on_under_new_thresholds() {
    let mut bench = Bench::new(&[target(1)]);
    bench.probe_all([pass(), fail()]);
    let hasty = with_check(|check| check.fails = 2);
    bench.configure(std::slice::from_ref(&hasty));
    bench.probe_all([fail()]);
    assert_eq!(bench.standing(&hasty), (Status::Down, false));
}

#[test]
fn a_place_of_which_two_checks_differ_is_not_saved() {
    let strict = with_ask(|ask| ask.body = Some(BodyTest::Contains("ready".into())));
    let both = [target(1), strict];
    let report = |outcomes: [Outcome; 2]| {
        let mut bench = Bench::new(&both);
        for (order, outcome) in bench.orders().into_iter().zip(outcomes) {
            bench.report(order.id, outcome);
        }
        bench.monitor.statuses().into_values().collect::<Vec<_>>()
    };
    assert_eq!(report([pass(), fail()]), []);
    assert_eq!(report([pass(), pass()]), [Status::Up]);
}

#[test]
fn of_two_that_leave_one_place_the_first_passes_its_status_on() {
    let quick = with_check(|check| check.every = SECOND);
    let slow = with_check(|check| check.every = 9 * SECOND);
    let mut bench = Bench::new(&[quick, slow]);
    let orders = bench.orders();
    bench.report(orders[0].id, fail());
    bench.report(orders[1].id, pass());
    bench.configure(&[target(1)]);
    assert_eq!(bench.standing(&target(1)), (Status::Down, false));
}

#[test]
fn a_verdict_under_an_old_recipe_is_ignored() {
    let mut bench = Bench::new(&[target(1)]);
    bench.probe_all([pass()]);
    let order = bench.next_order();
    let stricter = with_check(|check| check.fails = 1);
    bench.configure(std::slice::from_ref(&stricter));
    assert_eq!(bench.report(order.id, fail()), None);
    assert_eq!(bench.standing(&stricter), (Status::Up, false));
}

#[test]
fn a_forgotten_target_that_returns_takes_its_probe_over() {
    let mut bench = Bench::new(&[target(1)]);
    let order = bench.next_order();
    bench.configure(&[]);
    assert_eq!(bench.standing(&target(1)), (Status::Unknown, false));
    bench.configure(&[target(1)]);
    assert_eq!(bench.orders(), [], "never two at once");
    assert!(bench.report(order.id, pass()).is_some());
    assert_eq!(bench.standing(&target(1)), (Status::Up, false));
}

#[test]
fn a_changed_pace_is_kept_from_the_reload_on() {
    let patient = with_check(|check| check.every = 3600 * SECOND);
    let mut bench = Bench::new(std::slice::from_ref(&patient));
    bench.probe_all([pass(), pass()]);
    bench.configure(&[target(1)]);
    let reloaded = bench.now;
    bench.next_order();
    assert!(bench.now - reloaded <= 5 * SECOND);
}

#[test]
fn a_watchdog_sees_a_probe_that_does_not_end() {
    let mut bench = Bench::new(&[target(1)]);
    let order = bench.next_order();
    let pulse = bench.monitor.pulse(bench.now + 2 * SECOND);
    assert_eq!((pulse.in_flight, pulse.late_by, pulse.last_verdict), (1, Duration::ZERO, None));
    assert_eq!(bench.monitor.pulse(bench.now + 9 * SECOND).late_by, 7 * SECOND);
    bench.report(order.id, pass());
    let pulse = bench.monitor.pulse(bench.now);
    assert_eq!((pulse.in_flight, pulse.last_verdict), (0, Some(bench.now)));
}

#[test]
fn a_board_sees_the_latest_verdicts() {
    let mut bench = Bench::new(&[target(1)]);
    bench.probe_all([pass(), fail()]);
    let view = bench.monitor.view(&target(1)).unwrap();
    assert_eq!(view.last().unwrap().verdict.outcome, fail());
    assert_eq!(view.history().count(), 2);
    assert!(view.since().unwrap() < view.last().unwrap().at);
    assert!(bench.monitor.view(&target(2)).is_none());
}

#[test]
fn who_has_been_up_for_long_is_probed_at_the_idle_pace() {
    let lazy = with_check(|check| check.idle = Some(60 * SECOND));
    let mut bench = Bench::new(std::slice::from_ref(&lazy));
    bench.probe_all((0..=IDLE_AFTER).map(|_| pass()));
    let last = bench.now;
    let order = bench.next_order();
    assert!(bench.now - last >= 54 * SECOND && bench.now - last <= 60 * SECOND);
    // One bad verdict, and it is looked at closely.
    bench.report(order.id, fail());
    let last = bench.now;
    bench.next_order();
    assert!(bench.now - last <= 5 * SECOND / 2);
}
