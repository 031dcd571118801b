//! Nodes with certificates of their own making, and the authorities behind those.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rota::health::{Identity, Pem, Secure, Trust};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::node::{Act, read_until};

const OK: Act = Act::Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// An authority that nobody trusts by itself.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// When a certificate is good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Term {
    Long,
    Past,
    Future,
    /// Ends so long from now.
    Ends(Duration),
}

impl Term {
    fn limit(self, params: &mut CertificateParams) {
        let year = |year| date_time_ymd(year, 1, 1);
        (params.not_before, params.not_after) = match self {
            Self::Long => (year(2000), year(4000)),
            Self::Past => (year(2000), year(2001)),
            Self::Future => (year(3000), year(4000)),
            Self::Ends(after) => (year(2000), year(1970) + (since_1970() + after)),
        };
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key, as the files of a check hold them.
    pub(crate) fn sign(&self, name: &str, term: Term) -> (String, String) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        term.limit(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// The authority's own certificate and key, for a node that is its own authority.
    pub(crate) fn itself(name: &str, term: Term) -> (Self, (String, String)) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        term.limit(&mut params);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let shown = (pem.clone(), key.serialize_pem());
        (Self { issuer: Issuer::new(params, key), pem }, shown)
    }

    /// What a check says that trusts this authority alone.
    pub(crate) fn trusted(&self) -> Secure {
        Secure { trust: Trust::Only(Pem::new(&self.pem)), identity: None, warn_before: 14 * DAY }
    }

    /// The same, and shows a certificate of the authority's own.
    pub(crate) fn trusted_with_identity(&self) -> Secure {
        let (chain, key) = self.sign("rota.example.org", Term::Long);
        let identity = Identity { chain: Pem::new(&chain), key: Pem::new(&key) };
        Secure { identity: Some(identity), ..self.trusted() }
    }
}

#[expect(clippy::disallowed_methods, reason = "a certificate ends at a time of the calendar")]
pub(crate) fn since_1970() -> Duration {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Duration::from_secs(seconds)
}

/// A node that shows a certificate and answers 200; the task gives the name that was asked for.
pub(crate) async fn tls_node(
    (chain, key): (String, String),
    clients: Option<&Authority>,
) -> (SocketAddr, JoinHandle<Option<String>>) {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = builder.with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => stream,
            // Closing with a request unread would be a reset, which may overtake what TLS said.
            Err((_, mut stream)) => {
                read_until(&mut stream, "never").await;
                return None;
            }
        };
        read_until(&mut stream, "\r\n\r\n").await;
        OK.perform(&mut stream).await;
        stream.get_ref().1.server_name().map(str::to_owned)
    });
    (address, serving)
}
