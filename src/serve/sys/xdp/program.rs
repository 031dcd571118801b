//! The program that looks at every frame of an interface first: ours, or the kernel's?
//!
//! ```text
//!  to this very card? ─ no ──────────────────────────────────────────────┐
//!  short enough for a chunk, long enough for headers? ─ no ──────────────┤
//!  untagged, or in a VLAN that this machine has there? ─ no ─────────────┤
//!  IPv4 without options, whole, or IPv6 without extensions? ─ no ────────┤
//!  UDP to one of the addresses, at its port? ─ no ───────────────────────┤
//!  does the queue have a socket? ─ no ───────────────────────────────────┤
//!    └─► the socket's ring                                 the kernel ◄──┘
//! ```
//!
//! Addresses are numbers in the instructions: they do not change while the process lives, and a
//! comparison costs less than a look into a map. Every doubt ends with the kernel, which knows what
//! to do with anything, and whose sockets have the same addresses.
//!
//! What the program takes, `wire::frame` reads; that a whole frame may still be unfit there (a
//! wrong checksum) is not for a program that must be short.

use std::net::{IpAddr, SocketAddr};

use super::assembler::{Assembler, If, Instruction, Label, Register, Size};
use crate::wire::frame::{
    ETHERNET_LEN, IPV4_LEN, IPV6_LEN, PROTOCOL_UDP, TAG_LEN, TYPE_IPV4, TYPE_IPV6, TYPES_TAG,
    UDP_LEN,
};

/// Addresses that one program compares with; each costs every frame of the interface a little. Who
/// has more can list those that are asked.
pub(in crate::serve) const ADDRESSES_MAX: usize = 256;

/// VLANs that one program compares with.
pub(super) const VLANS_MAX: usize = 64;

/// The number of `bpf_redirect_map` among the kernel's functions.
pub(super) const REDIRECT_MAP: i32 = 51;
/// What becomes of a frame: the kernel goes on with it.
pub(super) const PASS: i32 = 2;

const RESULT: Register = Register(0);
const CONTEXT: Register = Register(6);
/// Where the frame, and later what follows a tag, begins.
const FRAME: Register = Register(2);
const END: Register = Register(3);
const SCRATCH: Register = Register(4);
const TYPE: Register = Register(5);
const PORT: Register = Register(5);
/// The four words of an address; the first is all of one of IPv4.
const ADDRESS: [Register; 4] = [Register(7), Register(8), Register(9), Register(1)];

/// What is taken at an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Of the card itself.
    pub(super) mac: [u8; 6],
    /// VLANs that are this machine's upon it.
    pub(super) vlans: Vec<u16>,
    /// Whom clients ask, and at which port.
    pub(super) addresses: Vec<SocketAddr>,
    /// The longest frame that fits into a chunk.
    pub(super) frame_len_max: usize,
}

/// The program, for a map of sockets by queue; none where too much is wanted of it.
pub(super) fn program(wanted: &Wanted, map: i32) -> Option<Vec<Instruction>> {
    if wanted.addresses.len() > ADDRESSES_MAX || wanted.vlans.len() > VLANS_MAX {
        return None;
    }
    let mut code = Assembler::default();
    let (take, pass) = (code.label(), code.label());
    code.copy(CONTEXT, Register(1));
    // xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index.
    code.load(Size::Word, FRAME, CONTEXT, 0);
    code.load(Size::Word, END, CONTEXT, 4);
    too_long(&mut code, wanted.frame_len_max, pass);
    too_short(&mut code, ETHERNET_LEN + IPV4_LEN + UDP_LEN, pass);

    let [m0, m1, m2, m3, m4, m5] = wanted.mac;
    code.load(Size::Word, SCRATCH, FRAME, 0);
    code.jump_if(SCRATCH, If::NotEqual, u32::from_ne_bytes([m0, m1, m2, m3]), pass);
    code.load(Size::Half, SCRATCH, FRAME, 4);
    code.jump_if(SCRATCH, If::NotEqual, half([m4, m5]), pass);
    code.load(Size::Half, TYPE, FRAME, 12);
    if !wanted.vlans.is_empty() {
        past_tag(&mut code, &wanted.vlans, pass);
    }

    let is_v6 = code.label();
    code.jump_if(TYPE, If::NotEqual, half(TYPE_IPV4), is_v6);
    let at = |offset: usize| (ETHERNET_LEN + offset) as i16;
    code.load(Size::Octet, SCRATCH, FRAME, at(0));
    code.jump_if(SCRATCH, If::NotEqual, 0x45, pass);
    code.load(Size::Octet, SCRATCH, FRAME, at(9));
    code.jump_if(SCRATCH, If::NotEqual, u32::from(PROTOCOL_UDP), pass);
    code.load(Size::Half, SCRATCH, FRAME, at(6));
    code.and(SCRATCH, half([0x3f, 0xff]) as i32);
    code.jump_if(SCRATCH, If::NotEqual, 0, pass);
    code.load(Size::Word, ADDRESS[0], FRAME, at(16));
    code.load(Size::Half, PORT, FRAME, at(IPV4_LEN + 2));
    destinations(&mut code, wanted.addresses.iter().filter(|it| it.is_ipv4()), take);
    code.jump(pass);

    code.place(is_v6);
    code.jump_if(TYPE, If::NotEqual, half(TYPE_IPV6), pass);
    too_short(&mut code, ETHERNET_LEN + IPV6_LEN + UDP_LEN, pass);
    code.load(Size::Octet, SCRATCH, FRAME, at(6));
    code.jump_if(SCRATCH, If::NotEqual, u32::from(PROTOCOL_UDP), pass);
    for (word, register) in ADDRESS.into_iter().enumerate() {
        code.load(Size::Word, register, FRAME, at(24 + 4 * word));
    }
    code.load(Size::Half, PORT, FRAME, at(IPV6_LEN + 2));
    destinations(&mut code, wanted.addresses.iter().filter(|it| it.is_ipv6()), take);

    code.place(pass);
    code.set(RESULT, PASS);
    code.exit();

    code.place(take);
    code.load(Size::Word, Register(2), CONTEXT, 16);
    code.map(Register(1), map);
    // What becomes of it where the queue has no socket.
    code.set(Register(3), PASS);
    code.call(REDIRECT_MAP);
    code.exit();
    code.finish()
}

/// Two octets as a load leaves them.
fn half(octets: [u8; 2]) -> u32 {
    u32::from(u16::from_ne_bytes(octets))
}

/// Leaves a frame that does not fit into a chunk.
fn too_long(code: &mut Assembler, len_max: usize, pass: Label) {
    let fits = code.label();
    code.copy(SCRATCH, FRAME);
    code.add(SCRATCH, len_max as i32 + 1);
    code.jump_if_beyond(SCRATCH, END, fits);
    code.jump(pass);
    code.place(fits);
}

/// Leaves a frame that has fewer octets than so many; the kernel lets those be read then.
fn too_short(code: &mut Assembler, len: usize, pass: Label) {
    code.copy(SCRATCH, FRAME);
    code.add(SCRATCH, len as i32);
    code.jump_if_beyond(SCRATCH, END, pass);
}

/// Goes on behind the tag of one of these VLANs.
fn past_tag(code: &mut Assembler, vlans: &[u16], pass: Label) {
    let (tagged, ours, plain) = (code.label(), code.label(), code.label());
    for kind in TYPES_TAG {
        code.jump_if(TYPE, If::Equal, half(kind), tagged);
    }
    code.jump(plain);
    code.place(tagged);
    code.load(Size::Half, SCRATCH, FRAME, ETHERNET_LEN as i16);
    // The upper four bits are the priority.
    code.and(SCRATCH, half([0x0f, 0xff]) as i32);
    for vlan in vlans {
        code.jump_if(SCRATCH, If::Equal, half(vlan.to_be_bytes()), ours);
    }
    code.jump(pass);
    code.place(ours);
    code.add(FRAME, TAG_LEN as i32);
    too_short(code, ETHERNET_LEN + IPV4_LEN + UDP_LEN, pass);
    code.load(Size::Half, TYPE, FRAME, 12);
    code.place(plain);
}

/// Takes what is for one of these.
fn destinations<'a>(code: &mut Assembler, all: impl Iterator<Item = &'a SocketAddr>, take: Label) {
    for address in all {
        let other = code.label();
        code.jump_if(PORT, If::NotEqual, half(address.port().to_be_bytes()), other);
        let octets = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let (words, _) = octets.as_chunks::<4>();
        let (last, others) = words.split_last().expect("an address has a word");
        for (word, register) in others.iter().zip(ADDRESS) {
            code.jump_if(register, If::NotEqual, u32::from_ne_bytes(*word), other);
        }
        let register = ADDRESS[others.len()];
        code.jump_if(register, If::Equal, u32::from_ne_bytes(*last), take);
        code.place(other);
    }
}

#[cfg(test)]
mod tests;
