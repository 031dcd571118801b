//! EDNS options: what a query's ask for, and why an answer is what it is.
//!
//! ```text
//!  | code 2 | length 2 | data … |   one behind the other in the RDATA of the OPT record
//! ```
//!
//! RFC 6891 §6.1.2: options that nobody knows are passed over.

use super::cookie::Cookie;
use super::edns::EdnsError;
use super::subnet::Subnet;

/// Octets of an option's code and length.
pub(crate) const OPTION_HEAD_LEN: usize = 4;
/// The longest NSID that is sent: with the longest question, a cookie and an OPT record it still
/// leaves room in the 512 octets that every client takes.
pub const NSID_LEN_MAX: usize = 128;

/// The number of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionCode(pub u16);

impl OptionCode {
    /// Which server of many this is. RFC 5001.
    pub const NSID: Self = Self(3);
    /// For whom a resolver asks. RFC 7871.
    pub const CLIENT_SUBNET: Self = Self(8);
    /// RFC 7873.
    pub const COOKIE: Self = Self(10);
    /// How long a silent connection stays. RFC 7828.
    pub const TCP_KEEPALIVE: Self = Self(11);
    /// Octets that mean nothing. RFC 7830.
    pub const PADDING: Self = Self(12);
    /// Why. RFC 8914.
    pub const EXTENDED_ERROR: Self = Self(15);
}

/// What the options of a query ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'m> {
    /// Which server answers.
    pub nsid: bool,
    /// For whom it asks.
    pub subnet: Option<Subnet<'m>>,
    /// Its cookie.
    pub cookie: Option<Cookie<'m>>,
    /// How long a silent connection stays: the octets of the option's data, which should be none.
    pub keepalive: Option<usize>,
    /// That the answer's length tells nothing.
    pub padding: bool,
}

impl<'m> Options<'m> {
    /// Reads the RDATA of an OPT record.
    pub(crate) fn parse(mut rest: &'m [u8]) -> Result<Self, EdnsError> {
        let mut options = Self::default();
        while let Some((&[code_high, code_low, len_high, len_low], tail)) = rest.split_first_chunk()
        {
            let code = OptionCode(u16::from_be_bytes([code_high, code_low]));
            let len = usize::from(u16::from_be_bytes([len_high, len_low]));
            let (data, behind) = tail.split_at_checked(len).ok_or(EdnsError)?;
            rest = behind;
            match code {
                // RFC 5001 §2.1: whatever the client puts in means nothing.
                OptionCode::NSID => options.nsid = true,
                // As with cookies: RFC 7871 does not say what several would mean.
                OptionCode::CLIENT_SUBNET if options.subnet.is_none() => {
                    options.subnet = Some(Subnet::parse(data).ok_or(EdnsError)?);
                }
                // RFC 7873 §5.2: of several the first counts. §5.2.2: no cookie has this length.
                OptionCode::COOKIE if options.cookie.is_none() => {
                    options.cookie = Some(Cookie::parse(data).ok_or(EdnsError)?);
                }
                OptionCode::TCP_KEEPALIVE => options.keepalive = Some(len),
                OptionCode::PADDING => options.padding = true,
                _ => {}
            }
        }
        if rest.is_empty() { Ok(options) } else { Err(EdnsError) }
    }
}

/// Why an answer is what it is, for the operator who reads it with `dig`. RFC 8914 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedError {
    /// The INFO-CODE.
    pub code: u16,
    /// The EXTRA-TEXT, which may be empty.
    pub text: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rdata: &[u8], expected: &str) {
        let found = match Options::parse(rdata) {
            Ok(Options { nsid, subnet, cookie, keepalive, padding }) => {
                let cookie = cookie.map(|cookie| (cookie.client[0], cookie.server.len()));
                let subnet = subnet.map(|subnet| format!(" {:?}", subnet.prefix()));
                format!("{nsid} {cookie:?} {keepalive:?} {padding}{}", subnet.unwrap_or_default())
            }
            Err(EdnsError) => String::from("error"),
        };
        assert_eq!(found, expected, "{rdata:02x?}");
    }

    #[test]
    fn known_options_are_read_and_others_passed_over() {
        check(b"", "false None None false");
        check(b"\x00\x03\x00\x00", "true None None false");
        check(
            b"\x00\x03\x00\x02hi\x00\x0b\x00\x00\x00\x0c\x00\x03\0\0\0",
            "true None Some(0) true",
        );
        check(b"\x00\x0b\x00\x02\x00\x05", "false None Some(2) false");
        check(b"\xff\xf0\x00\x01x\x00\x09\x00\x00\x00\x03\x00\x00", "true None None false");
        check(b"\x00\x0a\x00\x08AAAAAAAA", "false Some((65, 0)) None false");
        check(b"\x00\x0a\x00\x10AAAAAAAABBBBBBBB", "false Some((65, 8)) None false");
    }

    #[test]
    fn of_two_cookies_the_first_counts() {
        check(
            b"\x00\x0a\x00\x08AAAAAAAA\x00\x0a\x00\x08BBBBBBBB",
            "false Some((65, 0)) None false",
        );
        check(b"\x00\x0a\x00\x08AAAAAAAA\x00\x0a\x00\x01B", "false Some((65, 0)) None false");
    }

    #[test]
    fn of_two_subnets_the_first_counts() {
        let first = b"\x00\x08\x00\x05\x00\x01\x08\x00\x0a";
        let read = "false None None false Some((10.0.0.0, 8))";
        check(first, read);
        check(&[&first[..], b"\x00\x08\x00\x05\x00\x01\x08\x00\x0b"].concat(), read);
        check(&[&first[..], b"\x00\x08\x00\x00"].concat(), read);
        check(&[&b"\x00\x08\x00\x00"[..], first].concat(), "error");
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        check(b"\x00", "error");
        check(b"\x00\x03\x00", "error");
        check(b"\x00\x03\x00\x01", "error");
        check(b"\x00\x03\x00\x00\x00", "error");
        check(b"\x00\x0a\x00\x07AAAAAAA", "error");
        check(b"\x00\x0a\x00\x00", "error");
        check(b"\x00\x0a\x00\x0fAAAAAAAABBBBBBB", "error");
    }
}
