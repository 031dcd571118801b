//! A program as a probe: bounded in time, in output and in number, and gone afterwards.
//!
//! A program may hang, ignore signals, start others and write for ever. It runs in a process group
//! of its own, and however the probe ends, the whole group is killed before its leader is waited
//! for: as long as the leader has not been waited for, nobody else can have its number. What a
//! program puts into a session of its own is its own affair.
//!
//! ```text
//!   a seat ─► spawn ─► its end, or too much output ─► kill the group ─► wait: the code
//!                └──────── the timeout drops the probe ─┘
//! ```

use std::fs::File;
use std::io::{self, Read, pipe};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Ended, SignalKind, signal};
use tokio::sync::Semaphore;

use super::Course;
use crate::health::ask::{OUTPUT_LEN_MAX, line};
use crate::health::{ExecAsk, Outcome, Reason, Stage};

/// Programs that run at the same time: a process costs a thousand times what a connection does.
pub(super) const PROGRAMS_MAX: usize = 32;

/// Asks once.
pub(super) async fn probe(
    address: IpAddr,
    ask: &ExecAsk,
    seats: &Semaphore,
    course: &mut Course,
) -> Result<(), Outcome> {
    course.is_held_up(format!("{PROGRAMS_MAX} programs run already"));
    let _seat = seats.acquire().await.expect("the seats are never closed");
    course.enter(Stage::Run);
    let (mut program, output) = start(address, ask).map_err(|error| cannot(ask, &error))?;
    let (status, said) = program.hear_out(output).await.map_err(|error| cannot(ask, &error))?;
    let Some(status) = status else {
        return Err(Outcome::Fail(Reason::Other("says too much".into())));
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Outcome::Fail(Reason::Exit(code, line(&said)))),
        (None, signal) => Err(Outcome::Fail(Reason::Killed(signal.unwrap_or(0), line(&said)))),
    }
}

/// A program that cannot be run says nothing of the node.
fn cannot(ask: &ExecAsk, error: &io::Error) -> Outcome {
    Outcome::NoVerdict(Reason::Local(format!("{}: {error}", ask.program.display())))
}

fn start(address: IpAddr, ask: &ExecAsk) -> io::Result<(Program, OwnedFd)> {
    let (output, input) = pipe()?;
    let mut command = Command::new(&ask.program);
    command
        .args(ask.arguments_for(address))
        .env_clear()
        .envs(ask.environment_for(address))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(input.try_clone()?)
        // Whatever comes first may be the reason, be it a result or a complaint.
        .stderr(input)
        .process_group(0);
    // Listened for from before the start, or an early end would be missed.
    let endings = signal(SignalKind::child())?;
    let child = command.spawn()?;
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let group = id.ok_or_else(|| io::Error::other("it has no number"))?;
    Ok((Program { child, group, endings }, output.into()))
}

/// A program that runs; its group is killed when this goes.
struct Program {
    child: Child,
    /// The number of the child and of its group.
    group: Pid,
    /// Wakes whenever some program of this process has ended.
    endings: Ended,
}

impl Program {
    /// How it ended and what it said; no status where it said too much.
    async fn hear_out(&mut self, output: OwnedFd) -> io::Result<(Option<ExitStatus>, Vec<u8>)> {
        let mut output = Receiver::from_owned_fd(output)?;
        let mut said = Vec::new();
        let mut open = true;
        while open || !self.has_ended()? {
            tokio::select! {
                biased;
                read = output.read_buf(&mut said), if open => open = read? > 0,
                _ = self.endings.recv() => open = open && !self.has_ended()?,
            }
            if said.len() > OUTPUT_LEN_MAX {
                return Ok((None, said));
            }
        }
        // Its last words may be in the pipe without tokio having heard of them yet. What it has
        // left behind may still hold the pipe, so there need be no end; an error says that there
        // is no more for now.
        let rest = File::from(output.into_nonblocking_fd()?);
        let _ = rest.take(OUTPUT_LEN_MAX as u64).read_to_end(&mut said);
        // Those it has left behind first: while its end is not taken note of, its number is its.
        self.kill();
        let status = self.child.wait().await?;
        Ok((Some(status), said))
    }

    /// Whether it has, which is not taken note of yet.
    fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.group), options)?.is_some())
    }

    fn kill(&self) {
        // Once it has been waited for, its number may be another's.
        if self.child.id().is_some() {
            // Where this fails, all are gone.
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }
}

impl Drop for Program {
    /// Tokio waits for the killed child, so that it does not stay as a zombie.
    fn drop(&mut self) {
        self.kill();
    }
}
