//! Frames for tests, made the plain way: by what the RFCs say in words, octet after octet.

use std::net::{IpAddr, SocketAddr};

/// What a frame is made of.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) to: [u8; 6],
    pub(crate) from: [u8; 6],
    /// The type and what follows of a tag.
    pub(crate) tag: Option<([u8; 2], u16)>,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    /// Options of IPv4, in whole words.
    pub(crate) options: Vec<u8>,
    /// Flags and offset of IPv4.
    pub(crate) fragment: u16,
    pub(crate) protocol: u8,
    pub(crate) payload: Vec<u8>,
    /// What stands in the place of UDP's checksum.
    pub(crate) check: Check,
    pub(crate) padding: usize,
}

/// How the checksum of UDP is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Whole,
    Absent,
    /// Left to a card.
    Offloaded,
}

impl Made {
    /// A plain frame from one to the other.
    pub(crate) fn new(source: &str, destination: &str, payload: &[u8]) -> Self {
        Self {
            to: [2, 0, 0, 0, 0, 1],
            from: [2, 0, 0, 0, 0, 2],
            tag: None,
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            options: Vec::new(),
            fragment: 0,
            protocol: 17,
            payload: payload.to_vec(),
            check: Check::Whole,
            padding: 0,
        }
    }

    /// Its octets.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut frame = [self.to, self.from].concat();
        if let Some((kind, tag)) = self.tag {
            frame.extend(kind);
            frame.extend(tag.to_be_bytes());
        }
        let udp_len = (8 + self.payload.len()) as u16;
        let mut udp = Vec::new();
        udp.extend(self.source.port().to_be_bytes());
        udp.extend(self.destination.port().to_be_bytes());
        udp.extend(udp_len.to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(&self.payload);
        let (from, to) = (octets(self.source.ip()), octets(self.destination.ip()));
        let mut pseudo = [&from[..], &to].concat();
        pseudo.extend([0, 17]);
        pseudo.extend(udp_len.to_be_bytes());
        let check = match self.check {
            Check::Whole => !ones(&[&pseudo[..], &udp].concat()),
            Check::Absent => 0,
            Check::Offloaded => ones(&pseudo),
        };
        let check = if check == 0 && self.check != Check::Absent { 0xffff } else { check };
        udp[6..8].copy_from_slice(&check.to_be_bytes());
        if self.source.is_ipv4() {
            frame.extend([0x08, 0x00]);
            let words = 5 + self.options.len() / 4;
            let mut header = vec![0x40 | words as u8, 0x1c];
            header.extend((words as u16 * 4 + udp_len).to_be_bytes());
            header.extend(7_u16.to_be_bytes());
            header.extend(self.fragment.to_be_bytes());
            header.extend([57, self.protocol, 0, 0]);
            header.extend(&from);
            header.extend(&to);
            header.extend(&self.options);
            let check = !ones(&header);
            header[10..12].copy_from_slice(&check.to_be_bytes());
            frame.extend(header);
        } else {
            frame.extend([0x86, 0xdd, 0x61, 0x23, 0x45, 0x67]);
            frame.extend(udp_len.to_be_bytes());
            frame.extend([self.protocol, 57]);
            frame.extend(&from);
            frame.extend(&to);
        }
        frame.extend(udp);
        frame.extend(vec![0xa5; self.padding]);
        frame
    }
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// The sum of pairs, with the carry going round.
fn ones(octets: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in octets.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
