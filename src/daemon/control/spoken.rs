//! What operators say, on its way into force: thought through, written down, and only then held.
//!
//! ```text
//!   a change ──► waiting ──► thought through ──► being written ──► in force, and answered
//!                  ▲           │ refused           │ not written
//!                  │           └──────► answered ◄─┘
//!     while another is being written, or another process still keeps the folder
//! ```
//!
//! One change is written at a time, because each is thought through on what the one before it left.
//! Whatever the disk does meanwhile, verdicts and plans go on. Who asked and has gone is not obeyed
//! later, unless the writing had begun.
//!
//! A process that takes another's place must not write before that one has ceased to, and what that
//! one was told last is in the file alone. So its changes wait until the file is read again; and
//! the one that leaves refuses changes from then on, rather than lose them.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::admin::docs::ChangedDoc;
use crate::admin::events::OverrideChange;
use crate::admin::{Change, Refusal, RefusalKind};
use crate::steer::overrides::Scope;

use super::super::orders::Draft;
use super::super::scribe::Written;
use super::super::{orders, state, told, view};
use super::Control;

/// Changes that may wait: the disk must hang for a while to make so many.
const WAITING_MAX: usize = 64;

/// Where a change is answered.
type Reply = oneshot::Sender<Result<ChangedDoc, Refusal>>;

/// Changes on their way.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    waiting: VecDeque<(Change, Reply)>,
    writing: Option<Writing>,
    /// Orders have expired that their file has still.
    expired: bool,
    folder: Folder,
    /// Who waits until nothing is written any more.
    released: Option<oneshot::Sender<()>>,
}

/// What is being written.
#[derive(Debug)]
enum Writing {
    Change(Box<Draft>, Reply),
    Expiry,
}

/// Who keeps the state folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Folder {
    #[default]
    Ours,
    /// A process before this one does still.
    Before,
    /// A process after this one does by now.
    After,
}

impl Control {
    /// Waits with changes until [`reread`](Self::reread): another process still takes some.
    pub(super) fn hold_changes(&mut self) {
        self.spoken.folder = Folder::Before;
    }

    /// True while this process keeps what is in the state folder.
    pub(super) fn keeps_folder(&self) -> bool {
        self.spoken.folder == Folder::Ours
    }

    /// Takes over what the process before this one was told last.
    pub(super) fn reread(&mut self) {
        match self.orders.reading() {
            Some(read) => self.scribe.take(read, |read| Written::Reread(read.ok())),
            None => self.have_reread(None),
        }
    }

    /// Takes no changes from now on; tells when nothing is being written any more.
    pub(super) fn release(&mut self, released: oneshot::Sender<()>) {
        self.keeper.folder = None;
        self.past.release();
        self.spoken.folder = Folder::After;
        for (_, reply) in mem::take(&mut self.spoken.waiting) {
            drop(reply.send(Err(left())));
        }
        self.spoken.released = Some(released);
        self.tell_released();
    }

    /// Takes a change, which is answered when it holds, or is refused.
    pub(super) fn take_change(&mut self, change: Change, reply: Reply) {
        let refusal = match self.spoken.folder {
            Folder::After => Some(left()),
            Folder::Ours | Folder::Before if self.spoken.waiting.len() >= WAITING_MAX => {
                let error = format!("{WAITING_MAX} changes wait for the state folder already");
                let help = "nothing is changed; see what its disk does";
                Some(Refusal::new(RefusalKind::Unkept, error, help))
            }
            Folder::Ours | Folder::Before => None,
        };
        match refusal {
            Some(refusal) => drop(reply.send(Err(refusal))),
            None => {
                self.spoken.waiting.push_back((change, reply));
                self.go_on();
            }
        }
    }

    /// Ends the orders whose time is over.
    pub(super) fn expire_orders(&mut self) {
        let now = state::unix_now();
        let expired = self.orders.expire(now);
        if let Some(Writing::Change(draft, _)) = &mut self.spoken.writing {
            draft.expire(now);
        }
        if !expired.is_empty() {
            self.spoken.expired = true;
            let snapshot = Arc::clone(&self.publisher.current().load());
            for order in &expired {
                let doc = view::override_doc(order, &snapshot);
                told::an_override(OverrideChange::Expired, &doc, "its time is over", &self.events);
            }
            let scopes: Vec<Scope> = expired.into_iter().map(|order| order.scope).collect();
            self.replan_scopes(&scopes);
        }
        self.go_on();
    }

    /// Goes on with what has been written.
    pub(super) fn handle_written(&mut self, written: Written) {
        match written {
            Written::Statuses(result) => self.keeper.have_saved(result),
            Written::Answers(result) => self.past.have_kept(result),
            Written::Reread(read) => self.have_reread(read),
            Written::Orders(result) => {
                match (self.spoken.writing.take(), result) {
                    (Some(Writing::Change(draft, reply)), Ok(())) => self.obey(*draft, reply),
                    (Some(Writing::Change(draft, reply)), Err(why)) => {
                        let help = "nothing is changed: it would not outlive a restart; mend the \
                                    state folder";
                        let refusal = Refusal::new(RefusalKind::Unkept, why, help);
                        refuse(refusal, &draft.source, reply);
                    }
                    (Some(Writing::Expiry), Err(error)) => {
                        // What the file says still is judged by its time when it is read again.
                        tracing::warn!(error, "expired overrides stay in their file");
                    }
                    (Some(Writing::Expiry), Ok(())) | (None, _) => {}
                }
                self.go_on();
            }
        }
        self.tell_released();
    }

    /// Tells the process after this one that nothing is written here any more.
    fn tell_released(&mut self) {
        if !self.is_writing()
            && let Some(released) = self.spoken.released.take()
        {
            // It may have gone.
            let _ = released.send(());
        }
    }

    fn is_writing(&self) -> bool {
        let others = self.keeper.is_writing() || self.past.is_writing();
        self.spoken.writing.is_some() || others
    }

    /// Waits until what is being written is, or until then.
    pub(super) async fn finish_writing(
        &mut self,
        written: &mut mpsc::Receiver<Written>,
        end: Instant,
    ) {
        while self.is_writing() {
            match timeout_at(end, written.recv()).await {
                Ok(Some(one)) => self.handle_written(one),
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn have_reread(&mut self, read: Option<orders::Read>) {
        match read {
            Some(read) => {
                let scopes = self.orders.take_over(read);
                self.replan_scopes(&scopes);
            }
            None => tracing::warn!("what the process before this one was told last is not known"),
        }
        self.spoken.folder = Folder::Ours;
        self.go_on();
    }

    /// Thinks through what waits, until something has to be written.
    fn go_on(&mut self) {
        while self.spoken.folder == Folder::Ours && self.spoken.writing.is_none() {
            let Some((change, reply)) = self.spoken.waiting.pop_front() else {
                if mem::take(&mut self.spoken.expired) {
                    self.write(Writing::Expiry);
                }
                return;
            };
            if reply.is_closed() {
                continue;
            }
            let snapshot = Arc::clone(&self.publisher.current().load());
            match self.orders.draft(&change, &snapshot, state::unix_now()) {
                Ok(draft) => self.write(Writing::Change(Box::new(draft), reply)),
                Err(refusal) => refuse(refusal, &orders::asker(&change), reply),
            }
        }
    }

    /// Has something written, if anything is kept and it is another than what is.
    fn write(&mut self, writing: Writing) {
        let work = match &writing {
            Writing::Change(draft, _) if !self.orders.is_news(draft) => None,
            Writing::Change(draft, _) => self.orders.saving(&draft.next),
            Writing::Expiry => self.orders.saving(self.orders.overrides()),
        };
        match (work, writing) {
            (Some(work), writing) => {
                self.spoken.writing = Some(writing);
                self.spoken.expired = false;
                self.scribe.take(work, |done| Written::Orders(done.flatten()));
            }
            (None, Writing::Change(draft, reply)) => self.obey(*draft, reply),
            (None, Writing::Expiry) => {}
        }
    }

    /// Puts a change in force that is written down.
    fn obey(&mut self, draft: Draft, reply: Reply) {
        let snapshot = Arc::clone(&self.publisher.current().load());
        let source = draft.source.clone();
        let done = self.orders.put_in_force(draft, &snapshot, state::unix_now());
        for (how, all) in
            [(OverrideChange::Lifted, &done.doc.lifted), (OverrideChange::Given, &done.doc.given)]
        {
            all.iter().for_each(|one| told::an_override(how, one, &source, &self.events));
        }
        self.replan_scopes(&done.touched);
        self.wait_for(done.doc.given.iter().map(|one| one.id));
        // Whoever asked may have gone.
        drop(reply.send(Ok(done.doc)));
    }
}

fn refuse(refusal: Refusal, source: &str, reply: Reply) {
    let error = &refusal.doc.error;
    tracing::warn!(source, error, "a change of overrides is refused");
    drop(reply.send(Err(refusal)));
}

fn left() -> Refusal {
    let error = "another process has taken the place of this one";
    Refusal::new(RefusalKind::Unkept, error, "nothing is changed: say it again, to that one")
}
