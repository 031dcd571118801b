//! `rota report`: tells a running server what another place to look from has seen of a node.
//!
//! For scripts that follow a proxy's log, and for people who see what no probe does. What comes of
//! it is printed: what the vantage says now, and what holds.

use std::path::Path;

use crate::admin::reports::{ReportForm, ReportedDoc, Seen, SeenDoc};

use super::Exit;
use super::client::{Client, ServerArgs};

/// Arguments of `rota report`.
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("verdict").required(true))]
pub struct ReportArgs {
    /// Nodes by name, address or id
    #[arg(value_name = "NODE", required = true)]
    pub nodes: Vec<String>,

    /// Who has seen it: the vantage's name
    #[arg(long, value_name = "NAME")]
    pub from: String,

    /// Requests passed there
    #[arg(long, group = "verdict")]
    pub passed: bool,

    /// Requests failed there, and perhaps why
    #[arg(long, group = "verdict", value_name = "REASON", num_args = 0..=1)]
    #[arg(default_missing_value = "")]
    pub failed: Option<String>,

    /// With which response code
    #[arg(long, value_name = "CODE")]
    pub status: Option<u16>,

    /// How often in a row
    #[arg(long, value_name = "TIMES", default_value_t = 1)]
    pub count: u32,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Where the server is.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Reports.
pub async fn run(args: &ReportArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let seen = |node: &String| SeenDoc {
        node: node.clone(),
        verdict: if args.passed { Seen::Passed } else { Seen::Failed },
        count: args.count,
        status: args.status,
        reason: args.failed.clone().filter(|reason| !reason.is_empty()),
    };
    let reports = args.nodes.iter().map(seen).collect();
    let form = ReportForm { from: args.from.clone(), reports };
    let client = Client::new(&args.server, config)?;
    let told: ReportedDoc = client.post("/api/v1/reports", &form).await?;
    let text = match args.json {
        true => serde_json::to_string_pretty(&told)?,
        false => layout(&told, &args.from),
    };
    super::print(&text);
    Ok(Exit::Good)
}

fn layout(told: &ReportedDoc, from: &str) -> String {
    let line = |one: &crate::admin::reports::ReportedOnDoc| {
        let holds = match one.effective == one.real {
            true => String::new(),
            false => format!(", held {}", one.effective),
        };
        format!("{} {}: {from} says {}; it is {}{holds}", one.node, one.address, one.says, one.real)
    };
    told.addresses.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::docs::Status;
    use crate::admin::reports::ReportedOnDoc;

    #[test]
    fn what_came_of_it_is_a_line_for_each_address() {
        let one = |last: u8, real, effective| ReportedOnDoc {
            node: format!("lb.test/app/n{last}"),
            address: [192, 0, 2, last].into(),
            says: Status::Down,
            real,
            effective,
        };
        let addresses = vec![one(1, Status::Down, Status::Down), one(2, Status::Down, Status::Up)];
        assert_eq!(
            layout(&ReportedDoc { addresses }, "proxy"),
            "lb.test/app/n1 192.0.2.1: proxy says down; it is down\n\
             lb.test/app/n2 192.0.2.2: proxy says down; it is down, held up"
        );
    }
}
