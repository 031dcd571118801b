//! Whom an operator means by a few letters.
//!
//! At three in the morning nobody types `lb.example.org/app/eu/eu1` twice. So `eu1`, `app`, a
//! node's address and a service's full name do, as long as they mean one thing:
//!
//! ```text
//!   the id of a service, pool or node
//!   the name that clients ask for, or a node's address
//!   the end of an id, from a slash on
//!   with a star in it: a pattern that matches some node
//! ```
//!
//! What means several is refused with the list, and what means nothing with what was probably
//! meant. Letter case does not matter, as in DNS.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::admin::{Refusal, RefusalKind};
use crate::config::nearest;
use crate::snapshot::Authored;
use crate::steer::Service;
use crate::steer::overrides::Scope;

/// Every service of the zones that are sound.
pub(super) fn services(zones: &[Authored]) -> Vec<Arc<Service>> {
    let good = zones.iter().filter_map(|authored| match authored {
        Authored::Good(model) => Some(model),
        Authored::Broken(_) => None,
    });
    good.flat_map(|model| &model.services).map(Arc::clone).collect()
}

/// Meanings of an ambiguous word that are listed.
const LISTED_MAX: usize = 5;

/// The scope that a text means among these services.
pub(super) fn resolve<'s>(
    text: &str,
    services: impl Iterator<Item = &'s Service> + Clone,
) -> Result<Scope, Refusal> {
    let named = |id: &String| Scope::Named(id.clone());
    let names: Vec<Name> = services.clone().flat_map(names).collect();
    let exact: BTreeSet<&String> =
        names.iter().filter(|name| name.is(text)).map(|name| &name.id).collect();
    if let Some(id) = exact.first().filter(|_| exact.len() == 1) {
        return Ok(named(id));
    }
    if exact.is_empty() && text.contains('*') {
        let glob = Scope::Glob(text.to_owned());
        let matched = services.flat_map(Service::nodes).any(|node| glob.rank(&node.id).is_some());
        let help = "a pattern is matched with the names of nodes, or with whole ids where it has a \
                    slash: 'eu*', '*/app/*'";
        let refusal = || unknown(format!("no node matches {text:?}"), help);
        return matched.then_some(glob).ok_or_else(refusal);
    }
    let ends: BTreeSet<&String> =
        names.iter().filter(|name| name.ends_in(text)).map(|name| &name.id).collect();
    let meant = if exact.is_empty() { ends } else { exact };
    match (meant.first(), meant.len()) {
        (Some(id), 1) => Ok(named(id)),
        (Some(_), count) => {
            let listed: Vec<&str> = meant.iter().take(LISTED_MAX).map(|id| id.as_str()).collect();
            let more = if count > LISTED_MAX { ", …" } else { "" };
            let help = format!("write one of {}{more}", listed.join(", "));
            Err(Refusal::new(RefusalKind::Wrong, format!("{text:?} means {count} things"), help))
        }
        (None, _) => {
            let shorts = names.iter().map(Name::short);
            let candidates = names.iter().map(|name| name.text.as_str()).chain(shorts);
            let help = match nearest(text, candidates) {
                Some(near) => format!("did you mean {near}?"),
                None => "rota status lists all there is".to_owned(),
            };
            Err(unknown(format!("no service, pool or node is called {text:?}"), help))
        }
    }
}

fn unknown(error: String, help: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::Unknown, error, help)
}

/// A text that means an id by itself: the id, or another name of the same thing.
struct Name {
    text: String,
    id: String,
}

impl Name {
    fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }

    fn ends_in(&self, text: &str) -> bool {
        let at = self.id.len().checked_sub(text.len() + 1);
        let end = at.and_then(|at| self.id.get(at..)).and_then(|end| end.strip_prefix('/'));
        end.is_some_and(|end| end.eq_ignore_ascii_case(text))
    }

    /// What is behind the last slash.
    fn short(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

fn names(service: &Service) -> Vec<Name> {
    let owner = service.owner.to_string();
    let mut names = vec![
        Name { text: service.id.clone(), id: service.id.clone() },
        Name { text: owner.trim_end_matches('.').to_owned(), id: service.id.clone() },
    ];
    for pool in &service.pools {
        if !pool.name.is_empty() {
            let id = format!("{}/{}", service.id, pool.name);
            names.push(Name { text: id.clone(), id });
        }
        for node in &pool.nodes {
            let addresses = node.addresses.iter().map(|address| address.ip.to_string());
            let texts = addresses.chain([node.id.clone()]);
            names.extend(texts.map(|text| Name { text, id: node.id.clone() }));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steer::{Address, Node, Pool};

    fn node(id: &str, ip: [u8; 4]) -> Node {
        let name = id.rsplit('/').next().unwrap();
        Node::new(id, name, vec![Address::new(ip.into(), Vec::new())])
    }

    fn services() -> Vec<Service> {
        let owner = |text: &str| crate::wire::Name::from_text(text).unwrap();
        let eu =
            [node("lb.test/app/eu/eu1", [192, 0, 2, 1]), node("lb.test/app/eu/n1", [192, 0, 2, 2])];
        let us = [node("lb.test/app/us/n1", [192, 0, 2, 3])];
        let pools = vec![Pool::new("eu", eu.into()), Pool::new("us", us.into())];
        let apex = [node("lb.test/@/192-0-2-9", [192, 0, 2, 9])];
        let star = [node("lb.test/*.web/w1", [192, 0, 2, 1])];
        vec![
            Service::new(owner("app.lb.test"), "lb.test/app", pools),
            Service::new(owner("lb.test"), "lb.test/@", vec![Pool::new("", apex.into())]),
            Service::new(owner("*.web.lb.test"), "lb.test/*.web", vec![Pool::new("", star.into())]),
        ]
    }

    #[test]
    fn a_few_letters_mean_one_thing() {
        let services = services();
        let check = |text: &str, expected: Result<Scope, &str>| {
            let found = resolve(text, services.iter());
            let found = found.map_err(|refusal| {
                let ErrorTexts(error, help) = (&refusal).into();
                format!("{error}; {help}")
            });
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        };
        let named = |id: &str| Ok(Scope::Named(id.to_owned()));
        for (text, id) in [
            ("lb.test/app/eu/eu1", "lb.test/app/eu/eu1"),
            ("LB.test/App/EU/eu1", "lb.test/app/eu/eu1"),
            ("eu1", "lb.test/app/eu/eu1"),
            ("us/n1", "lb.test/app/us/n1"),
            ("eu", "lb.test/app/eu"),
            ("app", "lb.test/app"),
            ("app.lb.test", "lb.test/app"),
            ("lb.test", "lb.test/@"),
            ("@", "lb.test/@"),
            ("192.0.2.3", "lb.test/app/us/n1"),
            ("192-0-2-9", "lb.test/@/192-0-2-9"),
            ("lb.test/*.web", "lb.test/*.web"),
            ("*.web.lb.test", "lb.test/*.web"),
        ] {
            check(text, named(id));
        }
        for glob in ["eu*", "*", "*/app/*"] {
            check(glob, Ok(Scope::Glob(glob.to_owned())));
        }
        check(
            "n1",
            Err("\"n1\" means 2 things; write one of lb.test/app/eu/n1, lb.test/app/us/n1"),
        );
        check(
            "192.0.2.1",
            Err("\"192.0.2.1\" means 2 things; \
                 write one of lb.test/*.web/w1, lb.test/app/eu/eu1"),
        );
        check("ap", Err("no service, pool or node is called \"ap\"; did you mean app?"));
        check(
            "lb.test/app/eu/eu2",
            Err("no service, pool or node is called \"lb.test/app/eu/eu2\"; \
                 did you mean lb.test/app/eu/eu1?"),
        );
        check(
            "zebra",
            Err("no service, pool or node is called \"zebra\"; \
                            rota status lists all there is"),
        );
        assert!(resolve("asia*", services.iter()).is_err());
        assert!(resolve("", services.iter()).is_err());
    }

    struct ErrorTexts(String, String);

    impl From<&Refusal> for ErrorTexts {
        fn from(refusal: &Refusal) -> Self {
            Self(refusal.doc.error.clone(), refusal.doc.help.clone().unwrap_or_default())
        }
    }
}
