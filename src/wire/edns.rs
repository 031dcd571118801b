//! The OPT record of a query. RFC 6891.
//!
//! ```text
//!  owner  type  class                ttl                          rdlength  rdata
//!   00    41    sender's UDP size    ext. rcode | version | DO Z     n      options: code len data
//! ```

use super::codes::RecordType;

/// Octets of an OPT record without options.
pub const OPT_LEN: usize = 11;
/// The response size that every client takes. RFC 1035 §4.2.1, RFC 6891 §6.2.5.
pub const UDP_SIZE_MIN: u16 = 512;
/// The DO bit in the OPT record's flags. RFC 3225 §3.
const DO: u16 = 0x8000;

/// What the OPT record of a query says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns<'m> {
    /// The largest UDP response that the client can take, never below 512.
    pub udp_size: u16,
    /// 0 is the only version there is.
    pub version: u8,
    /// DNSSEC records are welcome.
    pub dnssec_ok: bool,
    /// The options, each whole.
    pub options: &'m [u8],
}

/// The OPT record breaks the format: FORMERR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdnsError;

impl<'m> Edns<'m> {
    /// Reads an OPT record from its type, class, TTL and length octets and its RDATA.
    pub(crate) fn parse(fixed: &[u8; 10], options: &'m [u8]) -> Result<Self, EdnsError> {
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let mut rest = options;
        while !rest.is_empty() {
            let head: &[u8; 4] = rest.first_chunk().ok_or(EdnsError)?;
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            rest = rest.get(4 + length..).ok_or(EdnsError)?;
        }
        Ok(Self {
            udp_size: word(2).max(UDP_SIZE_MIN),
            version: fixed[5],
            dnssec_ok: word(6) & DO != 0,
            options,
        })
    }
}

/// The OPT record of a response, without options.
pub(crate) fn opt_record(udp_size: u16, rcode_high: u8, dnssec_ok: bool) -> [u8; OPT_LEN] {
    let [type_high, type_low] = RecordType::OPT.0.to_be_bytes();
    let [size_high, size_low] = udp_size.to_be_bytes();
    let flags = if dnssec_ok { DO.to_be_bytes() } else { [0; 2] };
    [0, type_high, type_low, size_high, size_low, rcode_high, 0, flags[0], flags[1], 0, 0]
}
