//! `rota answers`: what clients are told, as it happens.
//!
//! The server notes a part of its answers, drawn by chance, and tells them to whoever listens;
//! this listens. What it prints is what was answered, not what would be: `rota explain` says why.

use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::admin::docs::AnswerDoc;

use super::Exit;
use super::client::{Client, ServerArgs};

pub(super) const EXAMPLES: &str = "\
Examples:
  rota answers                          all that are noted, until Ctrl-C
  rota answers app.lb.customer.com      those of one name
  rota answers eu1 --count 10           ten that name this node
  rota answers --json | jq .nodes       one JSON object a line

Nothing comes where nobody asks; of 1/1000 of the answers, one in a thousand on average.";

/// Arguments of `rota answers`.
#[derive(clap::Args, Debug)]
pub struct AnswersArgs {
    /// Only answers with one of these in the name asked for, the service or the nodes
    #[arg(value_name = "TEXT")]
    pub only: Vec<String>,

    /// End after so many
    #[arg(short = 'n', long, value_name = "NUMBER")]
    pub count: Option<NonZeroU64>,

    /// Print JSON, an object a line
    #[arg(long)]
    pub json: bool,

    /// Where the server is.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Prints answers until stopped, or as many as were asked for.
pub async fn run(args: &AnswersArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let client = Client::new(&args.server, config)?;
    let stop = super::stop_signal()?;
    let mut left = args.count.map_or(u64::MAX, NonZeroU64::get);
    let follow = client.follow("/api/v1/answers", |data| {
        let doc: AnswerDoc = serde_json::from_str(data)?;
        if is_meant(&doc, &args.only) {
            super::print(&if args.json { data.to_owned() } else { line(&doc) });
            left -= 1;
        }
        Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    tokio::select! {
        ended = follow => ended?,
        () = stop => {}
    }
    Ok(Exit::Good)
}

/// True for an answer that has one of the texts, whatever its case; for all where there is none.
fn is_meant(doc: &AnswerDoc, only: &[String]) -> bool {
    let named = doc.name.iter().chain(&doc.service).chain(&doc.nodes);
    let named: Vec<String> = named.map(|text| text.to_lowercase()).collect();
    let has = |text: &String| named.iter().any(|name| name.contains(&text.to_lowercase()));
    only.is_empty() || only.iter().any(has)
}

/// `2026-07-01T12:00:00.250Z  192.0.2.0/24  udp  app.lb.test. A  NOERROR  eu: eu1 eu2  ttl 5`
fn line(doc: &AnswerDoc) -> String {
    let at = UNIX_EPOCH + Duration::from_millis(doc.unix_ms);
    let subnet = doc.subnet.as_ref().map(|subnet| format!(" for {subnet}")).unwrap_or_default();
    let asked = match (&doc.name, &doc.rtype) {
        (Some(name), Some(rtype)) => format!("{name} {rtype}"),
        (Some(name), None) => name.clone(),
        (None, _) => "-".to_owned(),
    };
    let mut parts = vec![
        humantime::format_rfc3339_millis(at).to_string(),
        format!("{}{subnet}", doc.client),
        doc.transport.clone(),
        asked,
        doc.rcode.clone(),
    ];
    // What is more than its code says.
    if doc.outcome != "answered" {
        parts.push(doc.outcome.clone());
    }
    if !doc.nodes.is_empty() {
        let pool = doc.pool.as_ref().filter(|pool| !pool.is_empty());
        let pool = pool.map(|pool| format!("{pool}: ")).unwrap_or_default();
        let more = if doc.addresses > doc.nodes.len() {
            format!(" ({} addresses)", doc.addresses)
        } else {
            String::new()
        };
        parts.push(format!("{pool}{}{more}", doc.nodes.join(" ")));
    }
    parts.extend(doc.ttl.map(|ttl| format!("ttl {ttl}")));
    if doc.truncated {
        parts.push("cut".to_owned());
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc() -> AnswerDoc {
        AnswerDoc {
            unix_ms: 1_782_907_200_250,
            client: "192.0.2.0/24".to_owned(),
            subnet: None,
            transport: "udp".to_owned(),
            name: Some("App.lb.test.".to_owned()),
            rtype: Some("A".to_owned()),
            service: Some("lb.test/app".to_owned()),
            pool: Some("eu".to_owned()),
            nodes: vec!["eu1".to_owned(), "eu2".to_owned()],
            addresses: 2,
            ttl: Some(5),
            rcode: "NOERROR".to_owned(),
            outcome: "answered".to_owned(),
            truncated: false,
            octets: 77,
        }
    }

    #[test]
    fn an_answer_is_a_line() {
        let plain = doc();
        let subnet = AnswerDoc {
            subnet: Some("203.0.113.0/24".to_owned()),
            pool: Some(String::new()),
            addresses: 3,
            truncated: true,
            ..doc()
        };
        let nothing = AnswerDoc {
            name: None,
            rtype: None,
            service: None,
            pool: None,
            nodes: Vec::new(),
            addresses: 0,
            ttl: None,
            rcode: "FORMERR".to_owned(),
            outcome: "malformed".to_owned(),
            ..doc()
        };
        for (doc, expected) in [
            (
                plain,
                "2026-07-01T12:00:00.250Z  192.0.2.0/24  udp  App.lb.test. A  NOERROR  \
                 eu: eu1 eu2  ttl 5",
            ),
            (
                subnet,
                "2026-07-01T12:00:00.250Z  192.0.2.0/24 for 203.0.113.0/24  udp  App.lb.test. A  \
                 NOERROR  eu1 eu2 (3 addresses)  ttl 5  cut",
            ),
            (nothing, "2026-07-01T12:00:00.250Z  192.0.2.0/24  udp  -  FORMERR  malformed"),
        ] {
            assert_eq!(line(&doc), expected);
        }
    }

    #[test]
    fn a_text_is_looked_for_in_names_services_and_nodes() {
        for (only, expected) in [
            (&[][..], true),
            (&["app.LB.test"], true),
            (&["lb.test/app"], true),
            (&["eu2"], true),
            (&["eu3"], false),
            (&["eu3", "app"], true),
        ] {
            let only: Vec<String> = only.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(is_meant(&doc(), &only), expected, "{only:?}");
        }
    }
}
