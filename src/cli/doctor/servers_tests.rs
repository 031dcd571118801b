//! What is said of a server that answers this or that.

use super::super::finding::Mark;
use super::*;
use crate::cli::dns::reply::Edns;
use crate::cli::dns::{Data, Record};

/// When it is, in seconds since 1970.
const NOW: u32 = 1_700_000_000;

fn apex() -> Name {
    Name::from_text("app.test").unwrap()
}

/// An answer with authority and this serial.
fn soa(serial: u32) -> Reply {
    Reply {
        rcode: Rcode::NOERROR,
        authoritative: true,
        truncated: false,
        edns: Some(Edns { scope: Some(0), clock: Some(NOW) }),
        answer: vec![Record { owner: apex(), ttl: 60, data: Data::Start { serial } }],
        authority: Vec::new(),
        additional: Vec::new(),
    }
}

/// A server that does everything right.
fn well() -> Seen {
    Seen {
        name: "ns1".to_owned(),
        address: [192, 0, 2, 53].into(),
        udp: Ok(soa(7)),
        tcp: Ok(soa(7)),
        servers: vec![Name::from_text("ns1.app.test").unwrap()],
        ecs: Some(Ok(soa(7))),
        long: vec![(apex(), Ok(soa(7)))],
        now: NOW,
    }
}

fn with_edns(edns: Option<Edns>) -> Result<Reply, String> {
    Ok(Reply { edns, ..soa(7) })
}

#[test]
fn each_answer_has_its_finding() {
    let exam = Exam { apex: apex(), services: vec![apex()], ecs: true, port: 53 };
    let at_parent = [Name::from_text("NS1.app.test").unwrap()];
    let silence = || Err("no answer within 2s".to_owned());
    let clock = |clock: u32| with_edns(Some(Edns { scope: Some(0), clock: Some(clock) }));
    let no_scope = || with_edns(Some(Edns { scope: None, clock: None }));
    let rcode = |rcode| Ok(Reply { rcode, authoritative: false, ..soa(7) });
    let cut_short = || Ok(Reply { truncated: true, ..soa(7) });
    for (seen, mark, expected) in [
        (well(), Mark::Good, "ns1 (192.0.2.53) has authority, over UDP and TCP, serial 7"),
        (Seen { tcp: silence(), ..well() }, Mark::Bad, "answers over UDP, not over TCP"),
        (Seen { udp: silence(), ..well() }, Mark::Bad, "answers over TCP, not over UDP"),
        (Seen { udp: silence(), tcp: silence(), ..well() }, Mark::Bad, "is silent over UDP and"),
        (Seen { udp: rcode(Rcode::SERVFAIL), ..well() }, Mark::Bad, "it says SERVFAIL"),
        (Seen { udp: rcode(Rcode::REFUSED), ..well() }, Mark::Bad, "it says REFUSED"),
        (Seen { udp: rcode(Rcode::NOERROR), ..well() }, Mark::Bad, "without authority"),
        (Seen { tcp: rcode(Rcode::REFUSED), ..well() }, Mark::Bad, "something else over TCP"),
        (Seen { long: vec![(apex(), cut_short())], ..well() }, Mark::Bad, "not give all of app"),
        (Seen { servers: vec![apex()], ..well() }, Mark::Doubt, "the zone's servers are app.test"),
        (Seen { udp: with_edns(None), ..well() }, Mark::Doubt, "answers without EDNS"),
        (Seen { udp: clock(NOW - 61), ..well() }, Mark::Doubt, "is 61 seconds behind this"),
        (Seen { udp: clock(NOW + 300), ..well() }, Mark::Doubt, "is 300 seconds ahead of this"),
        (Seen { udp: clock(NOW + 60), ..well() }, Mark::Good, "has authority"),
        (Seen { ecs: Some(no_scope()), ..well() }, Mark::Doubt, "does not come back from ns1"),
        (Seen { ecs: None, long: vec![], ..well() }, Mark::Good, "has authority"),
    ] {
        let found = judge(&exam, &seen, Some(&at_parent));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].mark == mark && found[0].message.contains(expected), "{found:?}");
    }
}

#[test]
fn serials_are_compared_where_there_is_authority() {
    let with = |serial| Seen { udp: Ok(soa(serial)), ..well() };
    let silent = Seen { udp: Err(String::new()), ..well() };
    for (seen, differ) in [
        (vec![], false),
        (vec![with(7)], false),
        (vec![with(7), silent], false),
        (vec![with(7), with(7), with(8)], true),
    ] {
        assert_eq!(serials(seen.iter()).is_some(), differ, "{seen:?}");
    }
}
