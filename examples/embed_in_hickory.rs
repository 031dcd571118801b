//! The zones of this folder, checked and steered by Rota, carried by hickory's transports:
//! `cargo run --example embed_in_hickory`, then `dig -p 5301 @127.0.0.1 <a name>`.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use rota::admin::Desk;
use rota::config;
use rota::daemon::{Wanted, control::Control, random_secret, random_seed, settings, suspicion};
use rota::serve::hickory::Handler;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Load: `rota.toml` if there is one, and `zones/`.
    let loaded = config::load(None);
    eprint!("{}", config::render(&loaded.diagnostics, true));
    let config = loaded.into_config().ok_or("there is nothing to serve")?;

    // Publish: this task probes the nodes and puts every change of status in force.
    let mut control = Control::new(fastrand::Rng::with_seed(random_seed()));
    let settings = settings(&config.server, random_secret());
    let (suspicion, hearing) = (suspicion(&config.server), config.server.reports.clone());
    let (zones, atlas) = (config.zones, config.geo.atlas);
    let wanted = Wanted { zones, settings, atlas, suspicion, hearing, metrics: None };
    control.apply(wanted);
    control.settle(Duration::from_secs(5)).await;
    let handler = Handler::new(Arc::clone(control.current()), random_seed());
    let (commands, received) = mpsc::channel(1);
    let (_desk, requests) = Desk::new(control.events());
    let tallies = vec![Arc::clone(handler.tally())];
    let control = tokio::spawn(control.run(received, requests, tallies, |_| ()));

    // Serve.
    let mut server = Server::new(handler);
    server.register_socket(UdpSocket::bind("127.0.0.1:5301").await?);
    let listener = TcpListener::bind("127.0.0.1:5301").await?;
    server.register_listener(listener, Duration::from_secs(10), 128);
    tokio::signal::ctrl_c().await?;

    // Stop: the control task ends when nobody can command it any more.
    server.shutdown_gracefully().await?;
    drop(commands);
    Ok(control.await?)
}
