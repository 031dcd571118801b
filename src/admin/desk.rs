//! What the listener asks of the one task that thinks.
//!
//! The listener knows HTTP and nothing of plans; the task that owns every status knows nothing of
//! HTTP. They meet here: a request goes in by a channel and its answer comes back by another, so
//! neither locks anything of the other. What happens meanwhile is told by a third, [`Events`].

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot};

use super::dashboard::Record;
use super::docs::{
    AnswerDoc, ChangeForm, ChangedDoc, ErrorDoc, LeavingDoc, NodeDetailDoc, ReloadedDoc,
};
use super::docs::{ServiceDoc, StatusDoc};
use super::events::{Event, Events};
use crate::geo::Network;
use crate::respond::explain::Explanation;
use crate::wire::{Name, RecordType};

use super::metrics::Facts;
use super::reports::{ReportForm, ReportedDoc};

/// Requests that may wait.
const REQUESTS_MAX: usize = 64;

/// Where requests are handed in.
#[derive(Clone, Debug)]
pub struct Desk {
    requests: mpsc::Sender<Request>,
    /// Never read: every listener to events begins with one of its own.
    events: Arc<broadcast::Receiver<Event>>,
    reloads: Option<Reloads>,
    /// The same for samples of answers, where any are taken.
    answers: Option<Arc<broadcast::Receiver<Arc<AnswerDoc>>>>,
    record: Arc<Record>,
}

/// Where it is asked that the configuration be read anew.
pub type Reloads = mpsc::Sender<oneshot::Sender<ReloadedDoc>>;

/// What may be asked.
#[derive(Debug)]
pub enum Request {
    /// Why a client gets what it gets.
    Explain(Inquiry, oneshot::Sender<Explanation>),
    /// How everything stands.
    Status(oneshot::Sender<StatusDoc>),
    /// How one service stands, by its id; none where there is no such service.
    Service(String, oneshot::Sender<Option<ServiceDoc>>),
    /// All that is known of one node, by its id; none where there is no such node.
    Node(String, oneshot::Sender<Option<NodeDetailDoc>>),
    /// The nodes that an override keeps out of the answers, by its id; none where there is no such.
    Leaving(u64, oneshot::Sender<Option<Vec<LeavingDoc>>>),
    /// All that is known of every node of a service, by its id; none where there is none such.
    Details(String, oneshot::Sender<Option<Vec<NodeDetailDoc>>>),
    /// What operators say is to be another.
    Change(Change, oneshot::Sender<Result<ChangedDoc, Refusal>>),
    /// A vantage has seen something; with who says so over which way.
    Report(ReportForm, String, oneshot::Sender<Result<ReportedDoc, Refusal>>),
    /// One answer in how many is noted for the answer log; none where none is.
    Noted(oneshot::Sender<Option<u32>>),
    /// What `/metrics` is made of; none where it is switched off.
    Metrics(oneshot::Sender<Option<Box<Facts>>>),
}

/// Which answer is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The name asked for.
    pub name: Name,
    /// The type.
    pub rtype: RecordType,
    /// Where the query comes from.
    pub client: IpAddr,
    /// The client subnet that it tells, if any.
    pub subnet: Option<Network>,
}

/// What operators say is to be another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What.
    pub wanted: Wanted,
    /// Who asks for it over which way: for the log, and the author where no other is named.
    pub source: String,
}

/// What is to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// What a form says.
    Form(ChangeForm),
    /// The override of this id is to be lifted.
    Lift(u64),
}

/// Why a change was not made: nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of what kind.
    pub kind: RefusalKind,
    /// In words.
    pub doc: ErrorDoc,
}

/// What kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// What was asked for has no meaning here.
    Wrong,
    /// Nothing has that name.
    Unknown,
    /// There is no room for more.
    Full,
    /// It could not be written down, so it would not last.
    Unkept,
}

impl Refusal {
    /// A refusal in words; `help` may be empty.
    pub fn new(kind: RefusalKind, error: impl Into<String>, help: impl Into<String>) -> Self {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        Self { kind, doc: ErrorDoc { error: error.into(), help } }
    }
}

impl Desk {
    /// A desk that tells of these events, and where the requests come out.
    pub fn new(events: &Events) -> (Self, mpsc::Receiver<Request>) {
        let (requests, received) = mpsc::channel(REQUESTS_MAX);
        let events = Arc::new(events.listen());
        let record = Arc::default();
        (Self { requests, events, reloads: None, answers: None, record }, received)
    }

    /// The same desk, where a configuration can be read anew, too.
    #[must_use]
    pub fn with_reloads(self, reloads: Option<Reloads>) -> Self {
        Self { reloads, ..self }
    }

    /// The same desk, which hears of the answer log, too.
    #[must_use]
    pub fn with_answers(self, answers: broadcast::Receiver<Arc<AnswerDoc>>) -> Self {
        Self { answers: Some(Arc::new(answers)), ..self }
    }

    /// Answers that are noted from now on; none where nobody notes any.
    pub fn answers(&self) -> Option<broadcast::Receiver<Arc<AnswerDoc>>> {
        self.answers.as_ref().map(|answers| answers.resubscribe())
    }

    /// One answer in how many is noted, or that none is; none where the server is stopping.
    pub async fn noted(&self) -> Option<Option<u32>> {
        self.ask(Request::Noted).await
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.resubscribe()
    }

    /// Why a client gets what it gets; none where the server is stopping.
    pub async fn explain(&self, inquiry: Inquiry) -> Option<Explanation> {
        self.ask(|reply| Request::Explain(inquiry, reply)).await
    }

    /// What `/metrics` is made of, or that it is switched off; none where the server is stopping.
    pub async fn metrics(&self) -> Option<Option<Box<Facts>>> {
        self.ask(Request::Metrics).await
    }

    /// How everything stands; none where the server is stopping.
    pub async fn status(&self) -> Option<StatusDoc> {
        self.ask(Request::Status).await
    }

    /// How one service stands; none where the server is stopping.
    pub async fn service(&self, id: String) -> Option<Option<ServiceDoc>> {
        self.ask(|reply| Request::Service(id, reply)).await
    }

    /// All that is known of one node; none where the server is stopping.
    pub async fn node(&self, id: String) -> Option<Option<NodeDetailDoc>> {
        self.ask(|reply| Request::Node(id, reply)).await
    }

    /// The nodes that an override keeps out of the answers; none where the server is stopping.
    pub async fn leaving(&self, id: u64) -> Option<Option<Vec<LeavingDoc>>> {
        self.ask(|reply| Request::Leaving(id, reply)).await
    }

    /// All that is known of every node of a service; none where the server is stopping.
    pub async fn details(&self, service: String) -> Option<Option<Vec<NodeDetailDoc>>> {
        self.ask(|reply| Request::Details(service, reply)).await
    }

    /// What the dashboard remembers.
    pub fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// Changes what operators say; none where the server is stopping.
    pub async fn change(&self, change: Change) -> Option<Result<ChangedDoc, Refusal>> {
        self.ask(|reply| Request::Change(change, reply)).await
    }

    /// Takes what a vantage has seen; none where the server is stopping.
    pub async fn report(
        &self,
        form: ReportForm,
        source: String,
    ) -> Option<Result<ReportedDoc, Refusal>> {
        self.ask(|reply| Request::Report(form, source, reply)).await
    }

    /// Reads the configuration anew; none where the server is stopping, or has no files to read.
    pub async fn reload(&self) -> Option<ReloadedDoc> {
        let (reply, answer) = oneshot::channel();
        self.reloads.as_ref()?.send(reply).await.ok()?;
        answer.await.ok()
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.ok()?;
        answer.await.ok()
    }
}
