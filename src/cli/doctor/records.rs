//! The records of a delegation, in the forms in which parents take them.

use std::fmt::Write;
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::cli::delegation::Delegation;
use crate::cli::report::bare;

/// A form that a parent zone's owner can paste.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines of a master file: BIND, NSD, Knot and most others
    Bind,
    /// A change batch for `aws route53 change-resource-record-sets`
    Route53,
    /// PowerShell for Windows DNS
    Windows,
}

/// The records in a form, with a line feed at the end.
pub(in crate::cli) fn text(delegation: &Delegation, form: Form) -> String {
    match form {
        Form::Bind => bind(delegation),
        Form::Route53 => format!("{:#}\n", route53(delegation)),
        Form::Windows => windows(delegation),
    }
}

/// Lines of a master file.
pub(in crate::cli) fn bind(delegation: &Delegation) -> String {
    let (apex, ttl) = (delegation.apex.to_string(), delegation.ttl);
    let names = delegation.servers.iter().map(|server| server.name.to_string().len());
    let width = names.max().unwrap_or(0).max(apex.len());
    let mut text = String::new();
    for server in &delegation.servers {
        let _ = writeln!(text, "{apex:width$}  {ttl}  IN  NS    {}", server.name);
    }
    for server in &delegation.servers {
        let owner = server.name.to_string();
        for address in &server.addresses {
            let rtype = rtype(*address);
            let _ = writeln!(text, "{owner:width$}  {ttl}  IN  {rtype:4}  {address}");
        }
    }
    text
}

/// A set for each owner and type, as the API wants it.
fn route53(delegation: &Delegation) -> Value {
    let ttl = delegation.ttl;
    let set = |owner: String, rtype: &str, values: Vec<String>| {
        let values: Vec<Value> =
            values.into_iter().map(|value| json!({ "Value": value })).collect();
        json!({
            "Action": "UPSERT",
            "ResourceRecordSet":
                { "Name": owner, "Type": rtype, "TTL": ttl, "ResourceRecords": values },
        })
    };
    let names = delegation.servers.iter().map(|server| server.name.to_string()).collect();
    let mut changes = vec![set(delegation.apex.to_string(), "NS", names)];
    for server in &delegation.servers {
        for family in ["A", "AAAA"] {
            let of_family = server.addresses.iter().filter(|it| rtype(**it) == family);
            let values: Vec<String> = of_family.map(IpAddr::to_string).collect();
            if !values.is_empty() {
                changes.push(set(server.name.to_string(), family, values));
            }
        }
    }
    json!({ "Comment": format!("delegate {} to Rota", bare(&delegation.apex)), "Changes": changes })
}

/// One command for each name server; addresses are not optional there.
fn windows(delegation: &Delegation) -> String {
    let Some(parent) = delegation.apex.parent() else { return String::new() };
    let (apex, parent) = (bare(&delegation.apex), bare(&parent));
    let child = apex.strip_suffix(&format!(".{parent}")).unwrap_or(&apex);
    let mut text = String::new();
    for server in &delegation.servers {
        let addresses: Vec<String> = server.addresses.iter().map(IpAddr::to_string).collect();
        let addresses = match addresses.as_slice() {
            [] => format!("(Resolve-DnsName {}).IPAddress", bare(&server.name)),
            known => known.join(","),
        };
        let _ = writeln!(
            text,
            "Add-DnsServerZoneDelegation -Name \"{parent}\" -ChildZoneName \"{child}\" `\n  \
             -NameServer \"{}\" -IPAddress {addresses}",
            server.name
        );
    }
    text
}

fn rtype(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "A" } else { "AAAA" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::delegation::NameServer;
    use crate::wire::Name;

    #[test]
    fn each_form_has_every_server_and_address() {
        let server = |name: &str, addresses: &[&str]| NameServer {
            name: Name::from_text(name).unwrap(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let delegation = Delegation {
            apex: Name::from_text("app.example.org").unwrap(),
            ttl: 3600,
            servers: vec![
                server("ns1.app.example.org", &["192.0.2.53", "2001:db8::53"]),
                server("ns.example.net", &[]),
            ],
        };
        let bind = "\
app.example.org.      3600  IN  NS    ns1.app.example.org.
app.example.org.      3600  IN  NS    ns.example.net.
ns1.app.example.org.  3600  IN  A     192.0.2.53
ns1.app.example.org.  3600  IN  AAAA  2001:db8::53
";
        assert_eq!(text(&delegation, Form::Bind), bind);
        let windows = "\
Add-DnsServerZoneDelegation -Name \"example.org\" -ChildZoneName \"app\" `
  -NameServer \"ns1.app.example.org.\" -IPAddress 192.0.2.53,2001:db8::53
Add-DnsServerZoneDelegation -Name \"example.org\" -ChildZoneName \"app\" `
  -NameServer \"ns.example.net.\" -IPAddress (Resolve-DnsName ns.example.net).IPAddress
";
        assert_eq!(text(&delegation, Form::Windows), windows);
        let batch: Value = serde_json::from_str(&text(&delegation, Form::Route53)).unwrap();
        let set = |index: usize| &batch["Changes"][index]["ResourceRecordSet"];
        assert_eq!(set(0)["ResourceRecords"][1]["Value"], "ns.example.net.");
        assert_eq!((&set(1)["Type"], &set(2)["Type"]), (&json!("A"), &json!("AAAA")));
        assert_eq!(set(2)["ResourceRecords"][0]["Value"], "2001:db8::53");
    }
}
