//! The life of the service from outside: the built binary is started, its files change, it is told
//! to stop, and meanwhile somebody asks and expects an answer to every question.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(clippy::disallowed_methods, reason = "the outside of the program has a clock")]

#[path = "../common/mod.rs"]
mod common;
mod load;
#[path = "../common/mmdb.rs"]
mod mmdb;
mod reload;
mod replace;
mod stop;
mod system;
mod tls;
mod watch;

use common::Folder;

/// A folder with a server on spare ports and this zone as `app.test`.
fn folder(name: &str, zone: &str) -> Folder {
    let folder = Folder::new(&format!("life-{name}"));
    folder.write("rota.toml", &settings(2, ""));
    folder.write("zones/app.test.toml", zone);
    folder
}

/// A `rota.toml` that listens where nobody else does, with more lines for `[listen]` and after it.
fn settings(workers: usize, more: &str) -> String {
    let local = "\"127.0.0.1:0\"";
    format!("[listen]\ndns = [{local}]\nadmin = {local}\nworkers = {workers}\n{more}")
}

/// A zone whose one service is at these addresses.
fn zone(addresses: &[&str]) -> String {
    let nodes: Vec<String> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
    format!("[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\nnodes = [{}]\n", nodes.join(", "))
}
