//! A client's connection, relayed to a server behind a connection: request by request, byte by byte.

mod passage;

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tracking::{Exchange, Failure, Group, RequestFacts};

use super::answers::OwnAnswer;
use super::buffer::{Buffer, Buffers};
use super::http1::{BadHead, Framing, RequestHead, no_headers};
use super::pool::{Pool, connect};
use super::upstream::Remote;
use super::{Proxy, guard, is_endpoint, is_health};

use passage::{Deadline, Event, Passage, Started, Unsent};

/// Bodies up to this many bytes are written in one piece with their head; larger ones are not copied.
const COPIED_BYTES: usize = 8 << 10;

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
        spare: None,
    };
    let mut out = Vec::with_capacity(2 << 10);
    while client.serve(&mut out).await? {
        out.clear();
    }
    // What is written so far shall arrive, though the client may still be sending.
    let _ = client.stream.shutdown().await;
    Ok(())
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
                let taken = framing
                    .read(self.input.filled(), |_| {})
                    .map_err(|_| Gone)?;
                self.input.consume(taken);
                self.own(&answer, to_head, keep_alive && framing.is_done(), out)
                    .await
            }
        }
    }

    /// Decides on the request at the beginning of the input, if its head is all there. For one to be relayed, `out` is
    /// the head that the server gets.
    fn plan(&mut self, out: &mut Vec<u8>) -> Result<Option<Plan>, BadHead> {
        let mut spare = self.spare.take();
        let (proxy, mut room) = (&*self.worker.proxy, no_headers());
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
                head.headers
                    .iter()
                    .for_each(|header| facts.header(header.name, header.value));
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
        let Forward {
            exchange,
            head_length,
            mut framing,
            keep_alive,
            http_1_0,
            to_head,
            expects_continue,
        } = forward;
        self.input.consume(head_length);
        let seen = framing.read(self.input.filled(), |data| {
            if let Some(exchange) = &exchange {
                exchange.request_data(data);
            }
        });
        let Ok(ready) = seen else {
            return self.refuse_body(exchange.as_deref(), out).await;
        };
        if let Some(exchange) = &exchange
            && framing.is_done()
        {
            exchange.request_end();
        }
        if expects_continue && ready == 0 && !framing.is_done() {
            self.stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        self.deadline.restart();
        let passage = Passage {
            exchange: exchange.as_deref(),
            framing,
            ready,
            to_head,
            http_1_0,
            keep_alive,
        };
        let started = match self.send(passage, out).await {
            Ok(started) => started,
            Err(Unsent::Gone) => return Err(Gone),
            Err(Unsent::BadBody) => return self.refuse_body(exchange.as_deref(), out).await,
            Err(Unsent::TimedOut) => {
                let answer = self.timed_out(exchange.as_deref());
                return self.own(&answer, to_head, false, out).await;
            }
            Err(Unsent::Unreachable { why, .. }) => {
                let answer = self.unreachable(exchange.as_deref(), &why);
                let whole = framing.is_done();
                self.input.consume(if whole { ready } else { 0 });
                return self.own(&answer, to_head, keep_alive && whole, out).await;
            }
        };
        if self.worker.proxy.upstream.note_reachable(true) {
            tracing::info!(server = %self.worker.proxy.upstream.server.name, "the server answers");
        }
        let served = self.answer(started, out).await?;
        if let Some(mut exchange) = exchange {
            exchange.rest();
            self.spare = Some(exchange);
        }
        Ok(served)
    }

    /// Sends a request and waits for the head of its answer, which is in `out` then, as the client gets it. Once more,
    /// on a fresh connection, if it met a kept one that the server had closed before a byte of an answer came; never
    /// otherwise.
    async fn send<'e>(
        &mut self,
        mut passage: Passage<'e>,
        out: &mut Vec<u8>,
    ) -> Result<Started<'a, 'e>, Unsent> {
        let whole = passage.whole();
        if let Some(mut kept) = self.worker.pool.take() {
            let written = write_both(&mut kept, out, &self.input.filled()[..passage.ready]).await;
            match written {
                Ok(()) => match passage.start(self, kept, out).await {
                    Err(Unsent::Unreachable {
                        before_answer: true,
                        ..
                    }) if whole => {}
                    other => return other,
                },
                Err(_) if whole => {}
                Err(error) => {
                    return Err(Unsent::Unreachable {
                        why: error.to_string(),
                        before_answer: true,
                    });
                }
            }
        }
        let refused = |why: String| Unsent::Unreachable {
            why,
            before_answer: true,
        };
        let mut fresh = connect(self.remote)
            .await
            .map_err(|error| refused(error.to_string()))?;
        let written = write_both(&mut fresh, out, &self.input.filled()[..passage.ready]).await;
        written.map_err(|error| refused(error.to_string()))?;
        passage.start(self, fresh, out).await
    }

    /// Relays an answer whose head is in `out`; says whether the connection can serve another request.
    async fn answer(&mut self, started: Started<'a, '_>, out: &mut Vec<u8>) -> Result<bool, Gone> {
        let Started {
            mut stream,
            mut answer,
            mut framing,
            reusable,
            close,
            mut passage,
        } = started;
        let exchange = passage.exchange;
        // HTTP/1.0 knows no chunks: their data goes alone, and the end of the connection ends it.
        let bare = passage.http_1_0 && framing.is_chunked();
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
                return passage.broken("its chunked coding is broken");
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
            write_both(&mut self.stream, out, body).await?;
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
                    return Ok(false);
                }
                Event::Answer(0) => return passage.broken("the server closed the connection"),
                Event::Broke(error) => return passage.broken(&error.to_string()),
                Event::ClientGone | Event::BadBody | Event::TimedOut => return Err(Gone),
            }
        }
        if reusable && passage.whole() && answer.is_empty() {
            self.worker.pool.give_back(stream);
        }
        Ok(!close && passage.whole())
    }

    /// Answers ourselves; says whether the connection can serve another request.
    async fn own(
        &mut self,
        answer: &OwnAnswer,
        to_head: bool,
        keep_alive: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let keep_alive = keep_alive && !self.standing.draining.load(Ordering::Relaxed);
        out.clear();
        answer.write(to_head, !keep_alive, out);
        self.stream.write_all(out).await?;
        Ok(keep_alive)
    }

    async fn refuse_body(
        &mut self,
        exchange: Option<&Exchange>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let message = "the body's chunked coding is broken";
        if let Some(exchange) = exchange {
            exchange.failed(Failure::Refused(message.to_owned()));
        }
        let answer = OwnAnswer::error(StatusCode::BAD_REQUEST, "bad-request", message, None);
        self.own(&answer, false, false, out).await
    }

    fn unreachable(&self, exchange: Option<&Exchange>, why: &str) -> OwnAnswer {
        let upstream = &self.worker.proxy.upstream;
        let server = &upstream.server.name;
        if upstream.note_reachable(false) {
            tracing::warn!(%server, why, "the server cannot be reached");
        }
        let message = format!("the MCP server '{server}' cannot be reached: {why}");
        let id =
            exchange.and_then(|exchange| exchange.failed(Failure::Unreachable(message.clone())));
        OwnAnswer::error(
            StatusCode::BAD_GATEWAY,
            "upstream-unreachable",
            &message,
            id.as_deref(),
        )
    }

    fn timed_out(&self, exchange: Option<&Exchange>) -> OwnAnswer {
        let id = exchange.and_then(|exchange| exchange.failed(Failure::TimedOut));
        let seconds = self.worker.proxy.options.request_timeout.as_secs_f64();
        let server = &self.worker.proxy.upstream.server.name;
        let message = format!("the MCP server '{server}' did not answer within {seconds} s");
        OwnAnswer::error(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream-timeout",
            &message,
            id.as_deref(),
        )
    }
}

/// Writes `head` and then `body`, in one piece where that is cheaper. `head` may have grown afterwards.
async fn write_both<S: AsyncWrite + Unpin>(
    stream: &mut S,
    head: &mut Vec<u8>,
    body: &[u8],
) -> io::Result<()> {
    if head.is_empty() {
        return stream.write_all(body).await;
    }
    let length = head.len();
    if body.len() <= COPIED_BYTES {
        head.extend_from_slice(body);
        let written = stream.write_all(head).await;
        head.truncate(length);
        return written;
    }
    let mut written = 0;
    while written < length {
        let count = stream
            .write_vectored(&[IoSlice::new(&head[written..]), IoSlice::new(body)])
            .await?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        written += count;
    }
    stream.write_all(&body[written - length..]).await
}
