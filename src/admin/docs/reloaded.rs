//! What came of a reload.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What came of reading the configuration anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReloadedDoc {
    /// False where the old configuration stays in force as it was.
    pub applied: bool,
    /// Zones with errors whose old version stays in force.
    pub kept: Vec<String>,
    /// Whatever is wrong, each with its place.
    pub diagnostics: Vec<DiagnosticDoc>,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiagnosticDoc {
    /// True where it keeps something from being used; else it was probably not meant.
    pub error: bool,
    /// Place and problem in one line.
    pub text: String,
}
