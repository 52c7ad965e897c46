//! The MCP server behind the daemon: its name and its URL, and what of a URL may be shown.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An MCP server reached over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The name sessions are stored under.
    pub name: String,
    /// `http://` or `https://`, host, path; no credentials, no fragment.
    pub url: String,
    /// Headers that requests to it get, in place of the client's own.
    pub headers: Vec<(String, Secret)>,
    /// How long it may take to answer, where that is not the same for all.
    pub request_timeout: Option<Duration>,
    /// How long a connection may take to come about, where that is not the same for all.
    pub connect_timeout: Option<Duration>,
    /// PEM file with the certificates that are trusted in place of the machine's own.
    pub ca_file: Option<PathBuf>,
}

impl Upstream {
    /// A server with nothing special about it.
    #[must_use]
    pub fn new(name: &str, url: String) -> Self {
        Self {
            name: name.to_owned(),
            url,
            headers: Vec::new(),
            request_timeout: None,
            connect_timeout: None,
            ca_file: None,
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("name", &self.name)
            .field("url", &without_secrets(&self.url))
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a URL: the reason and, where there is one, the way out. Neither repeats the URL.
pub type Refusal = (String, Option<String>);

/// Checks `text` and completes it: a URL without a path is given `/mcp`, the path nearly every server uses.
///
/// # Errors
/// When it is no URL of a server, or has credentials in it.
pub fn parse_url(text: &str) -> Result<String, Refusal> {
    let refuse = |reason: &str| (reason.to_owned(), None);
    let form =
        "an http:// or https:// URL with a host is expected, such as http://127.0.0.1:8052/mcp";
    if text.contains('#') {
        return Err(refuse("a URL with a fragment (#…) names no server"));
    }
    let uri: http::Uri = text.parse().map_err(|_| refuse(form))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri.authority().ok_or_else(|| refuse(form))?;
    if authority.as_str().contains('@') {
        let hint = "take the name and password out of the URL: clients send their own credentials, which pass through \
                    unchanged";
        return Err((
            "credentials in the URL are refused, they would end up in logs and process lists"
                .to_owned(),
            Some(hint.to_owned()),
        ));
    }
    if !matches!(scheme, "http" | "https") || authority.host().is_empty() {
        return Err(refuse(form));
    }
    // `host:` and `host:99999` pass the parser, which leaves the port to us.
    let port = authority.as_str().get(authority.host().len()..);
    if port.is_some_and(|port| !port.is_empty()) && authority.port_u16().is_none_or(|p| p == 0) {
        return Err(refuse("the port must be a number from 1 to 65535"));
    }
    let path = match uri.path() {
        "" | "/" if !bare_slash(text, authority.as_str()) => "/mcp",
        path => path,
    };
    let query = uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    Ok(format!("{scheme}://{authority}{path}{query}"))
}

/// Whether `text` itself has the path `/`, which the parser also reports for a URL without one.
fn bare_slash(text: &str, authority: &str) -> bool {
    text.split_once(authority)
        .is_some_and(|(_, rest)| rest.starts_with('/'))
}

/// The URL as it may be shown: name, password and the values of the query replaced by `***`. Works on texts that are
/// no URL, because those are shown too.
pub(super) fn without_secrets(url: &str) -> String {
    let (address, query) = url
        .split_once('?')
        .map_or((url, None), |(address, query)| (address, Some(query)));
    let start = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at(start);
    let path = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path);
    let host = authority
        .rsplit_once('@')
        .map_or_else(|| authority.to_owned(), |(_, host)| format!("***@{host}"));
    let query = query.map_or_else(String::new, |query| {
        let pairs = query.split('&').map(|pair| {
            pair.split_once('=')
                .map_or("***".to_owned(), |(name, _)| format!("{name}=***"))
        });
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}{host}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_its_path_and_gets_mcp_when_it_has_none() {
        for (given, kept) in [
            ("http://127.0.0.1:8052", "http://127.0.0.1:8052/mcp"),
            ("http://127.0.0.1:8052/", "http://127.0.0.1:8052/"),
            (
                "https://mcp.example.com/v1/mcp",
                "https://mcp.example.com/v1/mcp",
            ),
            ("http://[::1]:80/x?y=1", "http://[::1]:80/x?y=1"),
            ("http://host?y=1", "http://host/mcp?y=1"),
        ] {
            assert_eq!(parse_url(given).as_deref(), Ok(kept), "{given}");
        }
    }

    #[test]
    fn what_names_no_server_is_refused() {
        for wrong in [
            "",
            "127.0.0.1:8052",
            "ftp://host/mcp",
            "http://",
            "http:///mcp",
            "http://host:99999/mcp",
            "http://host:0/mcp",
            "http://host:/mcp",
            "http://host/mcp#top",
            "http://host/a b",
        ] {
            assert!(parse_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_refusal_never_repeats_the_password() {
        let (reason, hint) = parse_url("http://me:hunter2@host/mcp").expect_err("credentials");
        assert!(!format!("{reason}{hint:?}").contains("hunter2"));
    }

    #[test]
    fn shown_urls_hold_no_secret() {
        for (url, shown) in [
            ("http://me:pw@host:1/mcp", "http://***@host:1/mcp"),
            ("http://me:p@w@host/a@b", "http://***@host/a@b"),
            (
                "https://host/mcp?api_key=abc&x",
                "https://host/mcp?api_key=***&***",
            ),
            ("me:pw@host", "***@host"),
            ("http://host/mcp", "http://host/mcp"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
