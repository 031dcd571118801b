//! Floor 7: start, reload, stop.

pub mod control;
pub mod server;
pub mod state;
