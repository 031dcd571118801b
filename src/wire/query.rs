//! A packet becomes a [`Query`], or the reply that such a packet deserves.
//!
//! Parsing looks at every record of the message, since an OPT record may stand anywhere in the
//! additional section, but keeps only what answers depend on. What is not a query at all (a runt,
//! a response) is left unanswered: an answer to an answer is a loop.

use super::codes::{Class, Rcode, RecordType};
use super::edns::{Edns, EdnsError};
use super::header::{HEADER_LEN, Header};
use super::name::wire_len;

/// A well-formed standard query.
#[derive(Clone, Copy, Debug)]
pub struct Query<'m> {
    /// Its header.
    pub header: Header,
    /// The name asked, in wire form and in the client's case.
    pub qname: &'m [u8],
    /// The type asked.
    pub qtype: RecordType,
    /// The class asked.
    pub qclass: Class,
    /// The question's octets: name, type and class.
    pub question: &'m [u8],
    /// What the OPT record says, where there is one.
    pub edns: Option<Edns<'m>>,
}

/// A packet that is not a standard query.
#[derive(Clone, Copy, Debug)]
pub enum Malformed<'m> {
    /// Too short for a header, or a response: nothing is said.
    Ignored,
    /// Answered with an error.
    Answered {
        /// FORMERR, NOTIMP.
        rcode: Rcode,
        /// Its header.
        header: Header,
        /// The question, where one could be read: it goes back with the error.
        question: &'m [u8],
    },
}

impl<'m> Query<'m> {
    /// Reads a packet.
    pub fn parse(message: &'m [u8]) -> Result<Self, Malformed<'m>> {
        let header = Header::parse(message).ok_or(Malformed::Ignored)?;
        if header.is_response() {
            return Err(Malformed::Ignored);
        }
        let question = if header.counts[0] == 1 { question(message) } else { None };
        let refuse =
            |rcode| Malformed::Answered { rcode, header, question: question.unwrap_or_default() };
        if header.opcode() != 0 {
            return Err(refuse(Rcode::NotImp));
        }
        // RFC 9619 §4: a standard query has exactly one question.
        let question = question.ok_or(refuse(Rcode::FormErr))?;
        let (qname, rest) = question.split_at(question.len() - 4);
        let mut query = Self {
            header,
            qname,
            qtype: RecordType(u16::from_be_bytes([rest[0], rest[1]])),
            qclass: Class(u16::from_be_bytes([rest[2], rest[3]])),
            question,
            edns: None,
        };
        query.edns = additional(message, HEADER_LEN + question.len(), header)
            .map_err(|EdnsError| refuse(Rcode::FormErr))?;
        Ok(query)
    }
}

/// The question's octets: an uncompressed name (there is nothing yet to point to), type and class.
fn question(message: &[u8]) -> Option<&[u8]> {
    let body = &message[HEADER_LEN..];
    body.get(..wire_len(body)? + 4)
}

/// Walks the records behind the question and reads the OPT record, if there is one.
fn additional(
    message: &[u8],
    mut at: usize,
    header: Header,
) -> Result<Option<Edns<'_>>, EdnsError> {
    let [_, answers, authorities, additionals] = header.counts.map(u32::from);
    let mut edns = None;
    for index in 0..answers + authorities + additionals {
        let owner = at;
        at = skip_name(message, at).ok_or(EdnsError)?;
        let fixed: &[u8; 10] = message.get(at..).and_then(<[u8]>::first_chunk).ok_or(EdnsError)?;
        at += fixed.len();
        let rdata_len = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        let rdata = message.get(at..at + rdata_len).ok_or(EdnsError)?;
        at += rdata_len;
        if u16::from_be_bytes([fixed[0], fixed[1]]) == RecordType::OPT.0 {
            // RFC 6891 §6.1.1: one OPT at most, in the additional section, owned by the root.
            if index < answers + authorities || edns.is_some() || message[owner] != 0 {
                return Err(EdnsError);
            }
            edns = Some(Edns::parse(fixed, rdata)?);
        }
    }
    if at == message.len() { Ok(edns) } else { Err(EdnsError) }
}

/// The offset behind the name that starts at `at`, which may end in a compression pointer.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = *message.get(at)?;
        match length {
            0 => return Some(at + 1),
            1..=63 => at += 1 + usize::from(length),
            // RFC 1035 §4.1.4: a pointer is the end of a name; where to does not matter here.
            0xc0..=0xff => return message.get(at + 1).map(|_| at + 2),
            64..=0xbf => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x03WWW\x07example\x00\x00\x01\x00\x01";
    const OPT: &[u8] = b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00";

    fn message(flags: u8, counts: [u16; 4], parts: &[&[u8]]) -> Vec<u8> {
        let mut message = vec![0x12, 0x34, flags, 0];
        message.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        message.extend(parts.concat());
        message
    }

    fn check(message: &[u8], expected: &str) {
        let found = match Query::parse(message) {
            Ok(query) => format!("{} edns={}", query.qtype, query.edns.is_some()),
            Err(Malformed::Ignored) => String::from("ignored"),
            Err(Malformed::Answered { rcode, question, .. }) => {
                format!("{rcode:?} question={}", !question.is_empty())
            }
        };
        assert_eq!(found, expected, "{message:02x?}");
    }

    #[test]
    fn reads_queries_and_sorts_out_the_rest() {
        let two = &[QUESTION, QUESTION][..];
        check(&message(0, [1, 0, 0, 0], &[QUESTION]), "A edns=false");
        check(&message(0, [1, 0, 0, 1], &[QUESTION, OPT]), "A edns=true");
        check(&message(0x80, [1, 0, 0, 0], &[QUESTION]), "ignored");
        check(&message(0, [1, 0, 0, 0], &[QUESTION])[..11], "ignored");
        check(&message(0x28, [1, 0, 0, 0], &[QUESTION]), "NotImp question=true");
        check(&message(0, [0, 0, 0, 0], &[]), "FormErr question=false");
        check(&message(0, [2, 0, 0, 0], two), "FormErr question=false");
        check(&message(0, [1, 0, 0, 0], &[b"\xc0\x0c\x00\x01\x00\x01"]), "FormErr question=false");
        check(&message(0, [1, 0, 0, 0], &[QUESTION, b"x"]), "FormErr question=true");
        check(&message(0, [1, 0, 0, 2], &[QUESTION, OPT, OPT]), "FormErr question=true");
        check(&message(0, [1, 1, 0, 0], &[QUESTION, OPT]), "FormErr question=true");
        check(&message(0, [1, 0, 0, 1], &[QUESTION, &OPT[..9]]), "FormErr question=true");
    }
}
