//! What a body must say, and in which ways it can fail to.

use std::fmt;

use serde_json::Value;

use super::Pattern;

/// Most of a body that is read where something is expected of it: a page, not a download.
pub const BODY_LEN_MAX: usize = 64 * 1024;
/// Most of a value that a mismatch quotes, in octets.
const QUOTE_LEN_MAX: usize = 60;

/// What a body must say, within its first [`BODY_LEN_MAX`] octets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BodyTest {
    /// This text, anywhere.
    Contains(String),
    /// Something that this matches, anywhere.
    Matches(Pattern),
    /// A JSON document with this value at a pointer (RFC 6901).
    Json {
        /// Where: `/status`, or empty for the document itself.
        pointer: String,
        /// What must be there, of the same type.
        is: Value,
    },
}

/// How what came differs from what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// The text is not there.
    Text,
    /// It is not JSON.
    NotJson,
    /// It is longer than what is read, and half of a document is none.
    TooLong,
    /// The document has nothing at the pointer.
    NoValue,
    /// The document has this there, cut to a short quote.
    Value(String),
}

impl BodyTest {
    /// Judges a body; `whole` is false where it went on beyond what was read.
    pub fn judge(&self, body: &[u8], whole: bool) -> Result<(), Mismatch> {
        match self {
            Self::Contains(text) if contains(body, text.as_bytes()) => Ok(()),
            Self::Matches(pattern) if pattern.is_match(body) => Ok(()),
            Self::Contains(_) | Self::Matches(_) => Err(Mismatch::Text),
            Self::Json { .. } if !whole => Err(Mismatch::TooLong),
            Self::Json { pointer, is } => {
                let document: Value =
                    serde_json::from_slice(body).map_err(|_| Mismatch::NotJson)?;
                match document.pointer(pointer) {
                    Some(value) if value == is => Ok(()),
                    Some(value) => Err(Mismatch::Value(quote(value))),
                    None => Err(Mismatch::NoValue),
                }
            }
        }
    }
}

/// Whether octets stand somewhere in others.
pub(super) fn contains(octets: &[u8], part: &[u8]) -> bool {
    part.is_empty() || octets.windows(part.len()).any(|window| window == part)
}

fn quote(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > QUOTE_LEN_MAX {
        text.truncate(text.floor_char_boundary(QUOTE_LEN_MAX));
        text.push('…');
    }
    text
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("expected text not found"),
            Self::NotJson => f.write_str("body is not json"),
            Self::TooLong => write!(f, "body is longer than {} KiB", BODY_LEN_MAX / 1024),
            Self::NoValue => f.write_str("body lacks the value"),
            Self::Value(found) => write!(f, "body says {found}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(test: &BodyTest, body: &str, expected: Result<(), Mismatch>) {
        assert_eq!(test.judge(body.as_bytes(), true), expected, "{test:?} of {body:?}");
    }

    #[test]
    fn texts_are_found_anywhere() {
        let ready = BodyTest::Contains("ready".into());
        check(&ready, "ready", Ok(()));
        check(&ready, "is ready now", Ok(()));
        check(&ready, "Ready", Err(Mismatch::Text));
        check(&ready, "", Err(Mismatch::Text));
        check(&BodyTest::Matches(Pattern::new("(?i)ready").unwrap()), "Ready", Ok(()));
    }

    #[test]
    fn values_are_compared_with_their_type() {
        let test = |pointer: &str, is: Value| BodyTest::Json { pointer: pointer.into(), is };
        let ok = test("/status", "ok".into());
        check(&ok, r#"{"status":"ok"}"#, Ok(()));
        check(&ok, r#"{"status":"warming"}"#, Err(Mismatch::Value("\"warming\"".into())));
        check(&ok, r#"{"status":true}"#, Err(Mismatch::Value("true".into())));
        check(&ok, r#"{"state":"ok"}"#, Err(Mismatch::NoValue));
        check(&ok, "ok", Err(Mismatch::NotJson));
        check(&ok, r#"{"status":"ok""#, Err(Mismatch::NotJson));
        check(&test("/checks/0/up", true.into()), r#"{"checks":[{"up":true}]}"#, Ok(()));
        check(&test("", 3.into()), "3", Ok(()));
        let long = format!("{{\"status\":\"{}\"}}", "é".repeat(QUOTE_LEN_MAX));
        let Err(Mismatch::Value(quote)) = ok.judge(long.as_bytes(), true) else { panic!() };
        assert!(quote.len() <= QUOTE_LEN_MAX + '…'.len_utf8() && quote.ends_with('…'));
    }

    #[test]
    fn half_a_document_is_too_long_and_half_a_text_may_do() {
        let json = BodyTest::Json { pointer: "/a".into(), is: 1.into() };
        assert_eq!(json.judge(br#"{"a":1"#, false), Err(Mismatch::TooLong));
        assert_eq!(BodyTest::Contains("a".into()).judge(b"xxa", false), Ok(()));
    }
}
