//! HTTP/2 in front, with hyper's client.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::support::{eventually, json as query, sessions_until};

use super::{Relay, call, id_of, result};

type Sending = http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>;

async fn connect(relay: &Relay) -> SendRequest<Sending> {
    let address = relay.daemon.url.replace("http://", "").replace("/mcp", "");
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("connected");
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

fn request(method: &str, body: Sending) -> Request<Sending> {
    Request::builder()
        .method(method)
        .uri("http://localhost/mcp")
        .header("content-type", "application/json")
        .header("x-kept", "as it is")
        .body(body)
        .expect("a request")
}

fn whole(text: impl Into<Bytes>) -> Sending {
    Full::new(text.into()).boxed()
}

async fn read(answer: Response<Incoming>) -> Bytes {
    answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes()
}

/// A runtime that goes on by itself while the test does other things.
fn runtime() -> tokio::runtime::Handle {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}

#[test]
fn calls_over_http2_are_relayed_byte_by_byte_and_tracked() {
    let relay = Relay::start(&[]);
    let runtime = runtime();
    let mut client = runtime.block_on(connect(&relay));
    let mut server = None;
    for id in 1..=3 {
        // With a length, and without.
        let body = call(id);
        let sent = if id == 2 {
            let parts: Vec<_> = body
                .as_bytes()
                .chunks(7)
                .map(Bytes::copy_from_slice)
                .collect();
            Parts(parts.into_iter()).boxed()
        } else {
            whole(body.clone())
        };
        let answer = runtime.spawn(client.send_request(request("POST", sent)));
        let server = server.get_or_insert_with(|| relay.upstream.accept());
        let (head, seen) = server.message().expect("a request");
        assert_eq!(head.start, "POST /mcp HTTP/1.1");
        assert_eq!(
            (head.header("x-kept"), &*seen),
            (Some("as it is"), body.as_bytes())
        );
        server.write(result(id));
        let answer = runtime
            .block_on(answer)
            .expect("a task")
            .expect("an answer");
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("x-archon-session-id"));
        let told = runtime.block_on(read(answer));
        assert!(result(id).ends_with(std::str::from_utf8(&told).expect("text")));
    }
    let sessions = sessions_until(&relay.data_dir, "three calls", |sessions| {
        sessions
            .iter()
            .any(|session| session["total_requests"] == 3)
    });
    assert_eq!(sessions.len(), 1);
    // Our own answers come over it too.
    let wrong = Request::get("http://evil.example/mcp")
        .body(whole(""))
        .expect("a request");
    let answer = runtime
        .block_on(client.send_request(wrong))
        .expect("an answer");
    assert_eq!(answer.status(), 403);
    let answer = runtime.block_on(
        client.send_request(
            Request::get("http://localhost/health")
                .body(whole(""))
                .expect("a request"),
        ),
    );
    assert_eq!(answer.expect("an answer").status(), 200);
}

#[test]
fn events_pass_one_by_one_streams_are_independent_and_a_break_is_seen() {
    let relay = Relay::start(&[]);
    let runtime = runtime();
    let mut client = runtime.block_on(connect(&relay));
    let first = runtime.spawn(client.send_request(request("POST", whole(call(1)))));
    let mut one = relay.upstream.accept();
    one.message().expect("a request");
    let kind =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    one.write(kind);
    let mut first = runtime.block_on(first).expect("a task").expect("an answer");
    for number in 0..3 {
        let event = format!("data: {number}\n\n");
        one.write(format!("{:x}\r\n{event}\r\n", event.len()));
        let frame = runtime
            .block_on(first.frame())
            .expect("a frame")
            .expect("data");
        assert_eq!(frame.into_data().expect("data"), event);
        // Meanwhile another stream is answered.
        let second = runtime.spawn(client.send_request(request("POST", whole(call(10 + number)))));
        let mut two = relay.upstream.accept();
        let (_, body) = two.message().expect("a request");
        assert_eq!(id_of(&body), 10 + number);
        two.write(result(10 + number).replace("200 OK\r\n", "200 OK\r\nConnection: close\r\n"));
        let second = runtime
            .block_on(second)
            .expect("a task")
            .expect("an answer");
        assert_eq!(id_of(&runtime.block_on(read(second))), 10 + number);
    }
    // An answer that breaks does not look whole.
    drop(one);
    assert!(
        runtime
            .block_on(first.frame())
            .is_some_and(|frame| frame.is_err())
    );
    // A client that takes its request back is seen to leave.
    let asking = runtime.spawn(client.send_request(request("POST", whole(call(20)))));
    let mut server = relay.upstream.accept();
    server.message().expect("a request");
    asking.abort();
    assert!(server.is_closed());
    eventually("both in the record", || {
        let sessions = query(&relay.data_dir, &["sessions", "list"]);
        (sessions["data"][0]["total_requests"] == 5).then_some(())
    });
}

#[test]
fn a_large_body_passes_both_ways_as_it_is() {
    let relay = Relay::start(&[]);
    let runtime = runtime();
    let mut client = runtime.block_on(connect(&relay));
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let answer = runtime.spawn(client.send_request(request("PUT", whole(large.clone()))));
    let mut server = relay.upstream.accept();
    let (_, seen) = server.message().expect("a request");
    assert!(seen == large);
    let mut writer = server.writer();
    let copy = large.clone();
    let writing = std::thread::spawn(move || {
        use std::io::Write;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", copy.len());
        writer
            .write_all(head.as_bytes())
            .and_then(|()| writer.write_all(&copy))
            .expect("written");
    });
    let answer = runtime
        .block_on(answer)
        .expect("a task")
        .expect("an answer");
    assert!(runtime.block_on(read(answer)) == large);
    writing.join().expect("written");
}

/// A body in pieces, whose length nobody knows beforehand.
struct Parts(std::vec::IntoIter<Bytes>);

impl Body for Parts {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.get_mut().0.next().map(|part| Ok(Frame::data(part))))
    }
}
