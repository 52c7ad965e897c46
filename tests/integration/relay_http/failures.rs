//! A client that leaves, a server that leaves, a server that does not answer, a daemon that is stopped.

use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

use crate::support::{Daemon, Peer, eventually, json as query, new_data_dir, sessions_until};

use super::{Relay, answer_call, call, id_of, one_call, post, result};

#[test]
fn a_kept_connection_that_the_server_closes_unasked_costs_no_call() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    for id in 1..=100 {
        let request = post("", &call(id));
        // In one piece, and head and body apart: either can be sent once more.
        let (head, body) = request.split_at(request.len() - call(id).len());
        let pieces = if id % 2 == 0 {
            vec![request.as_str()]
        } else {
            vec![head, body]
        };
        for piece in pieces {
            client.write(piece);
        }
        let mut server = relay.upstream.accept();
        answer_call(&mut client, &mut server, id);
        drop(server);
    }
}

#[test]
fn a_call_that_met_a_closing_connection_is_sent_once_more_and_not_twice() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    for id in [1, 11, 21] {
        client.write(post("", &call(id)));
        let mut server = relay.upstream.accept();
        answer_call(&mut client, &mut server, id);
        // The server takes the next request and closes.
        let (head, body) = (post("", ""), call(id + 1));
        client.write(head.replace("Length: 0", &format!("Length: {}", body.len())));
        assert!(server.head().is_ok());
        client.write(&body[..10]);
        assert_eq!(
            server.exactly(10).expect("in pieces"),
            &body.as_bytes()[..10]
        );
        leave(server, id == 21);
        client.write(&body[10..]);
        let mut fresh = relay.upstream.accept();
        let (_, seen) = fresh.message().expect("all of it, once more");
        assert_eq!(id_of(&seen), id + 1);
        if id == 1 {
            fresh.write(result(id + 1));
            assert_eq!(client.message().expect("an answer").0.status(), 200);
        }
        // The fresh one closes too.
        if id == 1 {
            client.write(post("", &call(id + 2)));
            fresh.message().expect("on the kept connection");
            drop(fresh);
            fresh = relay.upstream.accept();
            fresh.message().expect("once more");
        }
        drop(fresh);
        let (head, _) = client.message().expect("an answer");
        assert_eq!(
            (head.status(), head.header("x-archon-answer")),
            (502, Some("upstream-unreachable"))
        );
        assert!(relay.upstream.is_quiet());
    }
}

#[test]
fn a_fresh_connection_that_closes_is_a_502_and_nothing_is_sent_twice() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    for (id, said) in [
        (1, ""),
        (2, "HTTP/1.1 100 Continue\r\n\r\n"),
        (3, "HTTP/1.1 200 O"),
        (4, "nonsense\r\n\r\n"),
        (5, "HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        (
            6,
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ),
    ] {
        client.write(post("", &call(id)));
        let mut server = relay.upstream.accept();
        server.message().expect("a request");
        server.write(said);
        drop(server);
        let (head, body) = client.message().expect("an answer");
        assert_eq!((head.status(), id_of(&body)), (502, id.into()), "{said}");
    }
    client.write(post("", &call(9)));
    answer_call(&mut client, &mut relay.upstream.accept(), 9);
    assert!(relay.upstream.is_quiet());
}

#[test]
fn what_a_kept_connection_began_to_answer_is_not_sent_again() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(post("", &call(1)));
    let mut server = relay.upstream.accept();
    answer_call(&mut client, &mut server, 1);
    client.write(post("", &call(2)));
    server.message().expect("a request");
    server.write("HTTP/1.1 103 Early Hints\r\n\r\n");
    drop(server);
    let (head, body) = client.message().expect("an answer");
    assert_eq!((head.status(), id_of(&body)), (502, 2.into()));
    assert!(relay.upstream.is_quiet());
}

#[test]
fn an_answer_that_breaks_is_broken_for_the_client_too() {
    let relay = Relay::start(&[]);
    let kind = "Content-Type: text/event-stream\r\n";
    for (version, framing, reset) in [
        ("1.1", "Content-Length: 100\r\n", true),
        ("1.1", "Content-Length: 100\r\n", false),
        ("1.1", "Transfer-Encoding: chunked\r\n", true),
        ("1.1", "Transfer-Encoding: chunked\r\n", false),
        ("1.0", "Transfer-Encoding: chunked\r\n", true),
        ("1.0", "Transfer-Encoding: chunked\r\n", false),
        // Here the end of the connection is the end of the body, unless it is a reset.
        ("1.1", "", true),
    ] {
        let mut client = relay.client();
        client.write(post("", &call(1)).replace("HTTP/1.1", &format!("HTTP/{version}")));
        let mut server = relay.upstream.accept();
        server.message().expect("a request");
        server.write(format!(
            "HTTP/1.1 200 OK\r\n{kind}{framing}\r\n1e\r\ndata: 1\n\n"
        ));
        let head = client.head().expect("a head");
        let sizes = if version == "1.0" { 0 } else { 4 };
        client.exactly(sizes + 9).expect("what came");
        leave(server, reset);
        if version == "1.0" || framing.is_empty() {
            client.rest().expect_err("no proper end");
        } else {
            assert!(client.is_closed(), "{head:?}");
        }
    }
    let failed = |sessions: &[serde_json::Value]| {
        sessions
            .iter()
            .any(|session| session["failed_requests"] == 7)
    };
    sessions_until(&relay.data_dir, "seven broken calls", failed);
}

#[test]
fn the_servers_connection_ends_when_its_client_leaves() {
    let relay = Relay::start(&[]);
    let stream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:a\n\r\n";
    for reset in [false, true] {
        // Before the answer; the body came in a piece of its own.
        let mut client = relay.client();
        let request = post("", &call(1));
        client.write(&request[..request.len() - 5]);
        let mut server = relay.upstream.accept();
        server.head().expect("a head");
        server
            .exactly(call(1).len() - 5)
            .expect("the body's beginning");
        client.write(&request[request.len() - 5..]);
        server.exactly(5).expect("the body's end");
        leave(client, reset);
        assert!(server.is_closed());
        // In the middle of the answer.
        let mut client = relay.client();
        client.write(post("", &call(2)));
        let mut server = relay.upstream.accept();
        server.message().expect("a request");
        server.write(stream);
        client.head().expect("a head");
        leave(client, reset);
        assert!(server.is_closed());
        // In the middle of its request.
        let mut client = relay.client();
        client.write(&request[..request.len() - 5]);
        let mut server = relay.upstream.accept();
        server.head().expect("a head");
        server
            .exactly(call(1).len() - 5)
            .expect("the body's beginning");
        leave(client, reset);
        assert!(server.is_closed());
    }
    let mut client = relay.client();
    client.write(post("", &call(3)));
    answer_call(&mut client, &mut relay.upstream.accept(), 3);
}

/// Rule: operation/timeout
#[test]
fn a_server_that_does_not_answer_is_a_504_with_the_id() {
    let relay = Relay::start(&["--request-timeout", "200ms"]);
    let mut client = relay.client();
    client.write(post("", &call(41)));
    let mut server = relay.upstream.accept();
    server.message().expect("a request");
    let (head, body) = client.message().expect("an answer");
    assert_eq!((head.status(), id_of(&body)), (504, 41.into()));
    assert_eq!(head.header("x-archon-answer"), Some("upstream-timeout"));
    // What it answers too late goes nowhere.
    assert!(server.is_closed());
}

#[test]
fn an_answer_that_has_begun_may_take_as_long_as_it_likes() {
    let relay = Relay::start(&["--request-timeout", "2s"]);
    let mut client = relay.client();
    client.write(post("", &call(42)));
    let mut server = relay.upstream.accept();
    server.message().expect("a request");
    let answer = result(42);
    server.write(&answer[..answer.len() - 5]);
    client.head().expect("a head");
    let mut other = relay.client();
    other.write(post("", &call(43)));
    let mut silent = relay.upstream.accept();
    silent.message().expect("a request");
    assert_eq!(other.message().expect("later").0.status(), 504);
    server.write(&answer[answer.len() - 5..]);
    client
        .exactly(answer.len() - answer.find('{').expect("a body"))
        .expect("the body");
    one_call(&mut client, &mut server, 44);
}

#[test]
fn a_server_that_is_away_is_a_502_with_the_id() {
    let (_root, data_dir) = new_data_dir();
    // Bound, so that no other test gets the port, and not listening.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).expect("a port");
    let address = socket.local_addr().expect("an address").as_socket();
    let url = format!("http://{}/mcp", address.expect("of IPv4"));
    let daemon = Daemon::start(&data_dir, &["--upstream", &url]);
    let mut client = Peer::connect(&daemon.url);
    for id in 1..4 {
        let request = post("", &call(id));
        // The id is in a part of the body that comes after the refusal.
        let cut = request.len() - if id == 1 { 0 } else { 5 };
        client.write(&request[..cut]);
        client.write(&request[cut..]);
        let (head, body) = client.message().expect("an answer");
        assert_eq!((head.status(), id_of(&body)), (502, id.into()));
    }
}

#[test]
fn a_drain_lets_an_answer_finish_and_cuts_what_is_idle_or_held() {
    let relay = Relay::start(&["--drain-timeout", "30s"]);
    let mut idle = relay.client();
    idle.write(post("", &call(1)));
    let mut kept = relay.upstream.accept();
    answer_call(&mut idle, &mut kept, 1);
    let mut held = relay.client();
    held.write("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nX-Archon-Session-Id: ");
    held.write(format!("{}\r\n\r\n", session(&relay)));
    kept.head().expect("on the kept connection");
    kept.write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    assert_eq!(held.head().expect("a head").status(), 200);
    let mut busy = relay.client();
    busy.write(post("", &call(2)));
    let mut server = relay.upstream.accept();
    server.message().expect("a request");
    let answer = result(2);
    let cut = answer.len() - 5;
    server.write(&answer[..cut]);
    busy.head().expect("a head");
    relay.daemon.signal("TERM");
    assert!(idle.is_closed());
    server.write(&answer[cut..]);
    let body = answer.split("\r\n\r\n").nth(1).expect("a body");
    assert_eq!(
        busy.exactly(body.len()).expect("all of it"),
        body.as_bytes()
    );
    assert!(busy.is_closed());
    assert!(held.is_closed());
    relay.daemon.wait();
    let sessions = query(&relay.data_dir, &["sessions", "list"]);
    let session = &sessions["data"][0];
    assert_eq!(
        (&session["disconnect_reason"], &session["total_requests"]),
        (&"server_shutdown".into(), &2.into())
    );
    assert_eq!(session["failed_requests"], 0);
}

fn leave(peer: Peer, reset: bool) {
    if reset {
        peer.reset();
    }
}

/// The session that there is.
fn session(relay: &Relay) -> String {
    eventually("a session", || {
        let sessions = query(&relay.data_dir, &["sessions", "list"]);
        sessions["data"][0]["session_id"]
            .as_str()
            .map(str::to_owned)
    })
}
