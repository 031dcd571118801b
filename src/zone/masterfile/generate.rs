//! `$GENERATE`: many records from one line, as BIND writes them.
//!
//! ```text
//!   $GENERATE 1-3 host$ A 192.0.2.${10,0,d}
//!             host1 A 192.0.2.11    host2 A 192.0.2.12    host3 A 192.0.2.13
//! ```
//!
//! A `$` stands for the number; `${offset,width,base}` adds to it, fills it with zeros, and writes
//! it in base `d`, `o`, `x` or `X`, or as nibbles, the lowest first, with dots between (`n`, `N`),
//! which `ip6.arpa` wants. `$$` and `\$` are a dollar sign. BIND takes one word or string for the
//! data, and reads what is in the string as data; here data of several words is taken too.

use std::fmt::Write;

use super::entries::{Entry, Token};
use crate::wire::RecordType;

/// How many records of a zone may come from `$GENERATE`: a slip in a range must not fill memory.
pub const GENERATED_MAX: u64 = 1 << 20;

/// The form, for a remedy.
pub(super) const FORM: &str = "$GENERATE 1-3[/step] owner$ [TTL] type data$";

/// The numbers of a directive: `start-stop`, or `start-stop/step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    start: u32,
    stop: u32,
    step: u32,
}

impl Range {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (range, step) = text.split_once('/').unwrap_or((text, "1"));
        let (start, stop) = range.split_once('-')?;
        let [start, stop, step] = [start, stop, step].map(|part| part.parse::<u32>().ok());
        let range = Self { start: start?, stop: stop?, step: step? };
        (range.start <= range.stop && range.step > 0).then_some(range)
    }

    pub(super) fn len(self) -> u64 {
        u64::from((self.stop - self.start) / self.step) + 1
    }

    pub(super) fn numbers(self) -> impl Iterator<Item = u32> {
        (self.start..=self.stop).step_by(self.step as usize)
    }
}

/// One line's pattern: everything after the range, with its dollar signs.
pub(super) fn template(entry: &Entry<'_>) -> String {
    let words = &entry.tokens[2..];
    let mut line = String::new();
    for (index, token) in words.iter().enumerate() {
        if index > 0 && !token.glued {
            line.push(' ');
        }
        // A single string after the type is data in disguise.
        let is_data = token.quoted && index + 1 == words.len() && follows_type(words, index);
        match token {
            Token { quoted: true, text, .. } if !is_data => {
                line.push('"');
                line.push_str(text);
                line.push('"');
            }
            Token { text, .. } => line.push_str(text),
        }
    }
    line
}

fn follows_type(words: &[Token<'_>], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|at| words.get(at));
    before.is_some_and(|word| !word.quoted && word.text.parse::<RecordType>().is_ok())
}

/// The pattern with a number in it.
pub(super) fn expand(template: &str, number: u32) -> Result<String, &'static str> {
    let mut line = String::with_capacity(template.len() + 8);
    let mut rest = template;
    while let Some(at) = rest.find(['$', '\\']) {
        line.push_str(&rest[..at]);
        let (sign, after) = rest[at..].split_at(1);
        rest = after;
        if sign == "\\" {
            // An escape stays one, whatever it escapes.
            line.push('\\');
            let mut letters = rest.chars();
            line.extend(letters.next());
            rest = letters.as_str();
        } else if let Some(after) = rest.strip_prefix('$') {
            line.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let (modifiers, after) = after.split_once('}').ok_or("`${` is never closed")?;
            modified(&mut line, number, modifiers)?;
            rest = after;
        } else {
            write!(line, "{number}").expect("text grows without failing");
        }
    }
    line.push_str(rest);
    Ok(line)
}

fn modified(line: &mut String, number: u32, modifiers: &str) -> Result<(), &'static str> {
    /// A domain name has no room for more.
    const WIDTH_MAX: usize = 255;
    const WRONG: &str = "modifiers are ${offset}, ${offset,width} or ${offset,width,base}";

    let mut parts = modifiers.split(',');
    let offset: i64 = parts.next().unwrap_or_default().parse().map_err(|_| WRONG)?;
    let width: usize = parts.next().unwrap_or("0").parse().map_err(|_| WRONG)?;
    let base = parts.next().unwrap_or("d");
    if parts.next().is_some() || width > WIDTH_MAX {
        return Err(WRONG);
    }
    let value = offset
        .checked_add(i64::from(number))
        .and_then(|value| u32::try_from(value).ok())
        .ok_or("the offset makes the number negative or too large")?;
    let done = match base {
        "d" => write!(line, "{value:0width$}"),
        "o" => write!(line, "{value:0width$o}"),
        "x" => write!(line, "{value:0width$x}"),
        "X" => write!(line, "{value:0width$X}"),
        "n" => line.write_str(&nibbles(value, width)),
        "N" => line.write_str(&nibbles(value, width).to_ascii_uppercase()),
        _ => return Err(WRONG),
    };
    done.expect("text grows without failing");
    Ok(())
}

/// Hexadecimal digits, the lowest first, dots between; the width counts the dots.
fn nibbles(value: u32, width: usize) -> String {
    let mut text = String::new();
    let mut left = value;
    loop {
        write!(text, "{:x}", left & 0xf).expect("text grows without failing");
        left >>= 4;
        if left == 0 && text.len() >= width {
            return text;
        }
        text.push('.');
        if left == 0 && text.len() >= width {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_places_of_dollar_signs() {
        for (template, number, expected) in [
            ("host$", 7, Ok("host7")),
            ("$.$", 7, Ok("7.7")),
            ("a${10}b", 7, Ok("a17b")),
            ("${-7,3,d}", 7, Ok("000")),
            ("${0,3,d}", 7, Ok("007")),
            ("${0,0,x}${0,4,X}${0,0,o}", 255, Ok("ff00FF377")),
            ("${0,0,n}", 0x1a2, Ok("2.a.1")),
            ("${0,7,N}", 0x1a, Ok("A.1.0.0")),
            ("${0,1,n}", 0, Ok("0")),
            ("$$", 7, Ok("$")),
            (r"\$\\$é", 7, Ok(r"\$\\7é")),
            ("plain", 7, Ok("plain")),
            ("${0", 7, Err("`${` is never closed")),
            ("${-8}", 7, Err("the offset makes the number negative or too large")),
        ] {
            assert_eq!(
                expand(template, number).as_deref(),
                expected.as_ref().copied(),
                "{template}"
            );
        }
        for wrong in ["${}", "${a}", "${0,a}", "${0,256}", "${0,0,z}", "${0,0,d,0}"] {
            assert!(expand(wrong, 1).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_have_steps_and_go_upwards() {
        for (text, expected) in [
            ("1-3", vec![1, 2, 3]),
            ("0-10/5", vec![0, 5, 10]),
            ("4-9/3", vec![4, 7]),
            ("4294967295-4294967295", vec![u32::MAX]),
            ("3-1", vec![]),
            ("1-3/0", vec![]),
            ("1", vec![]),
            ("-1-3", vec![]),
        ] {
            let range = Range::parse(text);
            let numbers: Vec<u32> = range.into_iter().flat_map(Range::numbers).collect();
            assert_eq!(numbers, expected, "{text}");
            assert_eq!(range.map_or(0, Range::len), expected.len() as u64, "{text}");
        }
    }
}
