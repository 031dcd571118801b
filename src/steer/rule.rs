//! What must pass at an address: one target, all of several, or any of them.
//!
//! The targets of a rule are probed like all others, and each keeps its own status, count and
//! history: a rule combines statuses and nothing else. So thresholds hold where they are written,
//! two rules may share a target, and whoever looks sees which part of a rule has failed.

use std::sync::Arc;

use crate::health::{Standing, Target};

use super::eligible::{combine, combine_any};

/// What must pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// This target.
    Target(Arc<Target>),
    /// All of these; of none, nothing is known and nothing asked.
    All(Vec<Rule>),
    /// Any of these.
    Any(Vec<Rule>),
}

impl Rule {
    /// That all of these targets pass.
    pub fn all_of(targets: impl IntoIterator<Item = Arc<Target>>) -> Self {
        Self::All(targets.into_iter().map(Self::Target).collect())
    }

    /// Every target, in the order written; one that stands in two places comes twice.
    pub fn targets(&self) -> Vec<&Arc<Target>> {
        match self {
            Self::Target(target) => vec![target],
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::targets).collect(),
        }
    }

    /// How it stands, where this is how targets do; none where nothing is asked.
    pub fn standing(&self, of: &dyn Fn(&Target) -> Standing) -> Option<Standing> {
        match self {
            Self::Target(target) => Some(of(target)),
            Self::All(rules) => combine(rules.iter().filter_map(|rule| rule.standing(of))),
            Self::Any(rules) => combine_any(rules.iter().filter_map(|rule| rule.standing(of))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Ask, Check, HttpAsk, Status};

    /// A target whose port is its number.
    fn target(number: u16) -> Rule {
        let check = Check::new(Ask::Http(HttpAsk::get(number, "/", "app.test")));
        Rule::Target(Arc::new(Target { address: [192, 0, 2, 1].into(), check }))
    }

    /// Statuses of targets 0, 1, 2: `u`p, `d`own, d`r`aining, `?`; capital: contradicted.
    #[track_caller]
    fn check(rule: &Rule, statuses: &str, expected: char) {
        let of = |letter: char| {
            let status = match letter.to_ascii_lowercase() {
                'u' => Status::Up,
                'd' => Status::Down,
                'r' => Status::Draining,
                _ => Status::Unknown,
            };
            Standing { status, contradicted: letter.is_ascii_uppercase() }
        };
        let told = rule.standing(&|target: &Target| {
            let Ask::Http(ask) = &target.check.ask else { panic!("they ask over HTTP") };
            of(statuses.chars().nth(usize::from(ask.port)).unwrap())
        });
        assert_eq!(told, Some(of(expected)), "{statuses}");
    }

    #[test]
    fn all_are_as_bad_as_the_worst_and_any_as_good_as_the_best() {
        let all = Rule::All(vec![target(0), target(1)]);
        let any = Rule::Any(vec![target(0), target(1)]);
        for (statuses, of_all, of_any) in [
            ("uu", 'u', 'u'),
            ("ud", 'd', 'u'),
            ("dd", 'd', 'd'),
            ("dr", 'd', 'r'),
            ("ur", 'r', 'u'),
            ("u?", '?', 'u'),
            ("d?", 'd', '?'),
            // One that stands up alone keeps the others' wavering out.
            ("uU", 'U', 'u'),
            ("uD", 'D', 'u'),
            ("UD", 'D', 'U'),
            ("Ud", 'D', 'U'),
            ("dD", 'D', 'D'),
        ] {
            check(&all, statuses, of_all);
            check(&any, statuses, of_any);
        }
        let nested = Rule::All(vec![target(0), Rule::Any(vec![target(1), target(2)])]);
        for (statuses, expected) in [("udu", 'u'), ("udd", 'd'), ("duu", 'd'), ("uru", 'u')] {
            check(&nested, statuses, expected);
        }
        assert_eq!(nested.targets().len(), 3);
        assert_eq!(Rule::All(Vec::new()).standing(&|_| unreachable!("nobody is asked")), None);
    }
}
