//! Questions: the lines of a file as messages that lack nothing but their id.
//!
//! A line is `NAME TYPE`, without a type `NAME`, which asks for A; `#` begins a comment. Names are
//! plain: no escapes, since no bench asks for a dot inside a label.
//!
//! With [`Subnets::Random10`] every message carries an EDNS Client Subnet (RFC 7871 §6) of its
//! own: 65,536 draws out of a seeded row, the same in every run, so that all servers see the same
//! clients.

/// Octets of a message's header (RFC 1035 §4.1.1).
pub(crate) const HEADER_LEN: usize = 12;
const LABEL_LEN_MAX: usize = 63;
const NAME_LEN_MAX: usize = 255;

const CLASS_IN: u16 = 1;
const TYPE_OPT: u16 = 41;
/// What fits any path: the size that servers and resolvers agreed on in 2020 (DNS Flag Day).
const UDP_SIZE: u16 = 1232;
const OPTION_CLIENT_SUBNET: u16 = 8;
const FAMILY_IPV4: u16 = 1;
const SUBNET_PREFIX_LEN: u8 = 24;

/// So many messages are made when each has its client subnet; more lines make more.
const SUBNET_DRAWS: usize = 65_536;

const TYPES: [(&str, u16); 15] = [
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", 12),
    ("MX", 15),
    ("TXT", 16),
    ("AAAA", 28),
    ("SRV", 33),
    ("DS", 43),
    ("DNSKEY", 48),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("ANY", 255),
    ("CAA", 257),
];

/// Which clients the questions tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subnets {
    /// No EDNS at all.
    Untold,
    /// IPv4 /24 networks inside 10.0.0.0/13.
    Random10,
}

/// A message to be sent as often as wanted, each time under another id.
pub(crate) struct Question {
    wire: Vec<u8>,
    section_end: usize,
}

impl Question {
    /// The whole message. Its id is 0.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// True where the message has this question, octet by octet: case is kept by every server.
    pub(crate) fn is_in(&self, message: &[u8]) -> bool {
        let section = HEADER_LEN..self.section_end;
        message.get(section.clone()) == Some(&self.wire[section])
    }

    fn new(section: &[u8], subnet: Option<[u8; 3]>) -> Self {
        // One question; a record beside it where there is an OPT.
        let mut wire = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(subnet.is_some())];
        wire.extend_from_slice(section);
        let section_end = wire.len();
        if let Some(network) = subnet {
            // RFC 6891 §6.1.2: the root's name, type, size, extended rcode and flags, length.
            wire.push(0);
            for word in [TYPE_OPT, UDP_SIZE, 0, 0, 11] {
                wire.extend_from_slice(&word.to_be_bytes());
            }
            for word in [OPTION_CLIENT_SUBNET, 7, FAMILY_IPV4] {
                wire.extend_from_slice(&word.to_be_bytes());
            }
            wire.extend_from_slice(&[SUBNET_PREFIX_LEN, 0]);
            wire.extend_from_slice(&network);
        }
        Self { wire, section_end }
    }
}

/// The messages of a file's text; an error names the line.
pub(crate) fn parse(text: &str, subnets: Subnets) -> Result<Vec<Question>, String> {
    let mut sections = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(name) = words.next() else { continue };
        let section = section(name, words.next().unwrap_or("A"));
        sections.push(section.map_err(|problem| format!("line {}: {problem}", index + 1))?);
    }
    if sections.is_empty() {
        return Err("no line has a question".to_owned());
    }
    Ok(match subnets {
        Subnets::Untold => sections.iter().map(|section| Question::new(section, None)).collect(),
        Subnets::Random10 => {
            let count = sections.len().max(SUBNET_DRAWS);
            let networks = Random10(0x9e37_79b9_7f4a_7c15);
            let pairs = sections.iter().cycle().zip(networks).take(count);
            pairs.map(|(section, network)| Question::new(section, Some(network))).collect()
        }
    })
}

/// A name, a type and the class IN, as they stand in a message (RFC 1035 §4.1.2).
fn section(name: &str, kind: &str) -> Result<Vec<u8>, String> {
    let mut section = Vec::new();
    let relative = name.strip_suffix('.').unwrap_or(name);
    for label in relative.split('.').filter(|_| !relative.is_empty()) {
        let len = u8::try_from(label.len()).unwrap_or(u8::MAX);
        if !(1..=LABEL_LEN_MAX).contains(&label.len()) {
            return Err(format!("{name}: a label has 1 to {LABEL_LEN_MAX} octets"));
        }
        section.push(len);
        section.extend_from_slice(label.as_bytes());
    }
    section.push(0);
    if section.len() > NAME_LEN_MAX {
        return Err(format!("{name}: a name has at most {NAME_LEN_MAX} octets"));
    }
    section.extend_from_slice(&type_number(kind)?.to_be_bytes());
    section.extend_from_slice(&CLASS_IN.to_be_bytes());
    Ok(section)
}

fn type_number(kind: &str) -> Result<u16, String> {
    let upper = kind.to_ascii_uppercase();
    let known = TYPES.iter().find(|(name, _)| *name == upper).map(|(_, number)| *number);
    // RFC 3597 §5: every type has a name of this form too.
    let number = || upper.strip_prefix("TYPE").and_then(|digits| digits.parse().ok());
    known
        .or_else(number)
        .ok_or_else(|| format!("{kind}: no type that is known, nor TYPE1 and so on"))
}

/// Networks inside 10.0.0.0/13 without end, out of a state that is not 0 (xorshift64).
struct Random10(u64);

impl Iterator for Random10 {
    type Item = [u8; 3];

    fn next(&mut self) -> Option<[u8; 3]> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let [_, _, second, third, ..] = (self.0 >> 12).to_le_bytes();
        Some([10, second & 7, third])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wires(text: &str) -> Vec<Vec<u8>> {
        let questions = parse(text, Subnets::Untold).unwrap();
        questions.into_iter().map(|question| question.wire).collect()
    }

    #[test]
    fn a_line_becomes_a_message() {
        let header = b"\0\0\0\0\0\x01\0\0\0\0\0\0";
        let www = [&header[..], b"\x03www\x07example\x03org\0\0\x1c\0\x01"].concat();
        let root = [&header[..], b"\0\0\x02\0\x01"].concat();
        let number = [&header[..], b"\x01a\0\x01\x01\0\x01"].concat();
        let text = "# all\nwww.example.org. aaaa # one\n\n. NS\na TYPE257\n";
        assert_eq!(wires(text), [www, root, number]);
        assert_eq!(wires("a"), wires("a. A"));
    }

    #[test]
    fn a_subnet_comes_as_an_option() {
        let section = section("a", "A").unwrap();
        let question = Question::new(&section, Some([10, 1, 2]));
        let wire = b"\0\0\0\0\0\x01\0\0\0\0\0\x01\x01a\0\0\x01\0\x01\
            \0\0\x29\x04\xd0\0\0\0\0\0\x0b\0\x08\0\x07\0\x01\x18\0\x0a\x01\x02";
        assert_eq!(question.wire(), wire);
        assert!(question.is_in(wire) && question.is_in(&wire[..19]));
        assert!(!question.is_in(&wire[..18]) && !question.is_in(&wires("b")[0]));
    }

    #[test]
    fn networks_are_many_and_within_their_prefix() {
        let questions = parse("a\nb", Subnets::Random10).unwrap();
        assert_eq!(questions.len(), SUBNET_DRAWS);
        let networks: Vec<&[u8]> =
            questions.iter().map(|question| &question.wire[question.wire.len() - 3..]).collect();
        assert!(networks.iter().all(|network| network[0] == 10 && network[1] < 8));
        let distinct: std::collections::HashSet<_> = networks.into_iter().collect();
        assert!(distinct.len() > 2_000, "{} of 2,048", distinct.len());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let long = format!("a\n{}", "a".repeat(64));
        let deep = "a.".repeat(128);
        let cases = [("", "no line"), ("a\n\nb NONE", "line 3: NONE"), ("a..b", "line 1: a..b")];
        for (text, start) in cases.into_iter().chain([(&*long, "line 2: aa"), (&*deep, "line 1")]) {
            let problem = parse(text, Subnets::Untold).err().unwrap();
            assert!(problem.starts_with(start), "{text}: {problem}");
        }
    }
}
