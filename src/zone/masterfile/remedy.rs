//! What to write instead.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::wire::RecordType;

/// How the types that people write by hand are written.
const FORMS: [(&str, &str); 16] = [
    ("A", "192.0.2.1"),
    ("AAAA", "2001:db8::1"),
    ("CAA", "0 issue \"ca.example.org\""),
    ("CNAME", "host.example.org."),
    ("DNAME", "example.org."),
    ("DS", "60485 8 2 (digest in hex)"),
    ("HTTPS", "1 . alpn=h2"),
    ("MX", "10 mail.example.org."),
    ("NAPTR", "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.org!\" ."),
    ("NS", "ns1.example.org."),
    ("PTR", "host.example.org."),
    ("SOA", "ns1.example.org. hostmaster.example.org. 1 1h 15m 1w 1m"),
    ("SRV", "0 5 443 host.example.org."),
    ("SVCB", "1 . alpn=h2"),
    ("TLSA", "3 1 1 (digest in hex)"),
    ("TXT", "\"text of up to 255 octets\" \"and more\""),
];

/// The type that a word which is none may have been meant to be.
pub(super) fn similar_type(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_uppercase();
    let close =
        |(name, _): &(&'static str, &str)| (strsim::damerau_levenshtein(&text, name), *name);
    let (distance, name) = FORMS.iter().map(close).min()?;
    // A one-letter type is one letter away from everything short.
    (distance == 1 && text.len() > 1 && name.len() > 1).then_some(name)
}

/// What to write instead of RDATA that could not be read.
pub(super) fn remedy(rtype: RecordType, wrong: &str) -> String {
    if rtype == RecordType::A && wrong.parse::<Ipv6Addr>().is_ok() {
        return "an IPv6 address is for AAAA".into();
    }
    if rtype == RecordType::AAAA && wrong.parse::<Ipv4Addr>().is_ok() {
        return "an IPv4 address is for A".into();
    }
    let rtype = rtype.to_string();
    match FORMS.iter().find(|(name, _)| *name == rtype) {
        Some((name, form)) => format!("it is written like `{name} {form}`"),
        None => format!("octets can be written as `{rtype} \\# length hex`"),
    }
}
