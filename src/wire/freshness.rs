//! How long a response may be kept by somebody who knows nothing of DNS: a cache of HTTP.
//!
//! RFC 8484 §5.1: no longer than the smallest TTL among the answers; without an answer, no longer
//! than the SOA record says that there is none (RFC 2308 §5). What has neither is not kept.

use super::codes::RecordType;
use super::header::{HEADER_LEN, Header};

/// The seconds for which a response is fresh. What cannot be read is not.
pub fn freshness(response: &[u8]) -> u32 {
    read(response).unwrap_or(0)
}

fn read(message: &[u8]) -> Option<u32> {
    let [questions, answers, authorities, _] = Header::parse(message)?.counts;
    let mut at = HEADER_LEN;
    for _ in 0..questions {
        at = behind_name(message, at)? + 4;
    }
    let mut least = None;
    for index in 0..u32::from(answers) + u32::from(authorities) {
        let is_answer = index < u32::from(answers);
        let fixed = behind_name(message, at)?;
        let &[type_high, type_low, _, _, t0, t1, t2, t3, len_high, len_low] =
            message.get(fixed..)?.first_chunk()?;
        let rdata = fixed + 10;
        at = rdata + usize::from(u16::from_be_bytes([len_high, len_low]));
        let rtype = RecordType(u16::from_be_bytes([type_high, type_low]));
        let mut ttl = u32::from_be_bytes([t0, t1, t2, t3]);
        if !is_answer {
            if answers > 0 || rtype != RecordType::SOA {
                continue;
            }
            // The last of its numbers.
            let minimum = message.get(rdata..at)?.last_chunk()?;
            ttl = ttl.min(u32::from_be_bytes(*minimum));
        }
        least = Some(least.map_or(ttl, |least: u32| least.min(ttl)));
    }
    least
}

/// Where a name ends that begins there: with the root, or a pointer to the rest of it.
fn behind_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            0xc0.. => return Some(at + 2),
            len => at += 1 + usize::from(len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOA_RDATA: &[u8] = b"\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x3c";

    fn record(rtype: u16, ttl: u32, rdata: &[u8]) -> Vec<u8> {
        let len = (rdata.len() as u16).to_be_bytes();
        [b"\xc0\x0c", &rtype.to_be_bytes()[..], &[0, 1], &ttl.to_be_bytes(), &len, rdata].concat()
    }

    /// A response with these answers and authorities, and an OPT record behind them.
    #[track_caller]
    fn check(answers: &[Vec<u8>], authorities: &[Vec<u8>], expected: u32) {
        let counts = [1, answers.len() as u16, authorities.len() as u16, 1];
        let mut message = b"\x00\x07\x84\x00".to_vec();
        message.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        message.extend(b"\x03www\x07example\x00\x00\x01\x00\x01");
        let whole_at = message.len() + answers.concat().len() + authorities.concat().len();
        message.extend(answers.concat());
        message.extend(authorities.concat());
        message.extend(b"\0\0\x29\x04\xd0\0\0\0\0\0\0");
        assert_eq!(freshness(&message), expected, "{}", message.escape_ascii());
        for len in 0..whole_at {
            // Half a record may be enough to know its TTL, but never for more than there is.
            let half = freshness(&message[..len]);
            assert!(half == 0 || half >= expected, "{len}");
        }
    }

    #[test]
    fn the_smallest_ttl_of_the_answers_counts() {
        let (a, soa) = (|ttl| record(1, ttl, &[192, 0, 2, 1]), |ttl| record(6, ttl, SOA_RDATA));
        check(&[a(30)], &[], 30);
        check(&[a(30), a(5), a(60)], &[record(2, 1, b"\xc0\x0c")], 5);
        check(&[a(3600)], &[soa(10)], 3600);
        check(&[], &[soa(3600)], 60);
        check(&[], &[soa(10)], 10);
        check(&[], &[record(2, 3600, b"\xc0\x0c")], 0);
        check(&[], &[], 0);
        check(&[a(0)], &[], 0);
        check(&[a(u32::MAX)], &[], u32::MAX);
        assert_eq!(freshness(b""), 0);
    }
}
