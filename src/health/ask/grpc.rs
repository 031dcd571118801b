//! One call of `grpc.health.v1.Health/Check`, and what its answer says.
//!
//! The two messages have a field each, so they are written and read here by hand; what stands
//! around a message on the wire is in gRPC's "gRPC over HTTP2".
//!
//! ```text
//!   message    | flag: 0, not compressed | length: 4 octets | protobuf |
//!   question   1: service, a text          answer   1: status, a number
//! ```

use std::sync::Arc;

use super::Secure;
use crate::health::GrpcFault;

/// Asks a node's own health service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrpcAsk {
    /// Inside TLS, with the host as SNI; none is plain. All nodes of a check share it.
    pub tls: Option<Arc<Secure>>,
    /// The port of the node.
    pub port: u16,
    /// `:authority` and SNI: the service's name unless the operator gave another. No final dot.
    pub host: String,
    /// Which of the node's services; empty is the node as a whole. At most [`SERVICE_LEN_MAX`].
    pub service: String,
}

/// Longest name of a service, in octets: its length is one octet of protobuf.
pub const SERVICE_LEN_MAX: usize = 127;
/// Before each message: the flag and the length.
const PREFIX_LEN: usize = 5;
/// Field 1 as a length and so many octets.
const TEXT_1: u8 = 0x0a;
/// Field 1 as a number.
const NUMBER_1: u8 = 0x08;

impl GrpcAsk {
    /// The question, with what stands before it.
    pub fn message(&self) -> Vec<u8> {
        let mut field = Vec::new();
        if !self.service.is_empty() {
            debug_assert!(self.service.len() <= SERVICE_LEN_MAX);
            field.extend([TEXT_1, self.service.len() as u8]);
            field.extend(self.service.as_bytes());
        }
        let mut message = vec![0];
        message.extend((field.len() as u32).to_be_bytes());
        message.extend(field);
        message
    }
}

/// Judges an answer, with what stands before it; what follows the first message is not looked at.
pub fn judge(answer: &[u8]) -> Result<(), GrpcFault> {
    let (prefix, rest) = answer.split_at_checked(PREFIX_LEN).ok_or(GrpcFault::NoMessage)?;
    let [0, length @ ..] = prefix else { return Err(GrpcFault::NoMessage) };
    let length = length.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet));
    let message = rest.get(..length).ok_or(GrpcFault::NoMessage)?;
    // The numbers of HealthCheckResponse.ServingStatus; protobuf leaves out a 0.
    match message {
        [NUMBER_1, 1] => Ok(()),
        [NUMBER_1, 2] => Err(GrpcFault::NotServing),
        [NUMBER_1, 3] => Err(GrpcFault::UnknownService),
        [] | [NUMBER_1, 0] => Err(GrpcFault::UnknownStatus),
        _ => Err(GrpcFault::NoMessage),
    }
}

/// Judges a `grpc-status`.
pub fn judge_code(code: &str) -> Result<(), GrpcFault> {
    match code.parse() {
        Ok(0) => Ok(()),
        Ok(5) => Err(GrpcFault::UnknownService),
        Ok(12) => Err(GrpcFault::Unimplemented),
        Ok(code) => Err(GrpcFault::Code(code)),
        Err(_) => Err(GrpcFault::NoMessage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_that_of_the_protocol() {
        let ask = |service: &str| {
            let (host, service) = (String::new(), service.to_owned());
            GrpcAsk { tls: None, port: 1, host, service }.message()
        };
        assert_eq!(ask(""), [0, 0, 0, 0, 0]);
        assert_eq!(ask("a.B"), [0, 0, 0, 0, 5, 0x0a, 3, b'a', b'.', b'B']);
    }

    #[test]
    fn only_serving_passes() {
        for (answer, expected) in [
            (&[0, 0, 0, 0, 2, 8, 1][..], Ok(())),
            (&[0, 0, 0, 0, 2, 8, 2], Err(GrpcFault::NotServing)),
            (&[0, 0, 0, 0, 2, 8, 3], Err(GrpcFault::UnknownService)),
            (&[0, 0, 0, 0, 0], Err(GrpcFault::UnknownStatus)),
            (&[0, 0, 0, 0, 2, 8, 9], Err(GrpcFault::NoMessage)),
            (&[1, 0, 0, 0, 2, 8, 1], Err(GrpcFault::NoMessage)),
            (&[0, 255, 255, 255, 255, 8, 1], Err(GrpcFault::NoMessage)),
            (&[0, 0, 0, 0, 3, 8, 1], Err(GrpcFault::NoMessage)),
            (&[0, 0, 0], Err(GrpcFault::NoMessage)),
            (&[], Err(GrpcFault::NoMessage)),
        ] {
            assert_eq!(judge(answer), expected, "{answer:?}");
        }
    }
}
