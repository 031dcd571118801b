//! The numbers of the protocol: response codes, opcodes, classes and record types.

use std::fmt;
use std::str::FromStr;

/// A response code, the extended ones included. RFC 1035 §4.1.1, RFC 6891 §6.1.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u16)]
pub enum Rcode {
    /// No error.
    NoError = 0,
    /// The query could not be understood.
    FormErr = 1,
    /// The server cannot answer now: the zone is broken.
    ServFail = 2,
    /// The name does not exist.
    NxDomain = 3,
    /// An opcode that is not served.
    NotImp = 4,
    /// A name outside the zones, or not for this client.
    Refused = 5,
    /// DNAME made a name too long. RFC 6672 §2.2.
    YxDomain = 6,
    /// An EDNS version that is not spoken.
    BadVers = 16,
    /// The query's cookie is not valid, and has to be. RFC 7873 §8.
    BadCookie = 23,
}

impl Rcode {
    /// All that are given.
    pub const ALL: [Self; 9] = [
        Self::NoError,
        Self::FormErr,
        Self::ServFail,
        Self::NxDomain,
        Self::NotImp,
        Self::Refused,
        Self::YxDomain,
        Self::BadVers,
        Self::BadCookie,
    ];

    /// Its mnemonic. IANA "Domain Name System (DNS) Parameters", DNS RCODEs.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoError => "NOERROR",
            Self::FormErr => "FORMERR",
            Self::ServFail => "SERVFAIL",
            Self::NxDomain => "NXDOMAIN",
            Self::NotImp => "NOTIMP",
            Self::Refused => "REFUSED",
            Self::YxDomain => "YXDOMAIN",
            Self::BadVers => "BADVERS",
            Self::BadCookie => "BADCOOKIE",
        }
    }

    /// The four bits of the header.
    pub fn low(self) -> u8 {
        (self as u16 & 0x0f) as u8
    }

    /// The eight bits in the OPT record.
    pub fn high(self) -> u8 {
        (self as u16 >> 4) as u8
    }
}

/// A record type, or a query type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordType(pub u16);

macro_rules! record_types {
    ($($name:ident = $number:literal),* $(,)?) => {
        #[allow(missing_docs)]
        impl RecordType {
            $(pub const $name: Self = Self($number);)*
        }

        const MNEMONICS: &[(&str, u16)] = &[$((stringify!($name), $number)),*];
    };
}

// IANA "Domain Name System (DNS) Parameters", resource record types.
record_types! {
    A = 1, NS = 2, MD = 3, MF = 4, CNAME = 5, SOA = 6, MB = 7, MG = 8, MR = 9, NULL = 10, WKS = 11,
    PTR = 12, HINFO = 13, MINFO = 14, MX = 15, TXT = 16, RP = 17, AFSDB = 18, X25 = 19, ISDN = 20,
    RT = 21, NSAP = 22, SIG = 24, KEY = 25, PX = 26, GPOS = 27, AAAA = 28, LOC = 29, NXT = 30,
    SRV = 33, NAPTR = 35, KX = 36, CERT = 37, DNAME = 39, OPT = 41, APL = 42, DS = 43, SSHFP = 44,
    IPSECKEY = 45, RRSIG = 46, NSEC = 47, DNSKEY = 48, DHCID = 49, NSEC3 = 50, NSEC3PARAM = 51,
    TLSA = 52, SMIMEA = 53, HIP = 55, NINFO = 56, RKEY = 57, TALINK = 58, CDS = 59, CDNSKEY = 60,
    OPENPGPKEY = 61, CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65, SPF = 99, NID = 104, L32 = 105,
    L64 = 106, LP = 107, EUI48 = 108, EUI64 = 109, TKEY = 249, TSIG = 250, IXFR = 251, AXFR = 252,
    MAILB = 253, MAILA = 254, ANY = 255, URI = 256, CAA = 257, AVC = 258, RESINFO = 261,
    WALLET = 262, TA = 32768, DLV = 32769,
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match MNEMONICS.iter().find(|(_, number)| *number == self.0) {
            Some((mnemonic, _)) => f.write_str(mnemonic),
            // RFC 3597 §5: a type without a mnemonic.
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl FromStr for RecordType {
    type Err = UnknownType;

    /// A mnemonic in any case, or `TYPE` and a number (RFC 3597 §5).
    fn from_str(text: &str) -> Result<Self, UnknownType> {
        // The one mnemonic with a hyphen. RFC 1706 §6.
        if text.eq_ignore_ascii_case("NSAP-PTR") {
            return Ok(Self(23));
        }
        let known = MNEMONICS.iter().find(|(mnemonic, _)| mnemonic.eq_ignore_ascii_case(text));
        let number = || {
            let (head, digits) = text.split_at_checked(4)?;
            let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
            (head.eq_ignore_ascii_case("TYPE") && plain).then(|| digits.parse().ok())?
        };
        known.map(|(_, number)| *number).or_else(number).map(Self).ok_or(UnknownType)
    }
}

/// A text that names no record type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownType;

impl fmt::Display for UnknownType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no record type; write for example A, AAAA, SRV or HTTPS")
    }
}

impl std::error::Error for UnknownType {}

impl fmt::Debug for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A class, or a query class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Class(pub u16);

impl Class {
    /// The Internet.
    pub const IN: Self = Self(1);
    /// Chaosnet, where servers tell their version.
    pub const CH: Self = Self(3);
    /// Any class.
    pub const ANY: Self = Self(255);
}
