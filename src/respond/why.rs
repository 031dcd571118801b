//! Why an answer is what it is, told to an operator's `dig` by an extended error. RFC 8914.
//!
//! They go to whoever speaks EDNS, so they name no node and no number, and where the response code
//! tells the same there is none.

use crate::steer::Tier;
use crate::wire::ExtendedError;

/// Not for whoever asks from there. RFC 8914 §4.19.
pub(super) const PROHIBITED: ExtendedError = ExtendedError { code: 18, text: "" };
/// No zone of ours holds the name. RFC 8914 §4.21.
pub(super) const NOT_AUTHORITATIVE: ExtendedError = ExtendedError { code: 20, text: "" };
/// An opcode, a class or a type that is not served. RFC 8914 §4.22.
pub(super) const NOT_SUPPORTED: ExtendedError = ExtendedError { code: 21, text: "" };
/// A zone of ours that cannot be answered from. RFC 8914 §4.25.
pub(super) const ZONE_BROKEN: ExtendedError =
    ExtendedError { code: 24, text: "the zone's files have errors" };
/// RFC 8914 §4.1: no registered code says it, so the text does. "Stale Answer" (§4.4) does not: it
/// is a resolver's word for data out of its cache, and these addresses are the ones configured now.
const ALL_DOWN_OPEN: ExtendedError = ExtendedError { code: 0, text: "all down: all are offered" };
/// RFC 8914 §4.1, for want of a code.
const ALL_DOWN_LAST_KNOWN: ExtendedError =
    ExtendedError { code: 0, text: "all down: the last known are offered" };
/// RFC 8914 §4.1, for want of a code.
const ALL_DOWN_FALLBACK: ExtendedError =
    ExtendedError { code: 0, text: "all down: a fallback is offered" };
/// RFC 8914 §4.1, for want of a code.
const ALL_DOWN_CLOSED: ExtendedError = ExtendedError { code: 0, text: "all down" };

/// What a service's row of the truth table has to say of an answer with this many addresses, if it
/// is not the plain one.
pub(super) fn of_tier(tier: Tier, addresses: usize) -> Option<ExtendedError> {
    match tier {
        Tier::Open if addresses > 0 => Some(ALL_DOWN_OPEN),
        // Open, and every address is withheld by the operator.
        Tier::LastKnown if addresses > 0 => Some(ALL_DOWN_LAST_KNOWN),
        Tier::Fallback if addresses > 0 => Some(ALL_DOWN_FALLBACK),
        Tier::Open | Tier::LastKnown | Tier::Fallback | Tier::Closed => Some(ALL_DOWN_CLOSED),
        Tier::Serving | Tier::Short | Tier::Draining | Tier::NoAddress | Tier::OtherFamily => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_that_an_operator_should_see_say_something() {
        for (tier, addresses, expected) in [
            (Tier::Serving, 2, None),
            (Tier::Draining, 1, None),
            (Tier::Open, 4, Some("all down: all are offered")),
            (Tier::Open, 0, Some("all down")),
            (Tier::LastKnown, 2, Some("all down: the last known are offered")),
            (Tier::Fallback, 1, Some("all down: a fallback is offered")),
            (Tier::Fallback, 0, Some("all down")),
            (Tier::Closed, 0, Some("all down")),
            (Tier::NoAddress, 0, None),
            (Tier::OtherFamily, 0, None),
        ] {
            assert_eq!(of_tier(tier, addresses).map(|why| why.text), expected, "{tier:?}");
        }
    }
}
