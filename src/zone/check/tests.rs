use std::sync::Arc;

use super::*;
use crate::zone::{Source, masterfile};

/// Lines 1 and 2 of every case.
const TOP: &str = "$TTL 60\n$ORIGIN example.org.\n";
/// Lines 3 to 5 of a zone that is right.
const SOUND: &str = "@ SOA ns root 1 1h 15m 1w 5m\n@ NS ns\nns A 192.0.2.53\n";

fn findings(text: &str) -> Vec<String> {
    let source = Arc::new(Source { path: "z".into(), text: format!("{TOP}{text}") });
    let apex = Name::from_text("example.org").unwrap();
    let mut out = Vec::new();
    let file = masterfile::parse(&source, &apex, &mut |_| Err(String::new()), &mut out);
    assert_eq!(out, [], "{text}");
    let service = Name::from_text("app.example.org").unwrap();
    check(&file.records.finish(), &file.places, &|name| *name == service, &mut out);
    out.iter()
        .map(|diagnostic| {
            let severity = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let line = diagnostic
                .place
                .as_ref()
                .map_or(0, |place| place.source.line_column(place.span.start).0);
            format!("{severity} {line} {}", diagnostic.message)
        })
        .collect()
}

/// What is said of records beside a sound apex; their first line is 6.
#[track_caller]
fn check_findings(text: &str, expected: &[&str]) {
    assert_eq!(findings(&format!("{SOUND}{text}")), expected);
}

#[test]
fn a_zone_has_one_soa_and_name_servers_at_its_apex() {
    assert_eq!(
        findings(""),
        [
            "error 0 the zone example.org. has no SOA at its apex",
            "error 0 the zone example.org. has no NS at its apex",
        ]
    );
    check_findings("", &[]);
    check_findings(
        "@ SOA ns root 2 1h 15m 1w 5m\nx SOA ns root 2 1h 15m 1w 5m",
        &[
            "error 6 example.org. has more than one SOA",
            "error 7 x.example.org. is not the apex but has an SOA",
        ],
    );
    check_findings("@ DS 1 8 2 00", &["error 6 example.org. has a DS at its own apex"]);
}

#[test]
fn an_alias_is_alone() {
    check_findings("a CNAME b\na RRSIG CNAME 8 3 60 20300101000000 20200101000000 1 @ AAAA", &[]);
    check_findings("a CNAME b\na NSEC b CNAME", &[]);
    check_findings(
        "a CNAME b\na CNAME c\na TXT x\na A 192.0.2.1",
        &[
            "error 7 a.example.org. has more than one CNAME",
            "error 6 a.example.org. has a CNAME and also A, TXT",
        ],
    );
    check_findings("@ CNAME b", &["error 6 example.org. has a CNAME and also NS, SOA"]);
}

#[test]
fn nothing_is_below_a_dname() {
    check_findings("d DNAME other.test.\nd A 192.0.2.1\ne A 192.0.2.1", &[]);
    check_findings(
        "d DNAME other.test.\nd DNAME another.test.\nx.y.d A 192.0.2.1",
        &[
            "error 7 d.example.org. has more than one DNAME",
            "error 8 x.y.d.example.org. A is below the DNAME of d.example.org.",
        ],
    );
    check_findings(
        "d DNAME other.test.\nd NS ns.other.test.",
        &["error 6 d.example.org. has a DNAME and is delegated"],
    );
    check_findings(
        "@ DNAME other.test.",
        &["error 5 ns.example.org. A is below the DNAME of example.org."],
    );
}

#[test]
fn below_a_delegation_only_glue_is_of_use() {
    check_findings("c NS ns.c\nns.c A 192.0.2.1\nns.c AAAA 2001:db8::1\nc DS 1 8 2 00", &[]);
    check_findings("c NS c\nc A 192.0.2.1", &[]);
    check_findings(
        "c NS ns.other.test.\nc A 192.0.2.1\nwww.c A 192.0.2.1\ndeep.www.c TXT x",
        &[
            "warning 7 c.example.org. A stands at a delegation",
            "warning 8 www.c.example.org. A is below the delegation of c.example.org.",
            "warning 9 deep.www.c.example.org. TXT is below the delegation of c.example.org.",
        ],
    );
    check_findings("x DS 1 8 2 00", &["warning 6 x.example.org. has a DS but no NS"]);
    check_findings("*.x NS ns.other.test.", &["warning 6 *.x.example.org. delegates a wildcard"]);
}

#[test]
fn name_servers_in_the_zone_have_addresses() {
    check_findings("@ NS ns.other.test.\n@ NS app", &[]);
    check_findings(
        "@ NS gone\n@ NS alias\nalias CNAME ns\n@ NS 192.0.2.1\nc NS gone",
        &[
            "error 6 the name server gone.example.org. of example.org. has no address",
            "warning 7 the NS of example.org. points at an alias, alias.example.org.",
            "error 9 the name server 192.0.2.1.example.org. of example.org. has no address",
            "error 10 the name server gone.example.org. of c.example.org. has no address",
        ],
    );
    check_findings(
        "c NS ns.c\nd NS ns.c",
        &["error 6 the name server ns.c.example.org. of c.example.org. has no glue"],
    );
}

#[test]
fn mail_and_service_targets_in_the_zone_have_addresses() {
    check_findings(
        "@ MX 0 .\n_a._tcp SRV 0 0 0 .\nb MX 1 app\nc MX 1 mail.other.test.\nd MX 1 ns",
        &[],
    );
    check_findings("*.w A 192.0.2.1\na MX 1 x.y.w\nd.e.w TXT x\nb MX 1 g.f.w", &[]);
    check_findings(
        "alias CNAME ns\n@ MX 1 alias\n@ MX 2 gone\n_a._tcp SRV 0 0 1 gone",
        &[
            "warning 7 the MX of example.org. points at an alias, alias.example.org.",
            "warning 8 the MX of example.org. points at gone.example.org., which has no address",
            "warning 9 the SRV of _a._tcp.example.org. points at gone.example.org., \
             which has no address",
        ],
    );
    check_findings(
        "*.w A 192.0.2.1\nd.e.w TXT x\na MX 1 e.w\nb MX 1 f.e.w",
        &[
            "warning 8 the MX of a.example.org. points at e.w.example.org., which has no address",
            "warning 9 the MX of b.example.org. points at f.e.w.example.org., \
             which has no address",
        ],
    );
    check_findings(
        "d DNAME other.test.\na MX 1 x.d\n*.w CNAME ns\nb MX 1 x.w",
        &[
            "warning 7 the MX of a.example.org. points at an alias, x.d.example.org.",
            "warning 9 the MX of b.example.org. points at an alias, x.w.example.org.",
        ],
    );
}

#[test]
fn an_rrset_that_fits_no_message_is_told() {
    let long = "x".repeat(255);
    let text: String = (0..300).map(|index| format!("big TXT {index} {long}\n")).collect();
    check_findings(
        &text,
        &["warning 6 big.example.org. TXT needs 81490 octets, more than any message"],
    );
}
