//! Differences that are meant: each with the RFC that allows or asks for them.
//!
//! This list is the only place where a difference may be excused. An entry says for one part of an
//! answer when it applies, as narrowly as it can; the run counts how often each was used, and an
//! entry that a long run never uses should go.

use domain::base::Rtype;

use super::answer::Answer;
use super::peers::Voice;
use super::question::Question;
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
        what: "ANY gets some RRsets, each whole, rather than all",
        why: "RFC 8482 §4.1",
        part: Part::Head,
        explains: |question, replies, rota| {
            question.rtype == Rtype::ANY
                && peers(replies).any(|peer| {
                    rota.rcode == peer.rcode
                        && rota.authoritative == peer.authoritative
                        && !rota.answer.is_empty()
                        && whole_rrsets(rota, peer)
                })
        },
    },
];

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

/// True where every RRset of Rota's answer section is all of the other's.
fn whole_rrsets(rota: &Answer, peer: &Answer) -> bool {
    rota.answer.is_subset(&peer.answer)
        && peer.answer.difference(&rota.answer).all(|missing| {
            !rota
                .answer
                .iter()
                .any(|found| (&found.owner, found.rtype) == (&missing.owner, missing.rtype))
        })
}
