//! A server with every listener, and clients for each.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use h2::client::SendRequest;
use hyper::body::Bytes;
use hyper::{Request, Response};
use rcgen::{CertificateParams, KeyPair};
use rota::respond::Transport;
use rota::serve::{
    self, Counters, Gate, Keyring, Limits, Listeners, Options, Pair, Proxies, Running, Totals, Way,
};
use rota::snapshot::Settings;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::engine::{Engine, query};

/// Long enough for any machine, so that only a fault runs into it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// What the certificate is of.
pub(crate) const HOST: &str = "ns1.example.test";

/// Limits that no test meets by accident.
pub(crate) const AMPLE: Limits = Limits {
    connections: 10_000,
    connections_per_client: 10_000,
    idle: Duration::from_secs(60),
    handshake: Duration::from_secs(60),
    request: Duration::from_secs(60),
    in_flight: 100,
    rate: NonZeroU32::MIN,
};

/// A server, running.
pub(crate) struct World {
    running: Option<Running>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) root: CertificateDer<'static>,
    engine: Engine,
}

/// A certificate of one name, and what it is judged by.
pub(crate) fn certificate(host: &str) -> (Pair, CertificateDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let made = CertificateParams::new([host.to_owned()]).unwrap().self_signed(&key).unwrap();
    let der = made.der().clone();
    let secret = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let provider = ring::default_provider();
    let key = CertifiedKey::from_der(vec![der.clone()], secret, &provider).unwrap();
    (Pair { name: host.to_owned(), key: Arc::new(key), not_after: 0, warn_from: 0 }, der)
}

impl World {
    pub(crate) fn new(limits: Limits) -> Self {
        Self::with(limits, Proxies::default(), Settings::default())
    }

    pub(crate) fn with(limits: Limits, proxies: Proxies, settings: Settings) -> Self {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (pair, root) = certificate(HOST);
        let keyring = Keyring::new(vec![pair]);
        let ways = Way::ALL.into_iter().filter(|way| match way {
            Way::Dns => false,
            Way::H3 => cfg!(feature = "doh3"),
            Way::Quic => cfg!(feature = "doq"),
            Way::Tls | Way::Https | Way::Http => true,
        });
        let options = Options {
            addresses: vec![local],
            gates: ways.map(|way| Gate { way, address: local }).collect(),
            workers: 1,
            limits,
            proxies,
            keyring: Arc::clone(&keyring),
            ..Options::default()
        };
        let engine = Engine::with_settings(1, settings);
        let listeners = Listeners::bind(&options).unwrap();
        let current = Arc::clone(engine.publisher.current());
        let running = Some(serve::start(listeners, current, 1).unwrap());
        Self { running, keyring, root, engine }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// Where it listens for this.
    pub(crate) fn at(&self, way: Way) -> SocketAddr {
        self.running().addresses_of(way)[0]
    }

    pub(crate) fn totals(&self, transport: Transport) -> Totals {
        self.running().counters().of(transport)
    }

    pub(crate) fn counters(&self) -> Counters {
        self.running().counters()
    }

    /// Waits until the counters of a transport say so.
    #[track_caller]
    pub(crate) fn eventually(&self, transport: Transport, check: impl Fn(Totals) -> bool) {
        for _ in 0..3000 {
            if check(self.totals(transport)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{transport:?}: {:?}", self.totals(transport));
    }

    /// What answers of the engine look like, without sockets.
    pub(crate) fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    pub(crate) fn stop(mut self) {
        self.running.take().unwrap().stop();
    }

    /// TLS settings of a client that speaks one of these protocols.
    pub(crate) fn client(&self, alpn: &[&[u8]]) -> ClientConfig {
        client(&self.root, alpn)
    }

    /// A connection inside TLS.
    pub(crate) async fn tls(&self, way: Way, alpn: &[u8]) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.at(way)).await.unwrap();
        // Two writes that make one request do not wait for each other.
        stream.set_nodelay(true).unwrap();
        self.tls_over(stream, alpn).await
    }

    /// The same over what is there.
    pub(crate) async fn tls_over<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        alpn: &[u8],
    ) -> TlsStream<S> {
        let connector = TlsConnector::from(Arc::new(self.client(&[alpn])));
        let name = ServerName::try_from(HOST).unwrap();
        connector.connect(name, stream).await.unwrap()
    }

    /// A connection of HTTP/2.
    pub(crate) async fn h2(&self) -> Http {
        Http::begin(self.tls(Way::Https, b"h2").await).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

pub(crate) fn client(root: &CertificateDer<'static>, alpn: &[&[u8]]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// A client of HTTP/2.
#[derive(Clone)]
pub(crate) struct Http(SendRequest<Bytes>);

impl Http {
    pub(crate) async fn begin<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        stream: S,
    ) -> Self {
        // RFC 9113 §5.1.2: there is no limit until the server's is known, and streams beyond it
        // are refused.
        let mut builder = h2::client::Builder::new();
        let shaking = builder.initial_max_send_streams(1).handshake(stream);
        let (send, connection) = shaking.await.unwrap();
        tokio::spawn(connection);
        Self(send)
    }

    /// A request with this body, and the whole response.
    pub(crate) async fn send(
        &self,
        request: Request<()>,
        body: &[u8],
    ) -> Result<(Response<()>, Vec<u8>), h2::Error> {
        let mut ready = self.0.clone().ready().await?;
        let (response, mut sending) = ready.send_request(request, body.is_empty())?;
        if !body.is_empty() {
            // A server that has heard enough may have said so.
            drop(sending.send_data(Bytes::copy_from_slice(body), true));
        }
        let (head, mut body) = response.await?.into_parts();
        let mut octets = Vec::new();
        while let Some(data) = body.data().await {
            let data = data?;
            drop(body.flow_control().release_capacity(data.len()));
            octets.extend_from_slice(&data);
        }
        Ok((Response::from_parts(head, ()), octets))
    }

    /// A question by POST.
    pub(crate) async fn ask(&self, query: &[u8]) -> Vec<u8> {
        let (response, body) = self.send(post(), query).await.unwrap();
        assert_eq!(response.status(), 200);
        body
    }
}

/// The head of a question by POST.
pub(crate) fn post() -> Request<()> {
    let uri = format!("https://{HOST}/dns-query");
    let request = Request::post(uri).header("content-type", "application/dns-message");
    request.body(()).unwrap()
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

pub(crate) async fn read_framed<S: AsyncRead + Unpin>(stream: &mut S) -> Vec<u8> {
    let len = stream.read_u16().await.unwrap();
    let mut message = vec![0; usize::from(len)];
    stream.read_exact(&mut message).await.unwrap();
    message
}

/// One question and its answer, on a stream that stays open.
pub(crate) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    query: &[u8],
) -> Vec<u8> {
    stream.write_all(&framed(query)).await.unwrap();
    stream.flush().await.unwrap();
    read_framed(stream).await
}

/// The same over UDP.
pub(crate) fn ask_udp(server: SocketAddr, query: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(query, server).unwrap();
    let mut answer = vec![0; 4096];
    let (len, _) = socket.recv_from(&mut answer).unwrap();
    answer.truncate(len);
    answer
}

/// A question with an answer that is always the same.
pub(crate) fn question() -> Vec<u8> {
    query(0, "text.example.test", 16, Some(1232))
}

/// For those who need no world of their own.
pub(crate) static SHARED: LazyLock<World> = LazyLock::new(|| World::new(AMPLE));
