//! The machines of a service: addresses that clients can use, names, labels.

use super::{check, service};
use crate::steer::{Answers, Policy, WhenAllDown};

#[test]
fn long_nodes_have_names_families_labels_and_ties() {
    let service = service(
        "[service.app]\ntogether = true\npolicy = \"ordered\"\nanswers = \"all\"\n\
         when_all_down = \"closed\"\nttl = { calm = \"30s\" }\nnodes = [\n\
         { name = \"eu1\", address = [\"192.0.2.11\", \"2001:db8::11\"], labels = { rack = \
         \"a\" } },\n\
         { address = \"2001:db8::12\", together = false, weight = 1 } ]",
    );
    let nodes: Vec<_> = service.nodes().collect();
    assert_eq!(nodes[0].id, "app.test/app/eu1");
    assert_eq!(nodes[0].addresses.len(), 2);
    assert_eq!(nodes[0].labels["rack"], "a");
    assert_eq!((nodes[0].together, nodes[1].together), (true, false));
    assert_eq!(nodes[1].name, "2001-db8--12");
    assert_eq!((service.policy, service.answers), (Policy::Ordered, Answers::All));
    assert_eq!((service.ttl.calm, service.ttl.alert), (30, 5));
    assert_eq!(service.when_all_down, WhenAllDown::Closed);
    assert_eq!(service.targets().count(), 0);
}

#[test]
fn nodes_are_addresses_that_clients_can_use() {
    let two = "write the address that clients connect to";
    for (node, expected) in [
        (
            "\"192.0.2.1:80\"",
            "4:11: \"192.0.2.1:80\" is not an address (leave the port out: DNS \
          answers carry addresses only, and a check has its own port)"
                .to_owned(),
        ),
        (
            "\"web1\"",
            "4:11: \"web1\" is not an address (write its address: host names of nodes are \
          not yet built)"
                .to_owned(),
        ),
        (
            "\"192.0.2.0/24\"",
            "4:11: \"192.0.2.0/24\" is not an address (write one address, not a \
          network)"
                .to_owned(),
        ),
        (
            "\"0.0.0.0\"",
            format!("4:11: 0.0.0.0 cannot be a node's address: it is no machine's ({two})"),
        ),
        (
            "\"::ffff:192.0.2.1\"",
            format!(
                "4:11: ::ffff:192.0.2.1 cannot be a node's address: it is \
          IPv4 written as IPv6 ({two})"
            ),
        ),
        (
            "\"192.0.2.1 x70000\"",
            "4:21: \"x70000\" is not a weight of x0 to x65535 (write \
          \"192.0.2.1 x3\")"
                .to_owned(),
        ),
        (
            "\"192.0.2.1 4\"",
            "4:21: \"4\" is not a weight of x0 to x65535 (write \"192.0.2.1 x3\")".to_owned(),
        ),
        (
            "{ name = \"a/b\", address = \"192.0.2.1\" }",
            "4:20: \"a/b\" cannot be a node's name (use \
          1 to 63 letters, digits, dashes, underscores and dots)"
                .to_owned(),
        ),
        (
            "{ weight = 65536, address = \"192.0.2.1\" }",
            "4:21: `weight` is 65536, but must be 0 to 65535".to_owned(),
        ),
    ] {
        check(&format!("[service.a]\nnodes = [{node}]"), &[&expected]);
    }
    check(
        "[service.a]\nnodes = [\n\"192.0.2.1\",\n\"192.0.2.1 x2\",\n\
         { name = \"n\", address = \"192.0.2.2\" },\n{ name = \"N\", address = \"192.0.2.3\" } ]",
        &[
            "6:2: 192.0.2.1 is already an address of the node 192-0-2-1 (keep one; for a larger \
             share give that one a weight)",
            "8:1: another node is already called N (give each node a name of its own)",
        ],
    );
}
