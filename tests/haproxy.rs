//! HAProxy beside Rota: what an agent's words mean to both, and what HAProxy makes of SRV records.
//!
//! ```text
//!   agent ◄── agent-check ── haproxy ── show servers state ──► one state
//!     ▲                                                         ║ the same
//!     └────── agent ──────── rota ───── rota status ──────────► one state
//!
//! apt-get install haproxy        what it needs besides the build
//! cargo test --test haproxy
//! ```
//!
//! Plain `cargo test` leaves this target out (`test = false`), and asking for it where HAProxy is
//! missing fails rather than skips.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use common::operator::status;
use common::{Folder, PATIENCE, Rota, wait_until};

/// An agent that says what it is told to, to everybody.
struct Agent {
    port: u16,
    line: Arc<Mutex<String>>,
}

impl Agent {
    fn start(ip: &str) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Mutex::new(String::from("up\n")));
        let agent = Self { port, line: Arc::clone(&line) };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut stream = stream;
                let line = line.lock().unwrap().clone();
                // Whoever asks may have gone.
                drop(stream.write_all(line.as_bytes()));
            }
        });
        agent
    }

    fn say(&self, line: &str) {
        *self.line.lock().unwrap() = format!("{line}\n");
    }
}

/// A running HAProxy.
struct Haproxy {
    child: Child,
    socket: PathBuf,
}

/// One server as HAProxy has it: its name, whether it is up, down or draining, and its weight.
type Line = (String, &'static str, u32);

impl Haproxy {
    fn start(folder: &Folder, backend: &str) -> Self {
        let socket = folder.0.join("haproxy.sock");
        folder.write(
            "haproxy.cfg",
            &format!(
                "global\n  stats socket {} level admin\ndefaults\n  mode tcp\n  \
                 timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n{backend}",
                socket.display()
            ),
        );
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f", "haproxy.cfg"]).current_dir(&folder.0);
        let child = command.stdout(Stdio::null()).spawn();
        let child = child.expect("HAProxy runs; install first: apt-get install haproxy");
        let haproxy = Self { child, socket };
        wait_until("HAProxy listens", || UnixStream::connect(&haproxy.socket).is_ok());
        haproxy
    }

    fn ask(&self, line: &str) -> String {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        told
    }

    /// `show servers state`, fields by their place: name 4th, state of operation 6th, of
    /// administration 7th, weight 8th.
    fn servers(&self) -> Vec<Line> {
        let told = self.ask("show servers state app");
        let rows = told.lines().skip(2).map(|row| row.split(' ').collect::<Vec<_>>());
        let rows = rows.filter(|row| row.len() > 8);
        let line = |row: Vec<&str>| {
            let (operation, admin): (u8, u8) = (row[5].parse().unwrap(), row[6].parse().unwrap());
            let weight = row[7].parse().unwrap();
            // Maintenance is in bits 0, 1 and 5 (no address yet), drain in bits 3 and 4.
            let state = match (operation, admin) {
                (_, admin) if admin & 0x23 != 0 => "down",
                (0, _) => "down",
                (_, admin) if admin & 0x18 != 0 => "draining",
                _ if weight == 0 => "draining",
                _ => "up",
            };
            (row[3].to_owned(), state, weight)
        };
        rows.map(line).collect()
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One worker, at ports of its own.
const SERVER: &str = "[listen]\ndns = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nworkers = 1\n";

#[test]
fn an_agents_words_mean_the_same_to_both() {
    let folder = Folder::new("haproxy-agent");
    let agent = Agent::start("127.1.71.1");
    let port = agent.port;
    folder.write("rota.toml", SERVER);
    folder.write(
        "zones/lb.test.toml",
        &format!(
            "[zone]\nns = [\"ns1 127.0.0.1\"]\n[check.agent]\nagent = \":{port}\"\n\
             every = \"100ms\"\nfails = 1\npasses = 1\nhold_down = false\n\
             [service.app]\ncheck = \"agent\"\nnodes = [\"127.1.71.1\"]\n"
        ),
    );
    let haproxy = Haproxy::start(
        &folder,
        &format!(
            "backend app\n  server n1 127.1.71.1:{port} weight 100 agent-check \
             agent-addr 127.1.71.1 agent-port {port} agent-inter 100ms\n"
        ),
    );
    let rota = Rota::start(&folder.0, &[]);
    let ours = || {
        let told = status(&folder);
        let address = &told["services"][0]["pools"][0]["nodes"][0]["addresses"][0];
        address["real"].as_str().unwrap().to_owned()
    };
    for (state, lines) in [
        ("up", &["up", "ready", "75%", "up 50%", "UP", "up maxconn:30", "up,80%", "up\t20%"][..]),
        ("draining", &["drain", "0%", "up drain", "50% drain", "up 0%"]),
        ("down", &["down", "fail", "stopped", "maint", "down # disk", "maint 50%"]),
    ] {
        for line in lines {
            // Neither may be where it is to come to.
            let before = if state == "up" { "ready down" } else { "ready up 100%" };
            agent.say(before);
            wait_until(&format!("both are elsewhere before {line:?}"), || {
                haproxy.servers()[0].1 != state && ours() != state
            });
            agent.say(line);
            // HAProxy is up again only by that word, and keeps `drain` and `maint` until `ready`; to
            // Rota a line says everything.
            if state != "up" || line.to_lowercase().contains("up") {
                wait_until(&format!("HAProxy takes {line:?} for {state}"), || {
                    haproxy.servers()[0].1 == state
                });
            }
            wait_until(&format!("Rota takes {line:?} for {state}"), || ours() == state);
        }
    }
    assert!(rota.stop().success());
}

#[test]
fn weights_of_srv_records_reach_haproxy_in_proportion() {
    let folder = Folder::new("haproxy-srv");
    folder.write("rota.toml", SERVER);
    folder.write(
        "zones/lb.test.toml",
        "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.app]\nsrv = { \"_http._tcp\" = 80 }\n\
         nodes = [\"192.0.2.1 x4\", \"192.0.2.2 x2\", \"192.0.2.3\", \"192.0.2.4\"]\n",
    );
    let rota = Rota::start(&folder.0, &[]);
    let haproxy = Haproxy::start(
        &folder,
        &format!(
            "resolvers rota\n  nameserver rota {}\n  accepted_payload_size 1232\n  \
             timeout resolve 100ms\n  timeout retry 100ms\n  hold valid 100ms\n\
             backend app\n  server-template n 4 _http._tcp.app.lb.test resolvers rota \
             init-addr none\n",
            rota.dns
        ),
    );
    let weights = || {
        let mut all: Vec<u32> = haproxy.servers().into_iter().map(|(_, _, it)| it).collect();
        all.sort_unstable();
        all
    };
    wait_until("all four are there", || {
        haproxy.servers().iter().filter(|(_, state, _)| *state == "up").count() == 4
    });
    let found = weights();
    assert_eq!(found, [1, 1, 2, 4], "{found:?}");
    assert!(rota.stop().success());
}
