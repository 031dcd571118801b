//! Who agrees with whom.
//!
//! Answers are compared part by part. Rota must say of each part what NSD or Knot says; where these
//! two disagree, what BIND says will do. Whoever disagrees with Rota about one part has no voice in
//! the next, so that no answer passes that is stitched together from several servers' views:
//!
//! ```text
//!   head        rcode, AA, other header bits, question, answer section     NSD Knot BIND
//!   authority   negative answers, referrals                                those of them that agreed
//!   additional  glue                                                       those of them that agreed
//!   edns        is there an OPT record, version, DO                        NSD Knot BIND
//! ```
//!
//! TC is no part: what fits depends on how well a server compresses. `promises` looks at it, and
//! answers that any server truncated are compared as they are over TCP.

use super::answer::{Answer, Reply};
use super::ask::Heard;
use super::peers::Voice;

/// A part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What the answer says.
    Head,
    /// Why it is negative, or who knows.
    Authority,
    /// What else helps.
    Additional,
    /// The OPT record.
    Edns,
}

/// What all four said.
#[derive(Clone, Debug)]
pub struct Replies(pub Vec<(Voice, Heard)>);

impl Replies {
    /// What one of them said.
    pub fn of(&self, voice: Voice) -> &Heard {
        let found = self.0.iter().find(|(whose, _)| *whose == voice);
        &found.expect("every voice was asked").1
    }

    /// A response of one of them, if it gave one.
    pub fn answer(&self, voice: Voice) -> Option<&Answer> {
        match &self.of(voice).reply {
            Reply::Answer(answer) => Some(answer),
            Reply::Silence | Reply::Unreadable(_) => None,
        }
    }

    /// True where any response lacks something for want of room.
    pub fn any_truncated(&self) -> bool {
        self.0.iter().any(|(voice, _)| self.answer(*voice).is_some_and(|answer| answer.truncated))
    }
}

/// The parts in which Rota differs from those who count.
pub fn differing(replies: &Replies) -> Vec<Part> {
    let same = |left, right, part| same(&replies.of(left).reply, &replies.of(right).reply, part);
    let everyone = [Voice::Nsd, Voice::Knot, Voice::Bind];
    let mut voices = everyone.to_vec();
    let mut differing = Vec::new();
    for part in [Part::Head, Part::Authority, Part::Additional, Part::Edns] {
        let asked = if part == Part::Edns { everyone.to_vec() } else { voices.clone() };
        let agree: Vec<Voice> =
            asked.iter().copied().filter(|voice| same(Voice::Rota, *voice, part)).collect();
        let both = asked.contains(&Voice::Nsd) && asked.contains(&Voice::Knot);
        let united = both && same(Voice::Nsd, Voice::Knot, part);
        let enough = match agree.as_slice() {
            [] => false,
            [Voice::Bind] => !united,
            [..] => true,
        };
        if !enough {
            differing.push(part);
        } else if part != Part::Edns {
            voices = agree;
        }
        // Without a common head there is nothing to hold the rest against.
        if part == Part::Head && !enough {
            return differing;
        }
    }
    differing
}

fn same(left: &Reply, right: &Reply, part: Part) -> bool {
    let (Reply::Answer(left), Reply::Answer(right)) = (left, right) else {
        return matches!((left, right), (Reply::Silence, Reply::Silence));
    };
    match part {
        Part::Head => head(left) == head(right) && left.answer == right.answer,
        Part::Authority => left.authority == right.authority,
        Part::Additional => left.additional == right.additional,
        Part::Edns => left.opt == right.opt,
    }
}

fn head(answer: &Answer) -> (u16, u8, bool, u8, &[u8]) {
    let Answer { rcode, echoed, authoritative, low_flags, question, .. } = answer;
    (*rcode, *echoed, *authoritative, *low_flags, question)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A response whose only record is an A, with this AA and TTL, and another SOA TTL.
    fn reply(authoritative: bool, ttl: u8, negative: u8) -> Heard {
        let mut octets = vec![0, 1, 0x80, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, b'a', 0, 0, 1, 0, 1];
        octets[2] |= u8::from(authoritative) << 2;
        octets.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, ttl, 0, 4, 192, 0, 2, 1]);
        octets.extend([0xc0, 12, 0, 2, 0, 1, 0, 0, 0, negative, 0, 1, 0]);
        let reply = Reply::Answer(Answer::decode(&octets).unwrap());
        Heard { reply, octets }
    }

    fn check(said: [(bool, u8, u8); 4], expected: &[Part]) {
        let heard = said.map(|(authoritative, ttl, negative)| reply(authoritative, ttl, negative));
        let replies = Replies(Voice::ALL.into_iter().zip(heard).collect());
        assert_eq!(differing(&replies), expected, "{said:?}");
    }

    #[test]
    fn rota_needs_a_voice_for_every_part() {
        let (usual, other, third) = ((true, 1, 1), (true, 2, 1), (false, 1, 1));
        check([usual; 4], &[]);
        check([usual, usual, other, other], &[]);
        check([usual, other, usual, other], &[]);
        // BIND alone counts only where the two disagree.
        check([usual, other, other, usual], &[Part::Head]);
        check([usual, other, third, usual], &[]);
        check([usual, other, third, other], &[Part::Head]);
        // A response that one server gives by half and another by half is nobody's.
        check([usual, (true, 1, 9), (true, 2, 1), (true, 2, 1)], &[Part::Authority]);
        check([(true, 1, 9), usual, usual, (true, 1, 9)], &[Part::Authority]);
    }

    #[test]
    fn silence_is_an_answer_of_its_own() {
        let silent = Heard { reply: Reply::Silence, octets: Vec::new() };
        let said = [silent.clone(), silent.clone(), reply(true, 1, 1), reply(true, 1, 1)];
        assert_eq!(differing(&Replies(Voice::ALL.into_iter().zip(said).collect())), []);
        let said = [silent, reply(true, 1, 1), reply(true, 1, 1), reply(true, 1, 1)];
        assert_eq!(differing(&Replies(Voice::ALL.into_iter().zip(said).collect())), [Part::Head]);
    }
}
