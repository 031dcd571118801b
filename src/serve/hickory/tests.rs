use super::*;
use hickory_server::proto::op::OpCode;

/// `.` TXT IN, asked.
const QUESTION: &str = "00 0010 0001";

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// What hickory makes of a response that was taken apart.
fn through_hickory(response: &[u8], limit: u16) -> Vec<u8> {
    let reply = Reply::read(response).unwrap().within(limit);
    let mut octets = Vec::new();
    reply.message().destructive_emit(&mut BinEncoder::new(&mut octets)).unwrap();
    octets
}

/// Responses without names to compress must come out as they went in, octet for octet.
fn check(flags_and_counts: &str, rest: &str) {
    let response = octets(&format!("0007 {flags_and_counts} {rest}"));
    assert_eq!(through_hickory(&response, u16::MAX), response, "{flags_and_counts} {rest}");
}

#[test]
fn every_flag_passes_but_z() {
    for flags in 0x8000..=0xffff_u16 {
        if flags & 0x0040 == 0 {
            check(&format!("{flags:04x} 0001 0000 0000 0000"), QUESTION);
        }
    }
}

#[test]
fn responses_without_a_question_pass() {
    check("8001 0000 0000 0000 0000", "");
    check("8001 0000 0000 0000 0001", "00 0029 04d0 00000000 0000");
}

#[test]
fn opt_passes_with_every_field_and_option() {
    for (header, opt) in [
        // BADVERS, DO, the size.
        ("8000", "00 0029 04d0 01008000 0000"),
        // BADCOOKIE, version 3, all flags; a cookie that hickory knows no form of.
        ("8007", "00 0029 1000 0103ffff 0010 000a 000c 000102030405060708090a0b"),
        // Two extended errors, NSID, an ECS with octets that it need not have, padding, an unknown
        // code and one that is empty: in this order.
        (
            "8002",
            "00 0029 0200 00000000 002f \
             000f 0008 0016 6e6f206f6e65 000f 0002 0000 0003 0002 6e31 0008 0008 0001 1800 \
             c0000201 000c 0003 000000 fde9 0000",
        ),
    ] {
        check(&format!("{header} 0001 0000 0000 0001"), &format!("{QUESTION} {opt}"));
    }
}

#[test]
fn records_pass_in_order_with_class_and_ttl() {
    for record in [
        // TXT, and one that hickory's reader of TXT refuses.
        "00 0010 0001 0000012c 0003 026869",
        "00 0010 0001 0000012c 0003 ff6869",
        // Without octets: TYPE65280, APL, NULL.
        "00 ff00 0001 0000012c 0000",
        "00 002a 0001 0000012c 0000",
        "00 000a 0001 0000012c 0000",
        // TYPE65280; hickory's own number of ANAME; a DS; an RRSIG; an NSEC that is cut.
        "00 ff00 0001 ffffffff 0004 01020304",
        "00 ff19 0001 00000000 0002 abcd",
        "00 002b 0001 0000012c 0005 ec45050100",
        "00 002e 0001 0000012c 0014 00010503000151803e7c9dd73e5510d70a5200ff",
        "00 002f 0001 0000012c 0002 00ff",
        // SVCB with parameters out of order, CAA with reserved flags.
        "00 0040 0001 0000012c 000d 0001 00 0003 0002 01bb 0001 0000",
        "00 0101 0001 0000012c 0008 7f 05 6973737565 3b",
        // SRV: its target is not compressed, though the same name stands before it.
        "01 61 00 0021 0001 0000012c 0009 0000 0005 01bb 01 61 00",
        // Every type that hickory gets as itself.
        "00 0001 0001 0000012c 0004 c0000201",
        "00 001c 0001 0000012c 0010 20010db8000000000000000000000001",
        "00 0002 0001 0000012c 0003 01 41 00",
        "00 0005 0001 0000012c 0003 01 41 00",
        "00 000c 0001 0000012c 0003 01 41 00",
        "00 000f 0001 0000012c 0005 000a 01 41 00",
        "00 0006 0001 0000012c 001a 01 41 00 01 62 00 ffffffff 80000000 00000000 7fffffff 00000001",
        // Chaosnet.
        "00 0010 0003 00000000 0003 026869",
    ] {
        check("8400 0001 0001 0000 0000", &format!("{QUESTION} {record}"));
        check("8400 0001 0000 0002 0000", &format!("{QUESTION} {record} {TXT}"));
        check("8400 0001 0000 0000 0002", &format!("{QUESTION} {TXT} {record}"));
    }
}

const TXT: &str = "00 0010 0001 00000005 0002 0162";

#[test]
fn names_that_hickory_does_not_look_for_are_written_out() {
    // MINFO and MB, both pointing into the question.
    let question = "01 61 01 62 00 000e 0001";
    let ours = octets(&format!(
        "0007 8400 0001 0002 0000 0000 {question} \
         00 000e 0001 0000012c 0006 01 78 c00c c00e 00 0007 0001 0000012c 0002 c00e"
    ));
    let theirs = octets(&format!(
        "0007 8400 0001 0002 0000 0000 {question} \
         00 000e 0001 0000012c 000a 01 78 01 61 01 62 00 01 62 00 00 0007 0001 0000012c 0003 016200"
    ));
    assert_eq!(through_hickory(&ours, u16::MAX), theirs);
}

#[test]
fn what_does_not_fit_leaves_with_tc_and_opt() {
    let opt = "00 0029 04d0 00008000 0000";
    let header = |flags: &str, answers: &str| format!("0007 {flags} 0001 {answers} 0000 0001");
    let whole = octets(&format!("{} {QUESTION} {TXT} {TXT} {opt}", header("8400", "0002")));
    let room = u16::try_from(whole.len()).unwrap();
    let cut = octets(&format!("{} {QUESTION} {opt}", header("8600", "0000")));
    assert_eq!(through_hickory(&whole, room), whole);
    for room in [room - 1, room - 20, 28, 12] {
        assert_eq!(through_hickory(&whole, room), cut, "{room}");
    }
}

#[test]
fn octets_that_are_no_message_are_an_error() {
    let response = octets(&format!(
        "0007 8400 0001 0001 0000 0001 {QUESTION} \
         00 000e 0001 0000012c 0006 01 61 00 01 62 00 00 0029 04d0 00000000 0005 000f 0001 00"
    ));
    assert!(Reply::read(&response).is_ok());
    for len in 0..response.len() {
        assert!(Reply::read(&response[..len]).is_err(), "{len} octets");
    }
}

#[test]
fn hickory_has_a_place_for_every_number() {
    for number in 0..=u16::MAX {
        assert_eq!(u16::from(rr::RecordType::from(number)), number);
        assert_eq!(u16::from(DNSClass::from(number)), number);
        assert_eq!(u16::from(EdnsCode::from(number)), number);
    }
    for number in 0..16 {
        assert_eq!(u8::from(OpCode::from_u8(number)), number);
    }
    for number in 0..0x1000_u16 {
        let rcode = ResponseCode::from((number >> 4) as u8, (number & 0x0f) as u8);
        assert_eq!((rcode.high(), rcode.low()), ((number >> 4) as u8, (number & 0x0f) as u8));
    }
}
