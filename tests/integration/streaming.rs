//! What passes, and when: events one by one as they arrive, bodies byte for byte however they are cut.

use serde_json::json;

use crate::support::{
    Daemon, Scripted, json as query, new_data_dir, send, send_raw, sessions_until,
};

const JSON: &str = "content-type: application/json\r\n";

fn behind(server: &Scripted) -> (tempfile::TempDir, std::path::PathBuf, Daemon) {
    let (root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--upstream", &server.url]);
    (root, data_dir, daemon)
}

/// A modern request, so that no handshake is needed.
fn call() -> String {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"}, "io.modelcontextprotocol/clientCapabilities": {}});
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "slow", "arguments": {}, "_meta": meta}}).to_string()
}

fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// Rule: transparency/events, durability/end-is-the-frame
#[test]
fn events_pass_one_by_one_as_they_arrive() {
    let server = Scripted::start();
    let (_root, data_dir, daemon) = behind(&server);
    let url = daemon.url.clone();
    let answering =
        std::thread::spawn(move || send(&url, "POST", JSON, call().as_bytes()).expect("answered"));
    let mut upstream = server.request();
    assert_eq!(upstream.body().expect("a body"), call().as_bytes());
    upstream.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    let mut client = answering.join().expect("the head comes before any event");
    assert_eq!(
        (client.status(), client.header("content-type")),
        (200, Some("text/event-stream"))
    );
    let events = [
        "id: 1\ndata:\n\n".to_owned(),
        ": keep-alive\n\n".to_owned(),
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n".to_owned(),
        "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[]}}\n\n".to_owned(),
    ];
    for event in &events {
        // The next one is not sent before this one has come through.
        upstream.write(&chunk(event.as_bytes()));
        let mut seen = Vec::new();
        while seen.len() < event.len() {
            seen.extend(client.chunk().expect("open").expect("not ended"));
        }
        assert_eq!(seen, event.as_bytes());
    }
    // The answer is complete with its frame, not with the end of the stream.
    let done = |sessions: &[serde_json::Value]| {
        sessions
            .iter()
            .any(|session| session["total_requests"] == 1)
    };
    let sessions = sessions_until(&data_dir, "the call, its stream still open", done);
    upstream.write(b"0\r\n\r\n");
    assert_eq!(client.chunk().expect("a proper end"), None);
    let id = sessions[0]["session_id"].as_str().expect("an id");
    let row = &query(&data_dir, &["sessions", "show", id])["data"]["requests"][0];
    assert_eq!(
        (&row["status"], &row["tool_name"]),
        (&json!("success"), &json!("slow"))
    );
}

/// Rule: transparency/events
#[test]
fn compressed_events_pass_untouched_and_are_tracked_as_they_come() {
    use std::io::Write;

    let server = Scripted::start();
    let (_root, data_dir, daemon) = behind(&server);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(call().as_bytes()).expect("taken");
    let asked = gzip.finish().expect("ended");
    let (url, body) = (daemon.url.clone(), asked.clone());
    let headers = format!("{JSON}content-encoding: gzip\r\n");
    let answering =
        std::thread::spawn(move || send(&url, "POST", &headers, &body).expect("answered"));
    let mut upstream = server.request();
    assert_eq!(upstream.body().expect("a body"), asked, "as it was sent");
    upstream.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    let mut client = answering.join().expect("the head comes before any event");
    assert_eq!(client.header("content-encoding"), Some("gzip"));
    let mut events = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    events
        .write_all(b"data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[]}}\n\n")
        .expect("taken");
    events.flush().expect("flushed");
    let flushed = events.get_ref().clone();
    upstream.write(&chunk(&flushed));
    let mut seen = Vec::new();
    while seen.len() < flushed.len() {
        seen.extend(client.chunk().expect("open").expect("not ended"));
    }
    assert_eq!(seen, flushed);
    // The stream is still open: its end is not waited for.
    let done = |sessions: &[serde_json::Value]| {
        sessions
            .iter()
            .any(|session| session["total_requests"] == 1)
    };
    let sessions = sessions_until(&data_dir, "the call, its stream still open", done);
    let id = sessions[0]["session_id"].as_str().expect("an id");
    let row = &query(&data_dir, &["sessions", "show", id])["data"]["requests"][0];
    assert_eq!(
        (&row["status"], &row["tool_name"], &row["bytes_in"]),
        (&json!("success"), &json!("slow"), &json!(asked.len()))
    );
}

#[test]
fn an_event_cut_into_single_bytes_is_tracked_and_comes_whole() {
    let server = Scripted::start();
    let (_root, data_dir, daemon) = behind(&server);
    let url = daemon.url.clone();
    let client = std::thread::spawn(move || {
        let mut answer = send(&url, "POST", JSON, call().as_bytes()).expect("answered");
        answer.body().expect("a body")
    });
    let mut upstream = server.request();
    upstream.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    let event = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32602,\"message\":\"nö\"}}\r\n\r\n";
    for byte in event.as_bytes() {
        upstream.write(&chunk(&[*byte]));
    }
    upstream.write(b"0\r\n\r\n");
    assert_eq!(client.join().expect("the client"), event.as_bytes());
    let failed = |sessions: &[serde_json::Value]| {
        sessions
            .iter()
            .any(|session| session["failed_requests"] == 1)
    };
    let sessions = sessions_until(&data_dir, "the failed call", failed);
    let id = sessions[0]["session_id"].as_str().expect("an id");
    let row = &query(&data_dir, &["sessions", "show", id])["data"]["requests"][0];
    assert_eq!(row["error_message"], "-32602: nö");
}

/// Bytes of no pattern that any buffer could hide behind (a linear congruence, Numerical Recipes).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// `data` as chunks of `sizes`, again and again, and the last chunk.
fn chunked(data: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (mut coded, mut rest, mut sizes) = (Vec::new(), data, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).min(rest.len());
        let (piece, after) = rest.split_at(size);
        coded.extend(chunk(piece));
        rest = after;
    }
    coded.extend(b"0\r\n\r\n");
    coded
}

/// Rule: transparency/as-they-are, transparency/unparsed
#[test]
fn bodies_pass_byte_for_byte_both_ways() {
    const CHUNKED: &str = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
    let server = Scripted::start();
    let (_root, _data_dir, daemon) = behind(&server);
    for length in [0, 1, 4_095, 65_537, 1_000_003] {
        let data = noise(length);
        let framed = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        let codings = [
            (framed.as_str(), data.clone()),
            (CHUNKED, chunked(&data, &[1_000_000])),
            (CHUNKED, chunked(&data, &[1, 2, 3, 8_191, 8_192, 8_193])),
        ];
        for (headers, coded) in &codings {
            std::thread::scope(|scope| {
                let client = scope.spawn(|| {
                    let mut answer =
                        send_raw(&daemon.url, "POST", headers, coded).expect("answered");
                    (answer.status(), answer.body().expect("a body"))
                });
                let mut upstream = server.request();
                assert!(
                    upstream.body().expect("a body") == data,
                    "{length} bytes to the server, {headers}"
                );
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}\r\n");
                upstream.write(&[head.as_bytes(), coded].concat());
                let (status, body) = client.join().expect("the client");
                assert!(
                    status == 200 && body == data,
                    "{length} bytes to the client, {headers}"
                );
            });
        }
    }
}

/// Rule: transparency/as-they-are
#[test]
fn a_body_that_ends_with_the_connection_passes_whole() {
    let server = Scripted::start();
    let (_root, _data_dir, daemon) = behind(&server);
    let data = noise(100_000);
    let url = daemon.url.clone();
    let client = std::thread::spawn(move || {
        let mut answer = send(&url, "POST", JSON, call().as_bytes()).expect("answered");
        answer.body().expect("a body")
    });
    let mut upstream = server.request();
    upstream
        .write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n");
    upstream.write(&data);
    drop(upstream);
    assert!(client.join().expect("the client") == data);
}
