//! Encrypted transports and clients that nobody here wrote: Knot's kdig, BIND's dig, curl, dnsperf,
//! and unbound as a resolver whose way up is TLS. Run by its name, where they are:
//! `cargo test --test encrypted_peers` (Debian's knot-dnsutils, bind9-dnsutils, curl, dnsperf,
//! unbound).
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command};

use common::{Folder, Rota, wait_until};
use rcgen::{CertificateParams, KeyPair};

const HOST: &str = "ns1.app.test";
const EXPECTED: &str = "192.0.2.1\n";

/// A server with every listener, and where they are.
struct Scene {
    folder: Folder,
    rota: Rota,
    tls: SocketAddr,
    https: SocketAddr,
    quic: Option<SocketAddr>,
}

impl Scene {
    fn new(name: &str) -> Self {
        let folder = Folder::new(&format!("encrypted-{name}"));
        let key = KeyPair::generate().unwrap();
        let names = [HOST.to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        folder.write("cert.pem", &certificate.pem());
        folder.write("key.pem", &key.serialize_pem());
        let any = "[\"127.0.0.1:0\"]";
        let quic = if cfg!(feature = "doq") { format!("quic = {any}\n") } else { String::new() };
        folder.write(
            "rota.toml",
            &format!(
                "[listen]\ndns = {any}\ntls = {any}\nhttps = {any}\n{quic}admin = \"127.0.0.1:0\"\n\
                 workers = 2\n[tls]\ncerts = [{{ cert = \"cert.pem\", key = \"key.pem\" }}]\n"
            ),
        );
        folder.write(
            "zones/app.test.toml",
            "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\nnodes = [\"192.0.2.1\"]\n",
        );
        let mut rota = Rota::start(&folder.0, &[]);
        let mut at = |field: &str| -> SocketAddr {
            let text = rota
                .wait_for_log("where it listens", |line| line[field].as_str().map(String::from));
            text.parse().unwrap()
        };
        let (tls, https) = (at("tls"), at("https"));
        let quic = cfg!(feature = "doq").then(|| at("quic"));
        Self { folder, rota, tls, https, quic }
    }

    /// Runs a program in the folder; its output, if it ends well.
    #[track_caller]
    fn run(&self, line: &str) -> String {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap());
        let done = command.args(words).current_dir(&self.folder.0).output();
        let done = done.unwrap_or_else(|error| panic!("{line}: {error}"));
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let errors = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{line}: {text}{errors}");
        text
    }
}

#[test]
fn kdig_speaks_all_of_them() {
    let scene = Scene::new("kdig");
    let at = |address: SocketAddr| format!("@{} -p {}", address.ip(), address.port());
    let trust = format!("+tls-ca=cert.pem +tls-host={HOST}");
    let ask = |how: &str, address| scene.run(&format!("kdig {} {how} app.test A", at(address)));
    assert_eq!(ask(&format!("+tls {trust} +short"), scene.tls), EXPECTED);
    assert_eq!(ask(&format!("+https {trust} +short"), scene.https), EXPECTED);
    assert_eq!(ask(&format!("+https-get {trust} +short"), scene.https), EXPECTED);
    let padded = ask(&format!("+tls {trust} +padding"), scene.tls);
    assert!(padded.contains("Received 468 B"), "{padded}");
    let kept = ask(&format!("+tls {trust} +edns=0 +keepopen"), scene.tls);
    assert!(kept.contains("status: NOERROR"), "{kept}");
    if let Some(quic) = scene.quic {
        // Without `+tls-ca`, with which the kdig of Debian 12 falls over by itself.
        assert_eq!(ask("+quic +short", quic), EXPECTED);
    }
}

#[test]
fn dig_speaks_tls_and_https() {
    let scene = Scene::new("dig");
    for (how, address) in
        [("+tls", scene.tls), ("+https", scene.https), ("+https-get", scene.https)]
    {
        let line = format!("dig @{} -p {} {how} +short app.test A", address.ip(), address.port());
        assert_eq!(scene.run(&line), EXPECTED, "{how}");
    }
}

#[test]
fn curl_speaks_both_kinds_of_http() {
    let scene = Scene::new("curl");
    // `app.test A`, as RFC 8484 has it.
    let question = "AAABAAABAAAAAAAAA2FwcAR0ZXN0AAABAAE";
    let port = scene.https.port();
    for version in ["--http2", "--http1.1"] {
        let said = scene.run(&format!(
            "curl -sS {version} --cacert cert.pem --resolve {HOST}:{port}:127.0.0.1 -o answer \
             -w %{{http_version}}|%{{http_code}}|%{{content_type}} \
             https://{HOST}:{port}/dns-query?dns={question}"
        ));
        let expected = if version == "--http2" { "2" } else { "1.1" };
        assert_eq!(said, format!("{expected}|200|application/dns-message"));
        let answer = fs::read(scene.folder.0.join("answer")).unwrap();
        assert!(answer.ends_with(&[192, 0, 2, 1]), "{}", answer.escape_ascii());
    }
}

#[test]
fn dnsperf_loses_nothing() {
    let scene = Scene::new("dnsperf");
    scene.folder.write("questions", "app.test A\nnothing.app.test AAAA\n");
    let tls = scene.tls.port();
    let said =
        scene.run(&format!("dnsperf -m dot -s 127.0.0.1 -p {tls} -d questions -c 8 -q 64 -n 2000"));
    assert!(said.contains("Queries completed:    4000 (100.00%)"), "{said}");
    let https = scene.https.port();
    // One at a time: it keeps only the last of the answers that come in one read.
    let said = scene.run(&format!(
        "dnsperf -m doh -O doh-uri=https://127.0.0.1:{https}/dns-query -s 127.0.0.1 -p {https} \
         -d questions -c 1 -q 1 -n 100"
    ));
    assert!(said.contains("Queries completed:    200 (100.00%)"), "{said}");
}

/// A process that ends with the test.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn unbound_resolves_over_tls() {
    let scene = Scene::new("unbound");
    let spare = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = scene.folder.0.display();
    scene.folder.write(
        "unbound.conf",
        &format!(
            "server:\n interface: 127.0.0.1@{port}\n do-daemonize: no\n username: \"\"\n \
             chroot: \"\"\n directory: \"{folder}\"\n pidfile: \"\"\n use-syslog: no\n \
             do-not-query-localhost: no\n module-config: \"iterator\"\n tls-upstream: yes\n \
             tls-cert-bundle: \"cert.pem\"\n local-zone: \"test.\" nodefault\n\
             stub-zone:\n name: \"app.test.\"\n stub-addr: 127.0.0.1@{tls}#{HOST}\n \
             stub-tls-upstream: yes\n",
            port = spare.port(),
            tls = scene.tls.port(),
        ),
    );
    let config = scene.folder.0.join("unbound.conf");
    let peer = Command::new("unbound").arg("-c").arg(config).spawn();
    let _peer = Peer(peer.unwrap_or_else(|error| panic!("unbound: {error}")));
    wait_until("unbound listens", || UdpSocket::bind(spare).is_err());
    let asked = scene.run(&format!("dig @127.0.0.1 -p {} +short app.test A", spare.port()));
    assert_eq!(asked, EXPECTED);
    let tls = format!("http://{}/metrics", scene.rota.admin);
    let metrics = scene.run(&format!("curl -sS {tls}"));
    let count = "rota_queries_total{transport=\"tls\",family=\"ipv4\",type=\"A\"} ";
    let asked = metrics.lines().find_map(|line| line.strip_prefix(count)).unwrap();
    assert_ne!(asked, "0", "it came over TLS");
}
