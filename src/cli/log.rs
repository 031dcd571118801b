//! What is logged, and how it looks.
//!
//! Lines go to standard error, so that what a verb prints can be piped. They are events: something
//! bound, was published, changed its status. Nothing is logged per packet or per probe at `info`.
//! `ROTA_LOG` (or `RUST_LOG`) takes a filter such as `debug` or `rota::probe=trace`; the HTTP
//! libraries stay at `warn` unless the filter names them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Libraries whose own `info` and `debug` drown what an operator looks for.
const QUIETED: &str = "hyper=warn,hyper_util=warn,rustls=warn";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One readable line for each event; coloured on a terminal
    Text,
    /// One JSON object for each event
    Json,
}

/// How much is logged where the environment does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// Events.
    Events,
    /// Nothing: the terminal belongs to the demo's board.
    Silent,
}

/// Starts logging; called once, before anything that may log.
pub fn start(format: LogFormat, loudness: Loudness) {
    let wanted = ["ROTA_LOG", "RUST_LOG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|text| !text.trim().is_empty()));
    let filter = filter_text(wanted.as_deref(), loudness);
    let (filter, refused) = match EnvFilter::try_new(&filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(filter_text(None, loudness)), Some(error)),
    };
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // The word `target` is that of what is probed: the library's own, a module's name, would stand
    // in a JSON object beside it.
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    let lines = lines.with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(colours).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    if let Some(error) = refused {
        tracing::warn!(%error, "the log filter of the environment is not understood; using info");
    }
}

/// The complete filter: what is quieted, and what was asked for, which wins.
fn filter_text(wanted: Option<&str>, loudness: Loudness) -> String {
    match (wanted, loudness) {
        (Some(wanted), _) => format!("{QUIETED},{wanted}"),
        (None, Loudness::Events) => format!("{QUIETED},info"),
        (None, Loudness::Silent) => "off".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_environment_names_is_not_quieted() {
        let filter = EnvFilter::try_new(filter_text(Some("debug,hyper=trace"), Loudness::Events))
            .unwrap()
            .to_string();
        assert!(filter.contains("hyper=trace"), "{filter}");
        assert!(!filter.contains("hyper=warn"), "{filter}");
        assert!(filter.contains("rustls=warn"), "{filter}");
        assert!(filter.contains("debug"), "{filter}");
    }

    #[test]
    fn a_silent_log_speaks_when_the_environment_asks() {
        assert_eq!(filter_text(None, Loudness::Silent), "off");
        assert!(filter_text(Some("info"), Loudness::Silent).ends_with("info"));
    }
}
