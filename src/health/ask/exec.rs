//! A program of this machine that looks at a node.
//!
//! What it is given is only what is written here: its arguments, in which `{address}` and `{node}`
//! stand for the node, and an environment of the same two and what the operator names. There is no
//! shell between, so nothing in a node's name can become a command.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// Most that a program may say, in octets; its first line is kept.
pub const OUTPUT_LEN_MAX: usize = 64 * 1024;

/// Runs a program; one that ends with 0 passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExecAsk {
    /// The program's file.
    pub program: PathBuf,
    /// What follows it, before the node is put in.
    pub arguments: Vec<String>,
    /// What its environment holds beside the node.
    pub environment: Vec<Variable>,
    /// The node's id: `zone/service/pool/name`. Two nodes with one address are two targets.
    pub node: String,
}

/// A variable of an environment. Its value may be a secret, and is not shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl ExecAsk {
    /// The arguments for one address of the node.
    pub fn arguments_for(&self, address: IpAddr) -> Vec<String> {
        let address = address.to_string();
        let filled =
            |text: &String| text.replace("{address}", &address).replace("{node}", &self.node);
        self.arguments.iter().map(filled).collect()
    }

    /// The whole environment for one address of the node.
    pub fn environment_for(&self, address: IpAddr) -> Vec<(String, String)> {
        let own = [("ROTA_ADDRESS", address.to_string()), ("ROTA_NODE", self.node.clone())];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        own.chain(self.environment.iter().map(|it| (it.name.clone(), it.value.clone()))).collect()
    }

    pub(super) fn place(&self, address: IpAddr) -> String {
        let (program, node) = (self.program.display(), &self.node);
        format!("exec:{program} {} {address} {node}", self.arguments.join(" "))
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.name)
    }
}
