//! A request of HTTP/2 as HTTP/1.1 (RFC 9113, section 8.3; RFC 9112).

use std::io;

use http::{Request, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncWriteExt, DuplexStream, WriteHalf};

/// Writes `request` to its end. The connection stays open behind it, for the answer.
pub(super) async fn send(
    request: Request<Incoming>,
    mut writer: WriteHalf<DuplexStream>,
) -> io::Result<WriteHalf<DuplexStream>> {
    let (head, mut body) = request.into_parts();
    let measured = head.headers.contains_key(header::CONTENT_LENGTH);
    let chunked = !measured && !body.is_end_stream();
    writer.write_all(&written(&head, chunked)).await?;
    while let Some(frame) = body.frame().await {
        // A client that takes its request back takes the stream back, and this ends with it.
        let frame = frame.map_err(io::Error::other)?;
        // Trailers mean nothing to MCP, and HTTP/1.1 servers hardly ever see any.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.is_empty() {
            continue;
        }
        if chunked {
            let size = format!("{:x}\r\n", data.len());
            writer.write_all(size.as_bytes()).await?;
        }
        writer.write_all(&data).await?;
        if chunked {
            writer.write_all(b"\r\n").await?;
        }
    }
    if chunked {
        writer.write_all(b"0\r\n\r\n").await?;
    }
    Ok(writer)
}

fn written(head: &http::request::Parts, chunked: bool) -> Vec<u8> {
    let path = head
        .uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    let mut out = format!("{} {path} HTTP/1.1\r\n", head.method).into_bytes();
    let named = head.uri.authority().map(|named| named.as_str().as_bytes());
    let host = named.or_else(|| {
        head.headers
            .get(header::HOST)
            .map(header::HeaderValue::as_bytes)
    });
    let mut line = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    };
    if let Some(host) = host {
        line("host", host);
    }
    // One line here, where HTTP/2 may have cut it (RFC 9113, section 8.2.3).
    let crumbs: Vec<_> = head
        .headers
        .get_all(header::COOKIE)
        .iter()
        .map(header::HeaderValue::as_bytes)
        .collect();
    if !crumbs.is_empty() {
        line("cookie", &crumbs.join(&b"; "[..]));
    }
    for (name, value) in &head.headers {
        // What belongs to one connection has no place in HTTP/2, and what waits for permission gets it from there.
        let left_out = [
            header::HOST,
            header::COOKIE,
            header::EXPECT,
            header::CONNECTION,
            header::TRANSFER_ENCODING,
            header::UPGRADE,
        ];
        if !left_out.contains(name) {
            line(name.as_str(), value.as_bytes());
        }
    }
    if chunked {
        line("transfer-encoding", b"chunked");
    }
    out.extend_from_slice(b"\r\n");
    out
}
