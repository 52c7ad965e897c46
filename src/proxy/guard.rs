//! Keeps web pages from reaching a daemon that listens on loopback (DNS rebinding; MCP 2025-11-25, Transports,
//! security warning).

use http::Uri;

/// Whether `host`, with or without a port, names this machine's loopback.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// Why a request to a listener on loopback is turned down, if it is: a page of another site sends its own `Origin`,
/// and after DNS rebinding its own `Host`.
pub(super) fn refusal(host: Option<&[u8]>, origin: Option<&[u8]>) -> Option<&'static str> {
    if let Some(host) = host
        && !std::str::from_utf8(host).is_ok_and(is_loopback)
    {
        return Some("the Host header does not name this machine's loopback");
    }
    let local = std::str::from_utf8(origin?)
        .ok()
        .and_then(|origin| origin.parse::<Uri>().ok())
        .is_some_and(|origin| {
            origin.host().is_some_and(is_loopback) || origin.scheme_str().is_some_and(is_app_scheme)
        });
    (!local).then_some("the Origin header names a site that is not on this machine")
}

/// Editors show their pages under schemes of their own, which no website can have.
fn is_app_scheme(scheme: &str) -> bool {
    matches!(
        scheme,
        "vscode-webview" | "vscode-file" | "app" | "tauri" | "capacitor" | "file"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_and_names_of_this_machine_get_in() {
        for (host, origin, allowed) in [
            ("127.0.0.1:8051", None, true),
            ("localhost:8051", Some("http://localhost:6274"), true),
            ("[::1]:8051", Some("http://[::1]:3000"), true),
            ("localhost", Some("vscode-webview://abc"), true),
            ("evil.example:8051", None, false),
            ("localhost.evil.example", None, false),
            ("127.0.0.1:8051", Some("https://evil.example"), false),
            ("127.0.0.1:8051", Some("null"), false),
        ] {
            let refused = refusal(Some(host.as_bytes()), origin.map(str::as_bytes));
            assert_eq!(refused.is_none(), allowed, "{host} {origin:?}");
        }
    }
}
