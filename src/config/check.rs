//! Checks: `[check.<name>]` tables, and the `check` of a service.
//!
//! A check is read once and may be used by many services; only its `Host` depends on who uses it.
//! So reading gives a [`Recipe`], and each service makes its own [`Check`] of it.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::de::DeValue;

use super::fields::Fields;
use super::pacing::Pacing;
use super::reader::Reader;
use super::suggest::nearest;
use super::tables::{CHECK, HTTP};
use super::value::{Text, Value, in_order, number};
use crate::health::{Ask, Check, HttpAsk};
use crate::wire::Name;

/// A check as written, before a service uses it.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    http: HttpRecipe,
    every: Duration,
    timeout: Duration,
    fails: u32,
    passes: u32,
    pacing: Pacing,
}

#[derive(Clone, Debug)]
struct HttpRecipe {
    tls: bool,
    port: u16,
    path: String,
    host: Option<String>,
    expect: Vec<RangeInclusive<u16>>,
}

/// The checks of a file by name; none where a check has errors, which have been reported.
pub(super) struct Checks {
    by_name: BTreeMap<String, Named>,
}

struct Named {
    recipe: Option<Recipe>,
    place: Range<usize>,
    used: bool,
}

/// Unless written: as DESIGN says, but never longer than the time to the next probe.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);

impl Checks {
    /// Reads every `[check.<name>]`.
    pub(super) fn read(file: &Fields<'_>, reader: &mut Reader<'_>) -> Self {
        let mut by_name = BTreeMap::new();
        for (name, value) in file.table("check").into_iter().flat_map(|(table, _)| in_order(table))
        {
            let Some(table) = value.get_ref().as_table() else { continue };
            let fields = reader.fields(&CHECK, table, name.span());
            let recipe = Recipe::read(&fields, reader);
            let named = Named { recipe, place: name.span(), used: false };
            by_name.insert(name.get_ref().to_string(), named);
        }
        Self { by_name }
    }

    /// The checks of one service: a name, a table, or a list of both.
    pub(super) fn of_service(
        &mut self,
        value: &Value<'_>,
        owner: &Name,
        reader: &mut Reader<'_>,
    ) -> Vec<Check> {
        let one = std::slice::from_ref(value);
        let mut checks = Vec::new();
        for value in value.get_ref().as_array().map_or(one, |all| all) {
            let recipe = match value.get_ref().as_table() {
                Some(table) => {
                    let fields = reader.fields(&CHECK, table, value.span());
                    Recipe::read(&fields, reader)
                }
                None => reader.text(value).and_then(|name| self.named(&name, reader)),
            };
            let Some(check) = recipe.and_then(|it| it.applied(owner, value.span(), reader)) else {
                continue;
            };
            if checks.contains(&check) {
                reader.refuse(value.span(), "this check stands here twice", "remove one");
            }
            checks.push(check);
        }
        checks
    }

    fn named(&mut self, name: &Text, reader: &mut Reader<'_>) -> Option<Recipe> {
        if let Some(named) = self.by_name.get_mut(&name.text) {
            named.used = true;
            return named.recipe.clone();
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

impl Recipe {
    fn read(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Self> {
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
        let pacing = Pacing::read(fields, every, reader);
        let http = match (fields.value("http"), fields.value("https")) {
            (Some(value), None) => HttpRecipe::read(value, false, reader),
            (None, Some(value)) => HttpRecipe::read(value, true, reader),
            (Some(_), Some(_)) => {
                let help = "a check asks one thing: make two checks, and name both in `check`";
                reader.refuse(fields.key_span("https"), "`http` and `https` in one check", help);
                None
            }
            (None, None) if fields.sound(&["http", "https"]) => {
                let help = "write what to ask: http = \":8080/ready\", or https = …";
                reader.refuse(fields.span.clone(), "the check asks nothing", help);
                None
            }
            (None, None) => None,
        };
        Some(Self {
            http: http?,
            every,
            timeout,
            // The keys' bounds lie within 32 bits.
            fails: u32::try_from(fields.number("fails")).unwrap_or(u32::MAX),
            passes: u32::try_from(fields.number("passes")).unwrap_or(u32::MAX),
            pacing,
        })
    }

    /// The check for one service, whose name is the host unless another was given.
    fn applied(self, owner: &Name, place: Range<usize>, reader: &mut Reader<'_>) -> Option<Check> {
        let Self { http, every, timeout, fails, passes, pacing } = self;
        let Some(host) = http.host.or_else(|| host_of(owner)) else {
            let message = format!("the check needs a host, because {owner} is not one");
            let help = "write which: http = { port = 8080, path = \"/ready\", host = \"…\" }";
            reader.refuse(place, message, help);
            return None;
        };
        let (tls, port, path, expect) = (http.tls, http.port, http.path, http.expect);
        let ask = Ask::Http(HttpAsk { tls, port, path, host, expect });
        Some(pacing.applied(Check { every, timeout, fails, passes, ..Check::new(ask) }))
    }
}

impl HttpRecipe {
    /// Text like ":8080/ready", or a table.
    fn read(value: &Value<'_>, tls: bool, reader: &mut Reader<'_>) -> Option<Self> {
        let port_default = if tls { 443 } else { 80 };
        if let Some(table) = value.get_ref().as_table() {
            let fields = reader.fields(&HTTP, table, value.span());
            return Self::read_table(&fields, tls, port_default, reader);
        }
        let text = reader.text(value)?;
        let (port, path) = match text.text.find('/') {
            Some(slash) => text.text.split_at(slash),
            None => (text.text.as_str(), "/"),
        };
        let number = match port.strip_prefix(':') {
            Some(digits) => digits.parse::<u16>().ok().filter(|port| *port > 0),
            None if port.is_empty() => Some(port_default),
            None => None,
        };
        let Some(number) = number else {
            let message = format!("\"{port}\" is not a port of 1 to 65535 with a colon before it");
            let help = "write \":8080/ready\"; the address is each node's own, and another host \
                        goes into http = { port = 8080, path = \"/ready\", host = \"…\" }";
            let span = if port.is_empty() { text.span.clone() } else { text.part(port).span };
            reader.refuse(span, message, help);
            return None;
        };
        let path = text.part(path);
        judge_path(&path, reader);
        let expect = read_expect(None, reader);
        Some(Self { tls, port: number, path: path.text, host: None, expect })
    }

    fn read_table(
        fields: &Fields<'_>,
        tls: bool,
        port_default: u16,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let port = match fields.value("port").and_then(|value| number(value.get_ref())) {
            Some(port) => u16::try_from(port).ok()?,
            None => port_default,
        };
        if let Some(path) = fields.value("path").and_then(|value| reader.text(value)) {
            judge_path(&path, reader);
        }
        let host = match fields.value("host").and_then(|value| reader.text(value)) {
            Some(text) => {
                let name = Name::from_text(&text.text).ok().and_then(|name| host_of(&name));
                if name.is_none() {
                    let message = format!("\"{}\" is not a host name", text.text);
                    let help = "write a name without port or path: \"app.example.org\"";
                    reader.refuse(text.span, message, help);
                }
                Some(name?)
            }
            None => None,
        };
        let expect = read_expect(fields.value("expect"), reader);
        Some(Self { tls, port, path: fields.word("path"), host, expect })
    }
}

/// A name as a `Host` header has it; none for wildcards, the root, and what no header can carry.
fn host_of(name: &Name) -> Option<String> {
    let text = name.to_string();
    let host = text.strip_suffix('.').unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!host.is_empty() && host.chars().all(plain)).then(|| host.to_owned())
}

/// RFC 9110 §4.2.3: what a request line can carry as it stands.
fn judge_path(path: &Text, reader: &mut Reader<'_>) {
    if !path.text.starts_with('/') {
        let help = format!("write \"/{}\"", path.text);
        reader.refuse(path.span.clone(), "a path begins with a slash", help);
    }
    if let Some(odd) = path.text.chars().find(|c| !c.is_ascii_graphic() || *c == '#') {
        let message = format!("a path cannot hold {odd:?}");
        reader.refuse(path.span.clone(), message, "write it percent-encoded, like %20");
    }
}

/// Response codes: numbers, or "200-299"; without a value the default of the key.
fn read_expect(value: Option<&Value<'_>>, reader: &mut Reader<'_>) -> Vec<RangeInclusive<u16>> {
    let Some(all) = value.and_then(|value| value.get_ref().as_array()) else {
        return vec![200..=299];
    };
    let mut expect = Vec::new();
    for one in all.iter() {
        match one.get_ref() {
            DeValue::Integer(_) => {
                let code = number(one.get_ref()).and_then(|code| u16::try_from(code).ok());
                // Out of bounds has been reported with the key's other bounds.
                expect.extend(code.map(|code| code..=code));
            }
            DeValue::String(text) => match codes(text) {
                Some(range) => expect.push(range),
                None => {
                    let message = format!("\"{text}\" is no range of response codes");
                    reader.refuse(one.span(), message, "write \"200-299\", or one code: 204");
                }
            },
            // Reported as being of the wrong type.
            DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {}
        }
    }
    if let (true, Some(value)) = (all.is_empty(), value) {
        let help = "write which: [\"200-299\"], or leave the key out for that";
        reader.refuse(value.span(), "no response code would pass", help);
    }
    expect
}

fn codes(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (100 <= first && first <= last && last <= 599).then_some(first..=last)
}
