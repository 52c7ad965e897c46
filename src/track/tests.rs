//! What passes through the layer: unchanged, at once, and recorded before its end goes on.

use std::convert::Infallible;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use http::{Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tower::{Layer, ServiceExt, service_fn};

use super::{Error, Options, Tracking};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"hand","version":"1"}}}}"#;
const PROGRESS: &str = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n";
const ANSWER: &str = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";

/// What is sent to it, as frames.
struct Frames(Receiver<&'static str>);

impl Stream for Frames {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let next = self.0.poll_recv(cx);
        next.map(|text| text.map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }
}

fn call() -> Request<Full<Bytes>> {
    Request::post("/mcp")
        .header(header::CONTENT_TYPE, "application/json")
        .header("MCP-Protocol-Version", "2026-07-28")
        .body(Full::new(Bytes::from_static(CALL.as_bytes())))
        .expect("a request")
}

/// A server that answers with the frames that are sent to it, once it has read all of the request.
fn server() -> (Sender<&'static str>, Frames) {
    let (sender, receiver) = channel(1);
    (sender, Frames(receiver))
}

#[tokio::test]
async fn frames_go_on_one_by_one_and_the_record_is_there_before_the_last() {
    let root = tempfile::tempdir().expect("a directory");
    let tracking = Tracking::start(Options::new("unit", root.path()))
        .await
        .expect("it starts");
    let (sender, frames) = server();
    let mut frames = Some(frames);
    let service = service_fn(move |request: Request<_>| {
        let frames = frames.take();
        async move {
            let read = BodyExt::collect(request.into_body()).await.expect("read");
            assert_eq!(read.to_bytes(), CALL.as_bytes());
            let body = StreamBody::new(frames.expect("called once"));
            let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream");
            Ok::<_, Infallible>(response.body(body).expect("a response"))
        }
    });
    let tracked = tracking.layer().layer(service);
    let answer = tracked.oneshot(call()).await.expect("answered");
    assert!(answer.headers().contains_key("x-archon-session-id"));
    let mut body = answer.into_body();
    let recorded = || tracking.shared.tracker.counters.recorded.sum();
    for (text, records) in [(PROGRESS, 0), (ANSWER, 1)] {
        // The next one is there only once this one has come through.
        sender.send(text).await.expect("somebody listens");
        let frame = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(frame.into_data().expect("data"), text.as_bytes());
        assert_eq!(recorded(), records, "{text}");
    }
    drop(sender);
    assert!(body.frame().await.is_none());
    assert_eq!(recorded(), 1);
    drop(body);
    assert!(tracking.stop().await);
    let left = std::fs::read_dir(root.path().join("journal")).expect("the journals' folder");
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn what_nobody_can_have_meant_is_refused() {
    let root = tempfile::tempdir().expect("a directory");
    let mut wrong = vec![Options::new("no name", root.path()), Options::new("x", "")];
    let mut zero = Options::new("x", root.path());
    zero.session_timeout = std::time::Duration::ZERO;
    wrong.push(zero);
    for options in wrong {
        let refused = Tracking::start(options).await.expect_err("refused");
        assert!(matches!(refused, Error::Option { .. }), "{refused}");
    }
    let mut secret = Options::new("x", root.path());
    secret.database_url = Some("mysql://ada:secret@example.com/x".to_owned());
    assert!(!format!("{secret:?}").contains("secret"));
    let refused = Tracking::start(secret).await.expect_err("refused");
    assert!(matches!(refused, Error::Location(_)), "{refused}");
}
