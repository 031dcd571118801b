//! Checks: `[check.<name>]` tables, and the `check` of a service.
//!
//! A check is read once and may be used by many services; only the host that it names depends on
//! who uses it. So reading gives a [`Recipe`], and each service makes its own [`Check`] of it. Each
//! kind of check has a file here, which reads its table.

mod agent;
mod body;
mod demand;
mod dns;
mod exec;
mod files;
mod group;
mod grpc;
mod hosted;
mod http;
mod load;
mod secure;
mod tcp;
mod tls;
mod websocket;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use self::files::Files;
use self::group::{Group, MEMBERS_MAX};
use self::hosted::Hosted;
use super::fields::Fields;
use super::grants::Grants;
use super::nodes::read_address;
use super::pacing::Pacing;
use super::reader::Reader;
use super::suggest::nearest;
use super::tables::CHECK;
use super::value::{Text, Value, in_order};
use crate::health::{
    AgentAsk, Ask, Check, DnsAsk, ExecAsk, FileAsk, GrpcAsk, HttpAsk, TcpAsk, TlsAsk, WebSocketAsk,
};
use crate::wire::Name;
use crate::zone::masterfile::Includes;

pub(super) use self::demand::Demand;

/// A check as written, before a service uses it.
#[derive(Clone, Debug)]
struct Recipe {
    ask: AskRecipe,
    every: Duration,
    timeout: Duration,
    max_latency: Option<Duration>,
    fails: u32,
    passes: u32,
    pacing: Pacing,
    /// Whom to ask, in place of each node's own address.
    address: Option<IpAddr>,
}

/// A check as written: a recipe, or others together.
#[derive(Clone, Debug)]
enum Definition {
    One(Box<Recipe>),
    Group(Group),
}

/// What to ask; some kinds still want a host.
#[derive(Clone, Debug)]
enum AskRecipe {
    Http(Hosted<HttpAsk>),
    Tcp(TcpAsk),
    Tls(Hosted<TlsAsk>),
    Grpc(Hosted<GrpcAsk>),
    Dns(DnsAsk),
    Agent(AgentAsk),
    Exec(ExecAsk),
    File(FileAsk),
    WebSocket(Hosted<WebSocketAsk>),
}

/// The keys of which a check has exactly one.
const ASKS: [&str; 12] = [
    "http",
    "https",
    "tcp",
    "tls",
    "grpc",
    "dns",
    "agent",
    "exec",
    "file",
    "websocket",
    "any",
    "all",
];

/// The checks of a file by name; none where a check has errors, which have been reported.
pub(super) struct Checks<'f> {
    by_name: BTreeMap<String, Named>,
    files: Files<'f>,
}

struct Named {
    definition: Option<Definition>,
    place: Range<usize>,
    used: bool,
}

/// Unless written: as DESIGN says, but never longer than the time to the next probe.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);

impl<'f> Checks<'f> {
    /// Reads every `[check.<name>]`; `files` reads what they name, and `grants` says what
    /// they may do.
    pub(super) fn read(
        file: &Fields<'_>,
        files: &'f mut Includes<'f>,
        grants: &'f Grants<'f>,
        reader: &mut Reader<'_>,
    ) -> Self {
        let mut files = Files::new(files, grants);
        let mut by_name = BTreeMap::new();
        for (name, value) in file.table("check").into_iter().flat_map(|(table, _)| in_order(table))
        {
            let Some(table) = value.get_ref().as_table() else { continue };
            let fields = reader.fields(&CHECK, table, name.span());
            let definition = Definition::read(&fields, &mut files, reader);
            let named = Named { definition, place: name.span(), used: false };
            by_name.insert(name.get_ref().to_string(), named);
        }
        let mut checks = Self { by_name, files };
        checks.judge_groups(reader);
        checks
    }

    /// The checks of one service: a name, a table, or a list of both.
    pub(super) fn of_service(
        &mut self,
        value: &Value<'_>,
        owner: &Name,
        reader: &mut Reader<'_>,
    ) -> Vec<Demand> {
        let one = std::slice::from_ref(value);
        let mut checks = Vec::new();
        for value in value.get_ref().as_array().map_or(one, |all| all) {
            let definition = match value.get_ref().as_table() {
                Some(table) => {
                    let fields = reader.fields(&CHECK, table, value.span());
                    Definition::read(&fields, &mut self.files, reader)
                }
                None => reader.text(value).and_then(|name| self.named(&name, reader)),
            };
            let Some(definition) = definition else { continue };
            let mut left = MEMBERS_MAX;
            let applying = (owner, value.span());
            let Some(check) = self.applied(definition, &applying, &mut left, reader) else {
                if left == 0 {
                    let message = format!("more than {MEMBERS_MAX} checks come together here");
                    let help = "a program that looks at the node may be what is meant: `exec`";
                    reader.refuse(value.span(), message, help);
                }
                continue;
            };
            if checks.contains(&check) {
                reader.refuse(value.span(), "this check stands here twice", "remove one");
            }
            checks.push(check);
        }
        checks
    }

    fn named(&mut self, name: &Text, reader: &mut Reader<'_>) -> Option<Definition> {
        if let Some(named) = self.by_name.get_mut(&name.text) {
            named.used = true;
            return named.definition.clone();
        }
        let near = nearest(&name.text, self.by_name.keys().map(String::as_str)).map(str::to_owned);
        let help = if let Some(near) = near {
            // It was meant, so it is not unused.
            self.by_name.entry(near.clone()).and_modify(|named| named.used = true);
            format!("did you mean \"{near}\"?")
        } else if name.text.starts_with([':', '/']) {
            format!("write it as a check: check = {{ http = \"{}\" }}", name.text)
        } else if self.by_name.is_empty() {
            format!("write a table [check.{}] with what to ask", name.text)
        } else {
            let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
            format!("the checks here are {}", known.join(", "))
        };
        reader.refuse(name.span.clone(), format!("there is no check \"{}\"", name.text), help);
        None
    }

    /// Warns of checks that nobody asks for.
    pub(super) fn warn_unused(&self, reader: &mut Reader<'_>) {
        for (name, named) in self.by_name.iter().filter(|(_, named)| !named.used) {
            let message = format!("no service uses the check \"{name}\"");
            reader.warn(named.place.clone(), message, format!("write check = \"{name}\" in one"));
        }
    }
}

impl Definition {
    fn read(fields: &Fields<'_>, files: &mut Files<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let key = ["any", "all"].into_iter().find(|key| fields.written(key));
        match key {
            Some(key) => Group::read(key, fields, reader).map(Self::Group),
            None => Recipe::read(fields, files, reader).map(|it| Self::One(Box::new(it))),
        }
    }
}

impl Recipe {
    fn read(fields: &Fields<'_>, files: &mut Files<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let every = fields.duration("every");
        let timeout = if fields.written("timeout") {
            fields.duration("timeout")
        } else {
            TIMEOUT_DEFAULT.min(every)
        };
        if timeout > every && fields.sound(&["every", "timeout"]) {
            let shown = humantime::format_duration;
            reader.refuse(
                fields.value_span("timeout"),
                format!("`timeout` is {}, longer than `every`, {}", shown(timeout), shown(every)),
                "a probe must end before the next begins: lower `timeout` or raise `every`",
            );
        }
        let max_latency = fields.written("max_latency").then(|| fields.duration("max_latency"));
        if max_latency.is_some_and(|max| max > timeout)
            && fields.sound(&["every", "timeout", "max_latency"])
        {
            let ends = humantime::format_duration(timeout);
            let message = format!("`max_latency` can never be reached: a probe ends after {ends}");
            let help = "lower `max_latency` or raise `timeout`";
            reader.refuse(fields.value_span("max_latency"), message, help);
        }
        let pacing = Pacing::read(fields, every, reader);
        let asked: Vec<&str> = ASKS.into_iter().filter(|ask| fields.written(ask)).collect();
        let ask = match asked[..] {
            [] => {
                let others = ASKS[1..].join(", ");
                let help = format!("write what to ask: http = \":8080/ready\", or {others}");
                reader.refuse(fields.span.clone(), "the check asks nothing", help);
                None
            }
            [ask] => AskRecipe::read(ask, fields.value(ask)?, files, reader),
            [first, second, ..] => {
                let message = format!("`{first}` and `{second}` in one check");
                let help = "a check asks one thing: make two checks, and name both in `check`";
                reader.refuse(fields.key_span(second), message, help);
                None
            }
        };
        let address = fields.value("address").and_then(|value| reader.text(value));
        let address = address.map(|text| read_address(&text, reader));
        let mut ask = ask?;
        load::read(fields, &mut ask, reader);
        Some(Self {
            ask,
            every,
            timeout,
            max_latency,
            // The keys' bounds lie within 32 bits.
            fails: u32::try_from(fields.number("fails")).unwrap_or(u32::MAX),
            passes: u32::try_from(fields.number("passes")).unwrap_or(u32::MAX),
            pacing,
            address: match address {
                Some(read) => Some(read?),
                None => None,
            },
        })
    }

    /// The check for one service, whose name is the host unless another was given.
    fn applied(self, owner: &Name, place: Range<usize>, reader: &mut Reader<'_>) -> Option<Check> {
        let Self { ask, every, timeout, max_latency, fails, passes, pacing, address: _ } = self;
        let Some(ask) = ask.applied(owner) else {
            let message = format!("the check needs a host, because {owner} is not one");
            let help =
                "write which: host = \"…\" in a table, like http = { port = 8080, host = \"…\" }";
            reader.refuse(place, message, help);
            return None;
        };
        let check = Check { every, timeout, max_latency, fails, passes, ..Check::new(ask) };
        Some(pacing.applied(check))
    }
}

impl AskRecipe {
    /// Reads the value of one of [`ASKS`].
    fn read(
        key: &str,
        value: &Value<'_>,
        files: &mut Files<'_>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        match key {
            "tcp" => tcp::read(value, reader).map(Self::Tcp),
            "tls" => tls::read(value, files, reader).map(Self::Tls),
            "grpc" => grpc::read(value, files, reader).map(Self::Grpc),
            "dns" => dns::read(value, reader).map(Self::Dns),
            "agent" => agent::read(value, reader).map(Self::Agent),
            "exec" => exec::read(value, files, reader).map(Self::Exec),
            "file" => files.states(&reader.text(value)?, reader).map(Self::File),
            "websocket" => websocket::read(value, files, reader).map(Self::WebSocket),
            "https" => http::read_in_tls(value, files, reader).map(Self::Http),
            _ => http::read_plain(value, reader).map(Self::Http),
        }
    }

    /// What to ask for a service; none where it needs a host and the service's name is none.
    fn applied(self, owner: &Name) -> Option<Ask> {
        match self {
            Self::Http(recipe) => recipe.applied(owner).map(Ask::Http),
            Self::Tcp(ask) => Some(Ask::Tcp(ask)),
            Self::Tls(recipe) => recipe.applied(owner).map(Ask::Tls),
            Self::Grpc(recipe) => recipe.applied(owner).map(Ask::Grpc),
            Self::Dns(ask) => Some(Ask::Dns(ask)),
            Self::Agent(ask) => Some(Ask::Agent(ask)),
            Self::Exec(ask) => Some(Ask::Exec(ask)),
            Self::File(ask) => Some(Ask::File(ask)),
            Self::WebSocket(recipe) => recipe.applied(owner).map(Ask::WebSocket),
        }
    }
}

/// The `host` of a kind's table: its value, or none where it is not written.
///
/// The error has been reported.
fn read_host(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Result<Option<String>, ()> {
    let Some(text) = fields.value("host").and_then(|value| reader.text(value)) else {
        return Ok(None);
    };
    let host = Name::from_text(&text.text).ok().and_then(|name| host_of(&name));
    if host.is_none() {
        let message = format!("\"{}\" is not a host name", text.text);
        let help = "write a name without port or path: \"app.example.org\"";
        reader.refuse(text.span, message, help);
        return Err(());
    }
    Ok(host)
}

/// A name as a `Host` header has it; none for wildcards, the root, and what no header can carry.
fn host_of(name: &Name) -> Option<String> {
    let text = name.to_string();
    let host = text.strip_suffix('.').unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!host.is_empty() && host.chars().all(plain)).then(|| host.to_owned())
}

/// A port with a colon before it, as short forms begin; empty text is the default.
///
/// `help` says what to write instead of what is neither.
fn read_port(text: &Text, default: u16, help: &str, reader: &mut Reader<'_>) -> Option<u16> {
    let port = match text.text.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().ok().filter(|port| *port > 0),
        None if text.text.is_empty() => Some(default),
        None => None,
    };
    if port.is_none() {
        let message =
            format!("\"{}\" is not a port of 1 to 65535 with a colon before it", text.text);
        reader.refuse(text.span.clone(), message, help);
    }
    port
}

/// The `port` of a kind's table.
fn port(fields: &Fields<'_>) -> u16 {
    // The key's bounds lie within 16 bits.
    u16::try_from(fields.number("port")).unwrap_or(u16::MAX)
}
