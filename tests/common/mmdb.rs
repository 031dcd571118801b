//! Writes small mmdb files, so that tests need no vendor's.
//!
//! The format: <https://maxmind.github.io/MaxMind-DB/>. A binary tree over the bits of addresses,
//! then sixteen zero bytes, the records, a marker, and a record about the file itself.

#![allow(unreachable_pub, reason = "each test file is a crate of its own")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::{IpAddr, Ipv6Addr};

/// What a record may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Double(f64),
    Float(f32),
    U16(u16),
    U32(u32),
    U64(u64),
    Map(Vec<(&'static str, Self)>),
    Array(Vec<Self>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A file to be written.
#[derive(Clone, Debug)]
pub struct Writer {
    /// 24, 28 or 32.
    pub record_bits: u16,
    /// 4 or 6.
    pub ip_version: u16,
    pub kind: &'static str,
    /// Shows the IPv4 tree again where mapped and 6to4 addresses are.
    pub aliases: bool,
    nodes: Vec<[Branch; 2]>,
    data: Vec<u8>,
}

/// What a bit of an address leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Branch {
    Nothing,
    Node(usize),
    /// Offset into the data section.
    Data(usize),
}

impl Writer {
    pub fn new(ip_version: u16, record_bits: u16) -> Self {
        let nodes = vec![[Branch::Nothing; 2]];
        Self { record_bits, ip_version, kind: "Test", aliases: false, nodes, data: Vec::new() }
    }

    /// Says this of a network; what is said later and more narrowly is kept.
    pub fn say(&mut self, network: &str, value: &Value) {
        let at = self.data.len();
        encode(value, &mut self.data);
        let (bits, length) = self.key(network);
        self.put(bits, length, Branch::Data(at));
    }

    /// Lets a network lead anywhere: for damaged files.
    pub fn put(&mut self, bits: u128, length: u32, target: Branch) {
        let mut node = 0;
        for depth in 0..length {
            let side = (bits >> (127 - depth) & 1) as usize;
            if depth + 1 == length {
                self.nodes[node][side] = target;
                return;
            }
            node = match self.nodes[node][side] {
                Branch::Node(next) => next,
                // A network of its own begins below: both halves inherit.
                inherited @ (Branch::Nothing | Branch::Data(_)) => {
                    self.nodes.push([inherited; 2]);
                    self.nodes[node][side] = Branch::Node(self.nodes.len() - 1);
                    self.nodes.len() - 1
                }
            };
        }
    }

    /// The bits of a network from the tree's root.
    pub fn key(&self, network: &str) -> (u128, u32) {
        let (address, length) = network.split_once('/').unwrap();
        let length: u32 = length.parse().unwrap();
        match (address.parse().unwrap(), self.ip_version) {
            (IpAddr::V4(v4), 4) => (u128::from(v4.to_bits()) << 96, length),
            (IpAddr::V4(v4), _) => (u128::from(v4.to_bits()), 96 + length),
            (IpAddr::V6(v6), _) => (v6.to_bits(), length),
        }
    }

    pub fn finish(mut self) -> Vec<u8> {
        if self.aliases {
            let v4 = (0..96).fold(0, |node, _| match self.nodes[node][0] {
                Branch::Node(next) => next,
                other @ (Branch::Nothing | Branch::Data(_)) => panic!("no IPv4 tree: {other:?}"),
            });
            for (base, length) in [("::ffff:0:0", 96), ("2002::", 16), ("2001::", 32)] {
                let base: Ipv6Addr = base.parse().unwrap();
                self.put(base.to_bits(), length, Branch::Node(v4));
            }
        }
        let mut file = Vec::new();
        for node in &self.nodes {
            let [left, right] = node.map(|branch| match branch {
                Branch::Node(node) => node as u32,
                Branch::Nothing => self.nodes.len() as u32,
                Branch::Data(at) => (self.nodes.len() + 16 + at) as u32,
            });
            let ([l3, l2, l1, l0], [r3, r2, r1, r0]) = (left.to_be_bytes(), right.to_be_bytes());
            match self.record_bits {
                24 => file.extend([l2, l1, l0, r2, r1, r0]),
                28 => file.extend([l2, l1, l0, l3 << 4 | r3, r2, r1, r0]),
                _ => file.extend([l3, l2, l1, l0, r3, r2, r1, r0]),
            }
        }
        file.extend([0; 16]);
        file.extend(&self.data);
        file.extend(b"\xab\xcd\xefMaxMind.com");
        let about = Value::Map(vec![
            ("binary_format_major_version", Value::U16(2)),
            ("binary_format_minor_version", Value::U16(0)),
            ("build_epoch", Value::U64(1_700_000_000)),
            ("database_type", self.kind.into()),
            ("description", Value::Map(vec![("en", "for a test".into())])),
            ("ip_version", Value::U16(self.ip_version)),
            ("languages", Value::Array(vec![])),
            ("node_count", Value::U32(self.nodes.len() as u32)),
            ("record_size", Value::U16(self.record_bits)),
        ]);
        encode(&about, &mut file);
        file
    }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            control(2, text.len(), out);
            out.extend(text.as_bytes());
        }
        Value::Double(number) => {
            control(3, 8, out);
            out.extend(number.to_be_bytes());
        }
        Value::Float(number) => {
            control(15, 4, out);
            out.extend(number.to_be_bytes());
        }
        Value::U16(number) => {
            control(5, 2, out);
            out.extend(number.to_be_bytes());
        }
        Value::U32(number) => {
            control(6, 4, out);
            out.extend(number.to_be_bytes());
        }
        Value::U64(number) => {
            control(9, 8, out);
            out.extend(number.to_be_bytes());
        }
        Value::Map(entries) => {
            control(7, entries.len(), out);
            for (key, value) in entries {
                encode(&Value::Text((*key).to_owned()), out);
                encode(value, out);
            }
        }
        Value::Array(values) => {
            control(11, values.len(), out);
            values.iter().for_each(|value| encode(value, out));
        }
    }
}

/// The byte that says which type follows and how long it is.
fn control(kind: u8, length: usize, out: &mut Vec<u8>) {
    assert!(length < 29, "longer values are not needed here");
    if kind <= 7 {
        out.push(kind << 5 | length as u8);
    } else {
        out.extend([length as u8, kind - 7]);
    }
}
