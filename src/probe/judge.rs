//! What makes a certificate good, beside a chain to a trusted authority, which is the library's.
//!
//! * [`Judge::pinned`]: a check's `ca` file may hold the certificate that the node shows. What
//!   `openssl req -x509` makes is an authority's, and for the library an authority is never a node.
//!   But whoever put this very certificate into the file meant it: its name and its dates are left
//!   to judge.
//! * [`Judge::of_anyone`]: `verify = false`.
//!
//! Both leave it to the handshake to see that the node has the certificate's key.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::term::Term;

/// Takes what its rule takes, and sees to it that the node has the key of what it shows.
#[derive(Debug)]
pub(super) struct Judge {
    provider: Arc<CryptoProvider>,
    rule: Rule,
}

/// A certificate, and from when to when it is good.
type Dated = (CertificateDer<'static>, Term);

#[derive(Debug)]
enum Rule {
    /// Takes these certificates themselves, and those with a chain to one of them.
    Pinned { chains: Arc<WebPkiServerVerifier>, certificates: Vec<Dated> },
    /// Takes every certificate.
    Anyone,
}

impl Judge {
    /// Takes the certificates of a file, and by `chains` those with a chain to one of them.
    pub(super) fn pinned(
        provider: Arc<CryptoProvider>,
        chains: Arc<WebPkiServerVerifier>,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Self {
        let with_term = |certificate: CertificateDer<'static>| {
            let term = Term::of(&certificate)?;
            Some((certificate, term))
        };
        let certificates = certificates.into_iter().filter_map(with_term).collect();
        Self { provider, rule: Rule::Pinned { chains, certificates } }
    }

    /// Takes every certificate.
    pub(super) fn of_anyone(provider: Arc<CryptoProvider>) -> Self {
        Self { provider, rule: Rule::Anyone }
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Rule::Pinned { chains, certificates } = &self.rule else {
            return Ok(ServerCertVerified::assertion());
        };
        let Some((_, term)) = certificates.iter().find(|(pinned, _)| pinned == certificate) else {
            return chains.verify_server_cert(certificate, others, name, ocsp, now);
        };
        let bad = |why| Err(Error::InvalidCertificate(why));
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        if now.as_secs() < term.not_before {
            let not_before = at(term.not_before);
            return bad(CertificateError::NotValidYetContext { time: now, not_before });
        }
        if now.as_secs() > term.not_after {
            let not_after = at(term.not_after);
            return bad(CertificateError::ExpiredContext { time: now, not_after });
        }
        verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
