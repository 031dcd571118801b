//! What a name of a generated zone may be, and how often: the other half of the generator.

use domain::base::Rtype;

use super::generate::{Draft, UNKNOWN, chance, label, one_of, role};
use super::name::{NAME_LEN_MAX, Name};

/// Puts the records of one kind at an owner.
pub type Role = fn(&mut Draft<'_>, &Name);

/// Roles by weight. What makes names depend on one another comes often.
pub const ROLES: &[(u32, Role)] = &[
    (18, addresses),
    (8, text),
    (7, mail),
    (5, located),
    (6, unusual),
    (20, alias),
    (7, redirection),
    (16, cut),
    (3, many),
    (2, chain),
    (1, ring),
];

/// Fills a zone: its top, the zones inside it, and then its pool.
pub fn fill(draft: &mut Draft<'_>) {
    top(draft);
    let inside: Vec<Name> = draft
        .apexes
        .iter()
        .filter(|other| **other != draft.apex && other.is_at_or_under(&draft.apex))
        .cloned()
        .collect();
    for child in inside {
        if chance(draft.rng, 70) {
            cut(draft, &child);
        }
    }
    for _ in 0..draft.own.len() {
        let owner = one_of(draft.rng, draft.own).clone();
        let owner = if chance(draft.rng, 10) { owner.recased(|| draft.rng.bool()) } else { owner };
        role(draft.rng)(draft, &owner);
    }
}

/// SOA and NS, rarely with a DNAME beside them.
fn top(draft: &mut Draft<'_>) {
    let apex = draft.apex.clone();
    let minimum = *one_of(draft.rng, &[0, 30, 60, 900, 7200]);
    let soa = format!("mname.{0} host\\.master.{0} 1 3600 600 86400 {minimum}", dotless(&apex));
    draft.put(&apex, Rtype::SOA, soa, None);
    let redirected = chance(draft.rng, 3);
    if redirected {
        let target = draft.target();
        if !target.is_at_or_under(&apex) {
            draft.put(&apex, Rtype::DNAME, target.to_string(), Some(&target));
        }
    }
    for label in [&b"ns1"[..], b"NS2"] {
        let inside = apex.child(label).expect("apexes are short");
        server(draft, &apex, &inside);
    }
}

/// The text of a name to be written behind a dot.
fn dotless(name: &Name) -> String {
    let text = name.to_string();
    if text == "." { String::new() } else { text }
}

/// An NS record, with an address where the server's name is the zone's own business.
fn server(draft: &mut Draft<'_>, owner: &Name, host: &Name) {
    let known = draft.owns(host, Rtype::A) || draft.owns(host, Rtype::AAAA);
    let fine = !host.is_at_or_under(&draft.apex) || known || address(draft, host);
    let outside = Name::plain("ns.elsewhere.invalid");
    let outside_fine = !outside.is_at_or_under(&draft.apex) || address(draft, &outside);
    let host = if fine { host } else { &outside };
    if fine || outside_fine {
        draft.put(owner, Rtype::NS, host.to_string(), Some(host));
    }
}

/// At least one address; false where there can be none.
fn address(draft: &mut Draft<'_>, owner: &Name) -> bool {
    let last = draft.rng.u8(1..255);
    let v6 = chance(draft.rng, 40);
    if v6 {
        draft.put(owner, Rtype::AAAA, format!("2001:db8::{last:x}"), None);
    }
    let v4 = !v6 || chance(draft.rng, 60);
    if v4 {
        draft.put(owner, Rtype::A, format!("192.0.2.{last}"), None);
    }
    draft.owns(owner, Rtype::A) || draft.owns(owner, Rtype::AAAA)
}

fn addresses(draft: &mut Draft<'_>, owner: &Name) {
    for _ in 0..draft.rng.u8(1..4) {
        address(draft, owner);
    }
}

fn text(draft: &mut Draft<'_>, owner: &Name) {
    let data = one_of(draft.rng, &["\"some text\"", "\"\"", "\"a\" \"B\" \"c\"", "\"q\\\"\\255\""]);
    draft.put(owner, Rtype::TXT, (*data).to_owned(), None);
}

fn mail(draft: &mut Draft<'_>, owner: &Name) {
    for preference in 0..draft.rng.u16(1..3) {
        let target = draft.target();
        draft.put(owner, Rtype::MX, format!("{preference} {target}"), Some(&target));
    }
}

fn located(draft: &mut Draft<'_>, owner: &Name) {
    let target = draft.target();
    if chance(draft.rng, 30) {
        draft.put(owner, Rtype::HTTPS, format!("1 {target} alpn=h2"), Some(&target));
    } else {
        draft.put(owner, Rtype::SRV, format!("0 5 5060 {target}"), Some(&target));
    }
}

/// Types that a server may treat as data alone.
fn unusual(draft: &mut Draft<'_>, owner: &Name) {
    let target = draft.target();
    let (rtype, data) = match draft.rng.u8(..5) {
        0 => (Rtype::CAA, String::from("0 issue \"ca.example.org\"")),
        1 => (Rtype::PTR, target.to_string()),
        2 => (Rtype::HINFO, String::from("\"Cpu\" \"os\"")),
        3 => (Rtype::NAPTR, format!("1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:x!\" {target}")),
        _ => (UNKNOWN, String::from("\\# 4 01020304")),
    };
    draft.put(owner, rtype, data, None);
}

fn alias(draft: &mut Draft<'_>, owner: &Name) {
    let target = draft.target();
    draft.put(owner, Rtype::CNAME, target.to_string(), Some(&target));
}

fn redirection(draft: &mut Draft<'_>, owner: &Name) {
    // RFC 4592 §4.4: a DNAME at a wildcard has no agreed meaning.
    if *owner == draft.apex || owner.is_wildcard() {
        return;
    }
    let target = match draft.rng.u8(..10) {
        0 => owner.lengthened(NAME_LEN_MAX - 4, b'd'),
        1 => owner.parent().expect("it is below the apex"),
        _ => draft.target(),
    };
    draft.put(owner, Rtype::DNAME, target.to_string(), Some(&target));
}

/// A delegation with servers at all the places that glue can come from, and at times a DS.
fn cut(draft: &mut Draft<'_>, owner: &Name) {
    // RFC 4592 §4.2: a delegation of a wildcard has no agreed meaning.
    if owner.folded() == draft.apex.folded()
        || owner.is_wildcard()
        || draft.owns(owner, Rtype::CNAME)
        || draft.owns(owner, Rtype::DNAME)
    {
        return;
    }
    let servers = if chance(draft.rng, 6) { 12 } else { draft.rng.usize(1..4) };
    for number in 0..servers {
        let label = label(draft.rng);
        let own = owner.child(format!("ns{number}").as_bytes());
        let host = match draft.rng.u8(..10) {
            0..5 => own,
            5 => Some(owner.clone()),
            6 => own.and_then(|own| own.child(&label)),
            _ => Some(draft.target()),
        };
        server(draft, owner, &host.unwrap_or_else(|| Name::plain("ns.elsewhere.invalid")));
    }
    if chance(draft.rng, 40) {
        let data = format!("12345 13 2 {}", "0A".repeat(32));
        draft.put(owner, Rtype::DS, data, None);
    }
}

/// More than one datagram carries.
fn many(draft: &mut Draft<'_>, owner: &Name) {
    let count = draft.rng.u8(15..90);
    let of_text = draft.rng.bool();
    for number in 0..count {
        if of_text {
            let data = format!("\"{number} {}\"", "x".repeat(90));
            draft.put(owner, Rtype::TXT, data, None);
        } else {
            draft.put(owner, Rtype::AAAA, format!("2001:db8::b:{number:x}"), None);
        }
    }
}

/// Aliases one behind the other, now and then more than anybody follows.
fn chain(draft: &mut Draft<'_>, owner: &Name) {
    let len = if chance(draft.rng, 15) { 20 } else { draft.rng.usize(2..8) };
    let mut from = owner.clone();
    for number in 0..len {
        let Some(to) = owner.child(format!("link{number}").as_bytes()) else { return };
        if !draft.put(&from, Rtype::CNAME, to.to_string(), Some(&to)) {
            return;
        }
        from = to;
    }
    addresses(draft, &from);
}

/// Aliases that lead back to the first.
fn ring(draft: &mut Draft<'_>, owner: &Name) {
    let Some(other) = owner.child(b"ring") else { return };
    let target = if draft.rng.bool() { &other } else { owner };
    if draft.put(owner, Rtype::CNAME, target.to_string(), Some(target)) {
        draft.put(&other, Rtype::CNAME, owner.to_string(), Some(owner));
    }
}
