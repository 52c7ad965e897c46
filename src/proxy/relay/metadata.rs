//! Protected-resource metadata (RFC 9728): the one document that names the server's own URL, and the header that names
//! the document. Both are told with our URL in place of the server's; nothing else in them changes.
//!
//! What names another URL than the server's own is left as it is: a client that is told so must not go on (RFC 9728, section
//! 3.3), and must not be kept from seeing it.

use std::ops::Range;

use http::Uri;
use http::uri::PathAndQuery;

use super::super::route::{PROTECTED_RESOURCE, is_metadata};
use super::super::upstream::Remote;

/// Longest document that is read.
pub(super) const LONGEST_DOCUMENT: usize = 256 << 10;

/// Marks, in an address of ours, where the server has the document, if that is not where it should be.
const ELSEWHERE: &str = "?document=";

/// `document` with `url` as its `resource`, if that is `server`'s own URL; else as it was.
pub(super) fn with_resource(document: &[u8], url: &str, server: &Remote) -> Vec<u8> {
    let own = |found: &Range<usize>| {
        let named = serde_json::from_slice::<String>(&document[found.clone()]);
        named.is_ok_and(|named| is_resource_of(&named, server))
    };
    let Some(found) = resource(document).filter(own) else {
        return document.to_vec();
    };
    let url = serde_json::Value::from(url).to_string();
    [
        &document[..found.start],
        url.as_bytes(),
        &document[found.end..],
    ]
    .concat()
}

/// Whether `named` is what a client that goes to `server` by the URL that we have would take for its resource: the same
/// origin, and its endpoint's path or what stands above that (RFC 9728, section 3.3; RFC 8707, section 2).
fn is_resource_of(named: &str, server: &Remote) -> bool {
    let Ok(uri) = named.parse::<Uri>() else {
        return false;
    };
    let (path, endpoint) = (uri.path().trim_end_matches('/'), server.path.path());
    let above = endpoint.strip_prefix(path);
    server.is_origin_of(&uri) && above.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where the value of the member `resource` of the outermost object stands.
fn resource(document: &[u8]) -> Option<Range<usize>> {
    // Borrowed values tell where they stand, and nothing has to be written anew.
    #[derive(serde::Deserialize)]
    struct Document<'d> {
        #[serde(borrow)]
        resource: &'d serde_json::value::RawValue,
    }
    let found: Document<'_> = serde_json::from_slice(document).ok()?;
    let value = found.resource.get();
    if !value.starts_with('"') {
        return None;
    }
    let start = value
        .as_ptr()
        .addr()
        .checked_sub(document.as_ptr().addr())?;
    Some(start..start + value.len())
}

/// A `WWW-Authenticate` value with the address of the metadata at `base` (`http://host`) for `endpoint`, where it names
/// one of `server`'s own.
pub(super) fn with_metadata_address(
    value: &[u8],
    base: &str,
    endpoint: &str,
    server: &Remote,
) -> Option<Vec<u8>> {
    const NAME: &str = "resource_metadata";
    let text = std::str::from_utf8(value).ok()?;
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower.get(from..)?.find(NAME)?;
        let before = text[..at].bytes().next_back();
        let rest = &text[at + NAME.len()..];
        let address = rest.trim_start().strip_prefix('=').map(str::trim_start);
        let Some(address) = address.filter(|_| matches!(before, None | Some(b' ' | b'\t' | b',')))
        else {
            from = at + NAME.len();
            continue;
        };
        let quoted = address.starts_with('"');
        let address = address.trim_start_matches('"');
        let length = if quoted {
            address.find('"')?
        } else {
            address.find([',', ' ', '\t']).unwrap_or(address.len())
        };
        let start = address.as_ptr().addr() - text.as_ptr().addr();
        let ours = our_address(&address[..length], base, endpoint, server)?;
        return Some(
            [&text[..start], &ours, &text[start + length..]]
                .concat()
                .into_bytes(),
        );
    }
}

fn our_address(address: &str, base: &str, endpoint: &str, server: &Remote) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    if !server.is_origin_of(&uri) {
        return None;
    }
    let path = uri.path();
    if !is_metadata(path) || uri.query().is_some() {
        // At a place of its own, which only this header tells: the address here has to name it.
        let there = uri.path_and_query()?.as_str();
        let there = escaped(there);
        return Some(format!(
            "{base}{PROTECTED_RESOURCE}{endpoint}{ELSEWHERE}{there}"
        ));
    }
    let about = &path[PROTECTED_RESOURCE.len()..];
    Some(if about == server.path.path().trim_end_matches('/') {
        format!("{base}{PROTECTED_RESOURCE}{endpoint}")
    } else if endpoint == super::super::ENDPOINT {
        format!("{base}{path}")
    } else {
        // Not where its endpoint's document should be: found under the endpoint here.
        format!("{base}{endpoint}{path}")
    })
}

/// Where the server has the document that a request with `query` (its `?` included) is for, if the query says so.
pub(super) fn elsewhere(query: &str) -> Option<PathAndQuery> {
    let path = unescaped(query.strip_prefix(ELSEWHERE)?)?;
    let path = path.starts_with('/').then_some(path)?;
    // What could end a line, or begin another part of a request, is no path.
    PathAndQuery::try_from(path)
        .ok()
        .filter(|path| path.as_str().bytes().all(|byte| byte.is_ascii_graphic()))
}

/// `text` as part of a query (RFC 3986, section 2.1).
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// What [`escaped`] was given; `None` where it was given nothing of the kind.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte == b'%' {
            let (digits, behind) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = behind;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::upstream::{Place, RemoteOptions, Upstream};
    use super::*;

    /// Calls `with` with a server at `url`.
    fn with_server<T>(url: &str, with: impl FnOnce(&Remote) -> T) -> T {
        let upstream = Upstream::remote(&RemoteOptions::new("up", url)).expect("a server");
        let Place::Remote(remote) = &upstream.place else {
            panic!("it is behind a connection");
        };
        with(remote)
    }

    fn rewritten(document: &[u8], url: &str) -> String {
        let rewritten = with_server(url, |server| {
            with_resource(document, "http://me/mcp", server)
        });
        String::from_utf8(rewritten).expect("text")
    }

    #[test]
    fn only_the_resource_changes() {
        let document = br#"{ "a": {"resource": "x"}, "resource" : "http://up/mcp" , "n": 1.50, "authorization_servers":["http://up"]}"#;
        let ours = r#"{ "a": {"resource": "x"}, "resource" : "http://me/mcp" , "n": 1.50, "authorization_servers":["http://up"]}"#;
        assert_eq!(rewritten(document, "http://up/mcp"), ours);
        for other in ["{}", "[]", "no json", r#"{"resource":1}"#] {
            assert_eq!(rewritten(other.as_bytes(), "http://up/mcp"), other);
        }
    }

    /// Rule: transparency/resource-metadata
    #[test]
    fn a_resource_that_is_another_server_stays() {
        for (named, url, own) in [
            ("http://up/mcp", "http://up/mcp", true),
            ("http://UP:80/mcp/", "http://up/mcp", true),
            ("http://up", "http://up/mcp", true),
            ("http://up/", "http://up:80/mcp", true),
            ("http://localhost:3/mcp", "http://127.0.0.1:3/mcp", true),
            ("https://up/mcp", "https://up:443/mcp", true),
            ("https://up/mcp", "http://up/mcp", false),
            ("http://up:81/mcp", "http://up/mcp", false),
            ("http://up/mc", "http://up/mcp", false),
            ("http://up/mcp/other", "http://up/mcp", false),
            ("https://evil.example/mcp", "http://up/mcp", false),
            ("/mcp", "http://up/mcp", false),
        ] {
            let document = format!(r#"{{"resource":"{named}"}}"#);
            let told = rewritten(document.as_bytes(), url);
            let ours = r#"{"resource":"http://me/mcp"}"#;
            let expected = if own { ours } else { document.as_str() };
            assert_eq!(told, expected, "{named} of {url}");
        }
    }

    /// Rule: transparency/resource-metadata
    #[test]
    fn a_document_at_a_place_of_its_own_is_found_there() {
        let challenge = b"Bearer resource_metadata=\"http://up/custom/meta%20data.json?a=1&b=2\"";
        let told = with_server("http://up/mcp", |server| {
            with_metadata_address(challenge, "http://me", "/mcp/docs", server)
        });
        let told = String::from_utf8(told.expect("ours")).expect("text");
        let address = told.split('"').nth(1).expect("an address");
        let query = address
            .strip_prefix("http://me/.well-known/oauth-protected-resource/mcp/docs")
            .expect("where such documents are");
        let there = elsewhere(query).expect("a path");
        assert_eq!(there.as_str(), "/custom/meta%20data.json?a=1&b=2");
        for other in [
            "",
            "?document=",
            "?document=x",
            "?document=%2",
            "?document=/a%0d%0aHost:%20x",
            "?document=/a%20b",
            "?document=/%ff",
            "?other=/a",
        ] {
            assert_eq!(elsewhere(other), None, "{other}");
        }
    }

    #[test]
    fn only_the_address_of_the_metadata_changes() {
        let known = "/.well-known/oauth-protected-resource";
        let ours = |value: &str, endpoint: &str, path: &str| {
            let told = with_server(&format!("http://up{path}"), |server| {
                with_metadata_address(value.as_bytes(), "https://me", endpoint, server)
            });
            told.map(|value| String::from_utf8(value).expect("text"))
        };
        let given = format!(
            "Bearer error=\"x\", resource_metadata=\"http://up:80{known}/v1\", scope=\"a b\""
        );
        let told = format!(
            "Bearer error=\"x\", resource_metadata=\"https://me{known}/mcp/docs\", scope=\"a b\""
        );
        assert_eq!(ours(&given, "/mcp/docs", "/v1"), Some(told));
        let root = format!("Bearer resource_metadata=http://up{known}");
        assert_eq!(
            ours(&root, "/mcp", "/mcp"),
            Some(format!("Bearer resource_metadata=https://me{known}"))
        );
        assert_eq!(
            ours(&root, "/mcp/a", "/mcp"),
            Some(format!("Bearer resource_metadata=https://me/mcp/a{known}"))
        );
        assert_eq!(
            ours(&root, "/mcp/a", "/"),
            Some(format!("Bearer resource_metadata=https://me{known}/mcp/a"))
        );
        for other in [
            "Bearer",
            "Basic realm=\"x\"",
            "Bearer resource_metadata=\"http://other/else\"",
            "Bearer resource_metadata=\"http://other/.well-known/oauth-protected-resource\"",
            "Bearer resource_metadata=\"/.well-known/oauth-protected-resource\"",
            "Bearer my_resource_metadata=1",
            "Bearer resource_metadata=\"open",
        ] {
            assert_eq!(ours(other, "/mcp", "/mcp"), None, "{other}");
        }
    }
}
