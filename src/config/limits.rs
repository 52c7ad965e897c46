//! Bounds on what clients may send and hold, and who may ask.

use std::time::Duration;

use super::error::ConfigError;
use super::settings::{Key, Settings};

/// Bounds on what one client, and all of them together, may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest head of a request, in bytes.
    pub max_head: usize,
    /// Longest body of a request, in bytes.
    pub max_body: u64,
    /// Connections at the same time.
    pub max_connections: usize,
    /// Streams held open at the same time (GET, `subscriptions/listen`).
    pub max_streams: usize,
    /// How long a connection may stay open without a request.
    pub keep_alive_timeout: Duration,
    /// How long the head of a request may take to arrive.
    pub head_timeout: Duration,
    /// How long a client may take to send the next piece of a body.
    pub body_timeout: Duration,
    /// How long a client may take to read a piece of an answer.
    pub write_timeout: Duration,
    /// How long a connection to a server may take to come about.
    pub connect_timeout: Duration,
}

/// Who may ask: names in `Host`, and sites in `Origin`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `*`, `name`, `name:port` or `*.name`, beside loopback's own names. Empty: loopback listeners allow only
    /// loopback's names, others any.
    pub hosts: Vec<String>,
    /// `*`, or `scheme://host[:port]`. Empty: loopback listeners allow only pages of this machine, others any.
    pub origins: Vec<String>,
    /// `scheme://host[:port]` under which clients reach the daemon, where that is not what they write into `Host`.
    pub public_url: Option<String>,
}

impl Settings {
    pub(super) fn limits(&self) -> Result<Limits, ConfigError> {
        let small = |key, most: u64| {
            let bounded = |text: &str| {
                let size = bytes(text)?;
                if (1 << 10..=most).contains(&size) {
                    Ok(size)
                } else {
                    Err(format!(
                        "'{text}' is out of bounds; 1KiB to {} MiB are allowed",
                        most >> 20
                    ))
                }
            };
            self.parsed(key, bounded).map(Option::unwrap_or_default)
        };
        let count = |key| {
            self.parsed(key, |text| {
                let number: Result<usize, _> = text.parse();
                number
                    .ok()
                    .filter(|number| *number > 0)
                    .ok_or_else(|| format!("'{text}' is no number; 1 or more is expected"))
            })
            .map(Option::unwrap_or_default)
        };
        Ok(Limits {
            max_head: usize::try_from(small(Key::MaxHead, 16 << 20)?).unwrap_or(usize::MAX),
            max_body: small(Key::MaxBody, 1 << 40)?,
            max_connections: count(Key::MaxConnections)?,
            max_streams: count(Key::MaxStreams)?,
            keep_alive_timeout: self.positive(Key::KeepAliveTimeout)?,
            head_timeout: self.positive(Key::HeadTimeout)?,
            body_timeout: self.positive(Key::BodyTimeout)?,
            write_timeout: self.positive(Key::WriteTimeout)?,
            connect_timeout: self.positive(Key::ConnectTimeout)?,
        })
    }

    pub(super) fn access(&self) -> Result<Access, ConfigError> {
        Ok(Access {
            hosts: self
                .parsed(Key::AllowedHosts, |text| words(text, host))?
                .unwrap_or_default(),
            origins: self
                .parsed(Key::AllowedOrigins, |text| words(text, origin))?
                .unwrap_or_default(),
            public_url: self.parsed(Key::PublicUrl, |text| {
                origin(text).map(|_| text.trim_end_matches('/').to_owned())
            })?,
        })
    }
}

/// A list, parted by commas or blanks, each checked.
pub(super) fn words(
    text: &str,
    check: fn(&str) -> Result<String, String>,
) -> Result<Vec<String>, String> {
    text.split([',', ' ', '\t', '\n'])
        .filter(|word| !word.is_empty())
        .map(check)
        .collect()
}

fn host(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let sound = text == "*"
        || (!name.contains(['*', '/', '@'])
            && name
                .parse::<http::uri::Authority>()
                .is_ok_and(|a| !a.host().is_empty()));
    if sound {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!(
            "'{text}' is no host; a name such as mcp.example.com, host:port, *.example.com or * is expected"
        ))
    }
}

pub(super) fn origin(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let sound = text == "*"
        || text.parse::<http::Uri>().is_ok_and(|uri| {
            uri.scheme().is_some()
                && uri.authority().is_some()
                && matches!(uri.path(), "" | "/")
                && uri.query().is_none()
        });
    if sound && !text.contains('@') {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!(
            "'{}' is no origin; https://app.example.com is one: scheme, host, perhaps a port, no path",
            super::upstream::without_secrets(text)
        ))
    }
}

/// A size: a number of bytes, or of KiB, MiB or GiB.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("'{text}' is no size; use bytes or a unit, such as 65536, 64KiB or 16MiB");
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim() {
        "" | "B" => 0,
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, size) in [
            ("65536", 65_536),
            ("64KiB", 65_536),
            ("16 MiB", 16 << 20),
            ("1G", 1 << 30),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for wrong in ["", "KiB", "-1", "1.5MiB", "1TB", "99999999999GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_and_origins_are_checked() {
        for text in [
            "mcp.example.com",
            "mcp.example.com:8051",
            "*.example.com",
            "*",
            "[::1]:80",
        ] {
            assert!(host(text).is_ok(), "{text}");
        }
        for text in ["https://x", "a b", "*.*.x", "x/y", ""] {
            assert!(host(text).is_err(), "{text}");
        }
        assert_eq!(
            origin("HTTPS://App.example.com/").as_deref(),
            Ok("https://app.example.com")
        );
        for text in ["app.example.com", "https://x/path", "https://me:pw@x"] {
            let said = origin(text).expect_err(text);
            assert!(!said.contains("pw"), "{said}");
        }
    }
}
