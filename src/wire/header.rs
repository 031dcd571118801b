//! The twelve octets that begin every message. RFC 1035 §4.1.1, RFC 2535 §6.1 for AD and CD.
//!
//! ```text
//!    0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
//!  +-----------------------------------------------+
//!  |                      ID                       |  0
//!  |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |  2
//!  |            QDCOUNT  (must be 1: RFC 9619)     |  4
//!  |                    ANCOUNT                    |  6
//!  |                    NSCOUNT                    |  8
//!  |                    ARCOUNT                    | 10
//!  +-----------------------------------------------+
//! ```

/// Octets of a header.
pub const HEADER_LEN: usize = 12;

/// QR in octet 2: this is a response.
pub(crate) const QR: u8 = 0x80;
/// The opcode's bits in octet 2.
pub(crate) const OPCODE: u8 = 0x78;
/// AA in octet 2: the answer is authoritative.
pub(crate) const AA: u8 = 0x04;
/// TC in octet 2: something was left out.
pub(crate) const TC: u8 = 0x02;
/// RD in octet 2: recursion was asked for.
pub(crate) const RD: u8 = 0x01;

/// The header of a query, as far as an answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Chosen by the client, returned as it is.
    pub id: u16,
    /// Octet 2: QR, opcode, AA, TC, RD.
    pub flags: u8,
    /// QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT.
    pub counts: [u16; 4],
}

impl Header {
    /// Reads a header; none where there are fewer than twelve octets.
    pub fn parse(message: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER_LEN] = message.first_chunk()?;
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        Some(Self { id: word(0), flags: bytes[2], counts: [word(4), word(6), word(8), word(10)] })
    }

    /// True for a response, which a server must not answer.
    pub fn is_response(self) -> bool {
        self.flags & QR != 0
    }

    /// 0 is a standard query.
    pub fn opcode(self) -> u8 {
        (self.flags & OPCODE) >> 3
    }
}
