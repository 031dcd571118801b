//! A load: sockets are gone through turn by turn, until time is over and everything has come back.
//!
//! A turn takes in what has come on a socket, and asks as many questions there as are due and have
//! room in the window. What differs by transport is behind [`Transport`]; what is sent and received
//! is counted here. One thread: more would only take cores away from the server that is measured.

use std::io;
use std::time::Duration;

use crate::pace::{Clock, Idle, Pace, Phase, Schedule};
use crate::questions::Question;
use crate::stats::{Outcome, Stats};
use crate::window::Window;

/// An answer that has not come after so long is lost.
const LOST_AFTER_NS: u64 = 1_000_000_000;
/// How often lost ones are looked for.
const SWEEP_EVERY_NS: u64 = 50_000_000;
/// Sockets begin so many questions apart, so that they do not ask the same at the same time. A
/// prime, so that few numbers of questions fold it.
const STRIDE: usize = 7919;

/// How much is asked, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) sockets: usize,
    /// Questions in flight on each socket.
    pub(crate) window: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    /// Questions a second; 0 is as fast as answers come back.
    pub(crate) rate: f64,
    pub(crate) idle: Idle,
}

/// What came of looking for messages.
pub(crate) enum Received {
    /// Something, to be seen by [`Transport::take`].
    Some,
    Nothing,
    /// The call failed; the socket goes on.
    Failed,
    /// The connection is over, and what was in flight on it is lost.
    Closed,
}

/// Sockets of one kind, told apart by their index.
pub(crate) trait Transport {
    /// Looks for messages, without waiting for them.
    fn receive(&mut self, at: usize) -> Received;

    /// Hands over each message that `receive` found.
    fn take(&mut self, at: usize, each: impl FnMut(&[u8]));

    /// True where questions would leave at once.
    fn has_room(&self, at: usize) -> bool;

    /// Asks one question for each of the times; returns how many left.
    fn send(
        &mut self,
        at: usize,
        window: &mut Window<'_>,
        times_ns: impl Iterator<Item = u64>,
    ) -> io::Result<usize>;

    /// Sends on what waits for the other side; true where some of it left.
    fn flush(&mut self, at: usize) -> bool;

    /// Makes a new connection in place of one that is closed.
    fn reopen(&mut self, at: usize) -> io::Result<()>;
}

/// Runs the load from beginning to end.
pub(crate) fn run(
    load: &Load,
    questions: &[Question],
    transport: &mut impl Transport,
) -> io::Result<Outcome> {
    let mut windows: Vec<Window> = (0..load.sockets)
        .map(|at| Window::new(load.window, questions, at.wrapping_mul(STRIDE)))
        .collect();
    let mut outcome = Outcome::default();
    let mut pace = Pace::new(load.rate);
    let schedule = Schedule::new(load.warm_up, load.measured);
    let clock = Clock::start();
    let (mut first, mut swept_ns) = (0, 0);
    loop {
        let now_ns = clock.now_ns();
        let Some(phase) = schedule.phase(now_ns) else { break };
        if phase == Phase::Drain && in_flight(&windows) == 0 {
            break;
        }
        let stats = outcome.of(phase);
        let mut round = Round { phase, clock: &clock, now_ns, stats };
        let mut busy = false;
        // Who comes first has the best of an open load's questions; that goes round.
        first = (first + 1) % load.sockets;
        for at in (first..load.sockets).chain(0..first) {
            busy |= round.turn(at, &mut windows[at], &mut pace, transport)?;
        }
        let Round { now_ns, stats, .. } = round;
        if phase != Phase::Drain && now_ns.saturating_sub(swept_ns) > SWEEP_EVERY_NS {
            swept_ns = now_ns;
            let then_ns = now_ns.saturating_sub(LOST_AFTER_NS);
            stats.lost += windows.iter_mut().map(|it| it.give_up_before(then_ns)).sum::<u64>();
        }
        if !busy {
            load.idle.rest();
        }
    }
    outcome.close(in_flight(&windows));
    Ok(outcome)
}

fn in_flight(windows: &[Window<'_>]) -> u64 {
    windows.iter().map(|window| window.in_flight() as u64).sum()
}

/// One turn of every socket.
struct Round<'r> {
    phase: Phase,
    clock: &'r Clock,
    /// Asked anew only after something came, since that is what takes time.
    now_ns: u64,
    stats: &'r mut Stats,
}

impl Round<'_> {
    /// One turn of one socket; true where something came or left.
    fn turn(
        &mut self,
        at: usize,
        window: &mut Window<'_>,
        pace: &mut Pace,
        transport: &mut impl Transport,
    ) -> io::Result<bool> {
        let asking = self.phase != Phase::Drain;
        let mut busy = false;
        match transport.receive(at) {
            Received::Some => {
                busy = true;
                self.now_ns = self.clock.now_ns();
                transport.take(at, |message| self.count(message, window));
            }
            Received::Nothing => {}
            Received::Failed => self.stats.io_errors += 1,
            Received::Closed => {
                self.stats.io_errors += 1;
                self.stats.lost += window.give_up_all();
                if asking {
                    transport.reopen(at)?;
                }
                return Ok(false);
            }
        }
        if asking && transport.has_room(at) {
            let due = pace.due(window.free(), window.slots(), self.now_ns);
            if due > 0 {
                let times_ns = (0..due).map(|_| pace.ask(self.now_ns));
                match transport.send(at, window, times_ns) {
                    Ok(sent) => {
                        self.stats.sent += sent as u64;
                        busy |= sent > 0;
                    }
                    Err(_) => self.stats.io_errors += 1,
                }
            }
        }
        Ok(busy | transport.flush(at))
    }

    fn count(&mut self, message: &[u8], window: &mut Window<'_>) {
        match window.accept(message) {
            Some(asked_ns) => {
                self.stats.add_answer(message, self.now_ns.saturating_sub(asked_ns));
            }
            None => self.stats.bad += 1,
        }
    }
}
