//! Certificates over the life of a server: what it takes to start, how they are renewed, and that
//! who replaces it serves on at the same addresses.

#![allow(clippy::disallowed_methods, reason = "certificates have an end")]

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::common::{Folder, PATIENCE, Rota, http_status, wait_until};
use super::{folder, settings, zone};

const HOST: &str = "ns1.app.test";
const LISTEN: &str = "tls = [\"127.0.0.1:0\"]\nhttps = [\"127.0.0.1:0\"]\n";
const CERTS: &str = "[tls]\ncerts = [{ cert = \"cert.pem\", key = \"key.pem\" }]\n";

/// Writes a new certificate and its key to these files; it ends so long from now.
fn renew(folder: &Folder, cert: &str, key: &str, lasts: Duration) -> CertificateDer<'static> {
    let secret = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    params.not_after = date_time_ymd(1970, 1, 1) + now + lasts;
    let made = params.self_signed(&secret).unwrap();
    folder.write(cert, &made.pem());
    folder.write(key, &secret.serialize_pem());
    made.der().clone()
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn served(name: &str, more: &str) -> (Folder, CertificateDer<'static>) {
    let folder = folder(name, &zone(&["192.0.2.1"]));
    let root = renew(&folder, "cert.pem", "key.pem", YEAR);
    folder.write("rota.toml", &settings(1, &format!("{LISTEN}{CERTS}{more}")));
    (folder, root)
}

/// The certificate that is shown at an address.
fn shown(at: SocketAddr, root: &CertificateDer<'static>) -> Option<CertificateDer<'static>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let config = builder.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(HOST).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).ok()?;
    }
    stream.conn.peer_certificates().map(|all| all[0].clone())
}

fn at(rota: &mut Rota, field: &str) -> SocketAddr {
    let text = rota.wait_for_log("a line that tells where it listens", |line| {
        line[field].as_str().map(String::from)
    });
    text.parse().unwrap()
}

#[test]
fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let (folder, first) = served("tls-renew", "");
    let mut rota = Rota::start(&folder.0, &[]);
    let (tls, https) = (at(&mut rota, "tls"), at(&mut rota, "https"));
    assert_eq!(
        (shown(tls, &first), shown(https, &first)),
        (Some(first.clone()), Some(first.clone()))
    );
    // A key that is another certificate's, and meanwhile another zone.
    renew(&folder, "other.pem", "key.pem", YEAR);
    rota.wait_for_log("the line that says so", |line| {
        let text = "certificates cannot be used: those in force stay";
        (line["message"] == text).then_some(())
    });
    assert_eq!(shown(tls, &first), Some(first.clone()));
    let second = renew(&folder, "cert.pem", "key.pem", YEAR);
    wait_until("the new certificate", || shown(tls, &second) == Some(second.clone()));
    assert_eq!(shown(https, &second), Some(second));
    assert!(rota.stop().success());
}

#[test]
fn a_listener_without_a_certificate_does_not_start() {
    let check = |rota_toml: &str, expected: &[&str]| {
        let folder = folder("tls-refused", &zone(&["192.0.2.1"]));
        folder.write("rota.toml", rota_toml);
        let mut run = Command::new(env!("CARGO_BIN_EXE_rota"));
        let ended = run.arg("run").current_dir(&folder.0).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        for part in expected {
            assert!(said.contains(part), "{part}: {said}");
        }
    };
    check(
        &settings(1, LISTEN),
        &["`tls` needs a certificate", "`https` needs a certificate", "openssl req -x509"],
    );
    check(&settings(1, &format!("{LISTEN}{CERTS}")), &["cannot read cert.pem", "key.pem"]);
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of() {
    let (folder, _) = served("tls-soon", "warn_before = \"30d\"\n");
    renew(&folder, "cert.pem", "key.pem", Duration::from_secs(86_400));
    let check =
        Command::new(env!("CARGO_BIN_EXE_rota")).arg("check").current_dir(&folder.0).output();
    let said = String::from_utf8_lossy(&check.unwrap().stdout).into_owned();
    assert!(said.contains("warning: the certificate cert.pem ends at 20"), "{said}");
    let rota = Rota::start(&folder.0, &[]);
    let metrics = metrics(rota.admin);
    let name = "rota_own_certificate_expiry_timestamp_seconds{file=\"cert.pem\"}";
    let end = metrics.lines().find_map(|line| line.strip_prefix(name)).expect("the metric");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let left = end.trim().parse::<f64>().unwrap() - now;
    assert!((80_000.0..=86_400.0).contains(&left), "{left}");
    assert!(rota.stop().success());
}

fn metrics(admin: SocketAddr) -> String {
    use std::io::{Read, Write};
    assert_eq!(http_status(admin, "/metrics"), "200");
    let mut stream = TcpStream::connect(admin).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn who_replaces_a_server_has_all_of_its_listeners() {
    let quic = if cfg!(feature = "doq") { "quic = [\"127.0.0.1:0\"]\n" } else { "" };
    let (folder, root) = served("tls-replace", "");
    folder.write("rota.toml", &settings(1, &format!("{LISTEN}{quic}{CERTS}")));
    let mut old = Rota::start(&folder.0, &[]);
    let mut new = Rota::start(&folder.0, &["--replace"]);
    let mut fields = vec!["tls", "https"];
    fields.extend(cfg!(feature = "doq").then_some("quic"));
    for field in fields {
        assert_eq!(at(&mut old, field), at(&mut new, field), "{field}");
    }
    assert!(old.ended().success());
    assert_eq!(shown(at(&mut new, "tls"), &root), Some(root));
    assert!(new.stop().success());
}
