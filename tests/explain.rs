//! What is explained is what is sent.
//!
//! Two workers that begin alike go through the same queries, one of them explaining: octet for
//! octet they must say the same, and the explanation must name what the octets hold.

#![allow(clippy::disallowed_methods, reason = "any time will do")]
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

#[path = "common/engine.rs"]
mod engine;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use engine::{Engine, NAMES, name};
use hickory_proto::op::Message;
use hickory_proto::rr::RData;
use rota::geo::{Atlas, Network};
use rota::health::Target;
use rota::respond::explain::{self, Explanation, Informant, ServiceStage, Stage};
use rota::respond::{Action, Client, Transport, Worker, respond};
use rota::wire::RecordType;

const SEED: u64 = 11;

/// Knows nothing beyond what plans hold.
struct Nobody(Atlas);

impl Informant for Nobody {
    fn atlas(&self) -> &Atlas {
        &self.0
    }

    fn complaint(&self, _: &Target) -> Option<String> {
        None
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

fn service(told: &Explanation) -> Option<&ServiceStage> {
    told.stages.iter().find_map(|stage| match stage {
        Stage::Service(service) => Some(service),
        Stage::Client(_)
        | Stage::Zone { .. }
        | Stage::Name { .. }
        | Stage::Alias { .. }
        | Stage::Node { .. }
        | Stage::Hint { .. } => None,
    })
}

/// The nodes of SRV records, as the explanation and as the response has them.
fn nodes(told: &Explanation, response: &[u8]) -> [Vec<(String, u16)>; 2] {
    let listed = told.stages.iter().filter_map(|stage| match stage {
        Stage::Node { name, weight } => Some((name.clone(), *weight)),
        Stage::Client(_)
        | Stage::Zone { .. }
        | Stage::Name { .. }
        | Stage::Alias { .. }
        | Stage::Service(_)
        | Stage::Hint { .. } => None,
    });
    let message = Message::from_vec(response).unwrap();
    let sent = message.answers.iter().filter_map(|record| {
        let RData::SRV(srv) = &record.data else { return None };
        Some((srv.target.to_string(), srv.weight))
    });
    [listed.collect(), sent.collect()]
}

fn addresses(response: &[u8]) -> Vec<IpAddr> {
    let message = Message::from_vec(response).unwrap();
    let address = |data: &RData| -> Option<IpAddr> {
        if let RData::A(a) = data {
            return Some(a.0.into());
        }
        if let RData::AAAA(aaaa) = data { Some(aaaa.0.into()) } else { None }
    };
    message.answers.iter().filter_map(|record| address(&record.data)).collect()
}

#[test]
fn what_is_explained_is_what_is_sent() {
    let engine = Engine::new(SEED);
    let snapshot = engine.publisher.current().load();
    let mut workers = [Worker::new(SEED), Worker::new(SEED)];
    workers.iter_mut().for_each(|worker| worker.begin_batch(&snapshot, Instant::now()));
    let [answering, explaining] = &mut workers;
    let nobody = Nobody(Atlas::empty());
    let mut rng = fastrand::Rng::with_seed(SEED);
    let types = [1, 28, 5, 16, 33, 64, 65, 255].map(RecordType);
    let (mut out, mut steered, mut listed) = (vec![0; 65_535], 0, 0);
    for round in 0..20_000 {
        let asked = name(rng.choice(NAMES.iter()).unwrap());
        let rtype = *rng.choice(types.iter()).unwrap();
        let subnet = rng.bool().then(|| Network::new(rng.u32(..).to_be_bytes().into(), 24));
        let message = explain::query(&asked, rtype, subnet.flatten().as_ref());
        let client =
            Client { addr: (rng.u32(..).to_be_bytes(), 4000).into(), transport: Transport::Tcp };
        let action = respond(&message, &client, &snapshot, answering, &mut (), &mut out);
        let (told, sent) = explain::explain(&message, &client, &snapshot, explaining, &nobody);
        let Action::Send(len) = action else { panic!("a query is answered") };
        assert_eq!(out[..len], sent[..], "round {round}: {asked} {rtype}");
        if let Some(service) = service(&told)
            && matches!(rtype, RecordType::A | RecordType::AAAA)
        {
            steered += 1;
            assert_eq!(service.picked, addresses(&sent), "round {round}: {asked} {rtype}");
            let kept: Vec<IpAddr> =
                service.nodes.iter().filter(|node| node.kept).map(|node| node.address).collect();
            assert!(service.picked.iter().all(|picked| kept.contains(picked)));
            assert_eq!(service.picked.len(), service.answers);
        }
        if let ([explained, sent], true) = (nodes(&told, &sent), service(&told).is_some()) {
            listed += sent.len();
            assert_eq!(explained, sent, "round {round}: {asked} {rtype}");
        }
        let json = serde_json::to_string(&told).unwrap();
        let mut again: Explanation = serde_json::from_str(&json).unwrap();
        again.stages.truncate(0);
        assert_eq!((again.rcode, again.answer), (told.rcode, told.answer));
    }
    assert!(steered > 1_000, "only {steered} of the questions were steered");
    assert!(listed > 1_000, "only {listed} SRV records");
}
