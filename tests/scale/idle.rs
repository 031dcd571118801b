//! Ten thousand clients inside TLS that say nothing: what each costs is bounded, and others are
//! answered meanwhile.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use hickory_proto::rr::RecordType;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::common::{Client, Folder, PATIENCE, Rota};

const CONNECTIONS: usize = 10_000;
const HOST: &str = "ns1.app.test";
/// Octets that one may cost, of any size that a library's buffers can have: a wide bound, which only
/// what grows without end goes beyond.
const COST_MAX: u64 = 100 * 1024;

/// The process's memory in octets.
fn memory(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn ten_thousand_idle_connections_cost_bounded_memory() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let folder = Folder::new("scale-idle");
    let key = KeyPair::generate().unwrap();
    let made = CertificateParams::new([HOST.to_owned()]).unwrap().self_signed(&key).unwrap();
    folder.write("cert.pem", &made.pem());
    folder.write("key.pem", &key.serialize_pem());
    let any = "[\"127.0.0.1:0\"]";
    folder.write(
        "rota.toml",
        &format!(
            "[listen]\ndns = {any}\ntls = {any}\nadmin = \"127.0.0.1:0\"\nworkers = 1\n\
             connections = 20000\nconnections_per_client = 20000\nidle_time = \"300s\"\n\
             [tls]\ncerts = [{{ cert = \"cert.pem\", key = \"key.pem\" }}]\n"
        ),
    );
    let zone = "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\nnodes = [\"192.0.2.1\"]\n";
    folder.write("zones/app.test.toml", zone);
    let mut rota = Rota::start(&folder.0, &[]);
    let at = rota.wait_for_log("where it listens", |it| it["tls"].as_str().map(String::from));
    let at: SocketAddr = at.parse().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let config = builder.with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let before = memory(rota.pid());
    let mut held = Vec::with_capacity(CONNECTIONS);
    for count in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        let mut connection = ClientConnection::new(Arc::clone(&config), name).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).unwrap();
        }
        held.push(stream);
        if count % 1000 == 0 {
            assert_eq!(Client::new(rota.dns).ask("app.test.", RecordType::A).answers.len(), 1);
        }
    }
    let each = memory(rota.pid()).saturating_sub(before) / CONNECTIONS as u64;
    println!("an idle connection inside TLS: {each} octets");
    assert!(each < COST_MAX, "{each}");
    assert_eq!(Client::new(rota.dns).ask("app.test.", RecordType::A).answers.len(), 1);
    drop(held);
    assert!(rota.stop().success());
}
