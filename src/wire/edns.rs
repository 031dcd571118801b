//! The OPT record, of a query and of a response. RFC 6891.
//!
//! ```text
//!  owner  type  class                ttl                          rdlength  rdata
//!   00    41    sender's UDP size    ext. rcode | version | DO Z     n      options: code len data
//! ```
//!
//! A response has one if, and only if, the query had (§7). What its options will be is known before
//! the answer is written, so that room for them is kept from the start, and the one octet that the
//! answer decides, the scope of a client subnet, is set in its place. Only an extended error and
//! padding depend on the answer whole, and both take what room is left.

use super::codes::{Rcode, RecordType};
use super::cookie::COOKIE_LEN;
use super::options::{ExtendedError, NSID_LEN_MAX, OPTION_HEAD_LEN, OptionCode, Options};
use super::subnet::{SCOPE_AT, SUBNET_LEN_MAX, Subnet};

/// Octets of an OPT record without options.
pub const OPT_LEN: usize = 11;
/// The response size that every client takes. RFC 1035 §4.2.1, RFC 6891 §6.2.5.
pub const UDP_SIZE_MIN: u16 = 512;
/// The DO bit in the OPT record's flags. RFC 3225 §3.
const DO: u16 = 0x8000;
/// Octets of the timeout in a keepalive option. RFC 7828 §3.1.
const KEEPALIVE_LEN: usize = 2;
/// All options that a response can have beside an extended error and padding, each once.
const OPTIONS_LEN_MAX: usize =
    4 * OPTION_HEAD_LEN + COOKIE_LEN + NSID_LEN_MAX + KEEPALIVE_LEN + SUBNET_LEN_MAX;
/// Padded responses are multiples of this. RFC 8467 §4.1.
const PADDING_BLOCK: usize = 468;

/// What the OPT record of a query says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns<'m> {
    /// The largest UDP response that the client can take, never below 512.
    pub udp_size: u16,
    /// 0 is the only version there is.
    pub version: u8,
    /// DNSSEC records are welcome.
    pub dnssec_ok: bool,
    /// What the options ask for; nothing in a version that is not known.
    pub options: Options<'m>,
}

/// The OPT record breaks the format: FORMERR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdnsError;

impl<'m> Edns<'m> {
    /// Reads an OPT record from its type, class, TTL and length octets and its RDATA. Where only
    /// the options are broken the rest holds all the same, and shapes the error's response.
    pub(crate) fn parse(fixed: &[u8; 10], rdata: &'m [u8]) -> (Self, Result<(), EdnsError>) {
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let version = fixed[5];
        // RFC 6891 §6.1.3: what another version means by its RDATA is not for us to judge.
        let options = if version == 0 { Options::parse(rdata) } else { Ok(Options::default()) };
        let edns = Self {
            // RFC 6891 §6.2.3: values lower than 512 are treated as 512.
            udp_size: word(2).max(UDP_SIZE_MIN),
            version,
            // RFC 6891 §6.1.4: the other flags are ignored.
            dnssec_ok: word(6) & DO != 0,
            options: options.unwrap_or_default(),
        };
        (edns, options.map(|_| ()))
    }
}

/// The OPT record of a response while it is put together.
#[derive(Clone, Debug)]
pub struct Opt {
    udp_size: u16,
    dnssec_ok: bool,
    padded: bool,
    options: [u8; OPTIONS_LEN_MAX],
    len: usize,
    /// Where in the options a scope may be set.
    scope_at: Option<usize>,
}

impl Default for Opt {
    fn default() -> Self {
        Self {
            udp_size: 0,
            dnssec_ok: false,
            padded: false,
            options: [0; OPTIONS_LEN_MAX],
            len: 0,
            scope_at: None,
        }
    }
}

impl Opt {
    /// Without options: our UDP size, and the client's DO bit, which goes back as it came
    /// (RFC 3225 §3).
    pub fn new(udp_size: u16, dnssec_ok: bool) -> Self {
        let mut opt = Self::default();
        opt.begin(udp_size, dnssec_ok);
        opt
    }

    /// Begins one that was not begun yet: it is too large to be handed about.
    pub fn begin(&mut self, udp_size: u16, dnssec_ok: bool) {
        (self.udp_size, self.dnssec_ok) = (udp_size, dnssec_ok);
    }

    /// Adds an option. What does not fit is left out, which takes more than each option once.
    pub fn option(&mut self, code: OptionCode, data: &[u8]) {
        let Some(room) = self.options.get_mut(self.len..) else { return };
        if let Some(place) = begin_option(room, code, data.len()) {
            place.copy_from_slice(data);
            self.len += OPTION_HEAD_LEN + data.len();
        }
    }

    /// Returns the client subnet of the query, with a scope of 0 until another is set.
    ///
    /// RFC 7871 §7.2.1: family, source prefix and address as they came. Where the source prefix
    /// has no bits the answer is not for the client, and the scope stays.
    pub fn subnet(&mut self, subnet: &Subnet<'_>) {
        let scope_at = self.len + OPTION_HEAD_LEN + SCOPE_AT;
        self.option(OptionCode::CLIENT_SUBNET, subnet.data());
        self.scope_at = subnet.prefix().filter(|_| scope_at < self.len).map(|_| scope_at);
    }

    /// The scope of the client subnet, if there is one that may have any.
    pub(crate) fn scope(&mut self) -> Option<&mut u8> {
        self.options.get_mut(self.scope_at?)
    }

    /// The response will be padded, so that its length tells nothing about what is in it.
    pub fn padded(&mut self) {
        self.padded = true;
    }

    /// Octets that must be kept for it whatever the answer is.
    pub(crate) fn reserved(&self) -> usize {
        OPT_LEN + self.len + if self.padded { OPTION_HEAD_LEN } else { 0 }
    }

    /// Writes the record at `at` of a message that may fill `out`; gives the message's length.
    pub(crate) fn write(
        &self,
        out: &mut [u8],
        at: usize,
        rcode: Rcode,
        why: Option<ExtendedError>,
    ) -> usize {
        let [type_high, type_low] = RecordType::OPT.0.to_be_bytes();
        let [size_high, size_low] = self.udp_size.to_be_bytes();
        let [flags_high, flags_low] = if self.dnssec_ok { DO.to_be_bytes() } else { [0; 2] };
        // RFC 6891 §6.1.3: the version is the highest that we speak, which is 0.
        let fixed = [0, type_high, type_low, size_high, size_low, rcode.high(), 0];
        let rdata = at + OPT_LEN;
        out[at..at + fixed.len()].copy_from_slice(&fixed);
        out[at + fixed.len()..rdata].copy_from_slice(&[flags_high, flags_low, 0, 0]);
        let mut end = rdata + self.len;
        out[rdata..end].copy_from_slice(&self.options[..self.len]);
        let kept = if self.padded { OPTION_HEAD_LEN } else { 0 };
        if let Some(why) = why {
            // RFC 8914 §3: a long text goes first, and no response is cut for the sake of it.
            let room = out.len() - kept;
            let room = &mut out[end..room];
            end += write_why(room, why.code, why.text)
                .or_else(|| write_why(room, why.code, ""))
                .unwrap_or(0);
        }
        if self.padded {
            end = write_padding(out, end);
        }
        // No message is longer than 65,535 octets.
        let rdata_len = (end - rdata) as u16;
        out[rdata - 2..rdata].copy_from_slice(&rdata_len.to_be_bytes());
        end
    }
}

/// Fills a message that ends at `end` up to a whole number of blocks with a padding option, or as
/// far as `out` goes; gives its length then. RFC 7830 §3, RFC 8467 §4.1.
fn write_padding(out: &mut [u8], end: usize) -> usize {
    let least = end + OPTION_HEAD_LEN;
    let length = least.next_multiple_of(PADDING_BLOCK).min(out.len());
    if let Some(data) = begin_option(&mut out[end..length], OptionCode::PADDING, length - least) {
        // RFC 7830 §3: the octets should be zero.
        data.fill(0);
    }
    length
}

/// Writes why an answer is what it is; gives its octets, or none where there is no room.
fn write_why(room: &mut [u8], code: u16, text: &str) -> Option<usize> {
    let code = code.to_be_bytes();
    let data_len = code.len() + text.len();
    let (first, rest) =
        begin_option(room, OptionCode::EXTENDED_ERROR, data_len)?.split_at_mut(code.len());
    first.copy_from_slice(&code);
    rest.copy_from_slice(text.as_bytes());
    Some(OPTION_HEAD_LEN + data_len)
}

/// Begins an option with so many octets of data; gives their place, or none where there is no room.
fn begin_option(room: &mut [u8], code: OptionCode, data_len: usize) -> Option<&mut [u8]> {
    let (head, rest) = room.split_first_chunk_mut::<OPTION_HEAD_LEN>()?;
    let data = rest.get_mut(..data_len)?;
    let [code_high, code_low] = code.0.to_be_bytes();
    let [len_high, len_low] = u16::try_from(data_len).ok()?.to_be_bytes();
    *head = [code_high, code_low, len_high, len_low];
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHY: ExtendedError = ExtendedError { code: 20, text: "why" };

    /// The record written at octet 3 of a message of at most `room` octets.
    fn write(opt: &Opt, room: usize, rcode: Rcode, why: Option<ExtendedError>) -> Vec<u8> {
        let mut out = vec![0xee; room];
        let end = opt.write(&mut out, 3, rcode, why);
        out[3..end].to_vec()
    }

    #[test]
    fn a_record_says_what_it_was_told() {
        let mut opt = Opt::new(1232, true);
        assert_eq!(
            write(&opt, 512, Rcode::BadVers, None),
            b"\x00\x00\x29\x04\xd0\x01\x00\x80\x00\x00\x00"
        );
        opt.option(OptionCode::NSID, b"a");
        assert_eq!(opt.reserved(), OPT_LEN + 5);
        assert_eq!(
            write(&opt, 512, Rcode::NoError, Some(WHY)),
            b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x0e\
              \x00\x03\x00\x01a\x00\x0f\x00\x05\x00\x14why"
        );
    }

    #[test]
    fn an_explanation_takes_only_room_that_is_left() {
        let opt = Opt::new(1232, false);
        for (room, len) in [(23, 20), (22, 17), (20, 17), (19, 11), (14, 11)] {
            assert_eq!(write(&opt, room, Rcode::Refused, Some(WHY)).len(), len, "{room}");
        }
    }

    #[test]
    fn padding_fills_whole_blocks_and_never_more_than_there_is() {
        let mut opt = Opt::new(1232, false);
        opt.padded();
        for (at, room, expected) in [
            (100, 65_535, 468),
            (468 - OPT_LEN - OPTION_HEAD_LEN, 65_535, 468),
            (468 - OPT_LEN - OPTION_HEAD_LEN + 1, 65_535, 936),
            (100, 300, 300),
            (100, 100 + opt.reserved(), 100 + opt.reserved()),
        ] {
            let mut out = vec![0xee; room];
            let end = opt.write(&mut out, at, Rcode::NoError, None);
            assert_eq!(end, expected, "{at} {room}");
            let option = &out[at + OPT_LEN..end];
            let len = u16::from_be_bytes([option[2], option[3]]);
            assert_eq!((option[1], usize::from(len)), (12, option.len() - OPTION_HEAD_LEN));
            assert!(option[OPTION_HEAD_LEN..].iter().all(|octet| *octet == 0));
        }
    }

    #[test]
    fn padding_leaves_room_for_itself_beside_an_explanation() {
        let mut opt = Opt::new(1232, false);
        opt.padded();
        for room in opt.reserved() + 3..100 {
            let record = write(&opt, room, Rcode::Refused, Some(WHY));
            let options = Options::parse(&record[OPT_LEN..]).unwrap();
            assert!(options.padding, "{room}");
        }
    }

    #[test]
    fn a_subnet_goes_back_as_it_came_and_only_its_scope_is_set() {
        let of = |subnet: &[u8], scope: u8| {
            let mut opt = Opt::new(1232, false);
            opt.option(OptionCode::NSID, b"a");
            opt.subnet(&Subnet::parse(subnet).unwrap());
            opt.scope().into_iter().for_each(|octet| *octet = scope);
            write(&opt, 512, Rcode::NoError, None)[OPT_LEN + 5..].to_vec()
        };
        let v4 = b"\x00\x01\x18\x00\xc0\x00\x02";
        assert_eq!(of(v4, 0), b"\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02");
        assert_eq!(of(v4, 20), b"\x00\x08\x00\x07\x00\x01\x18\x14\xc0\x00\x02");
        assert_eq!(of(b"\0\0\0\0", 24), b"\x00\x08\x00\x04\0\0\0\0");
        assert_eq!(of(b"\0\x02\0\0", 24), b"\x00\x08\x00\x04\0\x02\0\0");
    }

    #[test]
    fn without_a_subnet_there_is_no_scope() {
        let mut opt = Opt::new(1232, false);
        opt.option(OptionCode::NSID, &[8; 8]);
        assert_eq!(opt.scope(), None);
    }

    #[test]
    fn every_option_fits_once_at_its_longest() {
        let mut opt = Opt::new(1232, false);
        opt.option(OptionCode::COOKIE, &[1; COOKIE_LEN]);
        opt.option(OptionCode::NSID, &[2; NSID_LEN_MAX]);
        opt.option(OptionCode::TCP_KEEPALIVE, &[3; KEEPALIVE_LEN]);
        let data = [&[0, 2, 128, 0][..], &[0x20; 16]].concat();
        opt.subnet(&Subnet::parse(&data).unwrap());
        let whole = opt.reserved();
        assert_eq!(whole, OPT_LEN + OPTIONS_LEN_MAX);
        opt.option(OptionCode::NSID, b"");
        assert_eq!(opt.reserved(), whole);
        // The longest question and all of it fit the least that clients take.
        assert!(12 + 255 + 4 + whole <= usize::from(UDP_SIZE_MIN));
    }
}
