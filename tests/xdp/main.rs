//! Answers below the sockets, over a cable between two network namespaces: right ones for both
//! families, with the kernel's own way alive beside them, through reloads, withdrawals, kills,
//! replacements, and an interface that goes down and comes up.
//!
//! Needs root, and `ip` of iproute2, `ping`, `setpriv` and `ethtool`; so it runs by its name:
//! `cargo test --test xdp`.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(clippy::disallowed_methods, reason = "the outside of the program has a clock")]

#[path = "../common/mod.rs"]
mod common;
mod world;

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::mem::ManuallyDrop;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use common::operator::told;
use common::{Mode, Rota, a_records, nodes, wait_until};
use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use world::{Asker, V4, V6, World};

const ANY: &str = "\"0.0.0.0:53\", \"[::]:53\"";
const TWO: &str = "nodes = [\"192.0.2.1\", \"192.0.2.2\"]";
/// Between two questions of one client. Without it these machines have no time for anything else,
/// and Linux takes its own to free the queue of a process that has ended.
const GENTLE: Duration = Duration::from_millis(1);
/// Frames of one queue.
const FRAMES: u64 = 4096;

fn at_v4() -> String {
    format!("{V4}:53")
}

fn at_v6() -> String {
    format!("[{V6}]:53")
}

fn addresses(message: &Message) -> HashSet<Ipv4Addr> {
    a_records(message).into_iter().collect()
}

fn both() -> HashSet<Ipv4Addr> {
    [[192, 0, 2, 1], [192, 0, 2, 2]].map(Ipv4Addr::from).into()
}

/// Asks, and sees that no socket of the kernel's has had a part in it.
#[track_caller]
fn check_below(world: &World, server: &str) {
    let before = world.given_to_sockets();
    let answer = world.ask(server).expect("an answer");
    assert_eq!(addresses(&answer), both());
    assert_eq!(world.given_to_sockets(), before, "{server}: a socket was asked");
}

/// Stops the server, and sees that every frame of every queue is where it should be.
#[track_caller]
fn check_frames(mut rota: Rota, queues: usize) {
    rota.signal("TERM");
    for queue in 0..queues {
        rota.wait_for_log("frames at the end", |line| {
            let last = line["message"] == "frames at the end" && line["queue"] == queue;
            last.then(|| {
                let number = |name: &str| line[name].as_u64().unwrap();
                assert_eq!((number("here"), number("leaving")), (0, 0), "{line}");
                assert_eq!(number("spare") + number("filling"), FRAMES, "{line}");
            })
        });
    }
    assert!(rota.ended().success());
}

#[test]
fn both_families_are_answered_below_and_the_rest_is_the_kernels() {
    let world = World::new("plain", 1);
    world.configure(ANY, 1, "[dns]\nudp_size = 4096\n");
    world.zone(TWO);
    let many: Vec<String> = (0..200).map(|n| format!("\"192.0.2.{n}\"")).collect();
    world.folder.write(
        "zones/many.test.toml",
        &format!(
            "[zone]\nns = [\"ns1 {V4}\"]\n[service.\"@\"]\nanswers = \"all\"\nnodes = [{}]\n",
            many.join(", ")
        ),
    );
    let (rota, mode) = world.start(&[]);
    assert_eq!(mode, "native, copy, 1 queues");
    for server in [at_v4(), at_v6()] {
        check_below(&world, &server);
    }

    // TCP, other ports, ICMP, and datagrams in parts go the way they went.
    let tcp = world.as_client(|| {
        let mut stream = TcpStream::connect(at_v4()).unwrap();
        let question =
            Asker::new(at_v4().parse().unwrap()).question("many.test.", RecordType::A, 0);
        stream
            .write_all(&[&(question.len() as u16).to_be_bytes()[..], &question].concat())
            .unwrap();
        let mut len = [0; 2];
        stream.read_exact(&mut len).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(len))];
        stream.read_exact(&mut answer).unwrap();
        Message::from_vec(&answer).unwrap()
    });
    assert_eq!(a_records(&tcp).len(), 200);
    let refused = world.as_client(|| {
        let server: SocketAddr = format!("{V4}:54").parse().unwrap();
        Asker::new(server).exchange(b"nobody is there").unwrap_err()
    });
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    for (program, address) in [("-4", V4), ("-6", V6)] {
        let ping = world.clients_program(&["ping", program, "-c", "1", "-W", "5", address]);
        assert!(ping.status.success(), "{ping:?}");
    }
    for server in [at_v4(), at_v6()] {
        let before = world.given_to_sockets();
        let answer = world.as_client(move || {
            let mut asker = Asker::new(server.parse().unwrap());
            let mut question = asker.question("app.test.", RecordType::A, 1232);
            question.resize(3000, 0);
            asker.exchange(&question).unwrap()
        });
        assert!(answer.len() >= 12 && answer[2] & 0x80 != 0);
        assert_eq!(world.given_to_sockets(), before + 1, "a datagram in parts is the kernel's");
    }

    // What the link does not take whole is cut, whatever its asker would take.
    for (server, room) in [(at_v4(), 1500 - 28), (at_v6(), 1500 - 48)] {
        let answer = world.as_client(move || {
            let mut asker = Asker::new(server.parse().unwrap());
            let question = asker.question("many.test.", RecordType::A, 4096);
            asker.exchange(&question).unwrap()
        });
        assert!(answer.len() <= room, "{} octets", answer.len());
        assert!(Message::from_vec(&answer).unwrap().metadata.truncation);
    }
    check_frames(rota, 1);
}

#[test]
fn every_queue_is_answered_and_addresses_can_be_listed() {
    let world = World::new("queues", 2);
    world.configure(&format!("\"{V4}:53\", \"127.0.0.1:5353\""), 2, "");
    world.zone(TWO);
    let (mut rota, mode) = world.start(&[]);
    assert_eq!(mode, "native, copy, 2 queues");
    rota.wait_for_log("loopback is not taken", |line| {
        (line["addresses"] == format!("{V4}:53")).then_some(())
    });
    let before = world.given_to_sockets();
    let clients = world.clients(&at_v4(), 16, Duration::ZERO);
    clients.go_on(2000);
    let (_, lost) = clients.finish();
    assert_eq!((lost, world.given_to_sockets()), (0, before));
    check_frames(rota, 2);
}

#[test]
fn reloads_and_withdrawals_under_load_lose_no_query() {
    let world = World::new("change", 1);
    world.configure(ANY, 2, "");
    // They could be stopped only from within their namespace, and end with the test.
    let ready = world.as_server(|| ManuallyDrop::new(nodes(&[[127, 1, 61, 1], [127, 1, 61, 2]])));
    let port = ready[0].addr.port();
    let zone = |more: &str| {
        format!(
            "{more}check = {{ http = \":{port}/ready\", every = \"1s\", fails = 1, passes = 1 }}\n\
             nodes = [\"127.1.61.1\", \"127.1.61.2\"]"
        )
    };
    world.zone(&zone(""));
    let (rota, _) = world.start(&[]);
    let clients = world.clients(&at_v4(), 4, GENTLE);
    let others = world.clients(&at_v6(), 2, GENTLE);
    let answered = || addresses(&world.ask(&at_v4()).expect("an answer"));
    assert_eq!(answered().len(), 2);
    ready[1].set(Mode::Unready);
    wait_until("the node leaves", || answered() == [Ipv4Addr::new(127, 1, 61, 1)].into());
    ready[1].set(Mode::Ready);
    wait_until("the node returns", || answered().len() == 2);
    for ttl in 1..=20 {
        world.zone(&zone(&format!("ttl = \"{ttl}s\"\n")));
        rota.signal("HUP");
        wait_until("the zone is taken up", || {
            world.ask(&at_v6()).expect("an answer").answers[0].ttl == ttl
        });
    }
    told(&world.folder, "drain 127.1.61.1", 0);
    wait_until("the drained one leaves", || answered() == [Ipv4Addr::new(127, 1, 61, 2)].into());
    clients.go_on(100);
    for clients in [clients, others] {
        assert_eq!(clients.finish().1, 0, "no question was lost");
    }
    check_frames(rota, 1);
}

#[test]
fn one_that_is_killed_leaves_the_interface_and_the_next_one_takes_it() {
    let world = World::new("kill", 1);
    world.configure(ANY, 1, "");
    world.zone(TWO);
    for _ in 0..5 {
        let (rota, _) = world.start(&[]);
        check_below(&world, &at_v4());
        assert!(world.ip("link show vs").contains("xdp"), "a program is there");
        let clients = world.clients(&at_v4(), 2, GENTLE);
        clients.go_on(50);
        rota.signal("KILL");
        rota.ended();
        assert!(!world.ip("link show vs").contains("xdp"), "the program went with it");
        clients.finish();
    }
}

#[test]
fn a_replacement_takes_the_interface_over_and_loses_no_query() {
    let world = World::new("replace", 1);
    world.configure(ANY, 2, "");
    world.zone(TWO);
    let (mut rota, _) = world.start(&[]);
    let clients = world.clients(&at_v4(), 4, GENTLE);
    for _ in 0..5 {
        clients.go_on(100);
        let (new, _) = world.start(&["--replace"]);
        assert!(rota.ended().success());
        rota = new;
        // What came before waits in the sockets, and is counted when it is read.
        wait_until("no socket is asked any more", || {
            let before = world.given_to_sockets();
            world.ask(&at_v6()).is_some() && world.given_to_sockets() == before
        });
    }
    clients.go_on(100);
    assert_eq!(clients.finish().1, 0, "no question was lost");
    check_frames(rota, 1);
}

#[test]
fn an_interface_that_went_down_is_answered_when_it_is_up() {
    let world = World::new("down", 1);
    world.configure(ANY, 1, "");
    world.zone(TWO);
    let (rota, _) = world.start(&[]);
    for _ in 0..3 {
        let clients = world.clients(&at_v4(), 4, GENTLE);
        clients.go_on(100);
        world.ip("link set vs down");
        assert!(world.ask(&at_v4()).is_none());
        world.ip("link set vs up");
        clients.go_on(100);
        clients.finish();
        // The kernel forgets these.
        world.ip(&format!("addr replace {V6}/64 dev vs nodad"));
        wait_until("both families are back", || {
            world.ask(&at_v4()).is_some() && world.ask(&at_v6()).is_some()
        });
        check_below(&world, &at_v4());
        check_below(&world, &at_v6());
    }
    // It is gone for good: sockets are what is left, and the server lives.
    world.ip("link del vs");
    check_frames_or_gone(rota);
}

/// Stops a server whose interface is no more.
fn check_frames_or_gone(rota: Rota) {
    std::thread::sleep(Duration::from_millis(600));
    assert!(rota.stop().success());
}

#[test]
fn a_flood_costs_answers_and_never_a_frame() {
    let world = World::new("flood", 2);
    world.configure(ANY, 2, "");
    world.zone(TWO);
    let (rota, _) = world.start(&[]);
    world.as_client(|| {
        for _ in 0..8 {
            let mut asker = Asker::new(at_v4().parse().unwrap());
            for size in 0..5000_u16 {
                let question = asker.question("app.test.", RecordType::A, size);
                // Nobody waits for an answer.
                drop(asker.send(&question[..question.len() - usize::from(size % 3 == 0)]));
            }
        }
    });
    wait_until("what waits is answered", || world.ask(&at_v4()).is_some());
    check_below(&world, &at_v4());
    check_frames(rota, 2);
}

#[test]
fn queries_in_a_vlan_are_answered_in_it() {
    let world = World::new("vlan", 1);
    let off = |netns: &str, link: &str| {
        let words = ["ethtool", "-K", link, "txvlan", "off", "rxvlan", "off"];
        let output = match netns {
            "server" => world.program(&words).output().expect("ethtool runs"),
            _ => world.clients_program(&words),
        };
        assert!(output.status.success(), "{output:?}");
    };
    world.configure(ANY, 1, "");
    world.zone(TWO);
    if !world.can("link add link vs name vs.7 type vlan id 7") {
        eprintln!("not tried: this kernel has no VLANs");
        return;
    }
    world.ip("addr add 10.99.7.1/24 dev vs.7");
    world.ip("link set vs.7 up");
    // The card would hide the tag.
    let mut rota = world.launch(&[]);
    rota.wait_for_log("tags are hidden", |line| {
        let help = line["help"].as_str().unwrap_or_default();
        help.contains("rxvlan off").then_some(())
    });
    assert!(rota.stop().success());
    off("server", "vs");
    off("client", "vc");
    world.ip_of_client("link add link vc name vc.7 type vlan id 7");
    world.ip_of_client("addr add 10.99.7.2/24 dev vc.7");
    world.ip_of_client("link set vc.7 up");
    let (rota, _) = world.start(&[]);
    check_below(&world, "10.99.7.1:53");
    check_below(&world, &at_v4());
    check_frames(rota, 1);
}

#[test]
fn an_interface_whose_driver_knows_nothing_of_it_is_taken_generically() {
    let world = World::new("generic", 1);
    world.configure(ANY, 1, "");
    world.folder.write(
        "rota.toml",
        &format!("[listen]\ndns = [{ANY}]\nadmin = \"127.0.0.1:0\"\nxdp = [\"mv\"]\nworkers = 1\n"),
    );
    world.zone(TWO);
    world.ip("link add link vs name mv type macvlan mode bridge");
    world.ip("addr add 10.99.0.3/24 dev mv");
    world.ip("link set mv up");
    let (rota, mode) = world.start(&[]);
    assert_eq!(mode, "generic, 1 queues");
    // Neighbours may have heard of the address at another interface.
    world.ip_of_client("neigh flush all");
    wait_until("a neighbour is found", || world.ask("10.99.0.3:53").is_some());
    check_frames(rota, 1);
}

#[test]
fn without_an_interface_or_privilege_sockets_answer_and_one_line_says_so() {
    let world = World::new("without", 1);
    world.zone(TWO);
    let listen = |xdp: &str| {
        let dns = "\"0.0.0.0:5300\"";
        format!("[listen]\ndns = [{dns}]\nadmin = \"127.0.0.1:0\"\nxdp = [{xdp}]\nworkers = 1\n")
    };
    let said = |rota: &mut Rota| {
        rota.wait_for_log("what is wrong", |line| {
            let told = line["message"] == "not taken at the driver: sockets answer";
            told.then(|| format!("{} {}", line["why"], line["help"]))
        })
    };
    world.folder.write("rota.toml", &listen("\"eth7\""));
    let mut rota = world.launch(&[]);
    assert!(said(&mut rota).contains("no interface of this name"));
    assert_eq!(addresses(&world.ask(&format!("{V4}:5300")).unwrap()), both());
    assert!(rota.stop().success());

    world.folder.write("rota.toml", &listen("\"lo\""));
    let mut rota = world.launch(&[]);
    assert!(said(&mut rota).contains("no Ethernet"));
    assert!(rota.stop().success());

    // Somebody without root's powers.
    world.folder.write("rota.toml", &listen("\"vs\""));
    std::fs::create_dir_all(world.folder.0.join("state")).unwrap();
    open_to_all(&world);
    let rota = [env!("CARGO_BIN_EXE_rota"), "run", "--log", "json"];
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let mut rota = Rota::launch(&mut world.program(&[&nobody[..], &rota].concat()));
    let why = said(&mut rota);
    assert!(why.contains("CAP_NET_ADMIN, CAP_BPF and CAP_NET_RAW"), "{why}");
    assert_eq!(addresses(&world.ask(&format!("{V4}:5300")).unwrap()), both());
    assert!(rota.stop().success());
}

fn open_to_all(world: &World) {
    use std::os::unix::fs::PermissionsExt;
    for path in ["", "state"] {
        let all = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(world.folder.0.join(path), all).unwrap();
    }
}

#[test]
fn root_takes_the_interface_and_keeps_no_power() {
    let world = World::new("user", 1);
    world.configure(ANY, 2, "");
    let text = std::fs::read_to_string(world.folder.0.join("rota.toml")).unwrap();
    world.folder.write("rota.toml", &format!("user = \"nobody\"\n{text}"));
    world.zone(TWO);
    let (rota, _) = world.start(&[]);
    check_below(&world, &at_v4());
    for task in std::fs::read_dir(format!("/proc/{}/task", rota.pid())).unwrap() {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        for kind in ["CapEff:", "CapPrm:"] {
            let line = status.lines().find(|line| line.starts_with(kind)).unwrap();
            assert!(line.ends_with("\t0000000000000000"), "{line}");
        }
    }
    check_frames(rota, 1);
}
