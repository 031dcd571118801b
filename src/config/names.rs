//! Names as operators write them: what DNS would take and no client could ever ask for is refused.

use crate::wire::Name;

/// Reads a name beside a zone, or says why it is none and what to write instead.
pub(super) fn read(written: &str, origin: &Name) -> Result<Name, (String, &'static str)> {
    let refused = |why: &str| format!("\"{written}\" is not a name: {why}");
    if !written.is_ascii() {
        return Err((refused("it has letters beyond ASCII"), "write it in its \"xn--\" form"));
    }
    if written.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
        return Err((refused("it has a space in it"), "write one name"));
    }
    // RFC 4592 §2.1.1: a star is a wildcard only as the whole leftmost label.
    if written.strip_prefix("*.").unwrap_or(written).contains('*') && written != "*" {
        let help = "a star stands for whole labels and comes first: \"*.app\"";
        return Err((refused("its star would match only a star"), help));
    }
    Name::from_text_under(written, origin).map_err(|why| {
        (refused(&why.to_string()), "write labels of 1 to 63 characters with dots between them")
    })
}
