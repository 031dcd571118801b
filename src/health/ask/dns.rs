//! One question in DNS, and the answers that pass.
//!
//! Messages are written and read with `domain`: our own [`wire`](crate::wire) is what a server
//! needs, and it must not be what says of another that it is right.

use std::fmt;

use domain::base::iana::{Class, Rcode};
use domain::base::message_builder::MessageBuilder;
use domain::base::rdata::ParseRecordData;
use domain::base::{Message, Name as DomainName, ParsedName, Question, Rtype};
use domain::dep::octseq::Parser;
use domain::rdata::AllRecordData;

use crate::health::DnsFault;
use crate::wire::{Name, RecordType};

/// Asks a node that is itself a name server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsAsk {
    /// The port of the node.
    pub port: u16,
    /// Over TCP in place of UDP.
    pub tcp: bool,
    /// The name that is asked for.
    pub name: Name,
    /// The type that is asked for.
    pub rtype: RecordType,
    /// The response code that passes.
    pub rcode: Rcode,
    /// A record of the type that must be in the answer.
    pub answer: Option<ExpectedRecord>,
}

/// The data of a record.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExpectedRecord {
    /// As the operator wrote it.
    pub text: String,
    /// As it is on the wire, uncompressed.
    pub octets: Box<[u8]>,
}

type Data<'d> = AllRecordData<&'d [u8], ParsedName<&'d [u8]>>;

impl DnsAsk {
    /// The question with this id. It wishes for recursion: a resolver answers to nothing else, and
    /// an authoritative server does not mind.
    pub fn message(&self, id: u16) -> Vec<u8> {
        let mut question = MessageBuilder::new_vec().question();
        question.header_mut().set_id(id);
        question.header_mut().set_rd(true);
        question.push((self.domain_name(), self.rtype())).expect("a vector takes any question");
        question.finish()
    }

    /// Judges a message; none where it is no answer to the question with this id.
    pub fn judge(&self, id: u16, octets: &[u8]) -> Option<Result<(), DnsFault>> {
        let message = Message::from_octets(octets).ok()?;
        let header = message.header();
        if header.id() != id || !header.qr() {
            return None;
        }
        // A server that cannot read a question may leave it out.
        let asked = Question::new(self.domain_name(), self.rtype(), Class::IN);
        let is_other = |found| found != asked;
        if message.header_counts().qdcount() > 0 && message.sole_question().map_or(true, is_other) {
            return None;
        }
        if header.rcode() != self.rcode {
            return Some(Err(DnsFault::Rcode(header.rcode())));
        }
        let Some(expected) = &self.answer else { return Some(Ok(())) };
        if self.holds(&message, expected) {
            return Some(Ok(()));
        }
        Some(Err(if header.tc() { DnsFault::Truncated } else { DnsFault::NoRecord }))
    }

    /// Whether the answer section has a record with this data: names inside are compared without
    /// case.
    fn holds(&self, message: &Message<&[u8]>, expected: &ExpectedRecord) -> bool {
        let mut parser = Parser::from_ref(&*expected.octets);
        let expected: Option<Data<'_>> =
            ParseRecordData::parse_rdata(self.rtype(), &mut parser).ok().flatten();
        let Some(expected) = expected else { return false };
        let Ok(records) = message.answer() else { return false };
        // What cannot be read ends the section.
        records.map_while(Result::ok).filter(|record| record.rtype() == self.rtype()).any(
            |record| {
                record.to_any_record::<Data<'_>>().is_ok_and(|record| *record.data() == expected)
            },
        )
    }

    fn rtype(&self) -> Rtype {
        Rtype::from_int(self.rtype.0)
    }

    fn domain_name(&self) -> DomainName<&[u8]> {
        DomainName::from_octets(self.name.as_wire()).expect("both know the same names")
    }
}

impl fmt::Debug for ExpectedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use domain::base::iana::Rcode;
    use domain::rdata::{A, Cname, Ns};

    use super::*;

    fn ask(rtype: RecordType, answer: Option<&[u8]>) -> DnsAsk {
        let answer =
            answer.map(|octets| ExpectedRecord { text: String::new(), octets: octets.into() });
        let name = Name::from_text("www.example.org").unwrap();
        DnsAsk { port: 53, tcp: false, name, rtype, rcode: Rcode::NOERROR, answer }
    }

    /// An answer to a question, with an alias and an address.
    fn answer(ask: &DnsAsk, rcode: Rcode, id: u16, truncated: bool) -> Vec<u8> {
        let question = ask.message(id);
        let question = Message::from_octets(&question).unwrap();
        let mut answer = MessageBuilder::new_vec().start_answer(&question, rcode).unwrap();
        answer.header_mut().set_tc(truncated);
        let name = |text: &str| text.parse::<DomainName<Vec<u8>>>().unwrap();
        let (www, web) = (name("www.example.org"), name("WEB.example.org"));
        answer.push((&www, 60, Cname::new(&web))).unwrap();
        answer.push((&web, 60, A::from_octets(192, 0, 2, 1))).unwrap();
        answer.push((&web, 60, Ns::new(&web))).unwrap();
        answer.finish()
    }

    #[test]
    fn code_and_record_decide() {
        let ok = Rcode::NOERROR;
        let web = b"\x03web\x07example\x03org\0";
        for (rtype, expected, rcode, truncated, result) in [
            (RecordType::A, None, ok, false, Ok(())),
            (RecordType::A, Some(&[192, 0, 2, 1][..]), ok, false, Ok(())),
            (RecordType::A, Some(&[192, 0, 2, 2]), ok, false, Err(DnsFault::NoRecord)),
            (RecordType::A, Some(&[192, 0, 2, 2]), ok, true, Err(DnsFault::Truncated)),
            (RecordType::A, Some(&[192, 0, 2, 1]), ok, true, Ok(())),
            (RecordType::NS, Some(web), ok, false, Ok(())),
            (RecordType::AAAA, Some(&[0; 16]), ok, false, Err(DnsFault::NoRecord)),
            (RecordType::A, None, Rcode::SERVFAIL, false, Err(DnsFault::Rcode(Rcode::SERVFAIL))),
        ] {
            let ask = ask(rtype, expected);
            let message = answer(&ask, rcode, 7, truncated);
            assert_eq!(ask.judge(7, &message), Some(result), "{rtype}");
            assert_eq!(ask.judge(8, &message), None);
            assert_eq!(ask.judge(7, &ask.message(7)), None, "a question is no answer");
        }
    }

    #[test]
    fn another_question_is_not_answered_and_none_is() {
        let asked = ask(RecordType::A, None);
        let other = answer(&ask(RecordType::AAAA, None), Rcode::NOERROR, 7, false);
        assert_eq!(asked.judge(7, &other), None);
        let refused = [0, 7, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(asked.judge(7, &refused), Some(Err(DnsFault::Rcode(Rcode::FORMERR))));
        for end in 0..other.len() {
            // Nothing that is cut off makes trouble.
            let expecting = ask(RecordType::AAAA, Some(&[1; 16]));
            let told = expecting.judge(7, &other[..end]);
            assert!(matches!(told, None | Some(Err(_))), "{end}");
        }
    }
}
