//! Services by themselves: their names, their defaults, and what else has their name.

use std::time::Duration;

use super::{check, check_whole, files, name, said, service};
use crate::config::Grants;
use crate::config::zone::read_with_records;
use crate::steer::{Answers, Policy, WhenAllDown};
use crate::wire::RecordType;
use crate::zone::RecordsBuilder;

#[test]
fn six_lines_have_every_default() {
    let service = service("[service.\"@\"]\nnodes = [\"192.0.2.1\"]\ncheck = { http = \":80\" }");
    assert_eq!(service.owner, name("app.test"));
    assert_eq!(service.id, "app.test/@");
    assert_eq!(service.policy, Policy::Rotate);
    assert_eq!(service.answers, Answers::DEFAULT);
    assert_eq!((service.ttl.calm, service.ttl.alert), (5, 5));
    assert_eq!(service.when_all_down, WhenAllDown::Open);
    let node = service.nodes().next().unwrap();
    assert_eq!((node.id.as_str(), node.weight), ("app.test/@/192-0-2-1", 1));
    let check = &node.addresses[0].check.targets()[0].check;
    assert_eq!((check.every, check.timeout), (Duration::from_secs(5), Duration::from_secs(2)));
    assert_eq!((check.fails, check.passes), (3, 2));
    let crate::health::Ask::Http(http) = &check.ask else { panic!() };
    assert_eq!((http.tls.is_some(), http.port, http.path.as_str()), (false, 80, "/"));
    assert_eq!((http.host.as_str(), http.expect.as_slice()), ("app.test", &[200..=299][..]));
}

#[test]
fn names_of_services_are_relative_absolute_or_wild() {
    for (written, owner, id) in [
        ("@", "app.test", "app.test/@"),
        ("WWW", "www.app.test", "app.test/www"),
        ("www.app.test.", "www.app.test", "app.test/www"),
        ("*.eu", "*.eu.app.test", "app.test/*.eu"),
    ] {
        let service = service(&format!("[service.\"{written}\"]\nnodes = [\"192.0.2.1\"]"));
        assert_eq!((service.owner.clone(), service.id.as_str()), (name(owner), id));
    }
    let node = "nodes = [\"192.0.2.1\"]";
    check(
        &format!("[service.a]\n{node}\n[service.A]\n{node}\n[service.\"b.\"]\n[service.\"c..d\"]"),
        &[
            "5:10: \"A\" is the same name as \"a\" above (keep one of the two)",
            "7:10: the service b. lies outside the zone app.test. (names that end with a dot are \
             complete; others lie under the zone)",
            "8:10: \"c..d\" is not a name: a label is empty (two dots in a row, or a leading dot) \
             (write labels of 1 to 63 characters with dots between them)",
        ],
    );
    check(
        &format!("[service.\"www.app.test\"]\n{node}"),
        &["3:10: this is the service www.app.test.app.test. (the zone's name is added to names \
           without a final dot: leave it out here)"],
    );
}

#[test]
fn names_that_no_client_could_ask_for_are_refused() {
    for (written, expected) in [
        ("bücher", "it has letters beyond ASCII (write it in its \"xn--\" form)"),
        ("my app", "it has a space in it (write one name)"),
        (
            "a*",
            "its star would match only a star (a star stands for whole labels and comes first: \
          \"*.app\")",
        ),
    ] {
        let expected = format!("3:10: \"{written}\" is not a name: {expected}");
        check(&format!("[service.\"{written}\"]\nnodes = [\"192.0.2.1\"]"), &[&expected]);
    }
    check_whole(
        "[zone]\nns = [\"* 192.0.2.53\"]",
        &["2:8: a name server cannot be a wildcard (write its own name: \"ns1\")"],
    );
}

#[test]
fn weights_choose_the_policy_unless_it_is_written() {
    for (nodes, policy) in [
        ("[\"192.0.2.1\", \"192.0.2.2\"]", Policy::Rotate),
        ("[\"192.0.2.1 x2\", \"192.0.2.2 x2\"]", Policy::Rotate),
        ("[\"192.0.2.1 x2\", \"192.0.2.2\"]", Policy::Weighted),
        ("[\"192.0.2.1 x0\", \"192.0.2.2\"]", Policy::Weighted),
    ] {
        assert_eq!(service(&format!("[service.a]\nnodes = {nodes}")).policy, policy, "{nodes}");
    }
    check(
        "[service.a]\npolicy = \"rotate\"\nnodes = [\"192.0.2.1 x2\", \"192.0.2.2\"]",
        &["4:10: `policy = \"rotate\"` takes no notice of weights (write policy = \
            \"weighted\", or \
           leave the key out)"],
    );
    check(
        "[service.a]\nnodes = [\"192.0.2.1 x0\"]",
        &["4:9: every node has weight 0, so none would be answered (give at least one of them a \
           weight above 0)"],
    );
}

#[test]
fn services_and_records_of_one_name_must_agree() {
    let apex = name("app.test");
    let mut records = RecordsBuilder::new(apex.clone());
    let soa: Box<[u8]> = [0; 22].into();
    records.add(&apex, RecordType::SOA, 60, &soa);
    records.add(&name("www.app.test"), RecordType::A, 60, &[192, 0, 2, 1]);
    records.add(&name("www.app.test"), RecordType::AAAA, 60, &[0x20; 16]);
    records.add(&name("old.app.test"), RecordType::CNAME, 60, b"\0");
    let read = |text: &str| {
        let mut out = Vec::new();
        let mut none = |_: &str| Err(String::from("there are none"));
        let (files, records) = (files(text), records.clone());
        let model =
            read_with_records(&files, records, true, &mut none, &Grants::none(), None, &mut out)
                .unwrap();
        (model, said(&out))
    };

    let (model, said) = read("[service.www]");
    assert_eq!(said, [""; 0]);
    let nodes: Vec<_> = model.services[0].nodes().map(|node| node.name.as_str()).collect();
    assert_eq!(nodes, ["192-0-2-1", "2020-2020-2020-2020-2020-2020-2020-2020"]);
    assert_eq!(model.records, records.clone().finish());

    let (_, said) = read(
        "[zone]\nns = [\"ns1 192.0.2.53\"]\n[service.www]\nnodes = [\"192.0.2.2\"]\n\
         [service.old]\nnodes = [\"192.0.2.3\"]\n[service.new]",
    );
    assert_eq!(
        said,
        [
            "1:2: [zone] stands beside the master file's SOA record (keep one of the two: both say \
             which name servers the zone has)",
            "4:1: www.app.test. has `nodes` here and address records in the zone too (keep one of \
             the two)",
            "5:10: old.app.test. has a CNAME record, so it cannot be a service (remove the record \
             or the service: beside a CNAME nothing else can stand)",
            "7:10: the service new.app.test. has no nodes (write nodes = [\"192.0.2.11\", \
             \"192.0.2.12\"], or address records of this name in the zone's master file)",
        ]
    );
}
