//! The rules of the house that a machine can check, each with its way out.
//!
//! ```text
//!   floors      a module uses only floors below it (src/lib.rs draws them)
//!   purity      below the I/O line: no socket, file, thread, clock, tokio, printing
//!   unsafe      only in the files of src/serve/sys*
//!   anyhow      only in main, cli and daemon
//!   width       no line over 100 columns
//!   length      no file with more than 400 lines besides its tests
//!   opening     every file says first what it is for
//!   leftovers   no markers of work to be done
//! ```
//!
//! It reads text, not syntax: comments and strings of the code are blanked out first, so that prose
//! may name what code may not. What clippy and rustc check is not repeated here.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Floors from the ground up; those on one line are neighbours and do not use each other.
const FLOORS: &[&[&str]] = &[
    &["wire"],
    &["zone", "geo", "health"],
    &["steer"],
    &["snapshot"],
    &["respond"],
    &["serve", "probe", "admin"],
    &["config"],
    &["daemon"],
    &["cli"],
];
/// The highest floor below the I/O line.
const PURE_TOP: &str = "respond";
/// What the pure floors do not name; each is a way to ask or to tell the world.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "Instant::now",
    "SystemTime::now",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
];
/// Floors that may use `anyhow`: those whose errors only people read.
const ANYHOW: &[&str] = &["main", "cli", "daemon"];
const WIDTH_MAX: usize = 100;
const LENGTH_MAX: usize = 400;

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Breach {
    path: String,
    /// From 1.
    line: usize,
    rule: &'static str,
    text: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.text)
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    files.sort();
    assert!(files.len() > 10, "no sources under {}", root.display());
    let mut breaches = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        breaches.extend(inspect(&path, &text));
    }
    let list: Vec<String> = breaches.iter().map(Breach::to_string).collect();
    assert!(list.is_empty(), "{} breaches:\n{}", list.len(), list.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the package has this folder") {
        let path = entry.expect("a folder that can be opened can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Everything that is wrong with one file; `path` is from the package's root, such as
/// `src/wire/name.rs`.
fn inspect(path: &str, text: &str) -> Vec<Breach> {
    let module = path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
    let code = blank(text);
    let tests_at = tests_begin(path, &code);
    let file = File { path, module, text, code: &code, tests_at };
    let mut breaches = Vec::new();
    file.floors(&mut breaches);
    file.purity(&mut breaches);
    file.unsafe_and_anyhow(&mut breaches);
    file.shape(&mut breaches);
    file.leftovers(&mut breaches);
    breaches.sort_by_key(|breach| breach.line);
    breaches
}

struct File<'a> {
    path: &'a str,
    /// The floor, or `main` or `lib`.
    module: &'a str,
    text: &'a str,
    /// The text with comments and literals blanked.
    code: &'a str,
    /// Index of the first line of tests; the number of lines where there are none.
    tests_at: usize,
}

impl File<'_> {
    fn breach(&self, index: usize, rule: &'static str, text: String) -> Breach {
        Breach { path: self.path.to_owned(), line: index + 1, rule, text }
    }

    fn product(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().take(self.tests_at)
    }

    fn floors(&self, breaches: &mut Vec<Breach>) {
        let Some(own) = floor(self.module) else {
            if !matches!(self.module, "main" | "lib") {
                let text = format!(
                    "{} is no floor; give it its place in src/lib.rs, in DESIGN and in FLOORS here",
                    self.module
                );
                breaches.push(self.breach(0, "floors", text));
            }
            return;
        };
        for (line, used) in used_modules(self.code) {
            let fine = match floor(&used) {
                Some(other) => other < own || used == self.module,
                // A name of the crate's root that is no module.
                None => true,
            };
            if !fine {
                let text = format!(
                    "{} uses {used}, which is not below it; move what both need down to a floor \
                     below both, or pass it as an argument",
                    self.module
                );
                breaches.push(self.breach(line, "floors", text));
            }
        }
    }

    fn purity(&self, breaches: &mut Vec<Breach>) {
        if floor(self.module).is_none_or(|own| own > floor(PURE_TOP).expect("it is in FLOORS")) {
            return;
        }
        for (index, line) in self.product() {
            for name in IMPURE {
                if has_word(line, name) {
                    let text = format!(
                        "{name} below the I/O line; take the time, chance or bytes as an argument \
                         and leave the asking to serve, probe, admin or daemon"
                    );
                    breaches.push(self.breach(index, "purity", text));
                }
            }
        }
    }

    fn unsafe_and_anyhow(&self, breaches: &mut Vec<Breach>) {
        for (index, line) in self.code.lines().enumerate() {
            if has_word(line, "unsafe") && !self.path.starts_with("src/serve/sys") {
                let text = "unsafe outside src/serve/sys*; put the syscall there behind a safe \
                            function"
                    .to_owned();
                breaches.push(self.breach(index, "unsafe", text));
            }
            if has_word(line, "anyhow") && !ANYHOW.contains(&self.module) {
                let text = "anyhow here; make an error type that says what can go wrong".to_owned();
                breaches.push(self.breach(index, "anyhow", text));
            }
        }
    }

    fn shape(&self, breaches: &mut Vec<Breach>) {
        // A `tests.rs` beside the code says by its name what it is for.
        if !self.text.starts_with("//! ") && self.tests_at > 0 {
            let text = "begin with `//! `: what the file is for, why this way, what it refuses";
            breaches.push(self.breach(0, "opening", text.to_owned()));
        }
        for (index, line) in self.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > WIDTH_MAX {
                let text = format!("{columns} columns; break the line by {WIDTH_MAX}");
                breaches.push(self.breach(index, "width", text));
            }
        }
        if self.tests_at > LENGTH_MAX {
            let text = format!(
                "{} lines besides tests; split where an idea has its own name, by {LENGTH_MAX}",
                self.tests_at
            );
            breaches.push(self.breach(LENGTH_MAX, "length", text));
        }
    }

    fn leftovers(&self, breaches: &mut Vec<Breach>) {
        // Markers live in comments, macros in code.
        for (index, line) in self.text.lines().enumerate() {
            for marker in ["TODO", "FIXME", "XXX"] {
                if has_word(line, marker) {
                    let text = format!("{marker}; do it now, or write it down as an issue");
                    breaches.push(self.breach(index, "leftovers", text));
                }
            }
        }
        for (index, line) in self.code.lines().enumerate() {
            for stub in ["todo!", "unimplemented!"] {
                if has_word(line, stub) {
                    let text = format!("{stub}; build it, or leave the branch out");
                    breaches.push(self.breach(index, "leftovers", text));
                }
            }
        }
    }
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Where the tests of a file begin: a `mod tests` at its end, or the file itself.
fn tests_begin(path: &str, code: &str) -> usize {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name == "tests.rs" || name.ends_with("_tests.rs") || path.contains("/tests/") {
        return 0;
    }
    let marker = code.lines().position(|line| line.starts_with("#[cfg(test)]"));
    marker.unwrap_or_else(|| code.lines().count())
}

/// Modules that are named after `crate::`, with the index of the line: `crate::wire::Name` and
/// every branch of `use crate::{steer, wire::{Name}}`.
fn used_modules(code: &str) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate` and `my_crate` are other words.
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count();
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            used.push((line, word(rest)));
            continue;
        };
        let mut depth = 0_usize;
        let mut expecting = true;
        for (offset, c) in group.char_indices() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => expecting = true,
                c if expecting && (c.is_alphanumeric() || c == '_') => {
                    let below = group[..offset].matches('\n').count();
                    used.push((line + below, word(&group[offset..])));
                    expecting = false;
                }
                _ => {}
            }
        }
    }
    used
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// True where `name` stands in the line and is not part of a longer word.
fn has_word(line: &str, name: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(name).any(|(at, _)| {
        !part(line[..at].chars().next_back()) && !part(line[at + name.len()..].chars().next())
    })
}

/// The code with comments, strings and characters replaced by spaces; line feeds stay.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = literal_or_comment(rest, out.chars().next_back());
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (gone, after) = rest.split_at(length);
        out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    out
}

/// Length in bytes of the comment or literal that `text` begins with; 0 where it is neither.
fn literal_or_comment(text: &str, before: Option<char>) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if text.starts_with('"') {
        return quoted(text);
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !in_word && text.starts_with('r') {
        let hashes = text[1..].chars().take_while(|c| *c == '#').count();
        if text[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = 2 + hashes;
            return text[body..].find(&end).map_or(text.len(), |at| body + at + end.len());
        }
    }
    character(text)
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'a'` and `'\n'`, but not the lifetime `'a`.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices();
    if chars.next().map(|(_, c)| c) != Some('\'') {
        return 0;
    }
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((after, escaped))) => {
            let body = after + escaped.len_utf8();
            text[body..].find('\'').map_or(0, |at| body + at + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The rules that a text breaks, in the order of its lines.
fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
    let found = inspect(path, text);
    let short: Vec<(usize, &str)> = found.iter().map(|b| (b.line, b.rule)).collect();
    assert_eq!(short, expected, "{path}: {text}\n{found:#?}");
}

#[test]
fn a_module_uses_only_floors_below_it() {
    check("src/steer/pick.rs", "//! x\nuse crate::wire::Name;\nuse crate::health;\n", &[]);
    check("src/wire/name.rs", "//! x\nuse crate::zone::Records;\n", &[(2, "floors")]);
    check("src/zone/mod.rs", "//! x\nuse crate::health::Status;\n", &[(2, "floors")]);
    check("src/zone/mod.rs", "//! x\nuse crate::zone::Records;\n", &[]);
    check("src/daemon/mod.rs", "//! x\nuse crate::cli::log;\n", &[(2, "floors")]);
    check("src/cli/run.rs", "//! x\nfn f() { crate::daemon::run() }\n", &[]);
    check(
        "src/config/mod.rs",
        "//! x\nuse crate::{wire::{Name, Kind},\n daemon};\n",
        &[(3, "floors")],
    );
    check("src/serve/udp.rs", "//! x\nfn f(_: crate::probe::Http) {}\n", &[(2, "floors")]);
    check("src/tools/mod.rs", "//! x\n", &[(1, "floors")]);
    check("src/main.rs", "//! x\nuse rota::cli;\n", &[]);
    // Tests stand on the same floor as what they test.
    check("src/wire/tests.rs", "//! x\nuse crate::cli;\n", &[(2, "floors")]);
}

#[test]
fn pure_floors_ask_the_world_nothing() {
    for line in [
        "use tokio::time;",
        "use std::fs;",
        "let now = Instant::now();",
        "println!();",
        "use std::net::UdpSocket;",
        "std::thread::spawn(f);",
    ] {
        check("src/steer/pick.rs", &format!("//! x\n{line}\n"), &[(2, "purity")]);
        check("src/serve/udp.rs", &format!("//! x\n{line}\n"), &[]);
        let in_tests = format!("//! x\n#[cfg(test)]\nmod tests {{\n{line}\n}}\n");
        check("src/steer/pick.rs", &in_tests, &[]);
    }
    check("src/health/mod.rs", "//! No tokio, no UdpSocket.\nconst A: &str = \"tokio\";\n", &[]);
    check("src/health/mod.rs", "//! x\nfn tokio_like() {}\n", &[]);
}

#[test]
fn unsafe_and_anyhow_have_their_rooms() {
    let text = "//! x\nunsafe { f() }\n";
    check("src/serve/sys.rs", text, &[]);
    check("src/serve/sys/cmsg.rs", text, &[]);
    check("src/serve/udp.rs", text, &[(2, "unsafe")]);
    check("src/lib.rs", "//! x\n#![deny(unsafe_code)]\n", &[]);
    let text = "//! x\nuse anyhow::bail;\n";
    check("src/cli/run.rs", text, &[]);
    check("src/main.rs", text, &[]);
    check("src/probe/http.rs", text, &[(2, "anyhow")]);
}

#[test]
fn files_open_with_prose_and_stay_small() {
    check("src/wire/name.rs", "use std::fmt;\n", &[(1, "opening")]);
    check("src/wire/tests.rs", "use super::*;\n", &[]);
    check("src/wire/name.rs", &format!("//! {}\n", "ä".repeat(96)), &[]);
    check("src/wire/name.rs", &format!("//! {}\n", "ä".repeat(97)), &[(1, "width")]);
    let long = format!("//! x\n{}", "fn f() {}\n".repeat(399));
    check("src/wire/name.rs", &long, &[]);
    check("src/wire/name.rs", &format!("{long}fn f() {{}}\n"), &[(401, "length")]);
    check("src/wire/name.rs", &format!("{long}#[cfg(test)]\nmod tests {{}}\n"), &[]);
    check("src/wire/tests.rs", &format!("{long}{long}"), &[]);
}

#[test]
fn nothing_is_left_for_later() {
    for marker in ["TODO", "FIXME", "XXX"] {
        check("src/wire/name.rs", &format!("//! x\n// {marker}: y\n"), &[(2, "leftovers")]);
    }
    check("src/wire/name.rs", "//! x\nfn f() { todo!() }\n", &[(2, "leftovers")]);
    check("src/wire/name.rs", "//! x\nfn f() { unimplemented!() }\n", &[(2, "leftovers")]);
    check("src/wire/name.rs", "//! x\nconst TODOS: u8 = 0;\n", &[]);
}

#[test]
fn prose_and_literals_are_not_code() {
    for (text, expected) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("a \" b", c)"#, "f(        , c)"),
        (r###"f(r#"a " b"#, c)"###, "f(          , c)"),
        ("fn f<'a>(x: &'a str) -> char { 'b' }", "fn f<'a>(x: &'a str) -> char {     }"),
        (r"['\'', '\n', '\u{e4}']", "[    ,     ,         ]"),
    ] {
        assert_eq!(blank(text), expected);
    }
}
