//! Any text whatsoever may be given as a master file: it is read or refused, and never more.

use std::sync::Arc;

use proptest::prelude::*;
use rota::wire::Name;
use rota::zone::{Source, check, masterfile, rdata};

/// Pieces that mean something to a reader of master files, so that texts made of them get far.
const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\r\n",
    " ",
    " ",
    "\t",
    "(",
    ")",
    "\"",
    ";",
    "\\",
    "\\#",
    "\\000",
    "\\999",
    "@",
    ".",
    "$ORIGIN",
    "$TTL",
    "$INCLUDE",
    "$GENERATE",
    " 1-3 ",
    "${0,2,d}",
    "$",
    "IN",
    "CH",
    "CLASS1",
    "TYPE65534",
    "TYPE1",
    "3600",
    "1h",
    "99999999999",
    "0",
    "4",
    "c0000201",
    "A",
    "AAAA",
    "NS",
    "CNAME",
    "DNAME",
    "SOA",
    "MX",
    "SRV",
    "TXT",
    "CAA",
    "NAPTR",
    "LOC",
    "APL",
    "HIP",
    "URI",
    "CERT",
    "SVCB",
    "HTTPS",
    "RRSIG",
    "NSEC",
    "NSEC3",
    "DNSKEY",
    "IPSECKEY",
    "CSYNC",
    "EUI48",
    "NID",
    "TLSA",
    "192.0.2.1",
    "2001:db8::1",
    "a",
    "www.example.org.",
    "example.org",
    "sub",
    "N",
    "E",
    "-24m",
    "1:192.0.2.0/24",
    "!2:ff00::/8",
    "alpn=h2",
    "mandatory=port",
    "port=",
    "key9=x",
    "AQID",
    "AQ==",
    "20300101000000",
    "00-00-5e-00-53-2a",
    "0:0:0:0",
    "é",
    "\u{0}",
    "-",
    "issue",
];

fn reads_or_refuses(text: &str) -> Result<(), TestCaseError> {
    let source = Arc::new(Source { path: "z".into(), text: text.into() });
    let apex = Name::from_text("example.org").expect("a plain name");
    let mut out = Vec::new();
    let mut includes = {
        let source = Arc::clone(&source);
        move |_: &str| Ok(Arc::clone(&source))
    };
    let file = masterfile::parse(&source, &apex, &mut includes, &mut out);
    let records = file.records.finish();
    check::check(&records, &file.places, &|_| false, &mut out);
    for rrset in records.rrsets() {
        let (owner, rtype) = (rrset.name(), rrset.rtype);
        prop_assert!(owner.is_at_or_under(&apex));
        prop_assert_eq!(rrset.rdata().count(), usize::from(rrset.count));
        prop_assert!(rrset.count > 0);
        for (index, octets) in rrset.rdata().enumerate() {
            prop_assert!(octets.len() <= usize::from(u16::MAX));
            let found: Vec<rdata::Part> =
                rdata::pieces(rtype, octets).map(|(part, _)| part).collect();
            let layout = rdata::name_layout(rtype);
            // Only what goes on to the end may be empty.
            let names = layout.strip_suffix(&[rdata::Part::Rest]).unwrap_or(layout);
            prop_assert!(found.starts_with(names), "{rtype} {octets:?}");
            prop_assert!(file.places.of(&owner, rtype, index).is_some());
        }
    }
    for diagnostic in &out {
        if let Some(place) = &diagnostic.place {
            prop_assert!(place.source.text.get(place.span.clone()).is_some(), "{diagnostic}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        reads_or_refuses(&text)?;
    }

    #[test]
    fn any_row_of_pieces_is_read_or_refused(
        picks in prop::collection::vec((prop::sample::select(PIECES), any::<bool>()), 0..60),
    ) {
        let text: String =
            picks.iter().flat_map(|(piece, blank)| [*piece, if *blank { " " } else { "" }]).collect();
        reads_or_refuses(&text)?;
    }

    #[test]
    fn any_fields_are_read_or_refused(
        rtype in 0_u16..300,
        picks in prop::collection::vec(prop::sample::select(PIECES), 0..8),
    ) {
        let fields: Vec<&str> = picks.into_iter().filter(|piece| *piece != "\n").collect();
        reads_or_refuses(&format!("www 60 TYPE{rtype} {}\n", fields.join(" ")))?;
    }

    #[test]
    fn any_octets_in_the_generic_form_are_read_or_refused(
        rtype in 0_u16..300,
        octets in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        reads_or_refuses(&format!("www 60 TYPE{rtype} \\# {} {hex}\n", octets.len()))?;
    }
}
