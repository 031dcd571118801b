//! Inputs that a fuzzer once found something with, and the seeds it starts from, through the same
//! judges.

#[path = "../fuzz/judges.rs"]
mod judges;

use std::fs;
use std::path::Path;

type Judge = fn(&[u8]);

const TARGETS: [(&str, Judge); 6] = [
    ("query", judges::query),
    ("proxy", judges::proxy),
    ("frame", judges::frame),
    ("respond", judges::respond),
    ("masterfile", judges::masterfile),
    ("configuration", judges::configuration),
];

/// Replays every file of a folder; gives how many there are.
fn replay(folder: &Path, judge: Judge) -> usize {
    let cases = fs::read_dir(folder).into_iter().flatten();
    let cases = cases.map(|case| {
        let path = case.expect("a file of the folder").path();
        eprintln!("{}", path.display());
        judge(&fs::read(path).expect("a file that can be read"));
    });
    cases.count()
}

#[test]
fn inputs_that_found_something_find_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_cases");
    for (target, judge) in TARGETS {
        // A target that has found nothing has no folder.
        replay(&root.join(target), judge);
    }
}

#[test]
fn seeds_find_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (target, judge) in TARGETS {
        assert!(replay(&root.join(target), judge) > 0, "{target} has seeds");
    }
}
