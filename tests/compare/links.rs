//! Aliases one link at a time.
//!
//! How far an alias is followed is each server's choice: Knot and BIND stay in the zone of the
//! first name and stop after some links, NSD goes everywhere. Where an answer with aliases finds no
//! voice as a whole, it is still held to account: every link must be what a peer says of that
//! link's owner, and the rest must be what Rota says of the chain's end when asked for it alone,
//! which the peers must confirm.

use std::collections::BTreeSet;

use domain::base::Rtype;

use super::answer::{Answer, Record};
use super::ask::Asker;
use super::name::Name;
use super::peers::Voice;
use super::question::Question;
use super::verdict::{Part, Replies, differing};

/// How many aliases Rota follows, the first one's owner not counted.
const FOLLOWED_MAX: usize = 11;
const REFUSED: u16 = 5;

/// True where Rota's answer is right link by link.
pub fn hold(asker: &mut Asker, question: &Question, replies: &Replies) -> bool {
    let Some(rota) = replies.answer(Voice::Rota) else { return false };
    if !question.is_decent() || !rota.authoritative {
        return false;
    }
    let mut known: BTreeSet<Record> = BTreeSet::new();
    let mut passed = BTreeSet::new();
    let mut name = question.name.folded();
    while let Some(next) = alias(rota, &name) {
        // Asked for the alias itself, a peer tells it whatever it thinks of the type.
        let link = Question { rtype: Rtype::CNAME, ..about(question, &name) };
        let said = Replies(asker.ask(&link));
        let peers = [Voice::Nsd, Voice::Knot].into_iter();
        known.extend(peers.filter_map(|voice| said.answer(voice)).flat_map(|it| it.answer.clone()));
        if !passed.insert(name) {
            // A ring: there is no end to ask for.
            return rota.answer.is_subset(&known) && rota.authority.is_empty();
        }
        name = next;
    }
    if passed.is_empty() {
        return false;
    }
    let said = Replies(asker.ask(&about(question, &name)));
    let Some(end) = said.answer(Voice::Rota) else { return false };
    let rest: BTreeSet<Record> = rota.answer.difference(&end.answer).cloned().collect();
    if !rest.is_subset(&known) {
        return false;
    }
    let left = passed.len() > FOLLOWED_MAX && rota.authority.is_empty() && rota.rcode == 0;
    // Out of our zones, or left to the client after so many.
    if end.rcode == REFUSED || left {
        return rota.authority.is_empty() && rota.rcode == 0 && rota.answer.is_subset(&known);
    }
    let whole = end.answer.is_subset(&rota.answer);
    // RFC 6604 §3: the response code is that of the chain's end.
    let same = (end.rcode, &end.authority) == (rota.rcode, &rota.authority);
    // Addresses that help are no part of what the end says.
    whole && same && differing(&said).iter().all(|part| *part == Part::Additional)
}

/// Where the alias at a name leads in Rota's answer.
fn alias(rota: &Answer, name: &Name) -> Option<Name> {
    let owned = |record: &&Record| record.rtype == Rtype::CNAME && record.owner == *name;
    rota.answer.iter().find(owned)?.target()
}

fn about(question: &Question, name: &Name) -> Question {
    Question { name: name.clone(), tcp: true, ..question.clone() }
}
