//! DNS cookies: a client that has one has been reached at its address before. RFC 7873, RFC 9018.
//!
//! ```text
//!  | client cookie 8 | 1 | reserved 3 | time of making 4 | SipHash-2-4 8 |
//!    the client's      `-------------- the server cookie, 16 -----------'
//!
//!  hash over: client cookie | 1 | reserved | time | the client's address
//! ```
//!
//! A server keeps nothing for a client: it knows its own cookie by making the hash again. The
//! layout is that of RFC 9018, so that servers of different makes that share an address and a
//! secret know each other's cookies. A server cookie of any other layout is somebody else's, and
//! not valid.

use std::fmt;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

/// Octets of what a client makes up. RFC 7873 §4.1.
pub const CLIENT_COOKIE_LEN: usize = 8;
/// Octets of a server cookie of ours. RFC 9018 §4.
pub const SERVER_COOKIE_LEN: usize = 16;
/// Octets of the COOKIE option's data in a response.
pub const COOKIE_LEN: usize = CLIENT_COOKIE_LEN + SERVER_COOKIE_LEN;
/// What other servers may make. RFC 7873 §4.2.
const SERVER_COOKIE_LENS: std::ops::RangeInclusive<usize> = 8..=32;
/// The only layout there is. RFC 9018 §4.1.
const VERSION: u8 = 1;
/// A cookie made longer ago is not valid. RFC 9018 §4.3.
const AGE_MAX_SECS: i32 = 3600;
/// Clocks of servers that share a secret differ by so much. RFC 9018 §4.3.
const AHEAD_MAX_SECS: i32 = 300;
/// A cookie made longer ago is replaced while it still holds. RFC 9018 §4.3.
const REFRESH_SECS: i32 = 1800;

/// The COOKIE option of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<'m> {
    /// Returned as it is.
    pub client: &'m [u8; CLIENT_COOKIE_LEN],
    /// What some server gave this client; empty where it has none yet.
    pub server: &'m [u8],
}

impl<'m> Cookie<'m> {
    /// Reads an option's data; none where its length is not that of a cookie. RFC 7873 §5.2.2.
    pub fn parse(data: &'m [u8]) -> Option<Self> {
        let (client, server) = data.split_first_chunk()?;
        let fits = server.is_empty() || SERVER_COOKIE_LENS.contains(&server.len());
        fits.then_some(Self { client, server })
    }
}

/// What a query's cookie is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// There is only the client's half: it has not asked before.
    New,
    /// The server's half is not ours, another client's, too old, or made up.
    Wrong,
    /// It was given to this client at this address, within the hour.
    Valid,
}

/// What server cookies are made with: 128 bits that clients must not know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; 16]);

/// Never shown: debug output ends up in logs.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl From<[u8; 16]> for Secret {
    fn from(octets: [u8; 16]) -> Self {
        Self(octets)
    }
}

/// The secrets in force. RFC 9018 §5: one secret follows another in three steps, `[old, new]`,
/// `[new, old]` and `[new]`, each when all servers of the address have taken the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// Cookies are made and recognised with it.
    pub making: Secret,
    /// Cookies are recognised with it too.
    pub also: Option<Secret>,
}

impl Secrets {
    /// The data of the COOKIE option to answer with at this time (Unix seconds, which may wrap),
    /// and what the query's own is worth.
    pub fn reply(
        &self,
        cookie: &Cookie<'_>,
        client: IpAddr,
        now: u32,
    ) -> ([u8; COOKIE_LEN], Trust) {
        let mut data = [0; COOKIE_LEN];
        let (client_half, server_half) = data.split_at_mut(CLIENT_COOKIE_LEN);
        client_half.copy_from_slice(cookie.client);
        let trust = self.trust(cookie, client, now);
        match cookie.server.first_chunk() {
            Some(own) if trust == Trust::Valid && self.keeps(cookie, client, own, now) => {
                server_half.copy_from_slice(own);
            }
            Some(_) | None => {
                let [a, b, c, d] = now.to_be_bytes();
                let fields = [VERSION, 0, 0, 0, a, b, c, d];
                server_half[..8].copy_from_slice(&fields);
                let hash = self.making.hash(cookie.client, &fields, client);
                server_half[8..].copy_from_slice(&hash);
            }
        }
        (data, trust)
    }

    fn trust(&self, cookie: &Cookie<'_>, client: IpAddr, now: u32) -> Trust {
        if cookie.server.is_empty() {
            return Trust::New;
        }
        let Ok(own) = cookie.server.try_into() else { return Trust::Wrong };
        let timely = (-AHEAD_MAX_SECS..=AGE_MAX_SECS).contains(&age(own, now));
        let known = || {
            let mut secrets = std::iter::once(&self.making).chain(&self.also);
            secrets.any(|secret| secret.made(cookie.client, own, client))
        };
        if own[0] == VERSION && timely && known() { Trust::Valid } else { Trust::Wrong }
    }

    /// True where a valid cookie is given back as it came: it is young, and of the secret that new
    /// ones are made with.
    fn keeps(
        &self,
        cookie: &Cookie<'_>,
        client: IpAddr,
        own: &[u8; SERVER_COOKIE_LEN],
        now: u32,
    ) -> bool {
        age(own, now) <= REFRESH_SECS && self.making.made(cookie.client, own, client)
    }
}

/// Seconds since a cookie was made, below zero where that is still to come. RFC 9018 §4.3: by the
/// serial arithmetic of RFC 1982, so that it holds beyond 2106.
fn age(own: &[u8; SERVER_COOKIE_LEN], now: u32) -> i32 {
    let made = u32::from_be_bytes([own[4], own[5], own[6], own[7]]);
    now.wrapping_sub(made).cast_signed()
}

impl Secret {
    /// True where this secret made the server cookie for this client. What is compared are two
    /// words, in one step, so that time does not tell how many octets were right.
    fn made(
        &self,
        client_cookie: &[u8; CLIENT_COOKIE_LEN],
        own: &[u8; SERVER_COOKIE_LEN],
        client: IpAddr,
    ) -> bool {
        let [fields, hash] = [0, 8].map(|at| own[at..].first_chunk::<8>());
        let (Some(fields), Some(hash)) = (fields, hash) else { return false };
        u64::from_le_bytes(self.hash(client_cookie, fields, client)) == u64::from_le_bytes(*hash)
    }

    /// RFC 9018 §4.4.
    fn hash(
        &self,
        client_cookie: &[u8; CLIENT_COOKIE_LEN],
        fields: &[u8; 8],
        client: IpAddr,
    ) -> [u8; 8] {
        let mut input = [0; 32];
        input[..8].copy_from_slice(client_cookie);
        input[8..16].copy_from_slice(fields);
        let len = match client {
            IpAddr::V4(v4) => {
                input[16..20].copy_from_slice(&v4.octets());
                20
            }
            IpAddr::V6(v6) => {
                input[16..].copy_from_slice(&v6.octets());
                32
            }
        };
        SipHasher24::new_with_key(&self.0).hash(&input[..len]).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    const OLD: &str = "dd3bdf9344b678b185a6f5cb60fca715";
    const NEW: &str = "445536bcd2513298075a5d379663c962";
    const CLIENT: &str = "198.51.100.100";

    fn octets(hex: &str) -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    }

    fn secret(hex: &str) -> Secret {
        Secret::from(<[u8; 16]>::try_from(octets(hex)).unwrap())
    }

    /// A query's cookie from a client at a time: what it is worth and what goes back.
    #[track_caller]
    fn check(secrets: [&str; 2], query: &str, client: &str, now: u32, trust: Trust, reply: &str) {
        let [making, also] = secrets;
        let also = (!also.is_empty()).then(|| secret(also));
        let secrets = Secrets { making: secret(making), also };
        let query = octets(query);
        let cookie = Cookie::parse(&query).unwrap();
        let found = secrets.reply(&cookie, client.parse().unwrap(), now);
        assert_eq!((found.1, found.0.to_vec()), (trust, octets(reply)));
    }

    #[test]
    fn the_vectors_of_rfc_9018_hold() {
        // A.1: a client that has none.
        let first = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
        check([SECRET, ""], "2464c4abcf10c957", CLIENT, 1_559_731_985, Trust::New, first);
        // A.2: forty minutes later.
        let renewed = "2464c4abcf10c957010000005cf7a871d4a564a1442aca77";
        check([SECRET, ""], first, CLIENT, 1_559_734_385, Trust::Valid, renewed);
        // A.3: reserved octets that are not zero belong to the hash; this one is too old by then.
        let odd = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
        let fresh = "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e";
        check([SECRET, ""], odd, "203.0.113.203", 1_559_734_700, Trust::Wrong, fresh);
        check([SECRET, ""], odd, "203.0.113.203", 0x5cf7_8f71, Trust::Valid, odd);
        // A.4: the secret has changed.
        let (client, now) = ("2001:db8:220:1:59de:d0f4:8769:82b8", 1_559_741_961);
        let before = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";
        let after = "22681ab97d52c298010000005cf7c609a6bb79d16625507a";
        check([NEW, OLD], before, client, now, Trust::Valid, after);
        check([NEW, ""], before, client, now, Trust::Wrong, after);
    }

    #[test]
    fn cookies_hold_for_their_time_and_client_and_layout() {
        let secrets = Secrets { making: secret(SECRET), also: None };
        let query = octets("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
        let made = 0x5cf7_9f11;
        let ask = |query: &[u8], client: &str, now: u32| {
            let cookie = Cookie::parse(query).unwrap();
            let (data, trust) = secrets.reply(&cookie, client.parse().unwrap(), now);
            (trust, data[..] == *query)
        };
        for (now, expected) in [
            (made - 301, (Trust::Wrong, false)),
            (made - 300, (Trust::Valid, true)),
            (made + 1800, (Trust::Valid, true)),
            (made + 1801, (Trust::Valid, false)),
            (made + 3600, (Trust::Valid, false)),
            (made + 3601, (Trust::Wrong, false)),
        ] {
            assert_eq!(ask(&query, CLIENT, now), expected, "{now}");
        }
        assert_eq!(ask(&query, "198.51.100.101", made), (Trust::Wrong, false));
        for at in 0..query.len() {
            let mut other = query.clone();
            other[at] ^= 1;
            assert_eq!(ask(&other, CLIENT, made).0, Trust::Wrong, "octet {at}");
        }
        assert_eq!(ask(&[1; 40], CLIENT, made).0, Trust::Wrong);
        assert_eq!(ask(&query[..16], CLIENT, made).0, Trust::Wrong);
    }

    #[test]
    fn time_wraps() {
        let secrets = Secrets { making: secret(SECRET), also: None };
        let client = CLIENT.parse().unwrap();
        let (data, _) = secrets.reply(&Cookie::parse(&[7; 8]).unwrap(), client, u32::MAX - 5);
        let (_, trust) = secrets.reply(&Cookie::parse(&data).unwrap(), client, 5);
        assert_eq!(trust, Trust::Valid);
    }

    #[test]
    fn other_lengths_are_no_cookies() {
        for len in 0..=64 {
            let fits = len == 8 || (16..=40).contains(&len);
            assert_eq!(Cookie::parse(&vec![0; len]).is_some(), fits, "{len}");
        }
        assert_eq!(format!("{:?}", secret(SECRET)), "Secret");
    }
}
