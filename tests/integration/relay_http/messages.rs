//! Where messages end, in every way in which HTTP/1.1 can say it, and which headers belong to one connection only.

use super::{Relay, answer_call, call, id_of, one_call, post, result};

const GET: &str = "GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn pipelined_requests_are_answered_in_order() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    let requests: Vec<String> = (1..=20).map(|id| post("", &call(id))).collect();
    client.write(requests.concat());
    let mut server = relay.upstream.accept();
    for id in 1..=20 {
        let (_, body) = server.message().expect("a request");
        assert_eq!(id_of(&body), id);
        server.write(result(id));
    }
    for id in 1..=20 {
        let (_, body) = client.message().expect("an answer");
        assert_eq!(id_of(&body), id);
    }
}

#[test]
fn answers_without_a_body_leave_the_connections_usable() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(post("", &call(0)));
    let mut server = relay.upstream.accept();
    answer_call(&mut client, &mut server, 0);
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
        ),
        (
            "DELETE",
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        ),
    ] {
        client.write(format!("{method} /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let request = server.head().expect("a request");
        assert_eq!(request.start, format!("{method} /mcp HTTP/1.1"));
        server.write(answer);
        let head = client.head().expect("a head");
        assert!(answer.starts_with(&head.start), "{}", head.start);
        if answer.contains("99") {
            assert_eq!(head.header("content-length"), Some("99"));
        }
    }
    one_call(&mut client, &mut server, 1);
}

#[test]
fn an_old_client_gets_the_data_of_chunks_alone_and_then_the_end() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write("GET /mcp HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n");
    let mut server = relay.upstream.accept();
    assert_eq!(server.head().expect("a head").start, "GET /mcp HTTP/1.1");
    server.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n4\r\n");
    let head = client.head().expect("a head");
    assert_eq!(
        (head.status(), head.header("connection")),
        (200, Some("close"))
    );
    assert_eq!(head.header("transfer-encoding"), None);
    server.write("defg\r\n0\r\nA: b\r\n\r\n");
    assert_eq!(client.rest().expect("the rest"), b"abcdefg");
    // The server's connection is as good as before.
    one_call(&mut relay.client(), &mut server, 1);
}

#[test]
fn an_answer_that_ends_with_its_connection_passes_and_ends_with_it() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(GET);
    let mut server = relay.upstream.accept();
    server.head().expect("a request");
    server.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\nsome");
    let head = client.head().expect("a head");
    assert_eq!(head.header("connection"), Some("close"));
    assert_eq!(client.exactly(4).expect("at once"), b"some");
    server.write(" more");
    drop(server);
    assert_eq!(client.rest().expect("a proper end"), b" more");
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it_once() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    let request = post("Expect: 100-continue\r\n", &call(1));
    let (head, body) = request.split_at(request.len() - call(1).len());
    client.write(head);
    assert_eq!(client.head().expect("go on").status(), 100);
    let mut server = relay.upstream.accept();
    assert_eq!(server.head().expect("a head").header("expect"), None);
    // What the server says of its own in between is for the relay.
    server.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    client.write(body);
    assert_eq!(
        server.exactly(body.len()).expect("the body"),
        body.as_bytes()
    );
    server.write("HTTP/1.1 102 Processing\r\n\r\n");
    server.write(result(1));
    let (head, body) = client.message().expect("an answer");
    assert_eq!((head.status(), id_of(&body)), (200, 1.into()));
    one_call(&mut client, &mut server, 2);
}

/// Rule: transparency/hop-by-hop
#[test]
fn headers_of_the_connection_stop_here_in_both_directions() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    let hops = "connection: X-Hop,keep-alive, x-other\r\nX-HOP: 1\r\nx-other: 1\r\nX-Stays: 1\r\nKeep-Alive: a\r\n\
        Proxy-Connection: a\r\nTE: trailers\r\nUpgrade: h2c\r\nTrailer: x-t\r\n";
    client.write(post(hops, &call(1)));
    let mut server = relay.upstream.accept();
    let (head, _) = server.message().expect("a request");
    let names = |head: &crate::support::Head| -> Vec<String> {
        head.headers.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(
        names(&head),
        [
            "host",
            "content-type",
            "content-length",
            "x-stays",
            "trailer"
        ]
    );
    let authority = relay
        .upstream
        .url
        .replace("http://", "")
        .replace("/mcp", "");
    assert_eq!(head.header("host"), Some(authority.as_str()));
    server.write(format!(
        "HTTP/1.1 500 Oh\r\n{hops}Content-Length: 0\r\n\r\n"
    ));
    let (head, _) = client.message().expect("an answer");
    assert_eq!(head.start, "HTTP/1.1 500 Oh");
    assert_eq!(
        names(&head),
        [
            "x-stays",
            "trailer",
            "content-length",
            "x-archon-session-id"
        ],
        "and what is added is ours"
    );
    one_call(&mut client, &mut server, 2);
}

#[test]
fn a_length_that_connection_names_still_says_where_the_body_ends() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(post("Connection: content-length\r\n", GET));
    let mut server = relay.upstream.accept();
    let (head, body) = server.message().expect("a request");
    assert!(head.start.starts_with("POST"), "{}", head.start);
    assert_eq!(body, GET.as_bytes());
    server.write("HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(client.message().expect("an answer").1, b"{}");
    one_call(&mut client, &mut server, 2);
}

#[test]
fn what_a_client_asks_to_close_is_closed() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(post("Connection: close\r\n", &call(1)));
    let mut server = relay.upstream.accept();
    answer_call(&mut client, &mut server, 1);
    assert!(client.is_closed());
    // What a server asks to close is not used again.
    let mut client = relay.client();
    client.write(GET);
    server.head().expect("on the kept connection");
    server.write("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n");
    let (head, _) = client.message().expect("an answer");
    assert_eq!(head.header("connection"), None);
    assert!(server.is_closed());
    client.write(post("", &call(2)));
    answer_call(&mut client, &mut relay.upstream.accept(), 2);
}
