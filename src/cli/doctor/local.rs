//! What can be seen without the store: settings, the data directory, its disk, the daemon and the server behind it.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{Check, counted, size};
use crate::config::{ConfigError, ServeOptions, Settings, Sources};

/// How long somebody on the network may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Space below which a disk is as good as full.
const ENOUGH: u64 = 64 << 20;

/// Everything that can be said without the store.
pub(super) fn checks(settings: &Settings, sources: &Sources) -> Vec<Check> {
    let mut checks = Vec::new();
    let options = settings.serve_options(sources);
    match &options {
        Ok(options) => config(options, &mut checks),
        Err(error) => checks.push(bad_config(error)),
    }
    if let Ok(dir) = settings.data_dir() {
        data_dir(&dir, options.as_ref().ok(), &mut checks);
    }
    if let Ok(options) = &options {
        daemon(options, &mut checks);
    }
    checks
}

fn bad_config(error: &ConfigError) -> Check {
    Check::failed("config", "settings", error.to_string())
        .hint("`archonctl config show --origin` says where each value comes from")
}

fn config(options: &ServeOptions, checks: &mut Vec<Check>) {
    let mut odd = |subject: &str, detail: String, hint: &str| {
        checks.push(Check::warning("config", subject, detail).hint(hint));
    };
    if options.idle_after >= options.session_timeout {
        odd(
            "idle_after",
            format!(
                "sessions end after {:?} and would be idle after {:?}: none is ever idle",
                options.session_timeout, options.idle_after
            ),
            "make idle_after shorter than session_timeout",
        );
    }
    if options.disconnect_grace >= options.session_timeout {
        odd(
            "disconnect_grace",
            "sessions time out before the grace time of a client that left is over".to_owned(),
            "make disconnect_grace shorter than session_timeout",
        );
    }
    if options.request_timeout >= options.session_timeout {
        odd(
            "request_timeout",
            "a request may take longer than a session without activity lives".to_owned(),
            "make request_timeout shorter than session_timeout, if calls are not that long",
        );
    }
    if options.instance.timeout < Duration::from_secs(3) {
        odd(
            "instance_timeout",
            "an instance that is slow for a moment is taken for dead".to_owned(),
            "30s is right for nearly everybody",
        );
    }
    if options.data_dir.starts_with(std::env::temp_dir()) {
        odd(
            "data_dir",
            "it is in the directory for temporary files, which a restart may empty".to_owned(),
            "name another one with --data-dir or ARCHONCTL_DATA_DIR",
        );
    }
    if checks.is_empty() {
        checks.push(Check::ok("config", "settings", "nothing odd in them"));
    }
}

fn data_dir(dir: &Path, options: Option<&ServeOptions>, checks: &mut Vec<Check>) {
    let shown = dir.display().to_string();
    let metadata = match std::fs::metadata(dir) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            checks.push(
                Check::warning("data_dir", shown, "it is not there: nothing ran on it yet")
                    .hint("`archonctl serve` makes it; or name another one with --data-dir"),
            );
            return;
        }
        Err(error) => {
            let detail = format!("it cannot be looked at: {error}");
            checks.push(
                Check::failed("data_dir", shown, detail)
                    .hint("run this as the user that the daemon runs as"),
            );
            return;
        }
    };
    // Tried, not worked out from modes: read-only file systems and access lists have a say as well.
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe));
    checks.push(match written {
        Err(error) => Check::failed("data_dir", &shown, format!("it cannot be written: {error}"))
            .hint("run this as the user that the daemon runs as, or make room"),
        Ok(()) if metadata.permissions().mode() & 0o077 != 0 => Check::warning(
            "data_dir",
            &shown,
            "other users of this machine can look into it",
        )
        .hint(format!("chmod 700 {shown}")),
        Ok(()) => Check::ok("data_dir", &shown, "it can be written, by its owner alone"),
    });
    disk(dir, options, checks);
}

fn disk(dir: &Path, options: Option<&ServeOptions>, checks: &mut Vec<Check>) {
    let shown = dir.display().to_string();
    let space = match rustix::fs::statvfs(dir) {
        Ok(space) => space,
        Err(error) => {
            let detail = format!("how much room there is cannot be told: {error}");
            checks.push(Check::warning("disk", shown, detail));
            return;
        }
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let bound = options.map_or(0, |options| options.instance.journal_bound);
    let detail = format!("{} are free", size(free));
    let check = if free < ENOUGH {
        let detail = format!("{detail}: records are about to be lost");
        Check::failed("disk", shown, detail).hint("make room on this disk")
    } else if free < bound {
        let detail = format!("{detail}, less than the journal may fill ({})", size(bound));
        Check::warning("disk", shown, detail).hint("make room, or lower journal_bound")
    } else {
        Check::ok("disk", shown, detail)
    };
    checks.push(
        check
            .figure("free_bytes", free)
            .figure("journal_bound", bound),
    );
}

/// The daemon that listens where the settings say, as it tells itself; and the server behind it.
fn daemon(options: &ServeOptions, checks: &mut Vec<Check>) {
    let health = match ask_health(&options.listen) {
        Ok(health) => health,
        Err(error) => {
            checks.push(
                Check::warning(
                    "daemon",
                    &options.listen,
                    format!("no daemon answers: {error}"),
                )
                .hint("`archonctl serve` starts one; --data-dir and ARCHONCTL_LISTEN name another"),
            );
            for upstream in &options.upstreams {
                checks.push(try_upstream(&upstream.name, &upstream.url));
            }
            return;
        }
    };
    let health = &health["health"];
    let figure = |name: &str| health[name].as_u64().unwrap_or(0);
    let (dropped, backlog) = (figure("records_dropped"), figure("journal_backlog_bytes"));
    let reasons: Vec<&str> = health["reasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let check = if reasons.is_empty() {
        let sessions = counted(figure("open_sessions"), "open session");
        Check::ok(
            "daemon",
            &options.listen,
            format!(
                "it is healthy: {sessions}, {} wait in its journal",
                size(backlog)
            ),
        )
    } else {
        let check = Check::failed("daemon", &options.listen, reasons.join("; "));
        if dropped > 0 {
            check.hint("make room in the data directory, or raise journal_bound")
        } else {
            check.hint("look at the store below; records wait in the journal meanwhile")
        }
    };
    checks.push(
        check
            .figure("records_dropped", dropped)
            .figure("journal_backlog_bytes", backlog),
    );
    for upstream in health["upstreams"].as_array().into_iter().flatten() {
        let text = |name: &str| upstream[name].as_str().unwrap_or_default().to_owned();
        let subject = format!("{} {}", text("name"), text("url"));
        checks.push(match upstream["reachable"].as_bool() {
            Some(true) => Check::ok("upstream", subject, "the daemon reaches it"),
            Some(false) => Check::failed("upstream", subject, "the daemon does not reach it")
                .hint("is that server running, and is its address right?"),
            None => Check::ok("upstream", subject, "the daemon has not tried it yet"),
        });
    }
}

/// Asks whoever listens on `listen` how it is.
fn ask_health(listen: &str) -> Result<Value, String> {
    let listen = listen
        .replace("0.0.0.0:", "127.0.0.1:")
        .replace("[::]:", "[::1]:");
    let said = |error: std::io::Error| error.to_string();
    let mut stream = connect(&listen).map_err(said)?;
    let request = format!("GET /health HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(said)?;
    let mut answer = Vec::new();
    // No health is as long as this; whoever listens there may be anybody.
    stream
        .take(1 << 20)
        .read_to_end(&mut answer)
        .map_err(said)?;
    let answer = String::from_utf8_lossy(&answer);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let other = || "something else listens there".to_owned();
    let health: Value = serde_json::from_str(body).map_err(|_| other())?;
    if health["service"] == "archon-mcp" {
        Ok(health)
    } else {
        Err(other())
    }
}

fn try_upstream(name: &str, url: &str) -> Check {
    let subject = format!("{name} {url}");
    let uri: Option<http::Uri> = url.parse().ok();
    let authority = uri.as_ref().and_then(http::Uri::authority);
    let Some(authority) = authority else {
        return Check::failed("upstream", subject, "its URL names no host");
    };
    let tls = uri.as_ref().and_then(http::Uri::scheme_str) == Some("https");
    let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
    match connect(&format!("{}:{port}", authority.host())) {
        Ok(_) => Check::ok("upstream", subject, "something listens there"),
        Err(error) => Check::failed(
            "upstream",
            subject,
            format!("it cannot be reached: {error}"),
        )
        .hint("is that server running, and is its address right?"),
    }
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
