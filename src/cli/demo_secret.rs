//! What the demo shows inside TLS: a certificate that nobody has to trust, made anew each time.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use rcgen::{CertificateParams, KeyPair};

use crate::health::{Identity, Pem};
use crate::probe::trust::certified;
use crate::serve::{Gate, Keyring, Pair, Way};

/// Where the demo listens for what is encrypted.
pub(super) fn gates(tls_port: u16, https_port: u16) -> Vec<Gate> {
    let at = |way, port| Gate { way, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
    let mut gates = vec![at(Way::Tls, tls_port), at(Way::Https, https_port)];
    if cfg!(feature = "doq") {
        gates.push(at(Way::Quic, tls_port));
    }
    gates
}

/// A certificate for this machine, signed by itself.
pub(super) fn keyring() -> anyhow::Result<Arc<Keyring>> {
    let names = ["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
    let key = KeyPair::generate().context("a key for the demo")?;
    let params = CertificateParams::new(names).context("the demo's own names")?;
    let certificate = params.self_signed(&key).context("a certificate for the demo")?;
    let identity =
        Identity { chain: Pem::new(&certificate.pem()), key: Pem::new(&key.serialize_pem()) };
    let (key, not_after) = certified(&identity).map_err(|bad| anyhow::anyhow!("{bad}"))?;
    let name = "the demo's own certificate".to_owned();
    Ok(Keyring::new(vec![Pair { name, key: Arc::new(key), not_after, warn_from: not_after }]))
}
