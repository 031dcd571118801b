//! The header of the PROXY protocol: for whom a proxy speaks.
//!
//! ```text
//!  1   PROXY TCP4 192.0.2.7 198.51.100.1 53124 53 \r \n        a line of text, 107 octets at most
//!
//!  2   signature:12 | version 2, command:1 | family:1 | length:2 | addresses | whatever else
//! ```
//!
//! It stands before the first octet of a connection, inside of nothing and around nothing, or, in
//! its second version, at the start of a datagram. Only the source counts here. What else a proxy
//! may add behind the addresses is passed over.
//!
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, §2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header that is read, in octets: addresses, and room for what proxies add.
pub const HEADER_LEN_MAX: usize = 2048;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED_LEN: usize = 16;
const TEXT: &[u8] = b"PROXY ";
/// §2.1: the longest line, with its end.
const TEXT_LEN_MAX: usize = 107;

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its octets: what follows them is the client's.
    pub len: usize,
    /// For whom the proxy speaks; none where it speaks for itself, or does not know.
    pub client: Option<SocketAddr>,
}

/// It is no header, or one that says nothing that can be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHeader;

/// Reads the header at the start of a connection; none where it is not whole yet.
pub fn parse(octets: &[u8]) -> Result<Option<Header>, NoHeader> {
    let begins = |what: &[u8]| {
        let len = octets.len().min(what.len());
        octets[..len] == what[..len]
    };
    if begins(SIGNATURE) {
        binary(octets)
    } else if begins(TEXT) {
        text(octets)
    } else {
        Err(NoHeader)
    }
}

/// Reads the header at the start of a datagram, where only the second version can stand.
pub fn parse_datagram(octets: &[u8]) -> Result<Header, NoHeader> {
    if octets.starts_with(SIGNATURE) { binary(octets)?.ok_or(NoHeader) } else { Err(NoHeader) }
}

/// §2.2.
fn binary(octets: &[u8]) -> Result<Option<Header>, NoHeader> {
    let Some((fixed, rest)) = octets.split_first_chunk::<FIXED_LEN>() else { return Ok(None) };
    let &[.., command, family, len_high, len_low] = fixed;
    let body_len = usize::from(u16::from_be_bytes([len_high, len_low]));
    let len = FIXED_LEN + body_len;
    if len > HEADER_LEN_MAX {
        return Err(NoHeader);
    }
    let Some(body) = rest.get(..body_len) else { return Ok(None) };
    let client = match (command, family >> 4) {
        // LOCAL: the proxy asks for itself. UNSPEC and sockets of files: it cannot say.
        (0x20, _) | (0x21, 0 | 3) => None,
        (0x21, 1) => Some(addresses::<4>(body)?),
        (0x21, 2) => Some(addresses::<16>(body)?),
        _ => return Err(NoHeader),
    };
    Ok(Some(Header { len, client }))
}

/// The source of `source | destination | source port | destination port`.
fn addresses<const LEN: usize>(body: &[u8]) -> Result<SocketAddr, NoHeader>
where
    IpAddr: From<[u8; LEN]>,
{
    let (&source, rest) = body.split_first_chunk::<LEN>().ok_or(NoHeader)?;
    let ports = rest.get(LEN..LEN + 4).ok_or(NoHeader)?;
    Ok((IpAddr::from(source), u16::from_be_bytes([ports[0], ports[1]])).into())
}

/// §2.1.
fn text(octets: &[u8]) -> Result<Option<Header>, NoHeader> {
    let window = &octets[..octets.len().min(TEXT_LEN_MAX)];
    let Some(end) = window.iter().position(|octet| *octet == b'\n') else {
        return if octets.len() < TEXT_LEN_MAX { Ok(None) } else { Err(NoHeader) };
    };
    let line = window[..end].strip_suffix(b"\r").ok_or(NoHeader)?;
    let line = str::from_utf8(line).map_err(|_| NoHeader)?;
    let mut words = line.split(' ').skip(1);
    let len = end + 1;
    let client = match words.next() {
        // Whatever else such a line says means nothing.
        Some("UNKNOWN") => return Ok(Some(Header { len, client: None })),
        Some("TCP4") => {
            let source: Ipv4Addr = address(words.next())?;
            let _: Ipv4Addr = address(words.next())?;
            IpAddr::from(source)
        }
        Some("TCP6") => {
            let source: Ipv6Addr = address(words.next())?;
            let _: Ipv6Addr = address(words.next())?;
            IpAddr::from(source)
        }
        Some(_) | None => return Err(NoHeader),
    };
    let (source, _) = (port(words.next())?, port(words.next())?);
    match words.next() {
        None => Ok(Some(Header { len, client: Some((client, source).into()) })),
        Some(_) => Err(NoHeader),
    }
}

fn address<A: std::str::FromStr>(word: Option<&str>) -> Result<A, NoHeader> {
    word.and_then(|word| word.parse().ok()).ok_or(NoHeader)
}

/// Digits alone, without zeros before them.
fn port(word: Option<&str>) -> Result<u16, NoHeader> {
    let word = word.ok_or(NoHeader)?;
    let plain = word.bytes().all(|octet| octet.is_ascii_digit()) && !word.starts_with('0');
    if plain || word == "0" { word.parse().map_err(|_| NoHeader) } else { Err(NoHeader) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0xcf, 0x84, 0, 53];

    fn second(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let len = (body.len() as u16).to_be_bytes();
        [&SIGNATURE[..], &[command, family], &len, body].concat()
    }

    /// What comes of a header with a question behind it: the client, or `itself`, or `no`. Of all
    /// that is shorter comes nothing yet, or the same `no`.
    #[track_caller]
    fn check(header: &[u8], expected: &str) {
        let whole = [header, b"question"].concat();
        let found = match parse(&whole) {
            Ok(Some(Header { len, client })) => {
                assert_eq!(&whole[len..], b"question");
                client.map_or("itself".to_owned(), |client| client.to_string())
            }
            Ok(None) => "more".to_owned(),
            Err(NoHeader) => "no".to_owned(),
        };
        assert_eq!(found, expected, "{}", header.escape_ascii());
        if expected != "no" {
            for len in 0..header.len() {
                assert_eq!(parse(&header[..len]), Ok(None), "{len}: {}", header.escape_ascii());
            }
        }
    }

    #[test]
    fn the_first_version_is_a_line() {
        check(b"PROXY TCP4 192.0.2.7 198.51.100.1 53124 53\r\n", "192.0.2.7:53124");
        check(b"PROXY TCP6 2001:db8::7 2001:db8::1 53124 53\r\n", "[2001:db8::7]:53124");
        check(b"PROXY UNKNOWN\r\n", "itself");
        check(b"PROXY UNKNOWN ffff::1 what ever 1 2 3\r\n", "itself");
        for wrong in [
            &b"PROXY TCP4 192.0.2.7 198.51.100.1 53124 53\n"[..],
            b"PROXY TCP4 192.0.2.7 198.51.100.1 53124\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 53124 53 1\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 53\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 053 53\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 +53 53\r\n",
            b"PROXY TCP4 192.0.2.7  198.51.100.1 53 53\r\n",
            b"PROXY TCP4 192.0.2.256 198.51.100.1 53 53\r\n",
            b"PROXY TCP4 2001:db8::7 2001:db8::1 53 53\r\n",
            b"PROXY TCP6 192.0.2.7 198.51.100.1 53 53\r\n",
            b"PROXY UDP4 192.0.2.7 198.51.100.1 53 53\r\n",
            b"PROXY \r\n",
            b"PROXY\r\n",
            b"proxy UNKNOWN\r\n",
            b"GET / HTTP/1.1\r\n",
            b"\xff",
        ] {
            check(wrong, "no");
        }
        let endless = [TEXT, &[b'x'; TEXT_LEN_MAX]].concat();
        assert_eq!(parse(&endless[..TEXT_LEN_MAX - 1]), Ok(None));
        assert_eq!(parse(&endless[..TEXT_LEN_MAX]), Err(NoHeader));
    }

    #[test]
    fn the_second_version_is_octets() {
        check(&second(0x21, 0x11, &V4), "192.0.2.7:53124");
        check(&second(0x21, 0x12, &V4), "192.0.2.7:53124");
        check(&second(0x21, 0x11, &[&V4[..], b"\x04\x00\x01x"].concat()), "192.0.2.7:53124");
        let v6 = |first: u8| [&[first][..], &[0; 31], &[1, 2, 3, 4]].concat();
        check(&second(0x21, 0x21, &v6(0x20)), "[2000::]:258");
        check(&second(0x20, 0x00, b""), "itself");
        check(&second(0x20, 0x11, &V4), "itself");
        check(&second(0x21, 0x00, b""), "itself");
        check(&second(0x21, 0x31, &[0; 216]), "itself");
        for wrong in [
            second(0x21, 0x11, &V4[..11]),
            second(0x21, 0x21, &[0; 35]),
            second(0x21, 0x41, &V4),
            second(0x22, 0x11, &V4),
            second(0x11, 0x11, &V4),
            second(0x21, 0x11, &[0; HEADER_LEN_MAX - FIXED_LEN + 1]),
        ] {
            check(&wrong, "no");
        }
        check(&second(0x21, 0x11, &[1; HEADER_LEN_MAX - FIXED_LEN]), "1.1.1.1:257");
    }

    #[test]
    fn a_datagram_has_the_second_version_whole() {
        let header = second(0x21, 0x12, &V4);
        let client = Some("192.0.2.7:53124".parse().unwrap());
        assert_eq!(parse_datagram(&header), Ok(Header { len: header.len(), client }));
        for wrong in [&b"PROXY UNKNOWN\r\n"[..], &header[..header.len() - 1], b"", b"\r\n"] {
            assert_eq!(parse_datagram(wrong), Err(NoHeader));
        }
    }
}
