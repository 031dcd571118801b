//! A connection to a target, and TLS on it: what every kind begins with. [`exchange`] is all that
//! the simplest do with it.
//!
//! It goes to the target's address and nowhere else: no name is resolved and no proxy asked. Every
//! probe opens a connection of its own, since being able to connect is half of what is asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConnection, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::line::Line;
use super::term::Term;
use super::trust::{Keyring, Protocols, Settings};
use super::{Course, failure};
use crate::health::ask::ANSWER_LEN_MAX;
use crate::health::{Outcome, Reason, Secure, Stage, Warning};

/// Connects.
pub(super) async fn plain(socket: SocketAddr, course: &mut Course) -> Result<Line, Outcome> {
    course.enter(Stage::Connect);
    Line::connect(socket).await.map_err(|error| failure::outcome(&error, socket))
}

/// A connection, plain or in TLS; what TLS needs stands apart, since most connections do not.
pub(super) type Opened = Either<Line, Box<TlsStream<Line>>>;

/// Connects, and shakes hands as a client of `host` where that is asked for.
pub(super) async fn open(
    socket: SocketAddr,
    host: &str,
    secure: Option<&Arc<Secure>>,
    protocols: Protocols,
    keyring: &Keyring,
    course: &mut Course,
) -> Result<Opened, Outcome> {
    let stream = plain(socket, course).await?;
    let Some(secure) = secure else { return Ok(Either::Left(stream)) };
    let shaking = secured(stream, socket, host, secure, protocols, keyring, course);
    Ok(Either::Right(Box::new(Box::pin(shaking).await?)))
}

/// Says a text on a connection of its own, and reads until what has come is enough, or no more
/// comes, or no more is read: [`ANSWER_LEN_MAX`].
pub(super) async fn exchange(
    socket: SocketAddr,
    text: &str,
    is_enough: impl Fn(&[u8]) -> bool,
    course: &mut Course,
) -> Result<Vec<u8>, Outcome> {
    let mut stream = plain(socket, course).await?;
    course.enter(Stage::Answer);
    let said = |error| failure::outcome(&error, socket);
    stream.write_all(text.as_bytes()).await.map_err(said)?;
    let mut answer = Vec::new();
    let mut bounded = stream.take(ANSWER_LEN_MAX as u64);
    while !is_enough(&answer) && bounded.read_buf(&mut answer).await.map_err(said)? > 0 {}
    Ok(answer)
}

/// Shakes hands as a client of `host`; warns of a certificate that ends soon.
///
/// A host that is an address has no SNI (RFC 6066 §3), and is another for each node of a service:
/// the certificate is verified for the address that is probed.
pub(super) async fn secured(
    stream: Line,
    socket: SocketAddr,
    host: &str,
    secure: &Arc<Secure>,
    protocols: Protocols,
    keyring: &Keyring,
    course: &mut Course,
) -> Result<TlsStream<Line>, Outcome> {
    course.enter(Stage::Handshake);
    // The end of the handshake and what follows it are two packets.
    stream.hurry().map_err(|error| failure::outcome(&error, socket))?;
    let local = |why| Outcome::NoVerdict(Reason::Local(why));
    let name = match ServerName::try_from(host.to_owned()) {
        Ok(name @ ServerName::DnsName(_)) => name,
        Ok(_) => ServerName::from(socket.ip()),
        Err(error) => return Err(local(format!("host {host:?}: {error}"))),
    };
    let settings = keyring.settings(secure, protocols).map_err(local)?;
    let connector = TlsConnector::from(Arc::clone(&settings.config));
    let stream = connector
        .connect(name.clone(), stream)
        .await
        .map_err(|error| failure::outcome(&error, socket))?;
    if let Some(warning) = foresee(stream.get_ref().1, &settings, &name, secure) {
        course.warn(warning);
    }
    Ok(stream)
}

/// Has the certificate judged as of the day that is far enough ahead: what will not be good then
/// because its time is over is worth a warning, be it the node's or an authority's.
///
/// Judging costs as much as the handshake did, so it is asked only where something that the node
/// sent ends by then; a node may also send what its chain does not need.
fn foresee(
    connection: &ClientConnection,
    settings: &Settings,
    name: &ServerName<'_>,
    secure: &Secure,
) -> Option<Warning> {
    if secure.warn_before.is_zero() {
        return None;
    }
    let sent = connection.peer_certificates()?;
    let now = Duration::from_secs(UnixTime::now().as_secs());
    let then = UnixTime::since_unix_epoch(now.saturating_add(secure.warn_before));
    let lasts = |certificate: &CertificateDer<'_>| {
        Term::of(certificate).is_some_and(|term| term.not_after >= then.as_secs())
    };
    if sent.iter().all(lasts) {
        return None;
    }
    let (certificate, others) = sent.split_first()?;
    match settings.judge.verify_server_cert(certificate, others, name, &[], then) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Some(Warning::CertificateEnds(not_after.as_secs()))
        }
        Ok(_) | Err(_) => None,
    }
}
