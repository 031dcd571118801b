//! Which pool a client gets: `steer`, and what it asks of pools: `place`, `share`, `at`.
//!
//! | `steer`    | each pool needs | and of clients must be known |
//! |------------|-----------------|------------------------------|
//! | `failover` |                 |                              |
//! | `geo`      | `place`         | what its places speak of     |
//! | `nearest`  | `at`            | coordinates                  |
//! | `fastest`  |                 |                              |
//! | `split`    | `share`         |                              |
//!
//! A rule that cannot do what it says is an error, since clients would quietly go elsewhere: a
//! country code that is none, a country where no file knows countries, shares that are not 100
//! together. What is written and has no effect is a warning; a `share` is an error even so, because
//! who writes one counts on it.

use std::ops::Range;

use super::fields::Fields;
use super::pools::PoolDraft;
use super::reader::Reader;
use super::value::Text;
use crate::geo::{self, Atlas, Coordinates, Fact, POINTS_MAX, Place};
use crate::steer::{Policy, Steer};

/// A place, and where it is written.
pub(super) type Placed = (Place, Range<usize>);

/// The `place` of a pool.
pub(super) fn read_places(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Vec<Placed> {
    let texts = fields.texts("place", reader);
    let mut places: Vec<Placed> = Vec::new();
    for text in &texts {
        match Place::parse(&text.text) {
            Ok(place) if places.iter().any(|(known, _)| *known == place) => {
                reader.refuse(text.span.clone(), format!("{place} stands twice"), "remove one");
            }
            Ok(place) => places.push((place, text.span.clone())),
            Err(error) => {
                let message = format!("\"{}\" is {error}", text.text);
                reader.refuse(text.span.clone(), message, error.help());
            }
        }
    }
    for doubt in geo::doubtful(texts.iter().map(|text| text.text.as_str())) {
        let text = &texts[doubt.index];
        let (continent, country) = (doubt.continent, doubt.country);
        let message = format!("\"{}\" is {} here, not {}", text.text, continent.name(), doubt.name);
        let help = format!("write \"country:{country}\" or \"continent:{continent}\"");
        reader.warn(text.span.clone(), message, help);
    }
    places
}

/// The `at` of a pool or node.
pub(super) fn read_at(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Coordinates> {
    let Text { text, span } = fields.value("at").and_then(|value| reader.text(value))?;
    match Coordinates::parse(&text) {
        Ok(at) => Some(at),
        Err(error) => {
            reader.refuse(span, format!("\"{text}\" is {error}"), error.help());
            None
        }
    }
}

/// The `steer` of a service, judged with its pools. `atlas` is what is known of clients; none
/// where that cannot be told.
pub(super) fn read(
    fields: &Fields<'_>,
    pools: &[PoolDraft<'_>],
    policy: Policy,
    atlas: Option<&Atlas>,
    reader: &mut Reader<'_>,
) -> Steer {
    let written = fields.word("steer");
    let steer = Steer::ALL.into_iter().find(|steer| steer.word() == written);
    let steer = steer.unwrap_or(Steer::Failover);
    let one = pools.len() < 2;
    if one && fields.value("steer").is_some() {
        let help = "leave it out, or write more pools: [service.<name>.pool.<pool>]";
        let message = "`steer` has no effect: there is one pool only";
        reader.warn(fields.key_span("steer"), message, help);
    }
    let mut judge = Judge { fields, pools, atlas, reader };
    if policy == Policy::Nearest {
        judge.points();
    } else if let Some(node) = pools.iter().flat_map(|pool| &pool.nodes).find(|it| it.at.is_some())
    {
        let help = "write policy = \"nearest\" in the service, or leave `at` out";
        let message = "a node's `at` has no effect without `policy = \"nearest\"`";
        judge.reader.warn(node.place.clone(), message, help);
    }
    if one || !judge.fields.sound(&["steer", "pool"]) {
        return Steer::Failover;
    }
    judge.places(steer);
    judge.shares(steer);
    judge.distances(steer, policy);
    steer
}

/// A service's rules beside each other.
struct Judge<'j, 'r> {
    fields: &'j Fields<'j>,
    pools: &'j [PoolDraft<'j>],
    atlas: Option<&'j Atlas>,
    reader: &'j mut Reader<'r>,
}

impl<'j> Judge<'j, '_> {
    /// Pools that are written as such, with their tables.
    fn tables(&self) -> impl Iterator<Item = (&'j PoolDraft<'j>, &'j Fields<'j>)> + use<'j> {
        self.pools.iter().filter_map(|pool| Some((pool, pool.fields.as_ref()?)))
    }

    fn places(&mut self, steer: Steer) {
        if steer != Steer::Geo {
            self.without_effect("place", "geo");
            return;
        }
        let mut known: Vec<(Place, &str)> = Vec::new();
        for (pool, fields) in self.tables() {
            let name = &pool.name.text;
            if pool.places.is_empty() && fields.value("place").is_none_or(is_empty) {
                let message = format!("the pool {name} has no `place`, so `geo` sends it nobody");
                let help = "write for example place = [\"EU\"], or [\"*\"] for all others";
                self.reader.refuse(pool.name.span.clone(), message, help);
            }
            for (place, span) in &pool.places {
                // "EU: this pool, then that one" is a rule; the same network twice is a slip of the
                // pen, since nobody but the operator says who is in it.
                let is_network = matches!(place, Place::Network(_));
                let other = known.iter().find(|(known, _)| is_network && known == place);
                if let Some((_, other)) = other {
                    let message = format!("{place} stands in the pool {other} too");
                    let help = "leave it in one: its clients get that pool first, and the \
                                others after it";
                    self.reader.refuse(span.clone(), message, help);
                } else {
                    known.push((*place, name));
                }
            }
        }
        if !known.is_empty() && !known.iter().any(|(place, _)| *place == Place::Anywhere) {
            let message = "clients who are in none of these places get the pools as listed";
            let help = "write \"*\" among the places of the pool that they should get";
            self.reader.warn(self.fields.value_span("steer"), message, help);
        }
        let places = || self.pools.iter().flat_map(|pool| &pool.places);
        let needed = |fact| places().find(|(place, _)| place.needs() == Some(fact)).cloned();
        let needed: Vec<_> = Fact::ALL.into_iter().map(|fact| (fact, needed(fact))).collect();
        for (fact, first) in needed {
            if let Some((place, span)) = first {
                self.fact(fact, &format!("{place} holds nobody"), span);
            }
        }
    }

    fn shares(&mut self, steer: Steer) {
        if steer != Steer::Split {
            for (_, fields) in self.tables().filter(|(_, fields)| fields.value("share").is_some()) {
                let help = "write steer = \"split\" in the service, or leave `share` out";
                let message = "`share` means nothing without `steer = \"split\"`";
                self.reader.refuse(fields.key_span("share"), message, help);
            }
            return;
        }
        let mut whole = true;
        for (pool, _) in self.tables().filter(|(_, fields)| !fields.written("share")) {
            let message = format!("the pool {} has no `share`", pool.name.text);
            let help = "write its part of all clients in percent: share = 10";
            self.reader.refuse(pool.name.span.clone(), message, help);
            whole = false;
        }
        let sum: u64 = self.tables().map(|(_, fields)| fields.number("share")).sum();
        let sound = self.tables().all(|(_, fields)| fields.sound(&["share"]));
        if let (true, Some((_, last))) = (whole && sound && sum != 100, self.tables().last()) {
            let all: Vec<String> = self
                .tables()
                .map(|(pool, fields)| format!("{} {}", pool.name.text, fields.number("share")))
                .collect();
            let message = format!("the shares are {sum} % together: {}", all.join(", "));
            self.reader.refuse(last.value_span("share"), message, "make them 100 %");
        }
    }

    /// `steer = "nearest"`: each pool stands somewhere.
    fn distances(&mut self, steer: Steer, policy: Policy) {
        if steer != Steer::Nearest {
            if policy != Policy::Nearest {
                self.without_effect("at", "nearest");
            }
            return;
        }
        for (pool, _) in self.tables().filter(|(_, fields)| !fields.written("at")) {
            let message = format!("the pool {} has no `at`: how far is it?", pool.name.text);
            let help = "write where it stands: at = \"52.52, 13.40\"";
            self.reader.refuse(pool.name.span.clone(), message, help);
        }
        if policy != Policy::Nearest {
            let span = self.fields.value_span("steer");
            self.fact(Fact::Coordinates, "all clients get the pools as listed", span);
        }
    }

    /// `policy = "nearest"`: each node stands somewhere, by itself or with its pool.
    fn points(&mut self) {
        let mut points: Vec<Coordinates> = Vec::new();
        for pool in self.pools {
            let refused = pool.fields.as_ref().is_some_and(|fields| fields.written("at"));
            for node in &pool.nodes {
                match node.at.or(pool.at) {
                    Some(at) if !points.contains(&at) => points.push(at),
                    Some(_) => {}
                    None if refused || node.at_refused => {}
                    None => {
                        let message = format!("the node {} has no `at`: how far is it?", node.name);
                        let help = "write where it stands, in its pool or as { address = \"…\", \
                                    at = \"52.52, 13.40\" }";
                        self.reader.refuse(node.place.clone(), message, help);
                    }
                }
            }
        }
        let span = self.fields.value_span("policy");
        if points.len() > POINTS_MAX {
            let message = format!("nodes stand at {} points, more than {POINTS_MAX}", points.len());
            let help = "give nodes of one site or city the same `at`";
            self.reader.refuse(span.clone(), message, help);
        }
        self.fact(Fact::Coordinates, "all clients get the nodes as listed", span);
    }

    /// Refuses what stands on something that is known of no client.
    fn fact(&mut self, fact: Fact, so: &str, span: Range<usize>) {
        let Some(atlas) = self.atlas.filter(|atlas| !atlas.has(fact)) else { return };
        let file = match fact {
            Fact::Continent | Fact::Country => "GeoLite2-Country.mmdb",
            Fact::Subdivision | Fact::Coordinates => "GeoLite2-City.mmdb",
            Fact::As => "GeoLite2-ASN.mmdb",
        };
        let add = format!("rota.toml: [geo] files = [\"{file}\"]");
        let known: Vec<String> = atlas.facts().iter().map(ToString::to_string).collect();
        let (message, help) = if known.is_empty() {
            let help =
                format!("name a file that knows them in {add}; networks and \"*\" need none");
            (format!("nothing is known of clients' {fact}, so {so}"), help)
        } else {
            let known = known.join(", ");
            let message = format!("the files of [geo] know {known}, but no {fact}, so {so}");
            (message, format!("add one that knows them to {add}"))
        };
        self.reader.refuse(span, message, help);
    }

    fn without_effect(&mut self, key: &'static str, steer: &str) {
        for (_, fields) in self.tables().filter(|(_, fields)| fields.value(key).is_some()) {
            let message = format!("`{key}` has no effect without `steer = \"{steer}\"`");
            let help = format!("write steer = \"{steer}\" in the service, or leave `{key}` out");
            self.reader.warn(fields.key_span(key), message, help);
        }
    }
}

fn is_empty(list: &super::value::Value<'_>) -> bool {
    list.get_ref().as_array().is_some_and(|all| all.is_empty())
}
