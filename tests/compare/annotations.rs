//! Differences that are meant: each with the RFC that allows or asks for them.
//!
//! This list is the only place where a difference may be excused. An entry says for one part of an
//! answer when it applies, as narrowly as it can; the run counts how often each was used, and an
//! entry that a long run never uses should go.

use super::answer::Answer;
use super::peers::Voice;
use super::question::{Odd, Question};
use super::verdict::{Part, Replies};

/// One kind of difference that is meant.
pub struct Annotation {
    /// What Rota does.
    pub what: &'static str,
    /// Why it may.
    pub why: &'static str,
    /// The part of the answer that differs.
    part: Part,
    explains: fn(&Question, &Replies, &Answer) -> bool,
}

/// All of them.
pub const ANNOTATIONS: &[Annotation] = &[
    Annotation {
        what: "addresses of what MX, SRV and the like name are left out, or not all are there",
        why: "RFC 1034 §4.3.2 step 6 and RFC 2181 §5.4.1: additional data is a help, not an answer",
        part: Part::Additional,
        explains: |_, replies, rota| {
            !rota.is_referral()
                && peers(replies).any(|peer| rota.additional.is_subset(&peer.additional))
        },
    },
    Annotation {
        what: "class ANY is refused; NSD and Knot answer it for IN and disagree on AA",
        why: "RFC 1034 §3.7.1: no answer to it is authoritative; RFC 1035 §4.1.1: refusal is policy",
        part: Part::Head,
        explains: |question, _, rota| {
            (question.class, question.odd) == (CLASS_ANY, Odd::No) && is_bare(rota, REFUSED)
        },
    },
    Annotation {
        what: "NOTIFY and UPDATE are not implemented, rather than not for this zone",
        why: "RFC 1035 §4.1.1: the kind of query is not supported; RFC 1996 and RFC 2136 are not spoken",
        part: Part::Head,
        explains: |question, _, rota| {
            matches!(question.odd, Odd::Opcode(NOTIFY | UPDATE)) && is_bare(rota, NOTIMP)
        },
    },
    Annotation {
        what: "an error copies RD and brings the question back, where peers leave them out",
        why: "RFC 1035 §4.1.1: RD is copied; RFC 5452 §4.2: the question tells which query it was",
        part: Part::Head,
        explains: |question, replies, rota| {
            let sent = question.to_wire(0);
            let mut all = Voice::ALL[1..].iter().filter_map(|voice| replies.answer(*voice));
            question.odd != Odd::No
                && rota.echoed == sent[2] & 0x79
                && rota.low_flags == 0
                && all.any(|peer| is_bare(rota, peer.rcode) && is_bare(peer, peer.rcode))
                && (rota.question.is_empty() || sent[12..].starts_with(&rota.question))
        },
    },
    Annotation {
        what: "a query that ends within its question gets FORMERR rather than silence",
        why: "RFC 1035 §4.1.1: there is a header, and the server cannot interpret the rest",
        part: Part::Head,
        explains: |question, _, rota| question.odd == Odd::Short && is_bare(rota, FORMERR),
    },
];

const FORMERR: u16 = 1;
const NOTIMP: u16 = 4;
const REFUSED: u16 = 5;
const NOTIFY: u8 = 4;
const UPDATE: u8 = 5;
const CLASS_ANY: u16 = 255;

/// The entry that explains a difference, if any does.
pub fn explaining(part: Part, question: &Question, replies: &Replies) -> Option<usize> {
    let rota = replies.answer(Voice::Rota)?;
    let explains =
        |entry: &Annotation| entry.part == part && (entry.explains)(question, replies, rota);
    ANNOTATIONS.iter().position(explains)
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
