//! A client's connection, relayed to a server behind a connection: request by request, byte by byte.

mod answer;
mod deadline;
mod metadata;
mod own;
mod passage;
mod plan;
mod refusal;
mod stream;
mod write;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::tracking::{Exchange, Failure, Group};

use super::Proxy;
use super::answers::OwnAnswer;
use super::buffer::{Buffer, Buffers};
use super::http1::{BadHead, Framing};
use super::pool::{Pool, Stream, connect};

use deadline::Deadline;
use passage::{Passage, Started, Unsent};
use plan::{Forward, Plan, Target};
use refusal::Refusal;
pub(super) use stream::ClientStream;
use write::write_both;

/// How long a client that is still sending may take to see that its connection closes.
const LINGER: Duration = Duration::from_secs(2);

/// What one worker's connections share.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) proxy: Arc<Proxy>,
    /// One for each server.
    pub(super) pools: Box<[Pool]>,
    pub(super) buffers: Buffers,
    pub(super) group: Arc<Group>,
}

/// What a connection and the one who stops it tell each other.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Odd between two requests, when it may be cut; another number each time.
    turn: AtomicU32,
    /// No further request is to be taken.
    pub(super) draining: AtomicBool,
}

impl Standing {
    /// The number of the wait for a request, if that is what is going on.
    pub(super) fn idle(&self) -> Option<u32> {
        let turn = self.turn.load(Ordering::Relaxed);
        (turn & 1 == 1).then_some(turn)
    }

    /// Only the connection itself calls this, so nothing is lost between reading and writing.
    fn set_idle(&self, idle: bool) {
        let turn = self.turn.load(Ordering::Relaxed);
        if (turn & 1 == 1) != idle {
            self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        }
    }
}

/// The client is gone, or the connection cannot go on.
#[derive(Debug)]
pub(super) struct Gone;

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// A client's connection.
struct Client<'a, S> {
    worker: &'a Worker,
    /// Whom the request is for.
    target: Target<'a>,
    stream: S,
    input: Buffer<'a>,
    principal: Arc<str>,
    deadline: Deadline,
    standing: &'a Standing,
    /// Whether the client may still be sending when the connection closes.
    sending: bool,
    /// What followed the last request, ready to follow the next one for the same server.
    spare: Option<Box<Exchange>>,
    /// `Host` of the request.
    host: Vec<u8>,
    /// Whether no request has been read yet.
    first: bool,
}

/// How a connection goes on.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// With another request.
    Request,
    /// Not at all.
    Close,
    /// In HTTP/2.
    Http2,
}

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves one client until it leaves or asks to close. Where it turns out to speak HTTP/2, gives the connection back with
/// what has been read.
pub(super) async fn connection<S: ClientStream>(
    worker: &Worker,
    stream: S,
    principal: Arc<str>,
    standing: &Standing,
) -> Result<Option<(S, Vec<u8>)>, Gone> {
    let target = Target::of(worker, 0).ok_or(Gone)?;
    let mut client = Client {
        worker,
        target,
        stream,
        input: Buffer::new(&worker.buffers),
        principal,
        deadline: Deadline::new(target.remote.request_timeout),
        standing,
        sending: false,
        spare: None,
        host: Vec::new(),
        first: true,
    };
    let mut out = Vec::with_capacity(2 << 10);
    loop {
        match client.serve(&mut out).await? {
            Next::Request => out.clear(),
            Next::Close => break,
            Next::Http2 => {
                let read = client.input.filled().to_vec();
                return Ok(Some((client.stream, read)));
            }
        }
    }
    let _ = client.stream.shutdown().await;
    if client.sending || !client.input.is_empty() {
        // Closing now would reset the connection, and what has been answered could be lost with it.
        let _ = tokio::time::timeout(LINGER, discard(&mut client.stream)).await;
    }
    Ok(None)
}

async fn discard<S: ClientStream>(stream: &mut S) {
    let mut room = vec![0; 16 << 10];
    while stream.read(&mut room).await.is_ok_and(|count| count > 0) {}
}

impl<'a, S: ClientStream> Client<'a, S> {
    /// Serves one request; says how the connection goes on.
    async fn serve(&mut self, out: &mut Vec<u8>) -> Result<Next, Gone> {
        let worker = self.worker;
        let (limits, counters) = (&worker.proxy.options.limits, &worker.proxy.counters);
        // When the head must be all there; only a head that comes in pieces is timed.
        let mut due = None;
        let plan = loop {
            if !self.input.is_empty() {
                match self.plan(out) {
                    Ok(Some(plan)) => break plan,
                    Ok(None) => {
                        due.get_or_insert_with(|| Instant::now() + limits.head_timeout);
                    }
                    Err(BadHead::Unreadable) if self.begins_http2() => {
                        if self.input.filled().len() >= PREFACE.len() {
                            return Ok(Next::Http2);
                        }
                        due.get_or_insert_with(|| Instant::now() + limits.head_timeout);
                    }
                    Err(bad) => {
                        let (status, count, reason) = match bad {
                            BadHead::TooLong => (
                                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                                &counters.head_too_large,
                                "head-too-large",
                            ),
                            _ => (
                                StatusCode::BAD_REQUEST,
                                &counters.bad_request,
                                "bad-request",
                            ),
                        };
                        count.add();
                        return self.turn_down(status, reason, &bad.to_string(), out).await;
                    }
                }
            } else if self.standing.draining.load(Ordering::Relaxed) {
                return Ok(Next::Close);
            }
            self.standing.set_idle(self.input.is_empty());
            let reading = poll_fn(|cx| self.stream.poll_read_into(cx, &mut self.input));
            let read = match due {
                None => Ok(reading.await),
                Some(due) => tokio::time::timeout_at(due, reading).await,
            };
            self.standing.set_idle(false);
            let Ok(read) = read else {
                counters.slow_head.add();
                let seconds = limits.head_timeout.as_secs_f64();
                let why = format!("the head did not arrive within {seconds} s (--head-timeout)");
                return self
                    .turn_down(StatusCode::REQUEST_TIMEOUT, "slow-head", &why, out)
                    .await;
            };
            if read? == 0 {
                return Err(Gone);
            }
        };
        self.first = false;
        let again = self.carry_out(plan, out).await?;
        Ok(if again { Next::Request } else { Next::Close })
    }

    /// Whether what has been read is, as far as it goes, the beginning of an HTTP/2 connection.
    fn begins_http2(&self) -> bool {
        let seen = self.input.filled();
        let count = seen.len().min(PREFACE.len());
        self.first && seen[..count] == PREFACE[..count]
    }

    /// Answers what is no request that could be relayed; the connection cannot go on.
    async fn turn_down(
        &mut self,
        status: StatusCode,
        reason: &'static str,
        why: &str,
        out: &mut Vec<u8>,
    ) -> Result<Next, Gone> {
        let answer = OwnAnswer::error(status, reason, why, None);
        self.sending = true;
        self.own(&answer, false, false, out).await?;
        Ok(Next::Close)
    }

    async fn carry_out(&mut self, plan: Plan, out: &mut Vec<u8>) -> Result<bool, Gone> {
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

    /// Relays one request. `out` holds the head that the server gets.
    async fn forward(&mut self, forward: Forward, out: &mut Vec<u8>) -> Result<bool, Gone> {
        let exchange = forward.exchange.as_deref();
        self.input.consume(forward.head_length);
        let worker = self.worker;
        let mut passage = Passage::new(exchange, forward.framing, 0, &forward);
        let judged = match (forward.refusal, forward.framing) {
            (Some(refusal), _) => Err(refusal),
            (None, Framing::Length(length)) if length > worker.proxy.options.limits.max_body => {
                Err(Refusal::TooLarge)
            }
            _ if forward.stream && exchange.is_some() => passage.hold(&worker.proxy),
            _ => Ok(()),
        };
        // Also of what is turned down already: the beginning of a body says what was asked.
        let looked = passage.look(&self.input, &worker.proxy);
        if let Err(why) = judged.and(looked) {
            return self.refused(passage, why, out).await;
        }
        if forward.expects_continue && passage.ready == 0 && !passage.whole() {
            self.stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        self.deadline.restart(self.target.remote.request_timeout);
        let answer = match self.send(&mut passage, out).await {
            Ok(started) => {
                let upstream = self.target.upstream;
                if upstream.note_reachable(true) {
                    tracing::info!(server = %upstream.server.name, "the server answers");
                }
                if passage.metadata {
                    return self.document(passage, started, out).await;
                }
                let served = self.answer(passage, started, out).await?;
                if let Some(mut exchange) = forward.exchange {
                    exchange.rest();
                    self.spare = Some(exchange);
                }
                return Ok(served);
            }
            Err(Unsent::Gone) => return Err(Gone),
            Err(Unsent::Refused(why)) => return self.refused(passage, why, out).await,
            Err(Unsent::TimedOut) => self.timed_out(exchange),
            Err(Unsent::Unreachable { why, .. }) => {
                self.take_rest(&mut passage).await?;
                self.unreachable(exchange, &why, Failure::Unreachable)
            }
            Err(Unsent::Nonsense(why)) => {
                self.take_rest(&mut passage).await?;
                self.unreachable(exchange, &why, Failure::Nonsense)
            }
        };
        let whole = passage.whole();
        self.input.consume(passage.kept + passage.ready);
        self.sending = !whole;
        self.own(&answer, passage.to_head, passage.keep_alive && whole, out)
            .await
    }

    /// Turns down a request part of which has been looked at.
    async fn refused(
        &mut self,
        passage: Passage<'_>,
        why: Refusal,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let whole =
            passage.whole() && matches!(why, Refusal::TooManyStreams | Refusal::Forbidden(_));
        if whole {
            self.input.consume(passage.kept + passage.ready);
        }
        self.refuse(passage.exchange, why, passage.keep_alive, whole, out)
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
        let mut kept = self.target.pool.take().filter(|_| small);
        loop {
            let was_kept = kept.is_some();
            let stream = match kept.take() {
                Some(stream) => stream,
                None => connect(self.target.remote)
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
}
