//! A client's connection, relayed to a server behind a connection: request by request, byte by byte.

mod deadline;
mod own;
mod passage;
mod write;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tracking::{Exchange, Group, RequestFacts};

use super::answers::OwnAnswer;
use super::buffer::{Buffer, Buffers};
use super::http1::{BadHead, Framing, RequestHead, no_headers};
use super::pool::{Pool, Stream, connect};
use super::upstream::Remote;
use super::{Proxy, guard, is_endpoint, is_health};

use deadline::Deadline;
use passage::{Event, Passage, Started, Unsent};
use write::write_both;

/// How long a client that is still sending may take to see that its connection closes.
const LINGER: Duration = Duration::from_secs(2);

/// What one worker's connections share.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) proxy: Arc<Proxy>,
    pub(super) pool: Pool,
    pub(super) buffers: Buffers,
    pub(super) group: Arc<Group>,
}

/// What a connection and the one who stops it tell each other.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Between two requests: it may be cut.
    pub(super) idle: AtomicBool,
    /// No further request is to be taken.
    pub(super) draining: AtomicBool,
}

/// The client is gone, or the connection cannot go on.
#[derive(Debug)]
pub(super) struct Gone;

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// What is done with a request.
enum Plan {
    Forward(Forward),
    Own {
        answer: OwnAnswer,
        head_length: usize,
        framing: Framing,
        to_head: bool,
        keep_alive: bool,
    },
}

/// A request to be relayed.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that the head says"
)]
struct Forward {
    /// `None` outside the endpoint (authorisation metadata, for one): that passes untracked.
    exchange: Option<Box<Exchange>>,
    head_length: usize,
    framing: Framing,
    keep_alive: bool,
    http_1_0: bool,
    to_head: bool,
    expects_continue: bool,
}

/// A client's connection.
struct Client<'a> {
    worker: &'a Worker,
    remote: &'a Remote,
    stream: TcpStream,
    input: Buffer<'a>,
    principal: Arc<str>,
    deadline: Deadline,
    standing: &'a Standing,
    /// Whether the client may still be sending when the connection closes.
    sending: bool,
    /// What followed the last request, ready to follow the next.
    spare: Option<Box<Exchange>>,
}

/// Serves one client until it leaves or asks to close.
pub(super) async fn connection(
    worker: &Worker,
    remote: &Remote,
    stream: TcpStream,
    principal: Arc<str>,
    standing: &Standing,
) -> Result<(), Gone> {
    let deadline = Deadline::new(worker.proxy.options.request_timeout);
    let input = Buffer::new(&worker.buffers);
    let mut client = Client {
        worker,
        remote,
        stream,
        input,
        principal,
        deadline,
        standing,
        sending: false,
        spare: None,
    };
    let mut out = Vec::with_capacity(2 << 10);
    while client.serve(&mut out).await? {
        out.clear();
    }
    let _ = client.stream.shutdown().await;
    if client.sending || !client.input.is_empty() {
        // Closing now would reset the connection, and what has been answered could be lost with it.
        let _ = tokio::time::timeout(LINGER, discard(&mut client.stream)).await;
    }
    Ok(())
}

async fn discard(stream: &mut TcpStream) {
    let mut room = vec![0; 16 << 10];
    while stream.read(&mut room).await.is_ok_and(|count| count > 0) {}
}

impl<'a> Client<'a> {
    /// Serves one request; says whether the connection can serve another.
    async fn serve(&mut self, out: &mut Vec<u8>) -> Result<bool, Gone> {
        let plan = loop {
            if !self.input.is_empty() {
                match self.plan(out) {
                    Ok(Some(plan)) => break plan,
                    Ok(None) => {}
                    Err(bad) => {
                        let status = match bad {
                            BadHead::TooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                            _ => StatusCode::BAD_REQUEST,
                        };
                        let answer =
                            OwnAnswer::error(status, "bad-request", &bad.to_string(), None);
                        self.sending = true;
                        return self.own(&answer, false, false, out).await;
                    }
                }
            } else if self.standing.draining.load(Ordering::Relaxed) {
                return Ok(false);
            }
            self.standing
                .idle
                .store(self.input.is_empty(), Ordering::Relaxed);
            let read =
                std::future::poll_fn(|cx| self.input.poll_fill_tcp(cx, &mut self.stream)).await;
            self.standing.idle.store(false, Ordering::Relaxed);
            if read? == 0 {
                return Err(Gone);
            }
        };
        match plan {
            Plan::Forward(forward) => self.forward(forward, out).await,
            Plan::Own {
                answer,
                head_length,
                mut framing,
                to_head,
                keep_alive,
            } => {
                self.input.consume(head_length);
                let taken = framing.read(self.input.filled(), |_| {});
                // A body that is not sound is not over either.
                self.input.consume(taken.unwrap_or(0));
                self.sending = !framing.is_done();
                self.own(&answer, to_head, keep_alive && framing.is_done(), out)
                    .await
            }
        }
    }

    /// Decides on the request at the beginning of the input, if its head is all there. For one to be relayed, `out` is
    /// the head that the server gets.
    fn plan(&mut self, out: &mut Vec<u8>) -> Result<Option<Plan>, BadHead> {
        let mut spare = self.spare.take();
        let (proxy, mut room) = (&*self.worker.proxy, no_headers!());
        let Some(head) = RequestHead::read(self.input.filled(), &mut room)? else {
            self.spare = spare;
            return Ok(None);
        };
        let own = |answer| Plan::Own {
            answer,
            head_length: head.length,
            framing: head.framing,
            to_head: head.method == "HEAD",
            keep_alive: head.keep_alive,
        };
        if proxy.options.guard_loopback
            && let Some(why) = guard::refusal(head.host, head.origin)
        {
            return Ok(Some(own(OwnAnswer::error(
                StatusCode::FORBIDDEN,
                "origin-refused",
                why,
                None,
            ))));
        }
        if is_health(head.path) {
            return Ok(Some(own(OwnAnswer::health(head.method, &proxy.health))));
        }
        let exchange = if is_endpoint(head.path) {
            self.remote.target(head.query, |path, query| {
                head.pass_on(&self.remote.authority, path, query, out);
            });
            let show = |facts: &mut RequestFacts| {
                for header in head.headers {
                    facts.header(header.name, header.value);
                }
            };
            Some(if let Some(mut exchange) = spare.take() {
                exchange.begin_again(head.method, show);
                exchange
            } else {
                let mut facts = proxy.facts(&self.principal, head.method);
                show(&mut facts);
                Box::new(proxy.tracker.begin_in(facts, self.worker.group.clone()))
            })
        } else {
            head.pass_on(&self.remote.authority, head.path, head.query, out);
            None
        };
        Ok(Some(Plan::Forward(Forward {
            exchange,
            head_length: head.length,
            framing: head.framing,
            keep_alive: head.keep_alive,
            http_1_0: head.http_1_0,
            to_head: head.method == "HEAD",
            expects_continue: head.expects_continue,
        })))
    }

    /// Relays one request. `out` holds the head that the server gets.
    async fn forward(&mut self, forward: Forward, out: &mut Vec<u8>) -> Result<bool, Gone> {
        let exchange = forward.exchange.as_deref();
        self.input.consume(forward.head_length);
        let mut passage = Passage::new(exchange, forward.framing, 0, &forward);
        if passage.look(&self.input).is_err() {
            return self.refuse_body(exchange, out).await;
        }
        if forward.expects_continue && passage.ready == 0 && !passage.whole() {
            self.stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        self.deadline.restart();
        let answer = match self.send(&mut passage, out).await {
            Ok(started) => {
                if self.worker.proxy.upstream.note_reachable(true) {
                    tracing::info!(server = %self.worker.proxy.upstream.server.name, "the server answers");
                }
                let served = self.answer(passage, started, out).await?;
                if let Some(mut exchange) = forward.exchange {
                    exchange.rest();
                    self.spare = Some(exchange);
                }
                return Ok(served);
            }
            Err(Unsent::Gone) => return Err(Gone),
            Err(Unsent::BadBody) => return self.refuse_body(exchange, out).await,
            Err(Unsent::TimedOut) => self.timed_out(exchange),
            Err(Unsent::Unreachable { why, .. }) => {
                self.take_rest(&mut passage).await?;
                self.unreachable(exchange, &why)
            }
        };
        let whole = passage.whole();
        self.input.consume(passage.kept + passage.ready);
        self.sending = !whole;
        self.own(&answer, passage.to_head, passage.keep_alive && whole, out)
            .await
    }

    /// Sends a request and waits for the head of its answer, which is in `out` then, as the client gets it. Once more,
    /// on a fresh connection, if it met a kept one that the server had closed before a byte of an answer came; never
    /// otherwise.
    async fn send(
        &mut self,
        passage: &mut Passage<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Started<'a>, Unsent> {
        // What might be impossible to send again goes on a fresh connection, for which a kept one makes room.
        let small = passage.whole() || passage.small();
        let mut kept = self.worker.pool.take().filter(|_| small);
        loop {
            let was_kept = kept.is_some();
            let stream = match kept.take() {
                Some(stream) => stream,
                None => connect(self.remote)
                    .await
                    .map_err(|error| Unsent::before_answer(error.to_string()))?,
            };
            match self.send_on(stream, passage, out).await {
                Err(Unsent::Unreachable {
                    before_answer: true,
                    ..
                }) if was_kept && passage.again => passage.rewind(),
                other => return other,
            }
        }
    }

    async fn send_on(
        &mut self,
        mut stream: Stream,
        passage: &mut Passage<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Started<'a>, Unsent> {
        let body = &self.input.filled()[..passage.ready];
        let writing = write_both(&mut stream, out, body);
        self.deadline
            .bound(writing)
            .await
            .ok_or(Unsent::TimedOut)?
            .map_err(|error| Unsent::before_answer(error.to_string()))?;
        passage.wrote(&mut self.input, passage.ready);
        passage.start(self, stream, out).await
    }

    /// Relays an answer whose head is in `out`; says whether the connection can serve another request.
    async fn answer(
        &mut self,
        mut passage: Passage<'_>,
        started: Started<'a>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let Started {
            mut stream,
            mut answer,
            mut framing,
            reusable,
            close,
        } = started;
        let exchange = passage.exchange;
        // HTTP/1.0 knows no chunks: their data goes alone, and the end of the connection ends it.
        let bare = passage.http_1_0 && framing.is_chunked();
        let silent = bare || framing == Framing::UntilClose;
        loop {
            let seen = framing.read(answer.filled(), |data| {
                if let Some(exchange) = exchange {
                    exchange.answer_data(data);
                }
                if bare {
                    out.extend_from_slice(data);
                }
            });
            let Ok(count) = seen else {
                return self.broken(exchange, silent, "its chunked coding is broken");
            };
            let done = framing.is_done();
            if let (true, Some(exchange)) = (done, exchange) {
                // The record of whatever ends here is on disk before its last byte goes on.
                exchange.answer_end();
            }
            if exchange.is_some_and(Exchange::unsettled) {
                let worker = self.worker;
                worker
                    .group
                    .settle(|group| worker.proxy.tracker.write_group(group))
                    .await;
            }
            let body = if bare {
                &[][..]
            } else {
                &answer.filled()[..count]
            };
            if passage.sent() {
                write_both(&mut self.stream, out, body).await?;
            } else {
                passage.deliver(self, &mut stream, out).await?;
                passage.deliver(self, &mut stream, body).await?;
            }
            out.clear();
            answer.consume(count);
            if done {
                break;
            }
            match passage.next(self, &mut stream, &mut answer, false).await {
                Event::Answer(1..) => {}
                Event::Answer(0) if framing == Framing::UntilClose => {
                    if let Some(exchange) = exchange {
                        exchange.answer_end();
                    }
                    self.sending = !passage.sent();
                    return Ok(false);
                }
                Event::Answer(0) => {
                    return self.broken(exchange, silent, "the server closed the connection");
                }
                Event::Broke(error) => return self.broken(exchange, silent, &error.to_string()),
                Event::ClientGone | Event::BadBody | Event::TimedOut => return Err(Gone),
            }
        }
        let sent = passage.sent();
        if reusable && sent && answer.is_empty() {
            self.worker.pool.give_back(stream);
        }
        self.sending = !sent;
        Ok(!close && sent)
    }

    /// The answer broke. Where only the end of the connection ends it (`silent`), a proper end would make it look
    /// complete: the connection is reset.
    fn broken(&self, exchange: Option<&Exchange>, silent: bool, why: &str) -> Result<bool, Gone> {
        if let Some(exchange) = exchange {
            exchange.answer_broken(why);
        }
        if silent {
            let _ = self.stream.set_zero_linger();
        }
        Err(Gone)
    }
}
