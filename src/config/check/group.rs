//! Checks that are nothing but others: `any` and `all`.
//!
//! A group names checks and has no thresholds of its own, for it is never asked: what it comes to
//! is worked out from the statuses of its members ([`Rule`](crate::steer::Rule)).

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Checks, Definition, Demand};
use crate::config::fields::Fields;
use crate::config::reader::Reader;
use crate::config::tables::CHECK;
use crate::config::value::Text;
use crate::wire::Name;

/// So many checks and groups may come together in one: more are no check but a program.
pub(super) const MEMBERS_MAX: usize = 32;

/// A group as written.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) any: bool,
    pub(super) members: Vec<Text>,
}

impl Group {
    /// The `any` or `all` of a check, which has no other keys.
    pub(super) fn read(key: &str, fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        for other in CHECK.keys.iter().filter(|it| it.name != key && fields.written(it.name)) {
            let message = format!("`{}` beside `{key}`", other.name);
            let help = format!("write it in the checks that `{key}` names: each has its own");
            reader.refuse(fields.key_span(other.name), message, help);
        }
        let members = fields.texts(key, reader);
        if members.is_empty() {
            let help = format!("name at least one: {key} = [\"a\", \"b\"]");
            reader.refuse(fields.value_span(key), format!("`{key}` names no check"), help);
            return None;
        }
        for (index, member) in members.iter().enumerate() {
            if members[..index].iter().any(|other| other.text == member.text) {
                let message = format!("the check \"{}\" stands here twice", member.text);
                reader.refuse(member.span.clone(), message, "remove one");
            }
        }
        Some(Self { any: key == "any", members })
    }
}

impl Checks<'_> {
    /// A definition for a service, with the checks that it names; `left` is how many more may come
    /// together, and 0 where there were too many.
    pub(super) fn applied(
        &mut self,
        definition: Definition,
        applying: &(&Name, Range<usize>),
        left: &mut usize,
        reader: &mut Reader<'_>,
    ) -> Option<Demand> {
        *left = left.checked_sub(1).filter(|left| *left > 0).or_else(|| {
            *left = 0;
            None
        })?;
        let group = match definition {
            Definition::One(recipe) => {
                let (owner, place) = applying;
                let address = recipe.address;
                let check = recipe.applied(owner, place.clone(), reader)?;
                return Some(Demand::One(Box::new(check), address));
            }
            Definition::Group(group) => group,
        };
        let mut demands = Vec::new();
        for name in &group.members {
            let member = self.named(name, reader)?;
            demands.push(self.applied(member, applying, left, reader)?);
        }
        Some(if group.any { Demand::Any(demands) } else { Demand::All(demands) })
    }

    /// Refuses groups with members that are not there, or of which they are part themselves.
    pub(super) fn judge_groups(&mut self, reader: &mut Reader<'_>) {
        let groups: Vec<(String, Group)> = self
            .by_name
            .iter()
            .filter_map(|(name, named)| {
                let Some(Definition::Group(group)) = &named.definition else { return None };
                Some((name.clone(), group.clone()))
            })
            .collect();
        for (name, group) in groups {
            for member in &group.members {
                let known = self.by_name.contains_key(&member.text);
                let sound = self.named(member, reader).is_some();
                if known && self.leads_to(&member.text, &name, &mut BTreeSet::new()) {
                    let message = format!("the check \"{name}\" is part of itself");
                    let help = format!("\"{}\" names it again: take one of them out", member.text);
                    reader.refuse(member.span.clone(), message, help);
                } else if sound {
                    continue;
                }
                self.by_name.entry(name.clone()).and_modify(|named| named.definition = None);
            }
        }
    }

    /// Whether a check is another one, or names one that is.
    fn leads_to(&self, from: &str, to: &str, seen: &mut BTreeSet<String>) -> bool {
        if from == to {
            return true;
        }
        let definition = self.by_name.get(from).and_then(|named| named.definition.as_ref());
        let Some(Definition::Group(group)) = definition else { return false };
        seen.insert(from.to_owned())
            && group.members.iter().any(|member| self.leads_to(&member.text, to, seen))
    }
}
