//! A response in the form that is compared: header bits, and sections as sets of records.
//!
//! Order, compression and the case of names mean nothing (RFC 2181 §5, RFC 1035 §4.1.4, RFC 4343);
//! everything else does. The `domain` crate decodes; Rota's responses are also given to
//! hickory-proto, which must see the same.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use domain::base::message::RecordSection;
use domain::base::name::ToName;
use domain::base::rdata::ComposeRecordData;
use domain::base::{Message, ParsedName, Rtype};
use domain::rdata::AllRecordData;

use super::name::Name;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing in time.
    Silence,
    /// Octets that are no DNS message, with the reason.
    Unreadable(String),
    /// A response.
    Answer(Answer),
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response code, with the OPT record's part.
    pub rcode: u16,
    /// Opcode and RD, as the third octet has them.
    pub echoed: u8,
    /// AA.
    pub authoritative: bool,
    /// TC.
    pub truncated: bool,
    /// RA, Z, AD and CD, as the fourth octet has them.
    pub low_flags: u8,
    /// The question section's octets.
    pub question: Vec<u8>,
    /// The answer section.
    pub answer: Section,
    /// The authority section.
    pub authority: Section,
    /// The additional section without the OPT record.
    pub additional: Section,
    /// Version and DO of the OPT record.
    pub opt: Option<(u8, bool)>,
    /// Octets in all.
    pub len: usize,
    /// Records that stand twice in one section.
    pub repeated: usize,
}

/// The records of a section.
pub type Section = BTreeSet<Record>;

/// One record, its names in lower case and uncompressed.
#[derive(Clone, Debug)]
pub struct Record {
    /// In lower case.
    pub owner: Name,
    /// Its type.
    pub rtype: Rtype,
    class: u16,
    /// In seconds.
    pub ttl: u32,
    /// In canonical form. RFC 4034 §6.2.
    rdata: Vec<u8>,
    /// For people.
    shown: String,
}

impl Record {
    /// The name that a CNAME points at, in lower case.
    pub fn target(&self) -> Option<Name> {
        if self.rtype == Rtype::CNAME { Name::from_wire(&self.rdata) } else { None }
    }

    fn key(&self) -> (&Name, u16, u16, u32, &[u8]) {
        (&self.owner, self.rtype.to_int(), self.class, self.ttl, &self.rdata)
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Record {}

impl PartialOrd for Record {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Record {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.owner, self.ttl, self.rtype, self.shown)
    }
}

impl Answer {
    /// Reads a response.
    pub fn decode(octets: &[u8]) -> Result<Self, String> {
        Self::read(octets).map_err(|error| error.to_string())
    }

    fn read(octets: &[u8]) -> Result<Self, Box<dyn std::error::Error>> {
        let message = Message::from_octets(octets)?;
        let mut answer = Self {
            rcode: u16::from(octets[3] & 0x0f),
            echoed: octets[2] & 0x79,
            authoritative: octets[2] & 0x04 != 0,
            truncated: octets[2] & 0x02 != 0,
            low_flags: octets[3] & 0xf0,
            question: Vec::new(),
            answer: Section::new(),
            authority: Section::new(),
            additional: Section::new(),
            opt: None,
            len: octets.len(),
            repeated: 0,
        };
        let mut questions = message.question();
        for question in &mut questions {
            question?;
        }
        let start = questions.pos();
        answer.question = octets[12..start].to_vec();
        let answers = questions.answer()?;
        let authorities = answer.section(answers, |answer| &mut answer.answer)?;
        let additionals = answer.section(authorities, |answer| &mut answer.authority)?;
        answer.section(additionals, |answer| &mut answer.additional)?;
        Ok(answer)
    }

    /// Reads a section and gives the next, or itself at the end.
    fn section<'m>(
        &mut self,
        mut section: RecordSection<'m, &'m [u8]>,
        into: fn(&mut Self) -> &mut Section,
    ) -> Result<RecordSection<'m, &'m [u8]>, Box<dyn std::error::Error>> {
        for record in &mut section {
            let record = record?;
            if record.rtype() == Rtype::OPT {
                let ttl = record.ttl().as_secs();
                self.rcode |= ((ttl >> 24) as u16) << 4;
                self.opt = Some(((ttl >> 16) as u8, ttl & 0x8000 != 0));
                continue;
            }
            let (owner, rtype) = (record.owner(), record.rtype());
            let (class, ttl) = (record.class().to_int(), record.ttl().as_secs());
            let owner = owner.to_canonical_name::<Vec<u8>>();
            let owner = Name::from_wire(owner.as_slice()).ok_or("an owner is no name")?;
            let any = record.to_any_record::<AllRecordData<&[u8], ParsedName<&[u8]>>>()?;
            let mut rdata = Vec::new();
            any.data().compose_canonical_rdata(&mut rdata)?;
            let shown = any.data().to_string();
            let record = Record { owner, rtype, class, ttl, rdata, shown };
            if !into(self).insert(record) {
                self.repeated += 1;
            }
        }
        Ok(section.next_section()?.unwrap_or(section))
    }

    /// True for a response that refers to other servers.
    pub fn is_referral(&self) -> bool {
        self.authority.iter().any(|record| record.rtype == Rtype::NS)
    }
}

impl Reply {
    /// What became of the question, in a word or two.
    pub fn outcome(&self) -> &'static str {
        let answer = match self {
            Self::Silence => return "silence",
            Self::Unreadable(_) => return "unreadable",
            Self::Answer(answer) => answer,
        };
        let has = |rtype| answer.answer.iter().any(|record| record.rtype == rtype);
        match (answer.rcode, answer.answer.is_empty()) {
            (0, _) if has(Rtype::DNAME) => "DNAME",
            (0, _) if has(Rtype::CNAME) => "alias",
            (0, false) => "answer",
            (0, true) if answer.is_referral() => "referral",
            (0, true) => "NODATA",
            (3, true) => "NXDOMAIN",
            (3, false) => "alias to NXDOMAIN",
            (5, _) => "REFUSED",
            (6, _) => "YXDOMAIN",
            (_, _) => "other errors",
        }
    }

    /// What kind of response it is, in a few words: alike for alike responses about other names.
    pub fn shape(&self) -> String {
        let answer = match self {
            Self::Silence => return String::from("silence"),
            Self::Unreadable(_) => return String::from("unreadable"),
            Self::Answer(answer) => answer,
        };
        let types = |section: &Section| {
            let types: BTreeSet<Rtype> = section.iter().map(|record| record.rtype).collect();
            let types: Vec<String> = types.iter().map(Rtype::to_string).collect();
            types.join(" ")
        };
        format!(
            "{}{} [{}] [{}] [{}]",
            answer.rcode,
            if answer.authoritative { " AA" } else { "" },
            types(&answer.answer),
            types(&answer.authority),
            types(&answer.additional)
        )
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = match self {
            Self::Silence => return writeln!(f, "silence"),
            Self::Unreadable(why) => return writeln!(f, "unreadable: {why}"),
            Self::Answer(answer) => answer,
        };
        writeln!(
            f,
            "rcode {}{}{} echoed {:02x} low flags {:02x} opt {:?}, {} octets",
            answer.rcode,
            if answer.authoritative { " AA" } else { "" },
            if answer.truncated { " TC" } else { "" },
            answer.echoed,
            answer.low_flags,
            answer.opt,
            answer.len
        )?;
        for (title, section) in [
            ("answer", &answer.answer),
            ("authority", &answer.authority),
            ("additional", &answer.additional),
        ] {
            // A section of many records says no more than its first.
            for record in section.iter().take(SHOWN_MAX) {
                let text = record.to_string();
                writeln!(f, "      {title}: {}", &text[..text.len().min(220)])?;
            }
            if section.len() > SHOWN_MAX {
                writeln!(f, "      {title}: ... {} in all", section.len())?;
            }
        }
        Ok(())
    }
}

const SHOWN_MAX: usize = 16;

impl Answer {
    /// True where every address of a name server below the cut itself is here that `whole` has.
    pub fn has_glue_of(&self, whole: &Self) -> bool {
        let servers = whole.authority.iter().filter(|record| record.rtype == Rtype::NS);
        let inside: BTreeSet<Name> = servers
            .filter_map(|record| Some((&record.owner, Name::from_wire(&record.rdata)?)))
            .filter(|(cut, server)| server.is_at_or_under(cut))
            .map(|(_, server)| server)
            .collect();
        let mut needed = whole.additional.iter().filter(|record| inside.contains(&record.owner));
        needed.all(|record| self.additional.contains(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x03www\x02ab\x00\x00\x05\x00\x01";
    const TARGET: &[u8] = b"\xc0\x10";

    /// A response with a CNAME and its TTL, whose owner and target are written as given.
    fn response(owner: &[u8], ttl: u8, target: &[u8], opt: &[u8]) -> Vec<u8> {
        let mut octets = vec![0, 1, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, u8::from(!opt.is_empty())];
        octets.extend(QUESTION);
        octets.extend([owner, &[0, 5, 0, 1, 0, 0, 0, ttl, 0, target.len() as u8], target].concat());
        octets.extend(opt);
        octets
    }

    fn check(left: &[u8], right: &[u8], same: bool) {
        let [left, right] = [left, right].map(|octets| Answer::decode(octets).unwrap());
        let equal = left.answer == right.answer;
        assert_eq!(equal, same, "{}", Reply::Answer(right));
    }

    #[test]
    fn compression_and_case_mean_nothing_and_all_else_does() {
        let usual = response(b"\xc0\x0c", 9, TARGET, b"");
        check(&usual, &response(b"\x03WWW\x02ab\x00", 9, b"\x02AB\x00", b""), true);
        check(&usual, &response(b"\xc0\x0c", 8, TARGET, b""), false);
        check(&usual, &response(b"\xc0\x10", 9, TARGET, b""), false);
        check(&usual, &response(b"\xc0\x0c", 9, b"\x02ac\x00", b""), false);
    }

    #[test]
    fn the_opt_record_adds_to_the_response_code() {
        let opt = b"\x00\x00\x29\x04\xd0\x01\x00\x80\x00\x00\x00";
        let answer = Answer::decode(&response(b"\xc0\x0c", 9, TARGET, opt)).unwrap();
        assert_eq!((answer.rcode, answer.opt), (16, Some((0, true))));
        assert!(answer.additional.is_empty());
    }

    #[test]
    fn what_stands_twice_is_counted() {
        let mut twice = response(b"\xc0\x0c", 9, TARGET, b"");
        let again = twice[12 + QUESTION.len()..].to_vec();
        twice.extend(again);
        twice[7] = 2;
        let answer = Answer::decode(&twice).unwrap();
        assert_eq!((answer.answer.len(), answer.repeated), (1, 1));
    }
}
