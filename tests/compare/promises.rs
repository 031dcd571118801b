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
        // RFC 2181 §9: TC says that something is missing that had to be there. RFC 9471 §3: so does
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
