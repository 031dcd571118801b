//! Who this server is, to clients inside TLS: certificates, chosen by the name that a client asks
//! for and by what it understands.
//!
//! ```text
//!   ClientHello: name, signatures ─► Keyring ─► those whose certificate has the name, or else all
//!                                              └─► the first that the client can judge
//! ```
//!
//! So a certificate of ECDSA listed before one of RSA for the same name is shown to all who know
//! it, which costs a tenth; and the first of all is for those who name nobody.
//!
//! A keyring's content is replaced whole, and holds for handshakes that begin later. One set of TLS
//! settings is for all threads. Sessions are resumed by tickets, which the client keeps: nothing is
//! kept here for whoever may come again. Nothing is taken before the handshake is over (no 0-RTT):
//! it could be said twice by somebody else.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SignatureScheme};

/// RFC 7858 and its entry in the registry of ALPN.
const DOT: &[u8] = b"dot";
/// RFC 9250 §4.1.
const DOQ: &[u8] = b"doq";
/// HTTP/2, RFC 9113 §3.2.
pub(super) const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Pair {
    /// What it is called: the file of the certificate.
    pub name: String,
    /// Both.
    pub key: Arc<CertifiedKey>,
    /// The last second at which it is good, since 1970.
    pub not_after: u64,
    /// From which second on its end is near.
    pub warn_from: u64,
}

/// The certificate says which key is its own.
impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        let Self { name, key, not_after: _, warn_from } = self;
        (name, warn_from, &key.cert) == (&other.name, &other.warn_from, &other.key.cert)
    }
}

impl Eq for Pair {}

/// The certificates in force.
#[derive(Debug, Default)]
pub struct Keyring(ArcSwap<Vec<Pair>>);

impl Keyring {
    /// A keyring with these, in the order of preference.
    pub fn new(pairs: Vec<Pair>) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(pairs)))
    }

    /// Puts others in force.
    pub fn replace(&self, pairs: Vec<Pair>) {
        self.0.store(Arc::new(pairs));
    }

    /// Those in force.
    pub fn pairs(&self) -> Arc<Vec<Pair>> {
        self.0.load_full()
    }

    fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let pairs = self.0.load();
        let fits = |pair: &&Pair| pair.key.key.choose_scheme(schemes).is_some();
        let named = name.and_then(|name| ServerName::try_from(name).ok());
        let named = named.and_then(|name| pairs.iter().filter(|it| has(it, &name)).find(fits));
        // Whoever asks for a name that is not ours shall see whom it got.
        let chosen = named.or_else(|| pairs.iter().find(fits)).or_else(|| pairs.first())?;
        Some(Arc::clone(&chosen.key))
    }
}

impl ResolvesServerCert for Keyring {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), hello.signature_schemes())
    }
}

/// True where the certificate is one of this name.
fn has(pair: &Pair, name: &ServerName<'_>) -> bool {
    let certificate = pair.key.cert.first().map(ParsedCertificate::try_from);
    let Some(Ok(certificate)) = certificate else { return false };
    verify_server_name(&certificate, name).is_ok()
}

/// TLS settings of each transport.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    pub(super) dot: Arc<ServerConfig>,
    pub(super) doh: Arc<ServerConfig>,
    #[cfg_attr(not(feature = "doq"), allow(dead_code, reason = "of QUIC"))]
    pub(super) doq: Arc<ServerConfig>,
}

impl Tls {
    pub(super) fn new(keyring: &Arc<Keyring>) -> Self {
        // Without randomness there are no tickets, and a handshake that comes again is a whole one.
        let tickets = ring::Ticketer::new().ok();
        let settings = |protocols: &[&[u8]]| {
            let provider = Arc::new(ring::default_provider());
            let builder = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("ring has the suites of TLS 1.2 and 1.3");
            let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(keyring) as _;
            let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            config.session_storage = Arc::new(NoServerSessionStorage {});
            // A client comes again with the newest; the second would be for another at once.
            config.send_tls13_tickets = usize::from(tickets.is_some());
            if let Some(tickets) = &tickets {
                config.ticketer = Arc::clone(tickets);
            }
            Arc::new(config)
        };
        Self { dot: settings(&[DOT]), doh: settings(&[H2, HTTP_1_1]), doq: settings(&[DOQ]) }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    use super::*;

    fn pair(name: &str, algorithm: &'static rcgen::SignatureAlgorithm, hosts: &[&str]) -> Pair {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let certificate = CertificateParams::new(hosts).unwrap().self_signed(&key).unwrap();
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![certificate.der().clone()];
        let key = CertifiedKey::from_der(chain, der, &ring::default_provider()).unwrap();
        Pair { name: name.to_owned(), key: Arc::new(key), not_after: 0, warn_from: 0 }
    }

    #[test]
    fn the_name_chooses_and_then_what_the_client_understands() {
        let (old, new) = (&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519);
        let ring = Keyring::new(vec![
            pair("other", old, &["other.test"]),
            pair("new", new, &["ns1.test", "192.0.2.1"]),
            pair("old", old, &["ns1.test", "*.wild.test"]),
        ]);
        let all = [SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256];
        let check = |name: Option<&str>, schemes: &[SignatureScheme], expected: &str| {
            let chosen = ring.choose(name, schemes).unwrap();
            let pairs = ring.pairs();
            let found = pairs.iter().find(|pair| Arc::ptr_eq(&pair.key, &chosen)).unwrap();
            assert_eq!(found.name, expected, "{name:?}");
        };
        check(Some("ns1.test"), &all, "new");
        check(Some("ns1.test"), &all[1..], "old");
        check(Some("NS1.test"), &all, "new");
        check(Some("a.wild.test"), &all, "old");
        check(Some("192.0.2.1"), &all, "new");
        // Nobody is named, or nobody whom we know, or not in a way that can be meant.
        check(None, &all, "other");
        check(None, &all[..1], "new");
        check(Some("elsewhere.test"), &all, "other");
        check(Some("?"), &all, "other");
        // The handshake tells that nothing fits.
        check(Some("ns1.test"), &[SignatureScheme::RSA_PSS_SHA256], "other");
        ring.replace(vec![pair("newest", new, &["ns1.test"])]);
        check(Some("ns1.test"), &all, "newest");
        assert!(Keyring::default().choose(None, &all).is_none());
    }
}
