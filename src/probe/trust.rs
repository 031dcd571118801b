//! Whom TLS trusts, and who the prober is: from a check's settings to the library's.
//!
//! Making a TLS configuration parses certificates, so each distinct setting is made once and shared
//! by all its probes. The system's authorities are read at the first probe that wants them; where
//! there are none, such probes give no verdict and say why.
//!
//! Sessions are not resumed: a probe has to see the certificate, or an expired one would pass until
//! somebody restarts.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, Error, InconsistentKeys, RootCertStore};

use super::judge::Judge;
use super::term::Term;
use crate::health::{Identity, Pem, Secure, Trust};

/// Distinct settings kept; more come only from many reloads, and then all are made again.
const SETTINGS_MAX: usize = 64;

/// A check's TLS settings as the library takes them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For connections.
    pub config: Arc<ClientConfig>,
    /// Judges a certificate at any time.
    pub judge: Arc<dyn ServerCertVerifier>,
}

/// Settings by what they were made of.
#[derive(Debug, Default)]
pub struct Keyring {
    made: Mutex<HashMap<(Arc<Secure>, Protocols), Settings>>,
    system: OnceLock<Result<Arc<RootCertStore>, String>>,
}

/// What is spoken inside TLS, as ALPN has it (RFC 7301); empty is not said.
pub type Protocols = &'static [&'static [u8]];

/// Why an identity cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadIdentity {
    /// The certificate's file.
    Chain(String),
    /// The key's file.
    Key(String),
}

impl Keyring {
    /// The settings of a check; the error is the prober's own.
    pub fn settings(&self, secure: &Arc<Secure>, protocols: Protocols) -> Result<Settings, String> {
        let key = (Arc::clone(secure), protocols);
        // A value is inserted whole or not at all.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settings) = made.get(&key) {
            return Ok(settings.clone());
        }
        let settings = self.make(secure, protocols)?;
        if made.len() == SETTINGS_MAX {
            made.clear();
        }
        made.insert(key, settings.clone());
        Ok(settings)
    }

    fn make(&self, secure: &Secure, protocols: Protocols) -> Result<Settings, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of TLS 1.2 and 1.3");
        let judge: Arc<dyn ServerCertVerifier> = match &secure.trust {
            Trust::System => {
                let roots = self.system.get_or_init(system_authorities).clone()?;
                chains_to(roots, provider)?
            }
            Trust::Only(pem) => {
                let chains = chains_to(Arc::new(authorities(pem)?), Arc::clone(&provider))?;
                Arc::new(Judge::pinned(provider, chains, certificates(pem)?))
            }
            Trust::Anyone => Arc::new(Judge::of_anyone(provider)),
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::clone(&judge));
        let mut config = match &secure.identity {
            Some(identity) => {
                let (chain, key) = parts(identity).map_err(|bad| bad.to_string())?;
                builder.with_client_auth_cert(chain, key).map_err(|error| error.to_string())?
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Settings { config: Arc::new(config), judge })
    }
}

/// What takes certificates with a chain to one of these authorities.
fn chains_to(
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, String> {
    let builder = WebPkiServerVerifier::builder_with_provider(roots, provider);
    builder.build().map_err(|error| error.to_string())
}

fn system_authorities() -> Result<Arc<RootCertStore>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(Arc::new(roots));
    }
    let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    Err(format!("the system has no certificates to trust {}", why.join("; ")).trim_end().into())
}

/// The authorities of a file; the error says what is wrong with it.
pub fn authorities(pem: &Pem) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots
            .add(certificate)
            .map_err(|error| format!("holds a certificate that is bad: {error}"))?;
    }
    Ok(roots)
}

/// Makes sure that an identity can be used: both files are sound, and belong together.
pub fn judge_identity(identity: &Identity) -> Result<(), BadIdentity> {
    certified(identity).map(drop)
}

/// A certificate with its key, for whoever shows it, and the last second at which it is good, since
/// 1970.
pub fn certified(identity: &Identity) -> Result<(CertifiedKey, u64), BadIdentity> {
    let (chain, key) = parts(identity)?;
    let term = chain.first().and_then(|certificate| Term::of(certificate));
    match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
        Ok(certified) => match term {
            Some(term) => Ok((certified, term.not_after)),
            None => Err(BadIdentity::Chain("holds a certificate without dates".to_owned())),
        },
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(BadIdentity::Key("is not the key of the certificate".to_owned()))
        }
        Err(Error::InvalidCertificate(error)) => {
            Err(BadIdentity::Chain(format!("holds a certificate that is bad: {error:?}")))
        }
        Err(error) => Err(BadIdentity::Key(format!("holds a key that is bad: {error}"))),
    }
}

type Parts = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn parts(identity: &Identity) -> Result<Parts, BadIdentity> {
    let chain = certificates(&identity.chain).map_err(BadIdentity::Chain)?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.text().as_bytes()).map_err(|_| {
        let why = "holds no private key in PEM (\"-----BEGIN PRIVATE KEY-----\")";
        BadIdentity::Key(why.to_owned())
    })?;
    Ok((chain, key))
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.text().as_bytes()).collect();
    match all {
        Ok(all) if all.is_empty() => {
            Err("holds no certificate in PEM (\"-----BEGIN CERTIFICATE-----\")".to_owned())
        }
        Ok(all) => Ok(all),
        Err(error) => Err(format!("is not PEM: {error}")),
    }
}

impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(why) => write!(f, "the certificate's file {why}"),
            Self::Key(why) => write!(f, "the key's file {why}"),
        }
    }
}
