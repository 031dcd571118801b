//! What TLS checks say of nodes, and what HTTPS checks say of their certificates.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rota::health::{
    Ask, HttpAsk, Outcome, Reason, Secure, Stage, TlsAsk, TlsFault, Trust, Verdict, Warning,
};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::authority::{Authority, DAY, Term, since_1970, tls_node};
use super::node::Act;
use super::{PATIENT, SHORT, fail, probe};

const HOST: &str = "app.example.org";

/// Both kinds that shake hands, so that they are known to judge alike.
fn asks(address: SocketAddr, host: &str, secure: Secure) -> [Ask; 2] {
    let (port, secure) = (address.port(), Arc::new(secure));
    let tls = Some(Arc::clone(&secure));
    let https = HttpAsk { tls, ..HttpAsk::get(port, "/ready", host) };
    [Ask::Http(https), Ask::Tls(TlsAsk { port, host: host.into(), secure })]
}

async fn verdict(ask: Ask) -> Verdict {
    probe(super::check(ask, PATIENT)).await
}

/// What both kinds say of a node with a certificate, and the names that they asked for.
async fn judge(
    certificate: &(String, String),
    host: &str,
    secure: &Secure,
) -> (Verdict, Option<String>) {
    let mut told = Vec::new();
    for kind in [0, 1] {
        let (address, serving) = tls_node(certificate.clone(), None).await;
        let [https, tls] = asks(address, host, secure.clone());
        let Verdict { outcome, warning, .. } = verdict(if kind == 0 { https } else { tls }).await;
        let verdict = Verdict { warning, ..Verdict::new(outcome, Duration::ZERO) };
        told.push((verdict, serving.await.unwrap()));
    }
    assert_eq!(told[0], told[1]);
    told.remove(0)
}

#[tokio::test]
async fn the_address_is_asked_under_the_hosts_name() {
    let authority = Authority::new("one");
    let certificate = authority.sign(HOST, Term::Long);
    let (verdict, asked) = judge(&certificate, HOST, &authority.trusted()).await;
    assert_eq!((verdict.outcome, verdict.warning), (Outcome::Pass, None));
    assert_eq!(asked.as_deref(), Some(HOST));
}

#[tokio::test]
async fn an_address_as_host_is_verified_as_the_address_that_is_probed() {
    let authority = Authority::new("one");
    let certificate = authority.sign("127.0.0.1", Term::Long);
    let (verdict, asked) = judge(&certificate, "192.0.2.1", &authority.trusted()).await;
    assert_eq!((verdict.outcome, asked), (Outcome::Pass, None));
}

#[tokio::test]
async fn a_certificate_that_is_not_good_says_why() {
    let [authority, anew, other] = ["one", "one", "other"].map(Authority::new);
    let takes_all = Secure { trust: Trust::Anyone, ..authority.trusted() };
    for (signer, name, term, fault) in [
        (&authority, HOST, Term::Past, TlsFault::Expired),
        (&authority, HOST, Term::Future, TlsFault::NotYetValid),
        (&authority, "other.example.org", Term::Long, TlsFault::WrongName),
        (&other, HOST, Term::Long, TlsFault::UnknownCa),
        (&anew, HOST, Term::Long, TlsFault::UnknownCa),
    ] {
        let certificate = signer.sign(name, term);
        let (verdict, _) = judge(&certificate, HOST, &authority.trusted()).await;
        assert_eq!(verdict.outcome, fail(Reason::Tls(fault)), "{name} {term:?}");
        let (verdict, _) = judge(&certificate, HOST, &takes_all).await;
        assert_eq!((verdict.outcome, verdict.warning), (Outcome::Pass, None), "{name} {term:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_passes_with_a_warning() {
    let authority = Authority::new("one");
    for (ends, warn_before, warns) in
        [(5 * DAY, 14 * DAY, true), (20 * DAY, 14 * DAY, false), (5 * DAY, Duration::ZERO, false)]
    {
        let certificate = authority.sign(HOST, Term::Ends(ends));
        let latest = (since_1970() + ends).as_secs();
        let secure = Secure { warn_before, ..authority.trusted() };
        let (verdict, _) = judge(&certificate, HOST, &secure).await;
        assert_eq!(verdict.outcome, Outcome::Pass);
        let Some(Warning::CertificateEnds(end)) = verdict.warning else {
            assert!(!warns, "{ends:?} {warn_before:?}");
            continue;
        };
        assert!(warns && end <= latest && end + DAY.as_secs() > latest, "{end} of {latest}");
    }
}

#[tokio::test]
async fn a_node_may_be_its_own_authority() {
    for (name, term, expected, warns) in [
        (HOST, Term::Long, Outcome::Pass, false),
        (HOST, Term::Ends(5 * DAY), Outcome::Pass, true),
        (HOST, Term::Past, fail(Reason::Tls(TlsFault::Expired)), false),
        (HOST, Term::Future, fail(Reason::Tls(TlsFault::NotYetValid)), false),
        ("other.example.org", Term::Long, fail(Reason::Tls(TlsFault::WrongName)), false),
    ] {
        let (authority, shown) = Authority::itself(name, term);
        let (verdict, _) = judge(&shown, HOST, &authority.trusted()).await;
        assert_eq!((verdict.outcome, verdict.warning.is_some()), (expected, warns));
        // Another one is not meant by that.
        let (_, stranger) = Authority::itself(HOST, Term::Long);
        let (verdict, _) = judge(&stranger, HOST, &authority.trusted()).await;
        assert!(matches!(verdict.outcome, Outcome::Fail(Reason::Tls(_))), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_node_may_want_to_know_the_prober() {
    let authority = Authority::new("one");
    for (secure, expected) in [
        (authority.trusted_with_identity(), Outcome::Pass),
        (authority.trusted(), fail(Reason::Tls(TlsFault::ClientRefused))),
    ] {
        let certificate = authority.sign(HOST, Term::Long);
        let (address, _) = tls_node(certificate, Some(&authority)).await;
        let [https, _] = asks(address, HOST, secure);
        assert_eq!(verdict(https).await.outcome, expected);
    }
}

#[tokio::test]
async fn a_plain_node_is_a_tls_fault() {
    for kind in [0, 1] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            Act::Stall("HTTP/1.1 400 Bad Request\r\n\r\n").perform(&mut stream).await;
        });
        let ask = asks(address, HOST, Authority::new("one").trusted())[kind].clone();
        let outcome = verdict(ask).await.outcome;
        assert!(matches!(outcome, Outcome::Fail(Reason::Tls(TlsFault::Other(_)))), "{outcome:?}");
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_is_a_timeout_of_it() {
    for kind in [0, 1] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ask = asks(address, HOST, Authority::new("one").trusted())[kind].clone();
        let told = probe(super::check(ask, SHORT)).await.outcome;
        assert_eq!(told, fail(Reason::Timeout(Stage::Handshake)));
        let hung_up = tokio::spawn(async move {
            let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.is_ok()
        });
        assert!(hung_up.await.unwrap());
    }
}
