//! `rota explain`: why a client gets what it gets, stage by stage.
//!
//! A running server explains what it would answer now. Without one the files are read and answered
//! from as a server would before its first probe: every node counts as healthy. Both ways it is
//! the answer path that is asked, and what it told is only laid out here.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::config;
use crate::geo::{Atlas, Network};
use crate::health::Target;
use crate::respond::explain::{
    self, ClientStage, Explanation, Informant, PoolLine, ServiceStage, Stage,
};
use crate::respond::{Client, Transport, Worker};
use crate::snapshot::{Publisher, Settings};
use crate::steer::Unchecked;
use crate::wire::{Name, RecordType};

use super::Exit;
use super::client::{self, ServerArgs};

/// Arguments of `rota explain`.
#[derive(clap::Args, Debug)]
pub struct ExplainArgs {
    /// The name that a client asks for
    #[arg(value_parser = Name::from_text)]
    pub name: Name,

    /// The record type
    #[arg(long = "type", value_name = "TYPE", default_value = "A")]
    pub rtype: RecordType,

    /// Where the query comes from: the client's resolver
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub client: IpAddr,

    /// The network of the client that the resolver tells of
    #[arg(long, value_name = "NETWORK", value_parser = Network::parse)]
    pub ecs: Option<Network>,

    /// Read the files, whether or not a server is running
    #[arg(long, conflicts_with = "admin")]
    pub offline: bool,

    /// Where the server is.
    #[command(flatten)]
    pub server: ServerArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Explains, and finds something where there is no answer.
pub async fn run(args: &ExplainArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let told = if args.offline { offline(args, config)? } else { online(args, config).await? };
    if args.json {
        super::print(&serde_json::to_string_pretty(&told)?);
    } else {
        let name = args.name.to_string();
        let title = format!("{} {} asked from {}", bare(&name), args.rtype, args.client);
        super::print(layout(&title, &told).trim_end());
    }
    Ok(if told.answer.is_empty() { Exit::Found } else { Exit::Good })
}

async fn online(args: &ExplainArgs, config: Option<&Path>) -> anyhow::Result<Explanation> {
    let server = client::Client::new(&args.server, config)?;
    let mut path = format!(
        "/api/v1/explain?name={}&type={}&client={}",
        client::escaped(&args.name.to_string()),
        args.rtype,
        client::escaped(&args.client.to_string()),
    );
    if let Some(ecs) = &args.ecs {
        let _ = write!(path, "&ecs={}", client::escaped(&ecs.to_string()));
    }
    let told = server.get(&path).await;
    told.context("a running server explains best; --offline reads the files instead")
}

/// What a server would answer that has read the files and probed nothing yet.
fn offline(args: &ExplainArgs, config: Option<&Path>) -> anyhow::Result<Explanation> {
    let loaded = config::load(config);
    if !loaded.diagnostics.is_empty() {
        eprintln!("{}", config::render(&loaded.diagnostics, false));
    }
    let Some(config) = loaded.into_config() else {
        bail!("the configuration has errors");
    };
    let settings = Settings { ecs: config.server.dns.ecs.clone(), ..Settings::default() };
    let mut publisher = Publisher::new();
    publisher.locate(config.geo.atlas);
    publisher.publish(&config.zones, settings, &Unchecked);
    let snapshot = publisher.current().load();
    let mut worker = Worker::new(crate::daemon::random_seed());
    worker.begin_batch(&snapshot, super::show::now());
    let message = explain::query(&args.name, args.rtype, args.ecs.as_ref());
    let client = Client { addr: (args.client, 0).into(), transport: Transport::Tcp };
    let witness = Unprobed(publisher.atlas());
    Ok(explain::explain(&message, &client, &snapshot, &mut worker, &witness).0)
}

/// Knows where addresses are, and nothing of nodes.
struct Unprobed<'a>(&'a Atlas);

impl Informant for Unprobed<'_> {
    fn atlas(&self) -> &Atlas {
        self.0
    }

    fn complaint(&self, _: &Target) -> Option<String> {
        None
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

/// Where the texts of stages begin.
const INDENT: usize = 10;

fn layout(title: &str, told: &Explanation) -> String {
    let mut out = format!("{title}\n\n");
    // One label for a list: what follows is more of the same.
    let mut labelled = "";
    for stage in &told.stages {
        let mut once = |label| {
            if labelled == label {
                ""
            } else {
                labelled = label;
                label
            }
        };
        match stage {
            Stage::Client(client) => lay_client(&mut out, client),
            Stage::Zone { apex } => line(&mut out, "zone", bare(apex)),
            Stage::Name { found } => line(&mut out, "name", found),
            Stage::Alias { to } => line(&mut out, "alias", &format!("goes on at {}", bare(to))),
            Stage::Service(service) => lay_service(&mut out, service),
            Stage::Node { name, weight } => {
                line(&mut out, once("srv"), &format!("{}, weight {weight}", bare(name)));
            }
            Stage::Hint { family, count, given: true } => {
                line(&mut out, once("hints"), &format!("{family}: {count} of {count} addresses"));
            }
            Stage::Hint { family, count, given: false } => {
                let why = "one answer holds only a part";
                line(
                    &mut out,
                    once("hints"),
                    &format!("{family}: none of {count} addresses: {why}"),
                );
            }
        }
    }
    if !told.stages.iter().any(|stage| matches!(stage, Stage::Zone { .. })) {
        line(&mut out, "zone", "none that answers this");
    }
    let rcode = told.rcode.as_deref().unwrap_or("nothing is sent");
    let why = match (&told.why, told.answer.is_empty() && rcode == "NOERROR") {
        (Some(why), _) => format!(": {why}"),
        (None, true) => ": the name has nothing of this type".to_owned(),
        (None, false) => String::new(),
    };
    line(&mut out, "answer", &format!("{rcode}{why}"));
    for record in &told.answer {
        line(&mut out, "", record);
    }
    out
}

fn line(out: &mut String, label: &str, text: &str) {
    let _ = writeln!(out, "{label:<INDENT$}{text}");
}

fn lay_client(out: &mut String, client: &ClientStage) {
    let how = match (client.told, client.untrusted) {
        (true, _) => format!(", told by its resolver {} (ECS)", client.source),
        (false, true) => ", as the client subnet that it tells is not believed".to_owned(),
        (false, false) => String::new(),
    };
    line(out, "client", &format!("{}{how}", client.asker));
    let place = match client.network.ends_with("/0") {
        true => "not known: no file of [geo] holds it".to_owned(),
        false => format!("{}, like all of {}", client.location, client.network),
    };
    line(out, "place", &place);
}

fn lay_service(out: &mut String, service: &ServiceStage) {
    // SRV and HTTPS are made of both families: each has a part of its own.
    line(out, "service", &format!("{}, its {} addresses", service.id, service.family));
    line(out, "state", &service.row);
    if service.pools.len() > 1 {
        line(out, "steer", &format!("{}, so for this client:", service.steer));
        let width = width(service.pools.iter().map(|pool| pool.name.as_str()));
        for (at, pool) in service.pools.iter().enumerate() {
            let text = format!("{}. {:width$}  {}", at + 1, pool.name, outcome(pool, service));
            line(out, "", &text);
        }
    }
    let named = |node: &explain::NodeLine| match node.pool.as_str() {
        "" => node.node.clone(),
        pool => format!("{pool}/{}", node.node),
    };
    let names: Vec<String> = service.nodes.iter().map(named).collect();
    let name_width = width(names.iter().map(String::as_str));
    let addresses: Vec<String> = service.nodes.iter().map(|it| it.address.to_string()).collect();
    let address_width = width(addresses.iter().map(String::as_str));
    for (at, node) in service.nodes.iter().enumerate() {
        let label = if at == 0 { "nodes" } else { "" };
        let fate = if node.kept { "kept" } else { "dropped" };
        let (name, address, weight) = (&names[at], &addresses[at], node.weight);
        let text = format!(
            "{name:name_width$}  {address:address_width$}  weight {weight:<3}  {fate}: {}",
            node.why
        );
        line(out, label, &text);
    }
    let kept = service.nodes.iter().filter(|node| node.kept).count();
    let picked: Vec<String> = service.picked.iter().map(ToString::to_string).collect();
    // SRV and HTTPS have no use for a part of the addresses: nothing is picked.
    if !picked.is_empty() {
        let how = format!("{}: {} of {kept} kept", service.policy, service.answers);
        line(out, "pick", &format!("{how}: {}", picked.join(", ")));
    }
    line(out, "ttl", &format!("{} s", service.ttl));
    let scope = match service.scope {
        0 => "/0: the choice does not depend on the client".to_owned(),
        length => format!("/{length}: all of that prefix choose the same"),
    };
    line(out, "scope", &scope);
}

fn outcome(pool: &PoolLine, service: &ServiceStage) -> String {
    let has_any = service.nodes.iter().any(|node| node.pool == pool.name);
    let fate = match (pool.chosen, pool.able) {
        (true, _) => "<- answers".to_owned(),
        (false, true) => "could answer".to_owned(),
        (false, false) if has_any => "cannot answer: too little of it serves".to_owned(),
        (false, false) => format!("cannot answer: it has no {} address", service.family),
    };
    format!("{}; {fate}", pool.why)
}

/// A name without its final dot, as people write it.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').filter(|stem| !stem.is_empty()).unwrap_or(name)
}

fn width<'t>(texts: impl Iterator<Item = &'t str>) -> usize {
    texts.map(str::len).max().unwrap_or(0)
}
