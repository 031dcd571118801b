//! What is still missing, asked at a terminal; asked again where the reader would refuse it.

use std::io::{BufRead, Write};
use std::net::{IpAddr, UdpSocket};

use anyhow::bail;

use super::draft::{self, Check, Draft, Part};

/// What everything is judged beside, as long as the rest is not known.
const EXAMPLE_APEX: &str = "app.example.org";
const EXAMPLE_SERVER: &str = "ns1 192.0.2.53";
const EXAMPLE_NODE: &str = "192.0.2.11";
const EXAMPLE_CHECK: &str = ":8080/ready";

/// Asks for every part that is missing.
pub(super) fn ask(
    draft: &mut Draft,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> anyhow::Result<()> {
    for part in draft.missing() {
        let (question, default) = question(part);
        let shown = default.as_ref().map(|text| format!(" [{text}]")).unwrap_or_default();
        loop {
            write!(output, "{question}{shown}\n> ")?;
            output.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                bail!("the questions ended before their answers");
            }
            let said = match (line.trim(), &default) {
                ("", Some(default)) => default.as_str(),
                ("", None) => continue,
                (said, _) => said,
            };
            match take(draft, part, said) {
                Ok(taken) => {
                    *draft = taken;
                    break;
                }
                Err(why) => writeln!(output, "  {why}")?,
            }
        }
    }
    Ok(())
}

/// A question, and the answer that a bare Enter gives.
fn question(part: Part) -> (&'static str, Option<String>) {
    match part {
        Part::Apex => ("Which name is delegated to Rota? Such as app.example.org", None),
        Part::NameServers => (
            "Which name servers run Rota? Each with its public addresses, commas between: \
             ns1 192.0.2.53, ns2 192.0.2.54",
            own_address().map(|own| format!("ns1 {own}")),
        ),
        Part::Nodes => (
            "Which addresses have the nodes? Commas between, weights if they differ: \
             192.0.2.11 x2, 192.0.2.12",
            None,
        ),
        Part::Check => (
            "What is every node asked? :8080/ready, https://:443/ready, tcp://:6379, tls://:443, \
             or none",
            Some(EXAMPLE_CHECK.to_owned()),
        ),
    }
}

/// The draft with an answer in it, if the reader of configurations takes it.
fn take(draft: &Draft, part: Part, said: &str) -> Result<Draft, String> {
    let listed = || -> Vec<String> {
        let all = said.split(',').map(|one| one.trim().to_owned());
        all.filter(|one| !one.is_empty()).collect()
    };
    let mut taken = draft.clone();
    match part {
        Part::Apex => {
            taken.apex = Some(draft::apex(said)?);
            if !said.contains('.') {
                return Err("write the whole name, with its dots: app.example.org".to_owned());
            }
        }
        Part::NameServers => taken.name_servers = listed(),
        Part::Nodes => taken.nodes = listed(),
        Part::Check => taken.check = Some(Check::parse(said)?),
    }
    let mut judged = taken.clone();
    for part in judged.missing() {
        match part {
            Part::Apex => judged.apex = draft::apex(EXAMPLE_APEX).ok(),
            Part::NameServers => judged.name_servers = vec![EXAMPLE_SERVER.to_owned()],
            Part::Nodes => judged.nodes = vec![EXAMPLE_NODE.to_owned()],
            Part::Check => judged.check = Some(Check::None),
        }
    }
    // What is empty was filled with an example, and that is not what was said.
    if taken.missing().contains(&part) {
        return Err("there is nothing in it".to_owned());
    }
    match judged.complaint() {
        Some(why) => Err(why),
        None => Ok(taken),
    }
}

/// The address that this machine would ask others from. No packet is sent for it.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(("192.0.2.1", 53)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
}
