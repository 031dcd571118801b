//! Times as BIND reads them: seconds, or counts with units, as in `1h30m`.

/// Largest TTL: the highest bit must be zero. RFC 2181 §8.
pub(super) const TTL_MAX: u32 = i32::MAX as u32;

/// A time that starts with a digit; none where the text is not one, or more than 32 bits hold.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let mut total: u32 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u32 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes().get(digits).map(u8::to_ascii_lowercase) {
            // A number without a unit stands alone: `1h30` might mean minutes or seconds.
            None if digits == text.len() => return Some(count),
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 60 * 60,
            Some(b'd') => 24 * 60 * 60,
            Some(b'w') => 7 * 24 * 60 * 60,
            None | Some(_) => return None,
        };
        total = count.checked_mul(unit).and_then(|part| total.checked_add(part))?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_counts_with_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("3600", Some(3600)),
            ("1h", Some(3600)),
            ("1H30M", Some(5400)),
            ("1w2d3h4m5s", Some(788_645)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("9999w", None),
            ("1h30", None),
            ("h", None),
            ("1x", None),
            ("1é", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
