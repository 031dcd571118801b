//! One of each mistake, and what the doctor says of it.

use super::common::Mode;
use super::world::World;

/// What the doctor says of a case, with its exit code.
pub(crate) fn check(world: &World, arguments: &[&str], code: i32, expected: &[&str]) {
    let root = if arguments[0] == "noglue.test" { "127.0.0.77" } else { "127.0.0.71" };
    let (exit, told) = world.doctor_from(root, arguments);
    for line in expected {
        assert!(told.contains(line), "{arguments:?}: {line}\nin\n{told}");
    }
    assert_eq!(exit, Some(code), "{told}");
}

/// Each mistake is found, and a good zone has none.
pub(crate) fn mistakes(world: &World) {
    let good = [
        "✓ test delegates good.test to ns1.good.test, ns2.good.test, and knows where",
        "✓ ns1.good.test (127.0.0.73) has authority, over UDP and TCP, serial 1700000000",
        "✓ ns2.good.test (127.0.0.74) has authority",
        "✓ what runs here serves the files as they are (1700000000)",
        "✓ good.test: 1 of 1 addresses pass from here",
    ];
    check(world, &["good.test"], 0, &good);
    for (zone, expected) in [
        (
            "glue.test",
            &[
                "✗ test says that ns1.glue.test is at 127.0.0.74, the zone says 127.0.0.73",
                "ns1.glue.test.  3600  IN  A     127.0.0.73",
            ][..],
        ),
        ("noglue.test", &["✗ the root has no glue for ns1.noglue.test: nobody can find it"]),
        ("lame.test", &["✗ ns2.lame.test (127.0.0.74) does not serve lame.test: it says REFUSED"]),
        ("above.test", &["✗ what is delegated here is www.above.test, but the zone is above.test"]),
        ("app.below.test", &["✗ what is delegated here is below.test, but the zone is app.below"]),
        (
            "tcp.test",
            &["✗ ns1.tcp.test (127.0.0.75) answers over UDP, not over TCP: nothing listens there"],
        ),
        (
            "silent.test",
            &["✗ ns2.silent.test (127.0.0.76) is silent over UDP and TCP: no answer within 2s"],
        ),
        (
            "alias.test",
            &["✗ test does not delegate alias.test: it answers itself, with CNAME lb.example.net"],
        ),
        ("none.test", &["✗ test does not delegate none.test"]),
    ] {
        check(world, &[zone], 1, expected);
    }
    let serials = "! the serials differ: ns1.serial.test has 1700000000, ns2.serial.test has 17";
    check(world, &["serial.test"], 0, &[serials]);

    // What is seen from here changes.
    world.node[0].set(Mode::Unready);
    world.touch("good");
    let (_, told) = world.doctor(&["good.test", "--json"]);
    let findings: Vec<serde_json::Value> =
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let marks = |about: &str| {
        let of = findings.iter().filter(|one| one["about"] == about && one["of"] == "good.test");
        of.map(|one| one["mark"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(marks("nodes"), ["bad", "bad"], "{told}");
    assert_eq!(marks("loaded"), ["doubt"], "{told}");
    assert_eq!(marks("server"), ["good", "good"], "{told}");
}
