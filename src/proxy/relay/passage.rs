//! A request on its way to the server, and the beginning of its answer: both directions at once, with an eye on the
//! client.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use tokio::io::AsyncWrite;
use tokio::time::{Instant, Sleep};

use crate::tracking::{AnswerFacts, Exchange};
use crate::wire;

use super::super::buffer::Buffer;
use super::super::http1::{Framing, ResponseHead, no_headers};
use super::super::pool::Stream;
use super::{Client, Gone};

/// A request under way.
pub(super) struct Passage<'e> {
    pub(super) exchange: Option<&'e Exchange>,
    /// Of the request's body.
    pub(super) framing: Framing,
    /// Bytes at the front of the client's input that belong to the body and have been looked at. Of a body that is all
    /// there they stay until the answer begins, for it may have to be sent again.
    pub(super) ready: usize,
    pub(super) to_head: bool,
    pub(super) http_1_0: bool,
    pub(super) keep_alive: bool,
}

/// An answer whose head has been read.
pub(super) struct Started<'a, 'e> {
    pub(super) stream: Stream,
    /// What has been read of its body.
    pub(super) answer: Buffer<'a>,
    pub(super) framing: Framing,
    /// Whether the server's connection can be kept.
    pub(super) reusable: bool,
    /// Whether the client is told that its connection closes.
    pub(super) close: bool,
    pub(super) passage: Passage<'e>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The client went away.
    Gone,
    /// The request's body is no chunked coding.
    BadBody,
    /// The server did not begin its answer in time.
    TimedOut,
    /// There is no connection, or it broke; whether before any byte of an answer.
    Unreachable { why: String, before_answer: bool },
}

/// What happens while a request is under way.
#[derive(Debug)]
pub(super) enum Event {
    /// So many bytes of the answer came; 0 at its end.
    Answer(usize),
    /// The server's connection broke.
    Broke(io::Error),
    /// The client went away.
    ClientGone,
    /// The request's body is no chunked coding.
    BadBody,
    /// The server did not begin its answer in time.
    TimedOut,
}

impl<'e> Passage<'e> {
    /// Whether the request's body has been read to its end.
    pub(super) fn whole(&self) -> bool {
        self.framing.is_done()
    }

    /// The answer broke.
    pub(super) fn broken(&self, why: &str) -> Result<bool, Gone> {
        if let Some(exchange) = self.exchange {
            exchange.answer_broken(why);
        }
        Err(Gone)
    }

    /// Waits for the head of the answer, while the rest of the request's body goes out. `out` is the head as the client
    /// gets it afterwards; before an answer has begun it is left alone.
    pub(super) async fn start<'a>(
        &mut self,
        client: &mut Client<'a>,
        mut stream: Stream,
        out: &mut Vec<u8>,
    ) -> Result<Started<'a, 'e>, Unsent> {
        let kept = if self.whole() {
            self.ready
        } else {
            // What has been written will not be sent again.
            client.input.consume(std::mem::take(&mut self.ready));
            0
        };
        let mut answer = Buffer::new(&client.worker.buffers);
        loop {
            let unreachable = |why: String, answer: &Buffer<'_>| Unsent::Unreachable {
                why,
                before_answer: answer.is_empty(),
            };
            match self.next(client, &mut stream, &mut answer, true).await {
                Event::Answer(0) => {
                    let why = "the server closed the connection without an answer".to_owned();
                    return Err(unreachable(why, &answer));
                }
                Event::Answer(_) => {}
                Event::Broke(error) => return Err(unreachable(error.to_string(), &answer)),
                Event::ClientGone => return Err(Unsent::Gone),
                Event::BadBody => return Err(Unsent::BadBody),
                Event::TimedOut => return Err(Unsent::TimedOut),
            }
            let draining = client
                .standing
                .draining
                .load(std::sync::atomic::Ordering::Relaxed);
            while !answer.is_empty() {
                let head = match self.head(answer.filled(), draining, out) {
                    Ok(None) => break,
                    Ok(Some(head)) => head,
                    Err(why) => {
                        return Err(Unsent::Unreachable {
                            why,
                            before_answer: false,
                        });
                    }
                };
                answer.consume(head.length);
                if let Some((framing, reusable, close)) = head.last {
                    client.input.consume(kept);
                    self.ready = self.ready.saturating_sub(kept);
                    let passage = Self { ..*self };
                    return Ok(Started {
                        stream,
                        answer,
                        framing,
                        reusable,
                        close,
                        passage,
                    });
                }
            }
        }
    }

    /// Reads the head at the beginning of `bytes`, if it is all there, and puts it into `out` as the client gets it.
    fn head(
        &self,
        bytes: &[u8],
        draining: bool,
        out: &mut Vec<u8>,
    ) -> Result<Option<AnswerHead>, String> {
        let mut room = no_headers();
        let head = ResponseHead::read(bytes, &mut room, self.to_head);
        let Some(head) =
            head.map_err(|_| "its answer is no HTTP/1.1 that can be read".to_owned())?
        else {
            return Ok(None);
        };
        let status = StatusCode::from_u16(head.status)
            .map_err(|_| format!("it answered with status {}", head.status))?;
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Err("it switched protocols unasked".to_owned());
        }
        if status.is_informational() {
            // Between this server and us; the client's own `Expect` has been answered.
            return Ok(Some(AnswerHead {
                length: head.length,
                last: None,
            }));
        }
        let (kind, encoding) = (head.header("content-type"), head.header("content-encoding"));
        let facts = AnswerFacts {
            status,
            body: wire::body_kind(kind, encoding),
            minted: head.header("mcp-session-id"),
        };
        let session = self
            .exchange
            .and_then(|exchange| exchange.answer_head(facts));
        let chunked = head.framing.is_chunked() && !self.http_1_0;
        let unbounded =
            head.framing == Framing::UntilClose || (head.framing.is_chunked() && self.http_1_0);
        let close = !self.keep_alive || draining || unbounded || !self.whole();
        out.clear();
        let own = session
            .as_ref()
            .map(|id| ("X-Archon-Session-Id", id.as_bytes()));
        head.pass_on(bytes, own, chunked, close, out);
        Ok(Some(AnswerHead {
            length: head.length,
            last: Some((head.framing, head.keep_alive, close)),
        }))
    }

    /// Waits until something happens that somebody has to decide on. Meanwhile the rest of the request's body goes out.
    pub(super) async fn next(
        &mut self,
        client: &mut Client<'_>,
        stream: &mut Stream,
        answer: &mut Buffer<'_>,
        in_time: bool,
    ) -> Event {
        poll_fn(|cx| {
            match stream.poll_fill(cx, answer) {
                Poll::Ready(Ok(count)) => return Poll::Ready(Event::Answer(count)),
                Poll::Ready(Err(error)) => return Poll::Ready(Event::Broke(error)),
                Poll::Pending => {}
            }
            let client_side = if self.whole() {
                self.watch(client, cx)
            } else {
                self.pump(client, stream, cx)
            };
            if let Poll::Ready(event) = client_side {
                return Poll::Ready(event);
            }
            if in_time && client.deadline.poll(cx).is_ready() {
                return Poll::Ready(Event::TimedOut);
            }
            Poll::Pending
        })
        .await
    }

    /// Notices when a client leaves that has sent its whole request. What it sends ahead waits its turn, and as long as
    /// it waits nobody looks.
    fn watch(&self, client: &mut Client<'_>, cx: &mut Context<'_>) -> Poll<Event> {
        while client.input.filled().len() <= self.ready {
            match client.input.poll_fill_tcp(cx, &mut client.stream) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Event::ClientGone),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }

    /// Sends on what the client sends of its body.
    fn pump(
        &mut self,
        client: &mut Client<'_>,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Event> {
        loop {
            while self.ready > 0 {
                match Pin::new(&mut *stream).poll_write(cx, &client.input.filled()[..self.ready]) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Event::Broke(io::ErrorKind::WriteZero.into()));
                    }
                    Poll::Ready(Ok(count)) => {
                        client.input.consume(count);
                        self.ready -= count;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Event::Broke(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            if self.whole() {
                return Poll::Pending;
            }
            match client.input.poll_fill_tcp(cx, &mut client.stream) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Event::ClientGone),
                Poll::Pending => return Poll::Pending,
            }
            let exchange = self.exchange;
            let seen = self.framing.read(client.input.filled(), |data| {
                if let Some(exchange) = exchange {
                    exchange.request_data(data);
                }
            });
            let Ok(count) = seen else {
                return Poll::Ready(Event::BadBody);
            };
            self.ready = count;
            if let (true, Some(exchange)) = (self.whole(), exchange) {
                exchange.request_end();
            }
        }
    }
}

/// A head that was read: its length, and for the last one how its body is framed, whether the server's connection can
/// be kept, and whether the client's closes.
struct AnswerHead {
    length: usize,
    last: Option<(Framing, bool, bool)>,
}

/// When an answer must have begun. One timer serves all requests of a connection: it is set anew only when it fires.
#[derive(Debug)]
pub(super) struct Deadline {
    after: Duration,
    due: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(super) fn new(after: Duration) -> Self {
        let due = Instant::now() + after;
        Self {
            after,
            due,
            timer: Box::pin(tokio::time::sleep_until(due)),
        }
    }

    /// Counts from now on.
    pub(super) fn restart(&mut self) {
        self.due = Instant::now() + self.after;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= self.due {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.due);
        }
        Poll::Pending
    }
}
