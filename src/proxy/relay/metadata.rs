//! Protected-resource metadata (RFC 9728): the one document that names the server's own URL, and the header that names
//! the document. Both are told with our URL in place of the server's; nothing else in them changes.

use std::ops::Range;

use super::super::route::{PROTECTED_RESOURCE, is_metadata};

/// Longest document that is read.
pub(super) const LONGEST_DOCUMENT: usize = 256 << 10;

/// `document` with `url` as its `resource`; as it was if it has none.
pub(super) fn with_resource(document: &[u8], url: &str) -> Vec<u8> {
    let Some(found) = resource(document) else {
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
/// one; `server_path` is the path of the server's own endpoint.
pub(super) fn with_metadata_address(
    value: &[u8],
    base: &str,
    endpoint: &str,
    server_path: &str,
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
        let ours = our_address(&address[..length], base, endpoint, server_path)?;
        return Some(
            [&text[..start], &ours, &text[start + length..]]
                .concat()
                .into_bytes(),
        );
    }
}

fn our_address(address: &str, base: &str, endpoint: &str, server_path: &str) -> Option<String> {
    let uri: http::Uri = address.parse().ok()?;
    let path = uri.path();
    if uri.authority().is_none() || !is_metadata(path) {
        return None;
    }
    let about = &path[PROTECTED_RESOURCE.len()..];
    Some(if about == server_path.trim_end_matches('/') {
        format!("{base}{PROTECTED_RESOURCE}{endpoint}")
    } else if endpoint == super::super::ENDPOINT {
        format!("{base}{path}")
    } else {
        // Not where its endpoint's document should be: found under the endpoint here.
        format!("{base}{endpoint}{path}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_resource_changes() {
        let document = br#"{ "a": {"resource": "x"}, "resource" : "http://up/mcp" , "n": 1.50, "authorization_servers":["http://up"]}"#;
        let ours = br#"{ "a": {"resource": "x"}, "resource" : "http://me/mcp" , "n": 1.50, "authorization_servers":["http://up"]}"#;
        assert_eq!(with_resource(document, "http://me/mcp"), ours);
        for other in [&b"{}"[..], b"[]", b"no json", br#"{"resource":1}"#] {
            assert_eq!(with_resource(other, "http://me/mcp"), other);
        }
    }

    #[test]
    fn only_the_address_of_the_metadata_changes() {
        let known = "/.well-known/oauth-protected-resource";
        let ours = |value: &str, endpoint: &str, path: &str| {
            with_metadata_address(value.as_bytes(), "https://me", endpoint, path)
                .map(|value| String::from_utf8(value).expect("text"))
        };
        let given = format!(
            "Bearer error=\"x\", resource_metadata=\"http://up:1{known}/v1\", scope=\"a b\""
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
            "Bearer resource_metadata=\"http://up/else\"",
            "Bearer my_resource_metadata=1",
            "Bearer resource_metadata=\"open",
        ] {
            assert_eq!(ours(other, "/mcp", "/mcp"), None, "{other}");
        }
    }
}
