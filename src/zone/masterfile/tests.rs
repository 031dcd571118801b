use super::*;
use crate::wire::RecordType;
use crate::wire::name::NameError;

const APEX: &str = "example.org";

fn source(path: &str, text: &str) -> Arc<Source> {
    Arc::new(Source { path: path.into(), text: text.into() })
}

/// Every record as `owner TTL type hex`, and every diagnostic as its one line.
fn read_with(text: &str, includes: &mut Includes<'_>) -> (Vec<String>, Vec<String>) {
    let mut out = Vec::new();
    let apex = Name::from_text(APEX).unwrap();
    let file = parse(&source("z", text), &apex, includes, &mut out);
    let records = file.records.finish();
    let lines = records.rrsets().flat_map(|rrset| {
        rrset.rdata().map(move |rdata| {
            let hex: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("{} {} {} {hex}", rrset.name(), rrset.ttl, rrset.rtype)
        })
    });
    (lines.collect(), out.iter().map(Diagnostic::to_string).collect())
}

fn read(text: &str) -> (Vec<String>, Vec<String>) {
    read_with(text, &mut |path| Err(format!("no file {path}")))
}

/// The text is right and holds these records, apart from a first line that sets the TTL to 60.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (records, diagnostics) = read(&format!("$TTL 60\n{text}"));
    assert_eq!(diagnostics, [""; 0], "{text}");
    assert_eq!(records, expected, "{text}");
}

/// The text gives these diagnostics, in order, and this many records.
#[track_caller]
fn check_wrong(text: &str, records: usize, expected: &[&str]) {
    let (found, diagnostics) = read(text);
    assert_eq!(diagnostics, expected, "{text}");
    assert_eq!(found.len(), records, "{found:?}");
}

#[test]
fn reads_owner_ttl_class_and_type_in_every_order() {
    for line in [
        "www 60 IN A 192.0.2.1",
        "www IN 60 A 192.0.2.1",
        "www A 192.0.2.1",
        "www.example.org. in a 192.0.2.1",
        "WWW CLASS1 1m TYPE1 192.0.2.1",
        r"\119ww A 192.0.2.1",
        r"www A \# 4 c0000201",
        r"www A \049\0572.0.2.1",
        r"www A \# 4 ( c0 00 02 01 )",
    ] {
        let (records, diagnostics) = read(&format!("$TTL 60\n{line}"));
        assert_eq!(diagnostics, [""; 0], "{line}");
        assert_eq!(records.len(), 1, "{line}");
        assert_eq!(records[0].to_lowercase(), "www.example.org. 60 a c0000201", "{line}");
    }
}

#[test]
fn reads_the_layouts_found_in_the_wild() {
    let www = "www.example.org. 60 A c0000201";
    let second = "www.example.org. 60 A c0000202";
    check("www\tA\t192.0.2.1\n\tA 192.0.2.2\n", &[www, second]);
    check("www A 192.0.2.1\r\n A 192.0.2.2\r\n\r\n", &[www, second]);
    check("www A 192.0.2.1 ; first\n; only this\n   ; and this\n A 192.0.2.2;last", &[www, second]);
    check("www (\n A ; type\n 192.0.2.1\n) ; end", &[www]);
    check("www ( ( A\n) 192.0.2.1 )", &[www]);
    check("www A (192.0.2.1)", &[www]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_owner() {
    let (records, _) = read("\u{feff}www 60 A 192.0.2.1");
    assert_eq!(records, ["www.example.org. 60 A c0000201"]);
}

#[test]
fn an_owner_that_is_written_again_means_what_is_said_now() {
    check(
        "www A 192.0.2.1\n$ORIGIN sub.example.org.\nwww A 192.0.2.2\nwww A 192.0.2.3",
        &[
            "www.sub.example.org. 60 A c0000202",
            "www.sub.example.org. 60 A c0000203",
            "www.example.org. 60 A c0000201",
        ],
    );
    // What there is to say of it is said each time, and a bad one stays bad.
    let help = "clients ask for the `xn--` form of such a name (IDNA); write that";
    let warning = |line| format!("z:{line}:1: `é` has letters outside of ASCII ({help})");
    let error = |line| format!("z:{line}:1: bad name `a..b`: {}", NameError::EmptyLabel);
    let expected = [warning(2), warning(3), error(4), error(5)];
    let text = "$TTL 60\né A 192.0.2.1\né A 192.0.2.2\na..b A 192.0.2.1\na..b A 192.0.2.2\n";
    check_wrong(text, 2, &expected.each_ref().map(String::as_str));
}

#[test]
fn names_are_under_the_origin_unless_they_end_in_a_dot() {
    check("@ NS ns", &["example.org. 60 NS 026e73076578616d706c65036f726700"]);
    check("x CNAME @", &["x.example.org. 60 CNAME 076578616d706c65036f726700"]);
    check("x CNAME .", &["x.example.org. 60 CNAME 00"]);
    check("x CNAME A.b.", &["x.example.org. 60 CNAME 0141016200"]);
    check("x CNAME a\\.b.", &["x.example.org. 60 CNAME 03612e6200"]);
    check("$ORIGIN sub\nx A 192.0.2.1", &["x.sub.example.org. 60 A c0000201"]);
    check("$ORIGIN org.\nexample A 192.0.2.1", &["example.org. 60 A c0000201"]);
    check("*.x A 192.0.2.1", &["*.x.example.org. 60 A c0000201"]);
}

#[test]
fn strings_keep_their_octets() {
    for (text, hex) in [
        ("plain", "05706c61696e"),
        ("\"two words\"", "0974776f20776f726473"),
        ("\"\"", "00"),
        ("\"a\" b", "01610162"),
        ("\"a;b(c\"", "05613b622863"),
        (r#""a\"b\\c\065""#, "06612262 5c6341"),
        (r"\000\255", "0200ff"),
        ("\"ü\"", "02c3bc"),
        ("@", "0140"),
        (r"\# 2 0161", "0161"),
    ] {
        check(
            &format!("t TXT {text}"),
            &[&format!("t.example.org. 60 TXT {}", hex.replace(' ', ""))],
        );
    }
}

#[test]
fn ttls_come_from_the_record_then_the_directive_then_the_file() {
    let soa = "@ SOA ns root 1 1h 15m 1w 5m\n";
    for (text, expected, warnings) in [
        ("$TTL 1h\na A 192.0.2.1\n$TTL 2h\nb 5 A 192.0.2.1\nc A 192.0.2.1", [3600, 5, 7200], 0),
        ("a 7 A 192.0.2.1\nb A 192.0.2.1\nc 9 A 192.0.2.1", [7, 7, 9], 1),
        ("a A 192.0.2.1\nb A 192.0.2.1\nc 9 A 192.0.2.1", [3600, 3600, 9], 1),
        ("a A 192.0.2.1\nb 9 A 192.0.2.1\nc A 192.0.2.1", [3600, 9, 9], 1),
        (&format!("{soa}a 9 A 192.0.2.1\nb A 192.0.2.1"), [300, 9, 300], 1),
        (&format!("a 9 A 192.0.2.1\n{soa}b A 192.0.2.1"), [9, 9, 9], 1),
    ] {
        let (records, diagnostics) = read(text);
        let ttls: Vec<String> =
            records.iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
        assert_eq!(ttls, expected.map(|ttl: u32| ttl.to_string()), "{text}");
        assert_eq!(diagnostics.len(), warnings, "{text}: {diagnostics:?}");
    }
}

#[test]
fn one_mistake_does_not_hide_the_next() {
    let text = "\
$TTL 60
a A 192.0.2.300
b A 192.0.2.1 extra
c AAAA 192.0.2.1
d 60 CH TXT x
www.example.com. A 192.0.2.1
  TXT \"is refused with its owner\"
e MX mail
f TXT \"never closed
g A
h 192.0.2.1
i..j A 192.0.2.1
k )
$TTL
$NOTHING 1
$INCLUDE other.zone
l TXTT x
m ANY x
n 99999999999 A 192.0.2.1
o LOC nowhere
p TXT \\300
q A \\# 3 c00002
r NS \\# 2 c00c
s TYPE65534 x
t AFSDB \\# 2 0000
z A 192.0.2.9
";
    check_wrong(
        text,
        1,
        &[
            "z:2:5: bad A record: expected IPv4 address (it is written like `A 192.0.2.1`)",
            "z:3:15: bad A record: the record should end before this \
             (it is written like `A 192.0.2.1`)",
            "z:4:8: bad AAAA record: expected IPv6 address (an IPv4 address is for A)",
            "z:5:6: class CH is not served (write IN, or leave it out)",
            "z:6:1: www.example.com. is outside the zone example.org. \
             (owners end in example.org. or, without a final dot, are under the origin)",
            "z:8:6: bad MX record: expected decimal number \
             (it is written like `MX 10 mail.example.org.`)",
            "z:9:7: a string has no end on its line \
             (close it with `\"`; text over several lines is several strings)",
            "z:10:1: bad A record: something is missing at the end \
             (it is written like `A 192.0.2.1`)",
            "z:11:3: `192.0.2.1` is no record type (after the owner come TTL, class and type; \
             a line that continues an owner's records starts with a blank)",
            "z:12:1: bad name `i..j`: a label is empty (two dots in a row, or a leading dot)",
            "z:13:3: a parenthesis closes nothing \
             (remove it, or open it with `(` where the entry starts)",
            "z:14:1: wrong number of values after $TTL (write `$TTL 3600`)",
            "z:15:1: unknown directive `$NOTHING` \
             (there are $ORIGIN, $TTL, $INCLUDE and $GENERATE)",
            "z:16:10: `other.zone` is not included: no file other.zone",
            "z:17:3: `TXTT` is no record type (did you mean TXT?)",
            "z:18:3: ANY is no type of records in a zone",
            "z:19:3: `99999999999` is no TTL \
             (write seconds up to 2147483647, or with units as in 1h30m)",
            "z:20:7: bad LOC record: expected degrees [minutes [seconds]] and N or S \
             (octets can be written as `LOC \\# length hex`)",
            "z:21:7: bad TXT record: a backslash must be followed by a character or three digits \
             up to 255 (it is written like `TXT \"text of up to 255 octets\" \"and more\"`)",
            "z:22:10: bad A record: these octets are not those of A \
             (it is written like `A 192.0.2.1`)",
            "z:23:11: bad NS record: these octets are not those of NS \
             (it is written like `NS ns1.example.org.`)",
            "z:24:3: bad TYPE65534 record: the text form of this type is not known \
             (octets can be written as `TYPE65534 \\# length hex`)",
            "z:25:14: bad AFSDB record: these octets are not those of AFSDB \
             (octets can be written as `AFSDB \\# length hex`)",
        ],
    );
}

#[test]
fn an_open_parenthesis_does_not_swallow_the_file() {
    check_wrong(
        "$TTL 60\na SOA ns root (\n 1 2 3\nb A 192.0.2.1\nc TXT ( \"x\"\n  \"y\" )\nd ( A\n",
        2,
        &[
            "z:2:15: a parenthesis is never closed (close it with `)` where the record ends)",
            "z:7:3: a parenthesis is never closed (close it with `)` where the record ends)",
        ],
    );
}

#[test]
fn warns_of_what_is_probably_not_meant() {
    check_wrong(
        "$TTL 60\nx CNAME y.example.org\na A 192.0.2.1\na 30 A 192.0.2.2\na A 192.0.2.1\n",
        3,
        &[
            "z:2:9: `y.example.org` means y.example.org.example.org. \
             (if that is not meant, end it with a dot: `y.example.org.`)",
            "z:4:1: a.example.org. A has records with TTL 60 and 30 \
             (one RRset has one TTL; 30 is used for all)",
            "z:5:1: a.example.org. A has records with TTL 30 and 60 \
             (one RRset has one TTL; 30 is used for all)",
        ],
    );
    check_wrong(
        "$TTL 60\nmüller A 192.0.2.1\n",
        1,
        &["z:2:1: `müller` has letters outside of ASCII \
           (clients ask for the `xn--` form of such a name (IDNA); write that)"],
    );
    check_wrong(
        " A 192.0.2.1\n A 192.0.2.1",
        0,
        &["z:1:2: the first record has no owner (a line that starts with a blank belongs to \
             the owner before it; write the owner in the first column, or `@` for the zone \
             itself)"],
    );
}

#[test]
fn included_files_keep_their_origin_and_owner_to_themselves() {
    let mut asked = Vec::new();
    let (records, diagnostics) = read_with(
        "$TTL 60\na A 192.0.2.1\n$INCLUDE one sub\n A 192.0.2.3\n$INCLUDE two\nb A 192.0.2.6\n",
        &mut |path| {
            asked.push(path.to_owned());
            Ok(match path {
                "one" => source("one", " A 192.0.2.5\nx A 192.0.2.2\n$ORIGIN deep\n"),
                _ => source("two", "x A 192.0.2.4\n$TTL 30\nbad\n"),
            })
        },
    );
    assert_eq!(asked, ["one", "two"]);
    assert_eq!(
        diagnostics,
        ["two:3:1: this is no record: it has no type (write `owner [TTL] type data`)"]
    );
    assert_eq!(
        records,
        [
            "a.example.org. 60 A c0000201",
            "a.example.org. 60 A c0000205",
            "a.example.org. 60 A c0000203",
            "b.example.org. 30 A c0000206",
            "x.sub.example.org. 60 A c0000202",
            "x.example.org. 60 A c0000204",
        ]
    );
}

#[test]
fn generates_records_from_ranges() {
    let a = |owner: &str, last: u8| format!("{owner}.example.org. 60 A c00002{last:02x}");
    check("$GENERATE 1-3 h$ A 192.0.2.${10}", &[&a("h1", 11), &a("h2", 12), &a("h3", 13)]);
    check("$GENERATE 0-4/4 h${0,2} 60 IN A 192.0.2.$", &[&a("h00", 0), &a("h04", 4)]);
    check("$generate 1-1 m MX \"1$ h$.\"", &["m.example.org. 60 MX 000b02683100"]);
    check("$GENERATE 1-1 m MX 1$ h$.", &["m.example.org. 60 MX 000b02683100"]);
    check("$GENERATE 1-1 t TXT \"a b\" \"$\"", &["t.example.org. 60 TXT 036120620131"]);
    check(
        "a A 192.0.2.1\n$GENERATE 1-1 b A 192.0.2.2\n A 192.0.2.3",
        &[&a("a", 1), &a("a", 3), &a("b", 2)],
    );
    check_wrong(
        "$TTL 60\n$GENERATE 250-300 h$ A 192.0.2.$\n$GENERATE 3-1 h$ A 192.0.2.$\n\
         $GENERATE 0-4294967295 h$ A 192.0.2.1\n$GENERATE 1-2 h$ A\n\
         $GENERATE 1-5 h$ CNAME x.example.org\n$GENERATE 1-5 h${z} A 192.0.2.1\n",
        6 + 5,
        &[
            "z:2:1: bad A record: expected IPv4 address (it is written like `A 192.0.2.1`)",
            "z:3:11: `3-1` is no range (write it as 1-254, or 0-100/10 to go in steps)",
            "z:4:11: $GENERATE would make more than 1048576 records",
            "z:5:1: wrong number of values after $GENERATE \
             (write `$GENERATE 1-3[/step] owner$ [TTL] type data$`)",
            "z:6:1: `x.example.org` means x.example.org.example.org. \
             (if that is not meant, end it with a dot: `x.example.org.`)",
            "z:7:1: modifiers are ${offset}, ${offset,width} or ${offset,width,base} \
             (it is written like `$GENERATE 1-3[/step] owner$ [TTL] type data$`)",
        ],
    );
}

#[test]
fn an_rrset_beyond_every_message_is_refused() {
    check_wrong(
        "$TTL 60\n$GENERATE 1-1000000 a TXT $\n",
        RRSET_RECORDS_MAX + 1,
        &["z:2:1: a.example.org. TXT has more than 5461 records \
           (no message can carry them; spread them over several names)"],
    );
}

#[test]
fn what_a_generated_line_says_is_shown() {
    let mut out = Vec::new();
    let text = "$GENERATE 255-300 h$ 60 A 192.0.2.$\nx A 192.0.2\n";
    let apex = Name::from_text(APEX).unwrap();
    parse(&source("z", text), &apex, &mut |_| Err(String::new()), &mut out);
    let labels: Vec<&str> = out.iter().map(|diagnostic| diagnostic.label.as_str()).collect();
    assert_eq!(labels, ["this makes `h256 60 A 192.0.2.256`", ""]);
}

#[test]
fn files_that_include_themselves_come_to_an_end() {
    let (_, diagnostics) = read_with("$INCLUDE z\n", &mut |_| Ok(source("z", "$INCLUDE z\n")));
    assert_eq!(
        diagnostics,
        ["z:1:10: `z` is not included: files include one another more than 16 deep"]
    );
    let mut files = 0;
    let (_, diagnostics) = read_with("$INCLUDE z\n", &mut |_| {
        files += 1;
        Ok(source("z", "$INCLUDE z\n$INCLUDE z\n"))
    });
    assert!(files <= INCLUDES_MAX, "{files}");
    assert_eq!(diagnostics.len(), DIAGNOSTICS_MAX + 1);
}

#[test]
fn a_file_of_mistakes_is_not_read_to_its_end() {
    let (records, diagnostics) = read(&"x y\n".repeat(10_000));
    assert_eq!(records.len(), 0);
    assert_eq!(diagnostics.len(), DIAGNOSTICS_MAX + 1);
    assert!(diagnostics[DIAGNOSTICS_MAX].contains("more than 200 problems"));
}

#[test]
fn reads_a_hundred_thousand_records() {
    let mut text = String::from("$TTL 60\n");
    for host in 0..100_000_u32 {
        let [_, b, c, d] = host.to_be_bytes();
        text.push_str(&format!("host{host} A 10.{b}.{c}.{d}\n"));
    }
    let mut out = Vec::new();
    let apex = Name::from_text(APEX).unwrap();
    let file = parse(&source("z", &text), &apex, &mut |_| Err(String::new()), &mut out);
    assert_eq!(out, []);
    let last = Name::from_text("host99999.example.org").unwrap();
    assert_eq!(file.records.get(&last, RecordType::A), [[10, 1, 0x86, 0x9f]]);
    assert_eq!(file.records.finish().rrsets().len(), 100_000);
    let place = file.places.of(&last, RecordType::A, 0).unwrap();
    assert_eq!(place.source.line_column(place.span.start), (100_001, 1));
}

#[test]
fn every_record_is_known_by_its_place() {
    let text = "$TTL 60\nwww A 192.0.2.1\nftp A 192.0.2.1\nWWW A 192.0.2.2\nwww A 192.0.2.1\n\
                www AAAA ::1\n$INCLUDE more\nwww A 192.0.2.4\n";
    let mut out = Vec::new();
    let apex = Name::from_text(APEX).unwrap();
    let mut includes = |_: &str| Ok(source("more", "\n\nwww A 192.0.2.3\n"));
    let file = parse(&source("z", text), &apex, &mut includes, &mut out);
    let www = Name::from_text("www.example.org").unwrap();
    let line = |rtype, index| {
        let place = file.places.of(&www, rtype, index)?;
        Some((place.source.path.clone(), place.source.line_column(place.span.start).0))
    };
    let lines: Vec<_> = (0..5).filter_map(|index| line(RecordType::A, index)).collect();
    // The last asks for a record that there is not, and is told of the first.
    let expected = [("z", 2), ("z", 4), ("more", 3), ("z", 8), ("z", 2)];
    assert_eq!(lines, expected.map(|(path, line)| (path.to_owned(), line)));
    assert_eq!(line(RecordType::AAAA, 0), Some(("z".to_owned(), 6)));
    assert_eq!(line(RecordType::MX, 0), None);
}
