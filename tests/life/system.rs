//! What the system and the service manager give, and what they are told.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

use super::common::{Client, Folder, PATIENCE, Rota, http_status};
use super::{folder, settings, zone};

/// A supervisor's ear.
struct Ear(UnixDatagram);

impl Ear {
    /// The next message, as its lines.
    fn hear(&self) -> Vec<String> {
        let mut text = [0; 512];
        let len = self.0.recv(&mut text).expect("the supervisor is told in time");
        String::from_utf8_lossy(&text[..len]).lines().map(String::from).collect()
    }

    /// Waits for a message that begins with this line, past those of the watchdog.
    #[track_caller]
    fn hears(&self, first: &str) -> Vec<String> {
        loop {
            let lines = self.hear();
            if lines[0] != "WATCHDOG=1" || first == "WATCHDOG=1" {
                assert_eq!(lines[0], first);
                return lines;
            }
        }
    }
}

#[test]
fn the_supervisor_is_told_of_start_reload_life_and_end() {
    for abstract_name in [false, true] {
        let folder = folder(&format!("notify-{abstract_name}"), &zone(&["192.0.2.1"]));
        let path = folder.0.join("notify");
        let name = path.to_str().unwrap().to_owned();
        let (ear, name) = if abstract_name {
            let address = UnixAddr::from_abstract_name(&name).unwrap();
            (UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}"))
        } else {
            (UnixDatagram::bind(&path).unwrap(), name)
        };
        ear.set_read_timeout(Some(PATIENCE)).unwrap();
        let ear = Ear(ear);
        let mut command = Rota::command(&folder.0);
        command.env("NOTIFY_SOCKET", &name).env("WATCHDOG_USEC", "100000");
        let rota = Rota::launch(&mut command);
        let ready = ear.hears("READY=1");
        assert_eq!(ready[1], format!("STATUS=serving 1 zone on {}", rota.dns));
        ear.hears("WATCHDOG=1");
        ear.hears("WATCHDOG=1");
        rota.signal("HUP");
        let reloading = ear.hears("RELOADING=1");
        let usec = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
        assert!(usec.parse::<u64>().unwrap() > 0);
        ear.hears("READY=1");
        rota.signal("TERM");
        ear.hears("STOPPING=1");
        assert!(rota.ended().success());
    }
}

/// `rota run` with these sockets as its descriptors from 3 on, as a service manager starts it;
/// none where there is no shell that can place them.
fn activated(folder: &Folder, sockets: &[&dyn AsFd]) -> Option<Command> {
    if Command::new("bash").arg("-c").arg(":").status().is_err() {
        eprintln!("no bash on this machine: socket activation is not tested");
        return None;
    }
    let mut script = String::new();
    for (at, socket) in sockets.iter().enumerate() {
        let socket = socket.as_fd();
        // Other children of this test may inherit it too, and do nothing with it.
        fcntl_setfd(socket, FdFlags::empty()).unwrap();
        // Far from both the source and the goal of any other.
        script += &format!("exec {}<&{}; ", 200 + at, socket.as_raw_fd());
    }
    for at in 0..sockets.len() {
        script += &format!("exec {}<&{}; ", 3 + at, 200 + at);
    }
    script += &format!(
        "LISTEN_PID=$$ LISTEN_FDS={} exec {} run --log json",
        sockets.len(),
        env!("CARGO_BIN_EXE_rota")
    );
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).current_dir(&folder.0);
    Some(command)
}

/// A UDP socket and a TCP listener on one port.
fn pair() -> (UdpSocket, TcpListener, SocketAddr) {
    for _ in 0..50 {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap();
        if let Ok(tcp) = TcpListener::bind(address) {
            return (udp, tcp, address);
        }
    }
    panic!("no port is spare for both");
}

#[test]
fn passed_sockets_are_served_and_outlive_the_process() {
    let folder = folder("activated", &zone(&["192.0.2.1"]));
    let (udp, tcp, address) = pair();
    let admin = TcpListener::bind("127.0.0.1:0").unwrap();
    let admin_address = admin.local_addr().unwrap();
    folder.write(
        "rota.toml",
        &format!("[listen]\ndns = [\"{address}\"]\nadmin = \"{admin_address}\"\nworkers = 3\n"),
    );
    let Some(mut command) = activated(&folder, &[&udp, &tcp, &admin]) else { return };
    for _ in 0..2 {
        // Who asks before the process runs is answered when it does.
        let mut early = Client::new(address);
        let (question, _) = early.question("app.test.", hickory_proto::rr::RecordType::A);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(&question, address).unwrap();
        let rota = Rota::launch(&mut command);
        assert_eq!((rota.dns, rota.admin), (address, admin_address));
        socket.recv(&mut [0; 512]).unwrap();
        for _ in 0..20 {
            let mut client = Client::new(address);
            assert_eq!(client.addresses("app.test.").len(), 1);
            assert_eq!(
                client.ask_stream(&["app.test."], hickory_proto::rr::RecordType::A).len(),
                1
            );
        }
        assert_eq!(http_status(admin_address, "/readyz"), "200");
        assert!(rota.stop().success());
    }
}

/// What a start with these sockets and these addresses to listen on says, and that it fails.
#[track_caller]
fn check_refused(name: &str, sockets: &[&dyn AsFd], dns: &str, expected: &str) {
    let folder = folder(name, &zone(&["192.0.2.1"]));
    folder.write("rota.toml", &format!("[listen]\ndns = [\"{dns}\"]\nadmin = \"127.0.0.1:0\"\n"));
    let Some(mut command) = activated(&folder, sockets) else { return };
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains(expected), "{said}");
    assert_eq!(ended.status.code(), Some(2), "{said}");
}

#[test]
fn passed_sockets_that_do_not_match_are_explained() {
    let (udp, tcp, address) = pair();
    check_refused(
        "unasked",
        &[&udp, &tcp],
        "127.0.0.1:0",
        &format!(
            "sockets are passed that [listen] does not name: {address} (UDP), {address} (TCP)"
        ),
    );
    check_refused(
        "half",
        &[&tcp],
        &address.to_string(),
        &format!("sockets of {address} are passed to this process, but none for UDP"),
    );
    let (unix, _other) = UnixDatagram::pair().unwrap();
    check_refused(
        "unix",
        &[&unix],
        "127.0.0.1:0",
        "the passed socket 3 cannot be served: it is not a bound UDP or TCP socket",
    );
}

#[test]
fn descriptors_are_counted_at_the_start() {
    let folder = folder("descriptors", &zone(&["192.0.2.1"]));
    for (limit, expected) in [
        ("ulimit -Hn 4000; ulimit -Sn 256", "limit of descriptors raised"),
        ("ulimit -n 256", "too few descriptors are allowed"),
    ] {
        let rota = env!("CARGO_BIN_EXE_rota");
        let mut command = Command::new("sh");
        let script = format!("{limit} && exec {rota} run --log json");
        command.arg("-c").arg(script).current_dir(&folder.0);
        let mut rota = Rota::launch(&mut command);
        let needed = rota.wait_for_log(expected, |line| {
            let said = line["message"].as_str()?.starts_with(expected);
            said.then(|| line["needed"].as_u64())?
        });
        // One address, two workers, the defaults of everything else.
        assert_eq!(needed, 8 + 1000 + 512 + 160);
        assert!(rota.stop().success());
    }
}

#[test]
fn root_becomes_the_user_of_the_configuration() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: what root does is not tested");
        return;
    }
    let folder = folder("user", &zone(&["192.0.2.1"]));
    let listen = settings(1, "");
    folder.write("rota.toml", &format!("user = \"nobody\"\n{listen}"));
    let mut rota = Rota::start(&folder.0, &[]);
    let uid = rota.wait_for_log("that root is given up", |line| {
        (line["message"] == "root is given up").then(|| line["uid"].as_u64())?
    });
    let status = |field: &str| {
        // Every thread, and nothing of root's is left to any.
        let tasks = std::fs::read_dir(format!("/proc/{}/task", rota.pid())).unwrap();
        let of = |task: std::fs::DirEntry| {
            let text = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(field));
            line.map(|rest| rest.split_whitespace().map(String::from).collect::<Vec<_>>())
        };
        tasks.filter_map(|task| of(task.unwrap())).collect::<Vec<_>>()
    };
    let user = vec![uid.to_string(); 4];
    let all = status("Uid:");
    assert!(all.len() > 2 && all.iter().all(|thread| *thread == user), "{all:?}");
    for kind in ["CapEff:", "CapPrm:"] {
        let all = status(kind);
        assert!(all.iter().all(|thread| thread == &["0000000000000000"]), "{kind} {all:?}");
    }
    assert_eq!(Client::new(rota.dns).addresses("app.test.").len(), 1);
    assert!(rota.stop().success());
    // What must last is where the user can write it.
    let saved = std::fs::metadata(folder.0.join("state/statuses.json")).unwrap();
    assert_eq!(u64::from(saved.uid()), uid);

    folder.write("rota.toml", &format!("user = \"no-such-user\"\n{listen}"));
    let mut command = Rota::command(&folder.0);
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("there is no user no-such-user"), "{said}");

    folder.write("rota.toml", &listen);
    let mut rota = Rota::start(&folder.0, &[]);
    rota.wait_for_log("the warning", |line| (line["message"] == "running as root").then_some(()));
    assert!(rota.stop().success());
}
