//! A packet becomes a [`Query`], or the reply that such a packet deserves.
//!
//! Parsing looks at every record of the message, since an OPT record may stand anywhere in the
//! additional section, but keeps only what answers depend on. What is not a query at all (a runt,
//! a response) is left unanswered: an answer to an answer is a loop.

use super::codes::{Class, Rcode, RecordType};
use super::cookie::Cookie;
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
        /// What the OPT record says, where one could be read: the error has one then, too.
        edns: Option<Edns<'m>>,
    },
    /// No question, but a cookie: it asks for a server cookie, or whether its own is good.
    /// RFC 7873 §5.4.
    CookieOnly {
        /// Its header.
        header: Header,
        /// What the OPT record says.
        edns: Edns<'m>,
        /// The cookie among its options.
        cookie: Cookie<'m>,
    },
}

impl<'m> Query<'m> {
    /// Reads a packet.
    #[expect(clippy::result_large_err, reason = "it is answered too; a box would allocate")]
    pub fn parse(message: &'m [u8]) -> Result<Self, Malformed<'m>> {
        let header = Header::parse(message).ok_or(Malformed::Ignored)?;
        if header.is_response() {
            return Err(Malformed::Ignored);
        }
        let question = if header.counts[0] == 1 { question(message) } else { None };
        let records_at = match question {
            Some(question) => Some(HEADER_LEN + question.len()),
            None => skip_questions(message, header.counts[0]),
        };
        let mut edns = None;
        let sound = records_at.is_some_and(|at| walk(message, at, header, &mut edns).is_ok());
        // RFC 9619 §4: a standard query has exactly one question.
        let (0, true, Some(question)) = (header.opcode(), sound, question) else {
            return Err(Malformed::of(header, question, edns, sound));
        };
        let (qname, [type_high, type_low, class_high, class_low]) =
            question.split_last_chunk().ok_or(Malformed::Ignored)?;
        Ok(Self {
            header,
            qname,
            qtype: RecordType(u16::from_be_bytes([*type_high, *type_low])),
            qclass: Class(u16::from_be_bytes([*class_high, *class_low])),
            question,
            edns,
        })
    }
}

impl<'m> Malformed<'m> {
    /// What such a query is.
    #[cold]
    fn of(header: Header, question: Option<&'m [u8]>, edns: Option<Edns<'m>>, sound: bool) -> Self {
        let question = question.unwrap_or_default();
        if header.opcode() != 0 {
            return Self::Answered { rcode: Rcode::NotImp, header, question, edns };
        }
        if let (0, true, Some(edns)) = (header.counts[0], sound, edns)
            && let Some(cookie) = edns.options.cookie
        {
            return Self::CookieOnly { header, edns, cookie };
        }
        Self::Answered { rcode: Rcode::FormErr, header, question, edns }
    }
}

/// The question's octets: an uncompressed name (there is nothing yet to point to), type and class.
fn question(message: &[u8]) -> Option<&[u8]> {
    let body = &message[HEADER_LEN..];
    body.get(..wire_len(body)? + 4)
}

/// The offset behind questions that are not looked at: too many, or not to be read.
fn skip_questions(message: &[u8], count: u16) -> Option<usize> {
    (0..count).try_fold(HEADER_LEN, |at, _| {
        let end = skip_name(message, at)? + 4;
        (end <= message.len()).then_some(end)
    })
}

/// Walks the records from `at` to the end of the message, or to the first fault, and reads the OPT
/// record as far as there is one. Sound are records that are all whole, with the OPT record alone
/// and where it belongs.
fn walk<'m>(
    message: &'m [u8],
    mut at: usize,
    header: Header,
    found: &mut Option<Edns<'m>>,
) -> Result<(), EdnsError> {
    let [_, answers, authorities, additionals] = header.counts.map(u32::from);
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
            if index < answers + authorities || found.is_some() || message[owner] != 0 {
                return Err(EdnsError);
            }
            let (edns, options) = Edns::parse(fixed, rdata);
            *found = Some(edns);
            options?;
        }
    }
    if at == message.len() { Ok(()) } else { Err(EdnsError) }
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

    #[track_caller]
    fn check(message: &[u8], expected: &str) {
        let found = match Query::parse(message) {
            Ok(query) => format!("{} edns={}", query.qtype, query.edns.is_some()),
            Err(Malformed::Ignored) => String::from("ignored"),
            Err(Malformed::Answered { rcode, question, edns, .. }) => {
                format!("{rcode:?} question={} edns={}", !question.is_empty(), edns.is_some())
            }
            Err(Malformed::CookieOnly { .. }) => String::from("cookie"),
        };
        assert_eq!(found, expected, "{message:02x?}");
    }

    /// An OPT record of this version with these options.
    fn opt(version: u8, options: &[u8]) -> Vec<u8> {
        let mut record = OPT.to_vec();
        record[6] = version;
        record[10] = options.len() as u8;
        record.extend(options);
        record
    }

    #[test]
    fn reads_queries_and_sorts_out_the_rest() {
        check(&message(0, [1, 0, 0, 0], &[QUESTION]), "A edns=false");
        check(&message(0, [1, 0, 0, 1], &[QUESTION, OPT]), "A edns=true");
        check(&message(0x80, [1, 0, 0, 0], &[QUESTION]), "ignored");
        check(&message(0, [1, 0, 0, 0], &[QUESTION])[..11], "ignored");
        check(&message(0, [1, 0, 0, 0], &[QUESTION, b"x"]), "FormErr question=true edns=false");
    }

    #[test]
    fn other_opcodes_are_not_implemented_whatever_follows() {
        for opcode in 1..16_u8 {
            let flags = opcode << 3;
            let whole = message(flags, [1, 0, 0, 1], &[QUESTION, OPT]);
            check(&whole, "NotImp question=true edns=true");
            check(&message(flags, [1, 0, 0, 1], &[QUESTION]), "NotImp question=true edns=false");
            check(&message(flags, [0; 4], &[]), "NotImp question=false edns=false");
            check(&message(flags, [9; 4], &[b"x"]), "NotImp question=false edns=false");
        }
    }

    #[test]
    fn a_query_has_one_question() {
        let none = "FormErr question=false edns=false";
        let none_with_opt = "FormErr question=false edns=true";
        check(&message(0, [0, 0, 0, 0], &[]), none);
        check(&message(0, [0, 0, 0, 1], &[OPT]), none_with_opt);
        check(&message(0, [2, 0, 0, 0], &[QUESTION, QUESTION]), none);
        check(&message(0, [2, 0, 0, 1], &[QUESTION, QUESTION, OPT]), none_with_opt);
        check(&message(0, [u16::MAX, 0, 0, 0], &[QUESTION]), none);
        let pointing = b"\xc0\x0c\x00\x01\x00\x01";
        check(&message(0, [1, 0, 0, 0], &[pointing]), none);
        check(&message(0, [1, 0, 0, 1], &[pointing, OPT]), none_with_opt);
    }

    #[test]
    fn a_cookie_may_come_without_a_question() {
        let cookie = opt(0, b"\x00\x0a\x00\x08ABCDEFGH");
        check(&message(0, [0, 0, 0, 1], &[&cookie]), "cookie");
        let with_more = message(0, [0, 0, 0, 1], &[&cookie, b"x"]);
        check(&with_more, "FormErr question=false edns=true");
        let later = opt(1, b"\x00\x0a\x00\x08ABCDEFGH");
        check(&message(0, [0, 0, 0, 1], &[&later]), "FormErr question=false edns=true");
    }

    #[test]
    fn an_opt_record_is_alone_and_in_its_place() {
        let (bare, with_opt) =
            ("FormErr question=true edns=false", "FormErr question=true edns=true");
        check(&message(0, [1, 0, 0, 2], &[QUESTION, OPT, OPT]), with_opt);
        check(&message(0, [1, 1, 0, 0], &[QUESTION, OPT]), bare);
        check(&message(0, [1, 0, 1, 0], &[QUESTION, OPT]), bare);
        check(&message(0, [1, 0, 0, 1], &[QUESTION, b"\x01x", OPT]), bare);
        check(&message(0, [1, 0, 0, 1], &[QUESTION, b"\xc0\x0c", &OPT[1..]]), bare);
        check(&message(0, [1, 0, 0, 1], &[QUESTION, &OPT[..9]]), bare);
        let record = b"\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00";
        check(&message(0, [1, 0, 0, 2], &[QUESTION, record, OPT]), "A edns=true");
        check(&message(0, [1, 0, 0, 2], &[QUESTION, OPT, record]), "A edns=true");
    }

    #[test]
    fn broken_options_are_an_error_in_the_version_that_is_known() {
        for options in [&b"\x00"[..], b"\x00\x03\x00\x01", b"\x00\x0a\x00\x07ABCDEFG"] {
            let known = message(0, [1, 0, 0, 1], &[QUESTION, &opt(0, options)]);
            check(&known, "FormErr question=true edns=true");
            check(&message(0, [1, 0, 0, 1], &[QUESTION, &opt(1, options)]), "A edns=true");
        }
    }

    #[test]
    fn sizes_below_512_are_512_and_unknown_flags_are_nothing() {
        for (size, flags, expected) in [
            (0_u16, 0x0000_u16, (512, false)),
            (511, 0x7fff, (512, false)),
            (4096, 0xffff, (4096, true)),
        ] {
            let mut record = OPT.to_vec();
            record[3..5].copy_from_slice(&size.to_be_bytes());
            record[7..9].copy_from_slice(&flags.to_be_bytes());
            let message = message(0, [1, 0, 0, 1], &[QUESTION, &record]);
            let edns = Query::parse(&message).unwrap().edns.unwrap();
            assert_eq!((edns.udp_size, edns.dnssec_ok), expected);
        }
    }
}
