//! What does not get through.

use crate::support::{Peer, json as query};

use super::{Relay, answer_call, call, id_of, one_call, post};

/// Sends `request` to a relay and expects `status` and the end of the connection.
fn refused(relay: &Relay, request: &str, status: u16) {
    let mut client = relay.client();
    // The relay may have seen enough before all is written.
    let _ = client.try_write(request);
    let (head, body) = client
        .message()
        .unwrap_or_else(|error| panic!("{request:?}: {error}"));
    assert_eq!(head.status(), status, "{request:?}");
    assert!(head.header("x-archon-answer").is_some(), "{request:?}");
    assert!(id_of(&body).is_null());
    assert_eq!(head.header("connection"), Some("close"), "{request:?}");
    client.end();
    assert!(client.is_closed(), "{request:?}");
}

#[test]
fn what_two_parsers_could_read_in_two_ways_gets_400_and_goes_nowhere() {
    let relay = Relay::start(&[]);
    let inner = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        "X: a\r\n folded\r\n",
        " X: a\r\n",
        "X: a\nTransfer-Encoding: chunked\r\n",
        "X: a\rTransfer-Encoding: chunked\r\n",
        "X: a\0b\r\n",
        "X y: a\r\n",
        "no colon\r\n",
        "Host: other\r\n",
    ] {
        let request =
            format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n0\r\n\r\n{inner}");
        refused(&relay, &request, 400);
    }
    for chunks in [
        "5\r\nhelloX\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\na\r\n",
        "1 1\r\na\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "1\na\r\n",
        "1\r\na\n0\r\n\r\n",
        "1;a\nb\r\na\r\n",
        ";a\r\n",
        "\r\n",
        "0\r\nX: 1\n\r\n",
        "0\r\nX: 1\r\n folded\r\n\r\n",
    ] {
        let request = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{inner}"
        );
        refused(&relay, &request, 400);
    }
    for start in [
        "GET /mcp HTTP/1.1\nHost: localhost\n\n",
        "\nGET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /mcp\r\n\r\n",
        "GET /mcp HTTP/2.0\r\n\r\n",
        "GET  /mcp HTTP/1.1\r\n\r\n",
        "GET /m cp HTTP/1.1\r\n\r\n",
        "GET mcp HTTP/1.1\r\n\r\n",
        "CONNECT localhost:1 HTTP/1.1\r\n\r\n",
        "CONNECT /mcp HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n",
    ] {
        refused(&relay, start, 400);
    }
    // The first that the server ever hears of is a proper request.
    let mut client = relay.client();
    client.write(post("", &call(1)));
    answer_call(&mut client, &mut relay.upstream.accept(), 1);
    assert!(relay.upstream.is_quiet());
}

#[test]
fn a_broken_chunk_further_on_ends_both_connections() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    );
    let mut server = relay.upstream.accept();
    server.head().expect("a head");
    assert_eq!(server.chunk().expect("a chunk"), b"hello");
    client.write("zz\r\n");
    assert!(server.is_closed());
    let (head, _) = client.message().expect("an answer");
    assert_eq!(head.status(), 400);
}

#[test]
fn a_head_that_is_too_long_gets_431() {
    let relay = Relay::start(&[]);
    let long = "x".repeat(70 << 10);
    let many = "X: 1\r\n".repeat(129);
    for headers in [format!("X: {long}\r\n"), many, format!("X: {long}")] {
        refused(
            &relay,
            &format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"),
            431,
        );
    }
    refused(&relay, &format!("GET /{long} HTTP/1.1\r\n\r\n"), 431);
    // One that is just short enough passes.
    let mut client = relay.client();
    let long = "x".repeat(63 << 10);
    client.write(post(&format!("X: {long}\r\n"), &call(1)));
    let mut server = relay.upstream.accept();
    let (head, body) = server.message().expect("a request");
    assert_eq!(
        (head.header("x"), id_of(&body)),
        (Some(long.as_str()), 1.into())
    );
}

#[test]
fn other_sites_are_turned_away_and_the_connection_goes_on() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(post("", &call(0)));
    let mut server = relay.upstream.accept();
    answer_call(&mut client, &mut server, 0);
    for wrong in [
        post("", &call(1)).replace("Host: localhost", "Host: evil.example"),
        post("Origin: https://evil.example\r\n", &call(1)),
        post("Origin: null\r\n", &call(1)),
    ] {
        client.write(wrong);
        let (head, _) = client.message().expect("an answer");
        assert_eq!(
            (head.status(), head.header("x-archon-answer")),
            (403, Some("origin-refused"))
        );
        // Its body is not the next request.
        one_call(&mut client, &mut server, 2);
    }
    // A body that is still on its way when it is refused does not cost the client the answer.
    let mut client = relay.client();
    client.write("POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000000\r\n\r\n");
    let (head, _) = client.message().expect("an answer");
    assert_eq!(
        (head.status(), head.header("connection")),
        (403, Some("close"))
    );
    assert!(relay.upstream.is_quiet());
    let sessions = query(&relay.data_dir, &["sessions", "list"]);
    assert!(sessions["data"].is_array());
}

#[test]
fn health_is_answered_between_calls() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.write("HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.write("POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    client.write(post("", &call(1)));
    assert_eq!(client.message().expect("an answer").0.status(), 200);
    assert_eq!(client.head().expect("a head").status(), 200);
    assert_eq!(client.message().expect("an answer").0.status(), 405);
    let mut server: Peer = relay.upstream.accept();
    answer_call(&mut client, &mut server, 1);
}
