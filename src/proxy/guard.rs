//! Keeps web pages from reaching a daemon that they have no business with (DNS rebinding; MCP 2025-11-25, Transports,
//! security warning).
//!
//! On loopback only names and pages of this machine get in, and what is allowed beside them. Other listeners let
//! everybody in until something is allowed; then only that, and loopback's own names.

use http::Uri;
use http::uri::Authority;

/// Who may ask. Entries are in lower case.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Whether the listener is on loopback.
    pub loopback: bool,
    /// What `Host` may be: `*`, `name`, `name:port`, `*.name`.
    pub hosts: Vec<String>,
    /// What `Origin` may be: `*`, `scheme://host[:port]`.
    pub origins: Vec<String>,
}

impl Guard {
    /// Why a request is turned down, if it is: a page of another site sends its own `Origin`, and after DNS rebinding
    /// its own `Host`.
    pub(super) fn refusal(
        &self,
        host: Option<&[u8]>,
        origin: Option<&[u8]>,
    ) -> Option<&'static str> {
        if (self.loopback || !self.hosts.is_empty())
            && let Some(host) = host
            && !std::str::from_utf8(host).is_ok_and(|host| self.knows_host(host))
        {
            return Some(
                "the Host header names neither this machine's loopback nor a host of --allowed-hosts",
            );
        }
        let origin = origin?;
        if !self.loopback && self.origins.is_empty() {
            return None;
        }
        let known = std::str::from_utf8(origin).is_ok_and(|origin| self.knows_origin(origin));
        (!known).then_some(
            "the Origin header names a site that is neither on this machine nor one of --allowed-origins",
        )
    }

    fn knows_host(&self, host: &str) -> bool {
        is_loopback(host)
            || self
                .hosts
                .iter()
                .any(|known| match known.strip_prefix("*.") {
                    _ if known == "*" => true,
                    Some(domain) => name_of(host).is_some_and(|name| {
                        let name = name.to_ascii_lowercase();
                        name.strip_suffix(domain)
                            .is_some_and(|rest| rest.ends_with('.'))
                    }),
                    None => {
                        host.eq_ignore_ascii_case(known)
                            || name_of(host).is_some_and(|name| name.eq_ignore_ascii_case(known))
                    }
                })
    }

    fn knows_origin(&self, origin: &str) -> bool {
        let local = origin.parse::<Uri>().ok().is_some_and(|origin| {
            origin.host().is_some_and(is_loopback) || origin.scheme_str().is_some_and(is_app_scheme)
        });
        local
            || self
                .origins
                .iter()
                .any(|known| known == "*" || origin.eq_ignore_ascii_case(known))
    }
}

/// `host` without its port.
fn name_of(host: &str) -> Option<String> {
    host.parse::<Authority>()
        .ok()
        .map(|host| host.host().to_owned())
}

/// Whether `host`, with or without a port, names this machine's loopback.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    // Cheapest first: every request is asked.
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
        || is_under_localhost(name)
}

fn is_under_localhost(name: &str) -> bool {
    const DOMAIN: &str = ".localhost";
    let from = name.len().checked_sub(DOMAIN.len());
    from.and_then(|from| name.get(from..))
        .is_some_and(|end| end.eq_ignore_ascii_case(DOMAIN))
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

    fn check(guard: &Guard, cases: &[(&str, Option<&str>, bool)]) {
        for (host, origin, allowed) in cases {
            let refused = guard.refusal(Some(host.as_bytes()), origin.map(str::as_bytes));
            assert_eq!(refused.is_none(), *allowed, "{guard:?} {host} {origin:?}");
        }
    }

    #[test]
    fn only_pages_and_names_of_this_machine_get_in() {
        let guard = Guard {
            loopback: true,
            ..Guard::default()
        };
        check(
            &guard,
            &[
                ("127.0.0.1:8051", None, true),
                ("localhost:8051", Some("http://localhost:6274"), true),
                ("[::1]:8051", Some("http://[::1]:3000"), true),
                ("localhost", Some("vscode-webview://abc"), true),
                ("evil.example:8051", None, false),
                ("localhost.evil.example", None, false),
                ("127.0.0.1:8051", Some("https://evil.example"), false),
                ("127.0.0.1:8051", Some("null"), false),
            ],
        );
    }

    #[test]
    fn what_is_allowed_gets_in_too() {
        let guard = Guard {
            loopback: true,
            hosts: vec![
                "mcp.example.com".into(),
                "*.corp.example".into(),
                "one:81".into(),
            ],
            origins: vec!["https://app.example.com".into()],
        };
        check(
            &guard,
            &[
                ("mcp.example.com", None, true),
                (
                    "MCP.example.com:8051",
                    Some("https://App.example.com"),
                    true,
                ),
                ("a.corp.example:1", None, true),
                ("corp.example", None, false),
                ("evilcorp.example", None, false),
                ("one:81", None, true),
                ("one:82", None, false),
                ("localhost", Some("https://app.example.com:444"), false),
            ],
        );
        let open = Guard {
            hosts: vec!["*".into()],
            origins: vec!["*".into()],
            ..guard
        };
        check(&open, &[("evil.example", Some("null"), true)]);
    }

    #[test]
    fn other_listeners_are_open_until_something_is_allowed() {
        check(
            &Guard::default(),
            &[("any.example", Some("https://any.example"), true)],
        );
        let guard = Guard {
            hosts: vec!["mcp.example.com".into()],
            ..Guard::default()
        };
        check(
            &guard,
            &[
                ("mcp.example.com", Some("https://any.example"), true),
                ("localhost:1", None, true),
                ("10.0.0.1", None, false),
            ],
        );
    }
}
