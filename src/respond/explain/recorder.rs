//! Writes down the steps of a decision.

use crate::snapshot::Lookup;
use crate::wire::name::ShowName;

use super::super::{Client, Step, Trace};
use super::service::tell;
use super::{ClientStage, Informant, Stage};

/// A trace that writes down.
pub(super) struct Recorder<'i, I> {
    client: Client,
    informant: &'i I,
    stages: Vec<Stage>,
}

impl<'i, I: Informant> Recorder<'i, I> {
    pub(super) fn new(client: &Client, informant: &'i I) -> Self {
        Self { client: *client, informant, stages: Vec::new() }
    }

    pub(super) fn into_stages(self) -> Vec<Stage> {
        self.stages
    }
}

impl<I: Informant> Trace for Recorder<'_, I> {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Client { asker, untrusted } => {
                let (location, network) = self.informant.atlas().locate(asker.address());
                self.stages.push(Stage::Client(ClientStage {
                    asker: asker.to_string(),
                    source: self.client.addr.ip().to_canonical(),
                    told: asker.is_told(),
                    untrusted,
                    location: location.to_string(),
                    network: network.to_string(),
                }));
            }
            Step::Zone(apex) => self.stages.push(Stage::Zone { apex: apex.to_string() }),
            Step::Lookup(found) => {
                let found = words(found).to_owned();
                self.stages.push(Stage::Name { found });
            }
            Step::Alias(name) => {
                self.stages.push(Stage::Alias { to: ShowName(name).to_string() });
            }
            Step::Service { service, plan, family, asker, set } => {
                let told = tell(service, plan, family, &asker, set, self.informant);
                self.stages.push(Stage::Service(told));
            }
            Step::Picked(at) => {
                if let Some(Stage::Service(told)) = self.stages.last_mut() {
                    told.pick(usize::from(at));
                }
            }
            Step::Listed { node, weight } => {
                self.stages.push(Stage::Node { name: node.to_string(), weight });
            }
            Step::Hinted { family, count, given } => {
                let family = family.record_type().to_string();
                self.stages.push(Stage::Hint { family, count, given });
            }
        }
    }
}

fn words(found: Lookup) -> &'static str {
    match found {
        Lookup::Exact(_) => "the name exists",
        Lookup::Wildcard { .. } => "a wildcard stands in for the name",
        Lookup::Missing { .. } => "the name does not exist",
        Lookup::Cut(_) => "the name is delegated to other servers",
        Lookup::Renamed(_) => "a DNAME above the name renames it",
    }
}
