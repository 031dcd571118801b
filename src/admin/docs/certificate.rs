//! Who the server is to clients inside TLS, and for how long yet.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::age;

/// A certificate in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateDoc {
    /// Its file.
    pub file: String,
    /// The last second at which it is good.
    pub ends: u64,
    /// That is nearer than `warn_before` of `[tls]`, or past.
    pub near: bool,
}

impl CertificateDoc {
    /// Whether and when it ends, in words.
    pub fn says(&self, now: u64) -> String {
        let Self { file, ends, near: _ } = self;
        match ends.checked_sub(now) {
            Some(left) => format!("the certificate {file} ends in {}", age(left)),
            None => format!("the certificate {file} has ended {} ago", age(now - ends)),
        }
    }
}
