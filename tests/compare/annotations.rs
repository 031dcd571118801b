//! Differences that are meant: each with the RFC that allows or asks for them.
//!
//! This list is the only place where a difference may be excused. An entry says for which parts of
//! an answer and when it applies, as narrowly as it can, and may ask more questions to be sure. The
//! run counts how often each was used; an entry that a long run never uses should go.

use super::answer::Answer;
use super::ask::Asker;
use super::links;
use super::peers::Voice;
use super::question::{Odd, Question};
use super::verdict::{Part, Replies, differing};

const FORMERR: u16 = 1;
const NOTIMP: u16 = 4;
const NOTIFY: u8 = 4;
const UPDATE: u8 = 5;
const CLASS_IN: u16 = 1;
const CLASS_ANY: u16 = 255;

/// One kind of difference that is meant.
pub struct Annotation {
    /// What Rota does.
    pub what: &'static str,
    /// Why it may.
    pub why: &'static str,
    /// The parts of an answer that may differ so.
    parts: &'static [Part],
    explains: fn(&mut Case<'_>, &Answer) -> bool,
}

/// All of them.
pub const ANNOTATIONS: &[Annotation] = &[
    Annotation {
        what: "addresses of what MX, SRV and the like name are left out, or not all are there",
        why: "RFC 1034 §4.3.2 step 6 and RFC 2181 §5.4.1: additional data is a help, not an answer",
        parts: &[Part::Additional],
        explains: |case, rota| {
            let mut peers = peers(case.replies);
            !rota.is_referral() && peers.any(|peer| rota.additional.is_subset(&peer.additional))
        },
    },
    Annotation {
        what: "aliases are followed through all zones that are served, and up to a limit",
        why: "RFC 1034 §4.3.2 step 3a and §3.6.2; every link and the end are what the peers say",
        parts: &[Part::Head, Part::Authority, Part::Additional],
        explains: |case, _| links::hold(case),
    },
    Annotation {
        what: "class ANY is answered as IN is, with AA clear",
        why: "RFC 1034 §3.7.1: no answer to it is authoritative",
        parts: &[Part::Head, Part::Authority, Part::Additional],
        explains: |case, rota| {
            (case.question.class, case.question.odd) == (CLASS_ANY, Odd::No) && as_in(case, rota)
        },
    },
    Annotation {
        what: "a malformed query that has an OPT record gets one back with its FORMERR",
        why: "RFC 6891 §6.1.1: where the request has an OPT record, the response must have one",
        parts: &[Part::Edns],
        explains: |case, rota| {
            let asked = case.question.edns.map(|edns| (0, edns.dnssec_ok));
            case.question.odd != Odd::No && is_bare(rota, FORMERR) && rota.opt == asked
        },
    },
    Annotation {
        what: "NOTIFY and UPDATE are not implemented, rather than not for this zone",
        why: "RFC 1035 §4.1.1: a kind of query that is not supported",
        parts: &[Part::Head],
        explains: |case, rota| {
            matches!(case.question.odd, Odd::Opcode(NOTIFY | UPDATE)) && is_bare(rota, NOTIMP)
        },
    },
    Annotation {
        what: "a query that ends within its question gets FORMERR rather than silence",
        why: "RFC 1035 §4.1.1: there is a header, and the server cannot interpret the rest",
        parts: &[Part::Head],
        explains: |case, rota| case.question.odd == Odd::Short && is_bare(rota, FORMERR),
    },
    Annotation {
        what: "an error copies RD and brings the question back, where peers leave them out",
        why: "RFC 1035 §4.1.1: RD is copied; RFC 5452 §4.2: the question tells which query it was",
        parts: &[Part::Head],
        explains: |case, rota| {
            let sent = case.question.to_wire(0);
            let mut all = Voice::ALL[1..].iter().filter_map(|voice| case.replies.answer(*voice));
            case.question.odd != Odd::No
                && rota.echoed == sent[2] & 0x79
                && rota.low_flags == 0
                && all.any(|peer| is_bare(rota, peer.rcode) && is_bare(peer, peer.rcode))
                && sent[12..].starts_with(&rota.question)
        },
    },
];

/// A difference to be explained.
pub struct Case<'c> {
    /// What was asked.
    pub question: &'c Question,
    /// What all said.
    pub replies: &'c Replies,
    /// For more questions to the same servers.
    pub asker: &'c mut Asker,
}

impl Case<'_> {
    /// Asks all servers something else.
    pub fn ask(&mut self, question: &Question) -> Replies {
        Replies(self.asker.ask(question))
    }

    /// The entry that explains a difference in this part, if any does.
    pub fn explained(&mut self, part: Part) -> Option<usize> {
        let rota = self.replies.answer(Voice::Rota)?;
        let explains =
            |entry: &Annotation| entry.parts.contains(&part) && (entry.explains)(self, rota);
        ANNOTATIONS.iter().position(explains)
    }
}

/// What NSD and Knot answered.
fn peers(replies: &Replies) -> impl Iterator<Item = &Answer> {
    [Voice::Nsd, Voice::Knot].into_iter().filter_map(|voice| replies.answer(voice))
}

/// True for this response code and nothing else.
fn is_bare(answer: &Answer, rcode: u16) -> bool {
    let sections = [&answer.answer, &answer.authority, &answer.additional];
    answer.rcode == rcode
        && answer.rcode != 0
        && !answer.authoritative
        && sections.iter().all(|section| section.is_empty())
}

/// True where the same question in class IN gets the same answer, and rightly.
fn as_in(case: &mut Case<'_>, rota: &Answer) -> bool {
    let question = Question { class: CLASS_IN, tcp: true, ..case.question.clone() };
    let replies = case.ask(&question);
    let Some(answer) = replies.answer(Voice::Rota) else { return false };
    let sections =
        |answer: &Answer| [&answer.answer, &answer.authority, &answer.additional].map(Clone::clone);
    let same = (rota.rcode, sections(rota)) == (answer.rcode, sections(answer));
    let mut case = Case { question: &question, replies: &replies, asker: case.asker };
    let mut unexplained = differing(&replies).into_iter();
    !rota.authoritative && same && unexplained.all(|part| case.explained(part).is_some())
}
