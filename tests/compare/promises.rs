//! What Rota's responses promise whatever the peers say.
//!
//! The question comes back octet for octet; nothing stands twice in a section; a datagram is no
//! longer than the client takes; TC stands where and only where something is missing; hickory-proto
//! reads the same message as `domain` does.

use hickory_proto::op::Message;

use super::answer::{Answer, Reply};
use super::ask::Heard;
use super::peers::UDP_SIZE;
use super::question::Question;

/// What is wrong with one response of Rota; `packet` is the query as it was sent, without its id.
pub fn broken(question: &Question, heard: &Heard) -> Vec<String> {
    let Reply::Answer(answer) = &heard.reply else {
        return match &heard.reply {
            Reply::Unreadable(why) => vec![format!("domain cannot read it: {why}")],
            Reply::Silence | Reply::Answer(_) => Vec::new(),
        };
    };
    let mut broken = Vec::new();
    if answer.repeated > 0 {
        broken.push(format!("{} records stand twice", answer.repeated));
    }
    if question.is_decent() {
        let packet = question.to_wire(0);
        let asked = &packet[12..12 + question.name.wire_len() + 4];
        if answer.question != asked {
            // RFC 4343 §4.1: the case of the question is kept.
            broken.push(String::from("the question did not come back as it was"));
        }
    }
    if heard.octets[2] & 0x80 == 0 {
        broken.push(String::from("QR is clear"));
    }
    let limit = udp_limit(question);
    if !question.tcp && answer.len > limit {
        broken.push(format!("{} octets where the client takes {limit}", answer.len));
    }
    broken.extend(second_reader(&heard.octets, answer));
    broken
}

/// What is wrong with a datagram of Rota, given the same answer over TCP.
pub fn broken_by_truncation(question: &Question, datagram: &Answer, whole: &Answer) -> Vec<String> {
    let mut broken = Vec::new();
    let parts = [
        ("answer", &datagram.answer, &whole.answer),
        ("authority", &datagram.authority, &whole.authority),
        ("additional", &datagram.additional, &whole.additional),
    ];
    for (title, some, all) in parts {
        if !some.is_subset(all) {
            broken.push(format!("the {title} section has over UDP what it has not over TCP"));
        }
        // RFC 2181 §9: TC says that something is missing that had to be there. RFC 9471 §3.1: so does
        // missing in-domain glue; other glue and help may go without a word.
        let needed = title != "additional";
        if needed && !datagram.truncated && some != all {
            broken.push(format!("the {title} section lacks records without TC"));
        }
    }
    if !datagram.truncated && whole.is_referral() && !datagram.has_glue_of(whole) {
        broken.push(String::from("in-domain glue is missing without TC"));
    }
    if datagram.truncated && whole.len <= udp_limit(question) {
        let (len, limit) = (whole.len, udp_limit(question));
        broken.push(format!("TC, though {len} octets fit into {limit}"));
    }
    broken
}

/// The most octets that a datagram to this client may have.
fn udp_limit(question: &Question) -> usize {
    // RFC 6891 §6.2.3: less than 512 means 512.
    question.edns.map_or(512, |edns| usize::from(edns.size.clamp(512, UDP_SIZE)))
}

/// What the independent decoder sees otherwise.
fn second_reader(octets: &[u8], answer: &Answer) -> Option<String> {
    let message = match Message::from_vec(octets) {
        Ok(message) => message,
        Err(why) => return Some(format!("hickory cannot read it: {why}")),
    };
    let seen = [&message.answers, &message.authorities, &message.additionals].map(Vec::len);
    let read = [&answer.answer, &answer.authority, &answer.additional].map(|part| part.len());
    (answer.repeated == 0 && seen != read)
        .then(|| format!("hickory sees {seen:?} records, domain {read:?}"))
}

#[cfg(test)]
mod tests {
    use domain::base::Rtype;

    use super::*;
    use crate::name::Name;
    use crate::question::{Edns, Odd};

    const NS: &[u8] = b"\xc0\x0c\x00\x02\x00\x01\x00\x00\x00\x09\x00\x05\x02ns\xc0\x0c";
    const GLUE: &[u8] = b"\x02ns\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x09\x00\x04\xc0\x00\x02\x01";
    const HELP: &[u8] = b"\x01x\x00\x00\x01\x00\x01\x00\x00\x00\x09\x00\x04\xc0\x00\x02\x01";

    fn question(size: Option<u16>) -> Question {
        let edns = size.map(|size| Edns { size, dnssec_ok: false, version: 0, option: false });
        let (name, rtype, odd) = (Name::plain("a"), Rtype::A, Odd::No);
        Question { name, rtype, class: 1, flags: [0, 0], edns, tcp: false, odd }
    }

    /// A referral with these additional records, and octets of nothing behind it that count.
    fn referral(truncated: bool, additional: &[&[u8]]) -> Answer {
        let flags = 0x80 | u8::from(truncated) << 1;
        let mut octets = vec![0, 1, flags, 0, 0, 1, 0, 0, 0, 1, 0, additional.len() as u8];
        octets.extend(b"\x01a\x00\x00\x01\x00\x01");
        octets.extend([NS, &additional.concat()].concat());
        Answer::decode(&octets).unwrap()
    }

    fn check(datagram: &Answer, whole: &Answer, expected: &[&str]) {
        let found = broken_by_truncation(&question(None), datagram, whole);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(found, part)| found.contains(part)), "{found:?}");
    }

    #[test]
    fn tc_says_that_something_needed_is_missing() {
        let whole = referral(false, &[GLUE, HELP]);
        let long = Answer { len: 513, ..whole.clone() };
        check(&whole, &whole, &[]);
        // RFC 9471 §3.1: glue in the delegated zone is needed, other addresses are not.
        check(&referral(false, &[GLUE]), &whole, &[]);
        check(&referral(false, &[HELP]), &whole, &["in-domain glue"]);
        check(&referral(true, &[HELP]), &long, &[]);
        check(&referral(true, &[HELP]), &whole, &["fit into"]);
        let empty = Answer { authority: Default::default(), ..referral(false, &[GLUE]) };
        check(&empty, &whole, &["authority section lacks"]);
        check(
            &whole,
            &Answer { additional: Default::default(), ..whole.clone() },
            &["has over UDP"],
        );
    }

    #[test]
    fn a_client_takes_at_least_512_octets_and_at_most_what_we_send() {
        for (size, limit) in [(None, 512), (Some(0), 512), (Some(600), 600), (Some(4096), 1232)] {
            assert_eq!(udp_limit(&question(size)), limit, "{size:?}");
        }
    }
}
