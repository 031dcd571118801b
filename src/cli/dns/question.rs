//! One question as a message.

use domain::base::opt::{ClientSubnet, Cookie, cookie::ClientCookie};
use domain::base::{MessageBuilder, Name as DomainName, Rtype};

use crate::geo::Network;
use crate::wire::{Name, RecordType};

/// What a query with an OPT record says that it can take. RFC 9715 §3.2.
const UDP_SIZE: u16 = 1232;

/// What is asked, and how.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Question<'n> {
    /// The name.
    pub(in crate::cli) name: &'n Name,
    /// The type.
    pub(in crate::cli) rtype: RecordType,
    /// Whether the server shall ask others; not, where it is to be authoritative itself.
    pub(in crate::cli) recursion: bool,
    /// Whether it has an OPT record, and with it a cookie.
    pub(in crate::cli) edns: bool,
    /// For a client in this network, which takes an OPT record too.
    pub(in crate::cli) ecs: Option<Network>,
}

impl<'n> Question<'n> {
    /// As a resolver asks an authoritative server, with EDNS.
    pub(in crate::cli) fn to_authority(name: &'n Name, rtype: RecordType) -> Self {
        Self { name, rtype, recursion: false, edns: true, ecs: None }
    }

    /// The message.
    pub(in crate::cli) fn to_octets(self, id: u16) -> Vec<u8> {
        let name = DomainName::from_octets(self.name.as_wire()).expect("a name is a name");
        let mut question = MessageBuilder::new_vec().question();
        question.header_mut().set_id(id);
        question.header_mut().set_rd(self.recursion);
        question.push((name, Rtype::from_int(self.rtype.0))).expect("a vector takes any question");
        if !self.edns && self.ecs.is_none() {
            return question.finish();
        }
        let mut additional = question.additional();
        additional
            .opt(|opt| {
                opt.set_udp_payload_size(UDP_SIZE);
                if self.edns {
                    // It keeps nobody out here, but brings the server's half, which has its time.
                    opt.push(&Cookie::new(ClientCookie::from_octets(*b"rota-ask"), None))?;
                }
                match self.ecs {
                    Some(network) => {
                        opt.push(&ClientSubnet::new(network.length(), 0, network.address()))
                    }
                    None => Ok(()),
                }
            })
            .expect("a vector takes any option");
        additional.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wished_and_nothing_else() {
        let name = Name::from_text("app.test").unwrap();
        let network = |text: &str| Some(Network::parse(text).unwrap());
        let plain = Question { edns: false, ..Question::to_authority(&name, RecordType::A) };
        for (question, flags, end) in [
            (plain, 0, &[0, 1, 0, 1][..]),
            (Question { recursion: true, ..plain }, 1, &[0, 1, 0, 1]),
            (
                Question { ecs: network("192.0.2.0/24"), ..plain },
                0,
                &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2],
            ),
            (
                Question { ecs: network("2001:db8::/33"), ..plain },
                0,
                &[0, 8, 0, 9, 0, 2, 33, 0, 0x20, 1, 0x0d, 0xb8, 0],
            ),
            (Question { edns: true, ..plain }, 0, b"\0\x0a\0\x08rota-ask"),
        ] {
            let octets = question.to_octets(7);
            assert_eq!(octets[..3], [0, 7, flags], "{question:?}");
            assert!(octets.ends_with(end), "{question:?}: {octets:02x?}");
        }
    }
}
