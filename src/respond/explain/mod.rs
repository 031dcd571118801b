//! Why an answer is what it is: every stage of a decision, in words.
//!
//! [`explain`] asks [`respond`], the one answer path, and listens to its
//! [`Trace`](super::Trace): what is told here is what was done, and the octets that came out are
//! kept beside it. What the answer path does not look at, because it was decided in the cold, is
//! read from the very plan that answered; what the plan does not hold (the reason of a failed
//! probe, where an address is) comes from an [`Informant`].
//!
//! An [`Explanation`] is plain text in fields, so that it can go through JSON to a command line or
//! a browser without losing anything.

mod recorder;
mod service;

use std::net::IpAddr;
use std::time::Duration;

use domain::base::Message;
use domain::base::opt::ExtendedError;
use domain::rdata::AllRecordData;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::geo::{Atlas, Network};
use crate::health::Target;
use crate::snapshot::Snapshot;
use crate::steer::{Node, Pool};
use crate::wire::writer::MESSAGE_LEN_MAX;
use crate::wire::{Name, OptionCode, RecordType};

use super::{Action, Client, Worker, respond};

pub use service::row;

use recorder::Recorder;

/// A decision and every stage on the way to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// In the order in which they were gone through.
    pub stages: Vec<Stage>,
    /// The response code; none where nothing was sent.
    pub rcode: Option<String>,
    /// What the response says of its reason (RFC 8914); most have no need to.
    pub why: Option<String>,
    /// The records of the answer section, as a master file has them.
    pub answer: Vec<String>,
}

/// One stage of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Whom the answer is for.
    Client(ClientStage),
    /// The zone with the longest apex that the name is at or under.
    Zone {
        /// The apex.
        apex: String,
    },
    /// What the zone has for the name.
    Name {
        /// In words.
        found: String,
    },
    /// The name is an alias.
    Alias {
        /// Where the answer goes on.
        to: String,
    },
    /// The name is steered. SRV, HTTPS and TXT are made of both families: one stage each.
    Service(ServiceStage),
    /// SRV lists a node.
    Node {
        /// By its own name.
        name: String,
        /// As SRV has it.
        weight: u16,
    },
    /// HTTPS may hint at the addresses of a family.
    Hint {
        /// A or AAAA.
        family: String,
        /// How many addresses answer.
        count: usize,
        /// It hints at all of them; at none where one answer does not hold them all.
        given: bool,
    },
}

/// Whom an answer is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientStage {
    /// What choices go by: an address, or the prefix that ECS told.
    pub asker: String,
    /// Where the query came from.
    #[schema(value_type = String)]
    pub source: IpAddr,
    /// True where ECS told of the asker.
    pub told: bool,
    /// True where ECS told of somebody, but came from where it is not believed.
    pub untrusted: bool,
    /// What is known of where that is.
    pub location: String,
    /// The network around it of which the same is known.
    pub network: String,
}

/// How a service chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceStage {
    /// `zone/service`.
    pub id: String,
    /// The type whose addresses were chosen: A or AAAA.
    pub family: String,
    /// The row of the truth table that answers.
    pub row: String,
    /// What orders the pools.
    pub steer: String,
    /// In the client's order.
    pub pools: Vec<PoolLine>,
    /// What picks among a pool's nodes.
    pub policy: String,
    /// Every address of the family, in the order written.
    pub nodes: Vec<NodeLine>,
    /// How many addresses an answer holds.
    pub answers: usize,
    /// The addresses that were picked, in order.
    #[schema(value_type = Vec<String>)]
    pub picked: Vec<IpAddr>,
    /// In seconds.
    pub ttl: u32,
    /// All addresses of the service, as the steps of a decision number them.
    #[serde(skip)]
    #[schema(ignore)]
    addresses: Vec<IpAddr>,
    /// The length of the shortest prefix for which the choice is the same; 0 where it does not
    /// depend on the client.
    pub scope: u8,
}

/// One pool on the way to an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoolLine {
    /// Empty for the one pool of a simple service.
    pub name: String,
    /// Why it stands where it stands.
    pub why: String,
    /// It can answer.
    pub able: bool,
    /// It answered.
    pub chosen: bool,
}

/// One address on the way to an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeLine {
    /// Empty for the one pool of a simple service.
    pub pool: String,
    /// The node's name.
    pub node: String,
    /// Its address.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// Its weight.
    pub weight: u16,
    /// It could be picked.
    pub kept: bool,
    /// Why, or why not.
    pub why: String,
}

/// Knows what plans do not hold.
pub trait Informant {
    /// Where addresses are.
    fn atlas(&self) -> &Atlas;
    /// What the last probe of a target complained of; none where it passed or there was none.
    fn complaint(&self, target: &Target) -> Option<String>;
    /// How long probes of a target take.
    fn pace(&self, target: &Target) -> Option<Duration>;
    /// What a guard does to an address of a node, and since when; none where nothing does.
    fn guard(&self, _node: &Node, _ip: IpAddr) -> Option<String> {
        None
    }

    /// What a pool lacks of what it needs; none where nothing is lacking.
    fn lack(&self, _pool: &Pool) -> Option<String> {
        None
    }

    /// What others say who look at an address of a node; none where nobody does.
    fn outside(&self, _node: &Node, _ip: IpAddr) -> Option<String> {
        None
    }

    /// What an operator has said of a node's status, by its id: who, and why.
    fn said(&self, _node: &str) -> Option<String> {
        None
    }
}

/// Answers a query and tells every stage of it.
pub fn explain(
    message: &[u8],
    client: &Client,
    snapshot: &Snapshot,
    worker: &mut Worker,
    informant: &impl Informant,
) -> (Explanation, Vec<u8>) {
    let mut recorder = Recorder::new(client, informant);
    let mut out = vec![0; MESSAGE_LEN_MAX];
    let action = respond(message, client, snapshot, worker, &mut recorder, &mut out);
    match action {
        Action::Send(len) => out.truncate(len),
        Action::Drop => out.clear(),
    }
    (read(&out, recorder.into_stages()), out)
}

/// A query as a client would send it.
pub fn query(name: &Name, rtype: RecordType, subnet: Option<&Network>) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    message.extend(name.as_wire());
    message.extend(rtype.0.to_be_bytes());
    message.extend([0, 1]);
    // RFC 6891 §6.1.2: an OPT record that takes answers of any length.
    message.extend([0, 0, 41, 0xff, 0xff, 0, 0, 0, 0]);
    let option = subnet.map(subnet_option).unwrap_or_default();
    message.extend((option.len() as u16).to_be_bytes());
    message.extend(option);
    message
}

/// RFC 7871 §6.
fn subnet_option(subnet: &Network) -> Vec<u8> {
    let (family, octets) = match subnet.address() {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    let kept = &octets[..usize::from(subnet.length()).div_ceil(8)];
    let mut option = OptionCode::CLIENT_SUBNET.0.to_be_bytes().to_vec();
    option.extend((4 + kept.len() as u16).to_be_bytes());
    option.extend([0, family, subnet.length(), 0]);
    option.extend(kept);
    option
}

/// An extended error's own text, which says more than the name of its code.
fn words<Octs: AsRef<[u8]>>(error: ExtendedError<Octs>) -> String {
    let text = error.text_slice().map(String::from_utf8_lossy).filter(|text| !text.is_empty());
    text.map_or_else(|| error.code().to_string(), |text| text.into_owned())
}

/// What a response says, read by a library that is not ours.
fn read(response: &[u8], stages: Vec<Stage>) -> Explanation {
    let Ok(message) = Message::from_octets(response) else {
        return Explanation { stages, rcode: None, why: None, answer: Vec::new() };
    };
    let error = message.opt().and_then(|record| record.opt().extended_error().map(words));
    let records = message.answer().into_iter().flat_map(|section| {
        section.limit_to::<AllRecordData<_, _>>().flatten().map(|record| record.to_string())
    });
    Explanation {
        stages,
        rcode: Some(message.opt_rcode().to_string()),
        why: error,
        answer: records.collect(),
    }
}
