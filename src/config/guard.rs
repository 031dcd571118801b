//! What keeps the checks of a service from doing harm: `panic`.

use super::fields::Fields;
use crate::health::Share;
use crate::steer::Guard;

/// Reads the guards of a service.
pub(super) fn read(fields: &Fields<'_>) -> Guard {
    let nothing = Share::thousandths(0);
    Guard { panic: Some(fields.share("panic")).filter(|panic| *panic > nothing) }
}
