//! An operator at a terminal: the built binary tells the built binary.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::Folder;

/// Runs a verb in the server's folder; `~` stands for a space within a word.
pub fn verb(folder: &Path, line: &str) -> Output {
    let words = line.split(' ').map(|word| word.replace('~', " "));
    let mut command = Command::new(env!("CARGO_BIN_EXE_rota"));
    command.args(words).current_dir(folder).env("USER", "ada");
    command.output().expect("the built binary runs")
}

/// Runs a verb that must end with this code; gives what it printed, for people or about errors.
#[track_caller]
pub fn told(folder: &Folder, line: &str, code: i32) -> String {
    let output = verb(&folder.0, line);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("what is printed is text");
    assert_eq!(output.status.code(), Some(code), "rota {line}\n{text}");
    text
}

/// What `rota status --json` prints.
pub fn status(folder: &Folder) -> Value {
    let printed = verb(&folder.0, "status --json").stdout;
    serde_json::from_slice(&printed).expect("the status is JSON")
}
