//! What the owner of `rota.toml` lets the authors of zones do with the machine.
//!
//! Whoever may write a zone may say what is answered. That is no reason to let him run programs:
//! `[checks]` of `rota.toml` names the one folder that programs are taken from, as HAProxy wants
//! `external-check` in its global section. What is in the folder, or linked there, is the word of
//! whoever may write it. Files of states have a folder too: that of zones, unless another is
//! named.

use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use super::Checks;

/// What zones may do.
pub struct Grants<'g> {
    /// The program of a name in a check; or why not, and what to do.
    pub program: &'g dyn Fn(&str) -> Result<PathBuf, Refusal>,
    /// The folder of the files of states.
    pub states: &'g Path,
}

impl Grants<'static> {
    /// For zones that may do nothing.
    pub fn none() -> Self {
        let program = &|_: &str| Err(("no programs here".into(), String::new()));
        Self { program, states: Path::new("") }
    }
}

/// Why not, and what to do.
pub type Refusal = (String, String);

/// The program of a name, where `rota.toml` says this; `is_root` says as whom it would run.
pub(super) fn program(checks: &Checks, is_root: bool, name: &str) -> Result<PathBuf, Refusal> {
    let refusal = |why: String, help: &str| Err((why, help.to_owned()));
    let Some(folder) = &checks.exec else {
        let help = "write [checks] exec = \"/etc/rota/checks\" in rota.toml: the folder of the \
                    programs that checks may run";
        return refusal("rota.toml lets checks run no programs".into(), help);
    };
    if is_root && !checks.exec_as_root {
        let help = "run the server as another user, or write exec_as_root = true in [checks] of \
                    rota.toml";
        return refusal("this is root, who runs none".into(), help);
    }
    if !is_below(name) {
        let help = "write the name of a file in the folder, like \"check_http\"";
        return refusal(format!("programs are taken from {} alone", folder.display()), help);
    }
    // It is started from another folder than the server was.
    let path = std::path::absolute(folder.join(name)).unwrap_or_else(|_| folder.join(name));
    let in_folder = format!("in the folder {}", folder.display());
    match std::fs::metadata(&path) {
        Ok(about) if about.is_file() && about.permissions().mode() & 0o111 != 0 => Ok(path),
        Ok(_) => refusal(format!("{in_folder} that is no program"), "chmod +x, if it is one"),
        Err(error) => refusal(format!("{in_folder}: {error}"), "put it there, or link it"),
    }
}

/// True for names that lead into a folder and not out of it again.
pub(super) fn is_below(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_come_from_one_folder() {
        // Every system that this is built on has one there.
        let bin = Checks { exec: Some("/bin".into()), ..Checks::default() };
        let none = Checks { exec_as_root: true, ..Checks::default() };
        let even_root = Checks { exec_as_root: true, ..bin.clone() };
        for (checks, is_root, name, expected) in [
            (&bin, false, "sh", Ok("/bin/sh")),
            (&even_root, true, "sh", Ok("/bin/sh")),
            (&bin, true, "sh", Err("this is root, who runs none")),
            (&none, false, "sh", Err("rota.toml lets checks run no programs")),
            (&bin, false, "/bin/sh", Err("programs are taken from /bin alone")),
            (&bin, false, "../bin/sh", Err("programs are taken from /bin alone")),
            (&bin, false, "", Err("programs are taken from /bin alone")),
            (&bin, false, ".", Err("programs are taken from /bin alone")),
            (&bin, false, "no-such", Err("in the folder /bin: No such file")),
        ] {
            match (program(checks, is_root, name), expected) {
                (Ok(found), Ok(path)) => assert_eq!(found, Path::new(path)),
                (Err((why, _)), Err(expected)) => assert!(why.starts_with(expected), "{why}"),
                (found, _) => panic!("{name}: {found:?}, not {expected:?}"),
            }
        }
    }
}
