//! Reloads while clients ask: none of them notices more than that the answers change.

use std::fs;

use super::common::{Client, Mode, Rota, nodes, wait_until};
use super::folder;
use super::load::{Clients, Version};
use hickory_proto::rr::RecordType;

/// Reloads that somebody asks for, and such that happen because a file has changed: these wait for
/// silence each time, and so they are fewer.
const ASKED: usize = 180;
const NOTICED: usize = 20;

#[test]
fn two_hundred_reloads_lose_no_answer_mix_none_and_keep_statuses() {
    let folder = folder("flips", &Version::Old.zone());
    let nodes = nodes(&[[127, 1, 40, 1], [127, 1, 40, 2]]);
    let port = nodes[0].addr.port();
    nodes[1].set(Mode::Unready);
    folder.write(
        "zones/checked.test.toml",
        &format!(
            "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\n\
             check = {{ http = \":{port}/ready\", every = \"1s\", fails = 2, passes = 100 }}\n\
             nodes = [\"127.1.40.1\", \"127.1.40.2\"]\n"
        ),
    );
    let rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    wait_until("the node that is unready leaves", || client.addresses("checked.test.").len() == 1);
    // A status that a reload forgot would be decided by the next verdict alone.
    nodes[1].set(Mode::Ready);
    let clients = Clients::start(rota.dns, 3, 2, 1);
    let mut versions = [Version::New, Version::Old].into_iter().cycle();
    for flip in 0..ASKED + NOTICED {
        let version = versions.next().unwrap();
        fs::write(folder.0.join("new"), version.zone()).unwrap();
        fs::rename(folder.0.join("new"), folder.0.join("zones/app.test.toml")).unwrap();
        if flip < ASKED {
            rota.signal("HUP");
        }
        wait_until("the other version", || {
            Version::of(&client.ask("app.test.", RecordType::A)) == version
        });
        assert_eq!(client.addresses("checked.test.").len(), 1, "statuses are kept");
    }
    assert!(clients.finish() > 0);
    assert!(rota.stop().success());
}
