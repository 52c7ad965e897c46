//! Which server a path is for, and which path of that server.

use std::borrow::Cow;

use super::upstream::Upstream;
use super::{ENDPOINT, is_endpoint};

/// Where documents about a server are found (RFC 8615).
const WELL_KNOWN: &str = "/.well-known/";
/// The one that names the server's own URL (RFC 9728, section 3).
pub(super) const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'p> {
    /// To the MCP endpoint of a server, by number.
    Endpoint(usize),
    /// To another path of a server.
    Other {
        /// Its number.
        server: usize,
        /// The path there.
        path: Cow<'p, str>,
        /// The endpoint here that the request is about.
        endpoint: &'p str,
    },
}

impl Route<'_> {
    /// The number of the server.
    pub(super) fn server(&self) -> usize {
        match self {
            Self::Endpoint(server) | Self::Other { server, .. } => *server,
        }
    }
}

/// Whether what is at `path` of a server names the server's own URL.
pub(super) fn is_metadata(path: &str) -> bool {
    path.strip_prefix(PROTECTED_RESOURCE)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Finds the way of `path` among `servers`; `None` where it names one that is not there.
pub(super) fn route<'p>(servers: &[Upstream], path: &'p str) -> Option<Route<'p>> {
    if is_endpoint(path) {
        return Some(Route::Endpoint(0));
    }
    if let Some((server, endpoint, behind)) = named(servers, path) {
        return match (server, behind) {
            (Some(server), "" | "/") => Some(Route::Endpoint(server)),
            (Some(server), path) => Some(Route::Other {
                server,
                path: path.into(),
                endpoint,
            }),
            (None, _) if servers.len() > 1 => None,
            (None, _) => Some(as_it_is(path)),
        };
    }
    let document = path.strip_prefix(WELL_KNOWN).and_then(|rest| {
        let kind = rest.split('/').next()?;
        Some(path.split_at(WELL_KNOWN.len() + kind.len()))
    });
    let Some((document, about)) = document else {
        return Some(as_it_is(path));
    };
    let server = if is_endpoint(about) {
        0
    } else {
        match named(servers, about) {
            Some((Some(server), _, "" | "/")) => server,
            Some((None, _, "" | "/")) if servers.len() > 1 => return None,
            _ => return Some(as_it_is(path)),
        }
    };
    let there = servers.get(server).map_or(ENDPOINT, Upstream::path);
    Some(Route::Other {
        server,
        path: format!("{document}{}", there.trim_end_matches('/')).into(),
        endpoint: about.trim_end_matches('/'),
    })
}

/// To the first server, which is also served without its name.
fn as_it_is(path: &str) -> Route<'_> {
    Route::Other {
        server: 0,
        path: path.into(),
        endpoint: ENDPOINT,
    }
}

/// `/mcp/NAME…`: the server's number, `/mcp/NAME`, and what is behind.
fn named<'p>(servers: &[Upstream], path: &'p str) -> Option<(Option<usize>, &'p str, &'p str)> {
    let name = path.strip_prefix("/mcp/")?.split('/').next()?;
    let (endpoint, behind) = path.split_at("/mcp/".len() + name.len());
    let server = servers.iter().position(|known| *known.server.name == *name);
    Some((server, endpoint, behind))
}

#[cfg(test)]
mod tests {
    use super::super::upstream::RemoteOptions;
    use super::*;

    fn servers(urls: &[(&str, &str)]) -> Vec<Upstream> {
        let server = |(name, url): &(&str, &str)| {
            Upstream::remote(&RemoteOptions::new(name, url)).expect("a server")
        };
        urls.iter().map(server).collect()
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "it is compared with what may be none"
    )]
    fn other<'p>(server: usize, path: &'p str, endpoint: &'p str) -> Option<Route<'p>> {
        Some(Route::Other {
            server,
            path: path.into(),
            endpoint,
        })
    }

    #[test]
    fn paths_lead_to_the_server_they_name() {
        let two = servers(&[("docs", "http://a/v1/mcp"), ("tools", "http://b/")]);
        let known = "/.well-known/oauth-protected-resource";
        for (path, way) in [
            ("/mcp", Some(Route::Endpoint(0))),
            ("/mcp/", Some(Route::Endpoint(0))),
            ("/mcp/docs", Some(Route::Endpoint(0))),
            ("/mcp/tools/", Some(Route::Endpoint(1))),
            ("/mcp/tools/a/b", other(1, "/a/b", "/mcp/tools")),
            ("/mcp/toolsx", None),
            ("/messages", other(0, "/messages", "/mcp")),
            (&format!("{known}/mcp/nobody"), None),
            (
                &format!("{known}/mcp"),
                other(0, &format!("{known}/v1/mcp"), "/mcp"),
            ),
            (&format!("{known}/mcp/tools"), other(1, known, "/mcp/tools")),
            (
                &format!("{known}/mcp/docs/"),
                other(0, &format!("{known}/v1/mcp"), "/mcp/docs"),
            ),
            (known, other(0, known, "/mcp")),
            (
                "/.well-known/openid-configuration/mcp/docs",
                other(0, "/.well-known/openid-configuration/v1/mcp", "/mcp/docs"),
            ),
        ] {
            assert_eq!(route(&two, path), way, "{path}");
        }
        let one = servers(&[("default", "http://a/mcp")]);
        assert_eq!(route(&one, "/mcp/x"), other(0, "/mcp/x", "/mcp"));
        assert!(
            is_metadata(known)
                && is_metadata(&format!("{known}/mcp"))
                && !is_metadata(&format!("{known}s"))
        );
    }
}
