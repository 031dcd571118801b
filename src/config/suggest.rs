//! "Did you mean": the nearest of the words that would have been right.

/// The candidate that `written` is most probably a slip of; none where all are far.
pub(crate) fn nearest<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let written = written.to_ascii_lowercase().replace('_', "-");
    candidates
        .into_iter()
        .map(|candidate| {
            let plain = candidate.to_ascii_lowercase().replace('_', "-");
            (strsim::damerau_levenshtein(&written, &plain), candidate)
        })
        .filter(|(distance, candidate)| *distance <= slips_allowed(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// One slip in a short word, more in a long one: beyond that a guess is noise.
fn slips_allowed(word: &str) -> usize {
    match word.len() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_leaves_strangers() {
        for (written, expected) in [
            ("timout", Some("timeout")),
            ("Timeout", Some("timeout")),
            ("when-all-down", Some("when_all_down")),
            ("evrey", Some("every")),
            ("colour", None),
            ("x", None),
        ] {
            let found = nearest(written, ["every", "timeout", "fails", "when_all_down"]);
            assert_eq!(found, expected, "{written}");
        }
    }
}
