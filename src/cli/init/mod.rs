//! `rota init`: a first `zones/<apex>.toml`, with comments, that `rota check` takes.
//!
//! ```text
//!   dig.rs        a name's addresses, as a server says them now ─┐
//!   zonefile.rs   a master file's, and the records beside them  ─┼─> Draft ─> text
//!   flags         --ns, --node, --check                         ─┤
//!   questions.rs  what is still missing, at a terminal          ─┘
//!   draft.rs      the text, and whether the configuration's own reader takes it
//! ```
//!
//! What is written has been read before by the same reader as any configuration; so there is no
//! second opinion here of what a node or a check may be. Nothing is overwritten unasked.

mod dig;
mod draft;
mod questions;
#[cfg(test)]
mod tests;
mod zonefile;

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::config::{self, load_server};
use crate::wire::Name;

use super::Exit;
use super::report::bare;
use draft::{Draft, Part};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  rota init                                     asks for all it needs
  rota init --from dig app.example.org          takes the addresses that the name has now
  rota init --from zonefile example.org.zone --name app.example.org
  rota init app.example.org --ns 'ns1 192.0.2.53' --node 192.0.2.11 --node '192.0.2.12 x2' \\
            --check :8080/ready";

/// Arguments of `rota init`.
#[derive(clap::Args, Debug)]
pub struct InitArgs {
    /// Where nodes come from; without it from --node, or by questions
    #[arg(long, value_enum, value_name = "SOURCE", requires = "what")]
    pub from: Option<From>,

    /// The name to be delegated; a file under --from zonefile
    #[arg(value_name = "NAME|FILE")]
    pub what: Option<String>,

    /// Under --from dig, whom to ask [default: the resolvers of /etc/resolv.conf]
    #[arg(value_name = "@SERVER", value_parser = super::ask::parse_server)]
    pub server: Option<SocketAddr>,

    /// Under --from zonefile, the name to be delegated [default: the file's zone]
    #[arg(long, value_name = "NAME", value_parser = draft::apex)]
    pub name: Option<Name>,

    /// Under --from zonefile, the zone of the file, where the file does not say it
    #[arg(long, value_name = "NAME", value_parser = Name::from_text)]
    pub origin: Option<Name>,

    /// A name server that runs Rota, with its public addresses, such as 'ns1 192.0.2.53'
    #[arg(long, value_name = "NS")]
    pub ns: Vec<String>,

    /// A node, perhaps with a weight, such as '192.0.2.11 x2'
    #[arg(long, value_name = "NODE")]
    pub node: Vec<String>,

    /// What every node is asked: :8080/ready, https://:443/ready, tcp://:6379, tls://:443 or none
    #[arg(long, value_name = "CHECK", value_parser = draft::Check::parse)]
    pub check: Option<draft::Check>,

    /// Write over what is there
    #[arg(long)]
    pub force: bool,

    /// Print the text rather than write it
    #[arg(long)]
    pub stdout: bool,
}

/// Where nodes come from.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The A and AAAA records that a server answers now
    Dig,
    /// The records of a master file
    Zonefile,
}

/// Gathers what is known, asks for the rest, and writes it.
pub async fn run(args: &InitArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let folder = match load_server(config) {
        Ok(server) => server.zones,
        Err(told) => {
            bail!("the server's configuration has errors:\n{}", config::render(&told, false))
        }
    };
    let mut draft = gather(args).await?;
    let missing = draft.missing();
    if !missing.is_empty() {
        if !std::io::stdin().is_terminal() {
            let flags: Vec<&str> = missing.iter().map(|part| part.flag()).collect();
            bail!("not known yet, and there is no terminal to ask at: write {}", flags.join(", "));
        }
        questions::ask(&mut draft, &mut std::io::stdin().lock(), &mut std::io::stderr())?;
    }
    if let Some(told) = draft.complaints() {
        bail!("this would not be taken:\n{told}");
    }
    write(args, &folder, &draft)
}

/// What flags and the source say.
async fn gather(args: &InitArgs) -> anyhow::Result<Draft> {
    if args.server.is_some() && args.from != Some(From::Dig) {
        bail!("@SERVER goes with --from dig");
    }
    let name = |text: &str| draft::apex(text).map_err(anyhow::Error::msg);
    let what = args.what.as_deref();
    let mut draft = match (args.from, what) {
        (Some(From::Dig), Some(what)) => dig::draft(name(what)?, args.server).await?,
        (Some(From::Zonefile), Some(file)) => {
            zonefile::draft(Path::new(file), args.name.as_ref(), args.origin.as_ref())?
        }
        (Some(_), None) => bail!("--from needs a name or a file"),
        (None, Some(what)) => Draft::of(name(what)?),
        (None, None) => Draft { apex: args.name.clone(), ..Draft::default() },
    };
    draft.name_servers.extend(args.ns.iter().cloned());
    draft.nodes.extend(args.node.iter().cloned());
    draft.check = args.check.clone();
    Ok(draft)
}

fn write(args: &InitArgs, folder: &Path, draft: &Draft) -> anyhow::Result<Exit> {
    let apex = draft.apex.as_ref().context("a complete draft has a name")?;
    let stem = if apex.is_root() { "root".to_owned() } else { bare(apex) };
    let toml = (folder.join(format!("{stem}.toml")), draft.toml());
    let master = draft.master_file().map(|text| (folder.join(format!("{stem}.zone")), text));
    let files: Vec<(PathBuf, String)> = std::iter::once(toml).chain(master).collect();
    if args.stdout {
        for (path, text) in &files {
            if files.len() > 1 {
                super::print(&format!("==> {} <==", path.display()));
            }
            super::print(text.trim_end());
        }
        return Ok(Exit::Good);
    }
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists())
        && !args.force
    {
        bail!("{} is there already: --force writes over it, --stdout prints", path.display());
    }
    std::fs::create_dir_all(folder).with_context(|| format!("no folder {}", folder.display()))?;
    for (path, text) in &files {
        // Without --force nothing that came meanwhile is written over either.
        let mut options = OpenOptions::new();
        options.write(true).truncate(true).create(args.force).create_new(!args.force);
        let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        super::print(&format!("wrote {}", path.display()));
    }
    super::print("next: `rota check` shows what it comes to, `rota run` serves it");
    Ok(Exit::Good)
}

impl Part {
    /// The flag that gives it.
    fn flag(self) -> &'static str {
        match self {
            Self::Apex => "NAME",
            Self::NameServers => "--ns 'ns1 192.0.2.53' with this server's public address",
            Self::Nodes => "--node 192.0.2.11",
            Self::Check => "--check :8080/ready (or --check none)",
        }
    }
}
