//! Log lines, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts writing log lines: level `info`, or what `ARCHONCTL_LOG` says in tracing's filter syntax. A second call
/// changes nothing.
pub fn init_logging(format: LogFormat) {
    init(format, "info,refinery_core=warn,rmcp=warn");
}

/// The same for commands whose standard error belongs to somebody else as well: warnings only, unless `ARCHONCTL_LOG`
/// says otherwise.
pub fn init_quiet_logging(format: LogFormat) {
    init(format, "warn");
}

fn init(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_env("ARCHONCTL_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false);
    let colour = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // Fails only when another subscriber is set already, and then that one serves.
    let _ = match format {
        LogFormat::Text => builder.with_ansi(colour).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
