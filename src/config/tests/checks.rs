//! What is asked of nodes, and how it may be written.

use std::time::Duration;

use super::{check, service};

#[test]
fn checks_are_tables_names_or_lists() {
    let recipe = "[check.ready]\nhttps = \"/r?x=1\"\nevery = \"1s\"\n\
                  [check.live]\nhttp = { port = 81, host = \"h.test.\", expect = [204, \
                  \"301-302\"] }\n";
    let nodes = "nodes = [\"192.0.2.1\"]";
    let service = service(&format!("{recipe}[service.a]\ncheck = [\"ready\", \"live\"]\n{nodes}"));
    let checks: Vec<_> = service.targets().map(|target| &target.check).collect();
    let crate::health::Ask::Http(ready) = &checks[0].ask else { panic!() };
    assert_eq!((ready.tls.is_some(), ready.port, ready.path.as_str()), (true, 443, "/r?x=1"));
    assert_eq!(ready.host, "a.app.test");
    // Not longer than the time to the next probe, which here is less than two seconds.
    assert_eq!(checks[0].timeout, Duration::from_secs(1));
    let crate::health::Ask::Http(live) = &checks[1].ask else { panic!() };
    assert_eq!((live.host.as_str(), live.port), ("h.test", 81));
    assert_eq!(live.expect, [204..=204, 301..=302]);

    for (written, expected) in [
        (
            "\"redy\"",
            "4:10: there is no check \"redy\" (write a table [check.redy] with what to ask)",
        ),
        (
            "\":80/x\"",
            "4:10: there is no check \":80/x\" (write it as a check: check = { http = \
          \":80/x\" })",
        ),
        (
            "{ }",
            "4:9: the check asks nothing (write what to ask: http = \":8080/ready\", or https, \
             tcp, tls, grpc, \
             dns, agent, exec, file, \
             websocket, any, all)",
        ),
        (
            "{ http = \"ready\" }",
            "4:19: \"ready\" is not a port of 1 to 65535 with a colon before it \
          (write \":8080/ready\"; the address is each node's own, and another host goes \
          into http = \
          { port = 8080, path = \"/ready\", host = \"…\" })",
        ),
        (
            "{ http = \":80/a b\" }",
            "4:22: a path cannot hold ' ' (write it percent-encoded, like %20)",
        ),
        (
            "{ http = \"/\", every = \"1s\", timeout = \"2s\" }",
            "4:47: `timeout` is 2s, longer than \
          `every`, 1s (a probe must end before the next begins: lower `timeout` or raise `every`)",
        ),
        (
            "{ http = \"/\", rise = 2 }",
            "4:23: a check has no key `rise` (here it is called `passes`)",
        ),
        (
            "{ http = { expect = [\"2xx\"] } }",
            "4:30: \"2xx\" is no range of response codes (write \
          \"200-299\", or one code: 204)",
        ),
        (
            "{ http = { expect = [] } }",
            "4:29: no response code would pass (write which: \
          [\"200-299\"], or leave the key out for that)",
        ),
    ] {
        check(&format!("[service.a]\ncheck = {written}\n{nodes}"), &[expected]);
    }
    check(
        &format!("[service.\"*\"]\ncheck = {{ http = \"/\" }}\n{nodes}"),
        &["4:9: the check needs a host, because *.app.test. is not one (write which: \
           host = \"…\" in a table, like http = { port = 8080, host = \"…\" })"],
    );
    check(
        "[check.a]\nhttp = \"/\"",
        &["3:8: no service uses the check \"a\" (write check = \"a\" in one)"],
    );
}
