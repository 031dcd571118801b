//! What makes a certificate good, beside a chain to a trusted authority, which is the library's.
//!
//! * [`Pinned`]: a check's `ca` file may hold the certificate that the node shows. What
//!   `openssl req -x509` makes is an authority's, and for the library an authority is never a node.
//!   But whoever put this very certificate into the file meant it: its name and its dates are left
//!   to judge.
//! * [`TakesAll`]: `verify = false`.
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

/// Takes these certificates themselves, and those with a chain to one of them.
#[derive(Debug)]
pub(super) struct Pinned {
    chains: Arc<WebPkiServerVerifier>,
    certificates: Vec<(CertificateDer<'static>, Term)>,
}

impl Pinned {
    /// The certificates of a file, and what takes the chains that end at them.
    pub(super) fn new(
        chains: Arc<WebPkiServerVerifier>,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Self {
        let with_term = |certificate: CertificateDer<'static>| {
            let term = Term::of(&certificate)?;
            Some((certificate, term))
        };
        Self { chains, certificates: certificates.into_iter().filter_map(with_term).collect() }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some((_, term)) = self.certificates.iter().find(|(pinned, _)| pinned == certificate)
        else {
            return self.chains.verify_server_cert(certificate, others, name, ocsp, now);
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
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Takes every certificate, but sees to it that the node has its key.
#[derive(Debug)]
pub(super) struct TakesAll(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for TakesAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
