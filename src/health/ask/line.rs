//! The first line of what somebody says, fit to be shown.

/// Most octets of it.
const LINE_LEN_MAX: usize = 120;

/// The first line, without what does not print and without what is too much.
pub fn line(octets: &[u8]) -> String {
    let end = octets.iter().position(|octet| matches!(octet, b'\n' | b'\r'));
    let octets = &octets[..end.unwrap_or(octets.len())];
    // Longer than what is kept, whatever of it does not print.
    let octets = &octets[..octets.len().min(4 * LINE_LEN_MAX)];
    let text = String::from_utf8_lossy(octets);
    let prints = |c: char| if c == '\t' { Some(' ') } else { (!c.is_control()).then_some(c) };
    let mut text: String = text.chars().filter_map(prints).collect();
    if text.len() > LINE_LEN_MAX {
        text.truncate(text.floor_char_boundary(LINE_LEN_MAX));
        text.push('…');
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_prints_and_has_an_end() {
        for (said, expected) in [
            (&b"DISK CRITICAL: /var 99%\nmore"[..], "DISK CRITICAL: /var 99%"),
            (b"a\tb\r\n", "a b"),
            (b"\x1b[31mred\x1b[0m", "[31mred[0m"),
            (b"\xff", "\u{fffd}"),
            (b"  ", ""),
        ] {
            assert_eq!(line(said), expected);
        }
        let long = line("é".repeat(9999).as_bytes());
        assert!(long.len() <= LINE_LEN_MAX + '…'.len_utf8() && long.ends_with('…'));
    }
}
