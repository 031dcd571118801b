//! Aliases one link at a time.
//!
//! How far an alias is followed is each server's choice: Knot and BIND stay in the zone of the
//! first name and stop after some links, NSD goes everywhere. Where an answer with aliases finds no
//! voice as a whole, it is still held to account: every link must be what a peer says of that
//! link's owner, and the rest must be what Rota says of the chain's end when asked for it alone,
//! which the peers must confirm.

use domain::base::Rtype;

use super::annotations::Case;
use super::answer::{Answer, Record, Section};
use super::name::Name;
use super::peers::Voice;
use super::question::Question;
use super::verdict::{Part, differing};

/// How many aliases Rota follows, the first one's owner not counted.
const FOLLOWED_MAX: usize = 11;
const REFUSED: u16 = 5;

/// True where Rota's answer is right link by link.
pub fn hold(case: &mut Case<'_>) -> bool {
    let Some(rota) = case.replies.answer(Voice::Rota) else { return false };
    if !case.question.is_decent() || !rota.authoritative {
        return false;
    }
    let mut known = Section::new();
    let mut owner = case.question.name.folded();
    let mut passed = Vec::new();
    let mut ends = Vec::new();
    while let Some(next) = alias(rota, &owner) {
        // Asked for the alias itself, a peer tells it whatever it thinks of the type.
        let said = case.ask(&Question { rtype: Rtype::CNAME, ..about(case.question, &owner) });
        let peers = [Voice::Nsd, Voice::Knot].into_iter();
        known.extend(peers.filter_map(|voice| said.answer(voice)).flat_map(|it| it.answer.clone()));
        passed.push(owner);
        if passed.contains(&next) {
            // A ring: there is no end to ask for.
            return rota.answer.is_subset(&known) && rota.authority.is_empty();
        }
        ends.push(next.clone());
        owner = next;
    }
    // For these types an alias is an answer: only those that a DNAME makes lead on.
    if !matches!(case.question.rtype, Rtype::ANY | Rtype::CNAME) {
        ends.drain(..ends.len().saturating_sub(1));
    }
    let cut_short = passed.len() > FOLLOWED_MAX;
    ends.iter().any(|end| ends_rightly(case, rota, &known, end, cut_short))
}

/// True where Rota's answer is known links and what Rota says of the chain's end by itself.
fn ends_rightly(
    case: &mut Case<'_>,
    rota: &Answer,
    known: &Section,
    name: &Name,
    cut_short: bool,
) -> bool {
    let said = case.ask(&about(case.question, name));
    let Some(end) = said.answer(Voice::Rota) else { return false };
    // Out of our zones, or left to the client after so many.
    if end.rcode == REFUSED || cut_short && rota.authority.is_empty() {
        return rota.rcode == 0 && rota.authority.is_empty() && rota.answer.is_subset(known);
    }
    let rest: Section = rota.answer.difference(&end.answer).cloned().collect();
    // RFC 6604 §3: the response code is that of the chain's end.
    rest.is_subset(known)
        && end.answer.is_subset(&rota.answer)
        && rota.additional.is_subset(&end.additional)
        && (end.rcode, &end.authority) == (rota.rcode, &rota.authority)
        // Addresses that help are no part of what the end says.
        && differing(&said).iter().all(|part| *part == Part::Additional)
}

/// Where the alias at a name leads in Rota's answer.
fn alias(rota: &Answer, name: &Name) -> Option<Name> {
    let owned = |record: &&Record| record.rtype == Rtype::CNAME && record.owner == *name;
    rota.answer.iter().find(owned)?.target()
}

fn about(question: &Question, name: &Name) -> Question {
    Question { name: name.clone(), tcp: true, ..question.clone() }
}
