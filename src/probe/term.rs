//! The dates of a certificate: from when to when it is good.
//!
//! The TLS library judges certificates but does not show their dates. They stand at a fixed place
//! (RFC 5280 §4.1), behind elements that are only stepped over.

use std::str;
use std::time::UNIX_EPOCH;

/// The seconds since 1970 between which a certificate is good, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) not_before: u64,
    pub(super) not_after: u64,
}

const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

impl Term {
    /// Reads the dates of a certificate in DER; none where it is not one.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let signed = element(certificate)?.content;
        let mut fields = element(signed)?.content;
        if fields.first() == Some(&VERSION) {
            fields = element(fields)?.rest;
        }
        // Serial number, algorithm, issuer.
        for _ in 0..3 {
            fields = element(fields)?.rest;
        }
        let not_before = element(element(fields)?.content)?;
        let not_after = element(not_before.rest)?;
        Some(Self { not_before: seconds(&not_before)?, not_after: seconds(&not_after)? })
    }
}

/// One element of DER: X.690 §8.1, §10.1.
struct Element<'d> {
    tag: u8,
    content: &'d [u8],
    /// What follows it.
    rest: &'d [u8],
}

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(Element { tag, content, rest })
}

/// A time as certificates have it: RFC 5280 §4.1.2.5. What lies before 1970 is 1970.
fn seconds(time: &Element<'_>) -> Option<u64> {
    let text = str::from_utf8(time.content).ok()?;
    let text = match time.tag {
        // Two digits of the year: 50 is 1950.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| text.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    if text.get(14..)? != "Z" {
        return None;
    }
    let rfc3339 = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    if year < "1970" {
        return Some(0);
    }
    let time = humantime::parse_rfc3339(&rfc3339).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[track_caller]
    fn check(from: (i32, u8), to: (i32, u8), not_before: u64, not_after: u64) {
        let mut params = CertificateParams::new(["a.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, 1);
        params.not_after = date_time_ymd(to.0, to.1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(Term::of(certificate.der()), Some(Term { not_before, not_after }));
    }

    #[test]
    fn dates_are_read_in_both_forms() {
        check((1970, 2), (1999, 12), 2_678_400, 944_006_400);
        check((2000, 1), (2049, 12), 946_684_800, 2_521_929_600);
        check((1955, 1), (2050, 1), 0, 2_524_608_000);
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["a.test".to_owned()]).unwrap();
        let whole = params.self_signed(&key).unwrap();
        for end in 0..whole.der().len() {
            assert_eq!(Term::of(&whole.der()[..end]), None, "{end}");
        }
        assert_eq!(Term::of(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(Term::of(&[0x30; 64]), None);
    }
}
