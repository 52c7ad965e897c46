//! A request on its way to the server, and the beginning of its answer: both directions at once, with an eye on the
//! client.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use http::StatusCode;
use tokio::io::AsyncWrite;

use crate::tracking::{AnswerFacts, Exchange};
use crate::wire;

use super::super::Proxy;
use super::super::buffer::Buffer;
use super::super::http1::{Framing, ResponseHead, no_headers};
use super::super::limits::Held;
use super::super::pool::Stream;
use super::refusal::Refusal;
use super::stream::ClientStream;
use super::{Client, Forward, Gone, metadata};

/// Bytes of a body that comes in pieces that are held back in case it has to be sent again.
const MOST_KEPT: usize = 32 << 10;

/// A request under way.
///
/// At the front of the client's input stand the `kept` bytes of its body, then the `ready` ones; behind them, once the
/// body has been read to its end, what the client sends ahead.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about one request"
)]
pub(super) struct Passage<'e> {
    pub(super) exchange: Option<&'e Exchange>,
    /// Of the request's body, as far as it has been looked at.
    pub(super) framing: Framing,
    /// Bytes that have been looked at and are still to be written.
    pub(super) ready: usize,
    /// Bytes that have been written, and may have to be written again.
    pub(super) kept: usize,
    /// Whether all that has been written can be written again.
    pub(super) again: bool,
    /// Whether what was written may be held back on our side (TLS).
    unflushed: bool,
    /// Whether the server takes no more of the body. It may answer all the same.
    cut: bool,
    /// Whether the client is waited for.
    waiting: bool,
    /// Bytes of the body itself, so far.
    seen: u64,
    /// A place among the streams that clients hold open.
    held: Option<Held>,
    /// The endpoint here that the request is about, and whether the answer names the server's own URL.
    pub(super) endpoint: Option<Box<str>>,
    pub(super) metadata: bool,
    pub(super) to_head: bool,
    pub(super) http_1_0: bool,
    pub(super) keep_alive: bool,
}

/// An answer whose head has been read.
pub(super) struct Started<'a> {
    pub(super) stream: Stream,
    /// What has been read of its body.
    pub(super) answer: Buffer<'a>,
    pub(super) framing: Framing,
    /// Whether the server's connection can be kept.
    pub(super) reusable: bool,
    /// Whether the client is told that its connection closes.
    pub(super) close: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The client went away.
    Gone,
    /// The request is turned down.
    Refused(Refusal),
    /// The server did not begin its answer in time.
    TimedOut,
    /// What came is no answer; what it is.
    Nonsense(String),
    /// There is no connection, or it broke; whether before any byte of an answer.
    Unreachable { why: String, before_answer: bool },
}

impl Unsent {
    /// There is no connection, or it broke before any byte of an answer.
    pub(super) fn before_answer(why: String) -> Self {
        Self::Unreachable {
            why,
            before_answer: true,
        }
    }
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
    /// The request is turned down.
    Refused(Refusal),
    /// The server did not begin its answer in time.
    TimedOut,
}

impl<'e> Passage<'e> {
    /// A request none of which has been sent; the first `ready` bytes of its body are there.
    pub(super) fn new(
        exchange: Option<&'e Exchange>,
        framing: Framing,
        ready: usize,
        head: &Forward,
    ) -> Self {
        Self {
            exchange,
            framing,
            ready,
            kept: 0,
            again: true,
            unflushed: false,
            cut: false,
            waiting: false,
            seen: 0,
            held: None,
            endpoint: head.endpoint.clone(),
            metadata: head.metadata,
            to_head: head.to_head,
            http_1_0: head.http_1_0,
            keep_alive: head.keep_alive,
        }
    }

    /// Whether the request's body has been read to its end.
    pub(super) fn whole(&self) -> bool {
        self.framing.is_done()
    }

    /// Whether the request has been written to its end.
    pub(super) fn sent(&self) -> bool {
        self.whole() && self.ready == 0 && !self.unflushed
    }

    /// Whether all of it is sure to be there still if it has to be sent again. Chunks do not say, and are hoped to be.
    pub(super) fn small(&self) -> bool {
        match self.framing {
            Framing::Length(left) => left <= MOST_KEPT as u64,
            Framing::Chunked(_) | Framing::UntilClose => true,
        }
    }

    /// Notes that the first `count` of the bytes that are ready have been written.
    pub(super) fn wrote(&mut self, input: &mut Buffer<'_>, count: usize) {
        self.ready -= count;
        self.kept += count;
        if !self.again || (!self.whole() && self.kept > MOST_KEPT) {
            self.forget(input);
        }
    }

    /// Lets go what has been written.
    pub(super) fn forget(&mut self, input: &mut Buffer<'_>) {
        input.consume(std::mem::take(&mut self.kept));
        self.again = false;
    }

    /// Begins anew with all that has been read.
    pub(super) fn rewind(&mut self) {
        self.ready += std::mem::take(&mut self.kept);
        (self.unflushed, self.cut) = (false, false);
    }

    /// Looks at what has come of the body behind what is kept, when nothing else is ready.
    pub(super) fn look(&mut self, input: &Buffer<'_>, proxy: &Proxy) -> Result<(), Refusal> {
        let (exchange, mut seen) = (self.exchange, self.seen);
        let read = self.framing.read(&input.filled()[self.kept..], |data| {
            seen += data.len() as u64;
            if let Some(exchange) = exchange {
                exchange.request_data(data);
            }
        });
        self.ready = read.map_err(|_| Refusal::BadBody)?;
        self.seen = seen;
        if seen > proxy.options.limits.max_body {
            return Err(Refusal::TooLarge);
        }
        let Some(exchange) = exchange else {
            return Ok(());
        };
        if self.whole() {
            exchange.request_end();
        }
        if exchange.listens() && self.held.is_none() {
            self.hold(proxy)?;
        }
        Ok(())
    }

    /// Takes a place among the streams that clients hold open.
    pub(super) fn hold(&mut self, proxy: &Proxy) -> Result<(), Refusal> {
        let most = proxy.options.limits.max_streams;
        self.held = Some(proxy.counters.stream(most).ok_or(Refusal::TooManyStreams)?);
        Ok(())
    }

    /// Waits for the head of the answer, while the rest of the request's body goes out. `out` is the head as the client
    /// gets it afterwards; before an answer has begun it is left alone.
    pub(super) async fn start<'a, S: ClientStream>(
        &mut self,
        client: &mut Client<'a, S>,
        mut stream: Stream,
        out: &mut Vec<u8>,
    ) -> Result<Started<'a>, Unsent> {
        let mut answer = Buffer::new(&client.worker.buffers);
        let mut before_answer = true;
        loop {
            let unreachable = |why| Unsent::Unreachable { why, before_answer };
            match self.next(client, &mut stream, &mut answer, true).await {
                Event::Answer(0) => {
                    let why = "the server closed the connection without an answer".to_owned();
                    return Err(unreachable(why));
                }
                Event::Answer(_) => before_answer = false,
                Event::Broke(error) => return Err(unreachable(error.to_string())),
                Event::ClientGone => return Err(Unsent::Gone),
                Event::Refused(why) => return Err(Unsent::Refused(why)),
                Event::TimedOut => return Err(Unsent::TimedOut),
            }
            let draining = client.standing.draining.load(Ordering::Relaxed);
            while !answer.is_empty() {
                let head = match self.head(client, answer.filled(), draining, out) {
                    Ok(None) => break,
                    Ok(Some(head)) => head,
                    Err(why) => return Err(Unsent::Nonsense(why)),
                };
                answer.consume(head.length);
                if let Some((framing, reusable, close)) = head.last {
                    self.forget(&mut client.input);
                    return Ok(Started {
                        stream,
                        answer,
                        framing,
                        reusable,
                        close,
                    });
                }
            }
        }
    }

    /// Reads the head at the beginning of `bytes`, if it is all there, and puts it into `out` as the client gets it.
    fn head<S: ClientStream>(
        &self,
        client: &Client<'_, S>,
        bytes: &[u8],
        draining: bool,
        out: &mut Vec<u8>,
    ) -> Result<Option<AnswerHead>, String> {
        let mut room = no_headers!();
        let head = ResponseHead::read(bytes, &mut room, self.to_head);
        let Some(mut head) =
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
        let facts = AnswerFacts {
            status,
            body: wire::body_kind(head.content_type, head.content_encoding),
            coding: wire::Coding::of(head.content_encoding),
            minted: head.mcp_session,
        };
        let session = self
            .exchange
            .and_then(|exchange| exchange.answer_head(facts));
        let chunked = head.framing.is_chunked() && !self.http_1_0;
        let unbounded =
            head.framing == Framing::UntilClose || (head.framing.is_chunked() && self.http_1_0);
        let close = !self.keep_alive || draining || unbounded || !self.sent();
        out.clear();
        let own = session
            .as_ref()
            .map(|id| ("X-Archon-Session-Id", id.as_bytes()));
        let ours = if head.authenticates() {
            self.our_metadata(client, &mut head)
        } else {
            Vec::new()
        };
        if self.metadata {
            // The length of what goes on is known when the whole document is.
            head.unmeasured();
        }
        head.pass_on(own, chunked && !self.metadata, close, out);
        if !ours.is_empty() || self.metadata {
            out.truncate(out.len() - 2);
            out.extend_from_slice(&ours);
            if !self.metadata {
                out.extend_from_slice(b"\r\n");
            }
        }
        Ok(Some(AnswerHead {
            length: head.length,
            last: Some((head.framing, head.keep_alive, close)),
        }))
    }

    /// Takes out of `head` what names the address of the server's metadata; gives the lines with ours.
    fn our_metadata<S: ClientStream>(
        &self,
        client: &Client<'_, S>,
        head: &mut ResponseHead<'_, '_>,
    ) -> Vec<u8> {
        let Some(base) = client.base_url() else {
            return Vec::new();
        };
        let endpoint = self.endpoint.as_deref().unwrap_or(super::super::ENDPOINT);
        let server = client.target.remote;
        head.rewritten(|value| metadata::with_metadata_address(value, &base, endpoint, server))
    }

    /// Waits until something happens that somebody has to decide on. Meanwhile the rest of the request's body goes out.
    pub(super) async fn next<S: ClientStream>(
        &mut self,
        client: &mut Client<'_, S>,
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
            let client_side = self.client_side(client, stream, cx);
            if let Poll::Ready(event) = client_side {
                return Poll::Ready(event);
            }
            let for_client = !self.whole() && self.ready == 0 && !self.cut;
            if (in_time || for_client) && client.deadline.poll(cx).is_ready() {
                return Poll::Ready(if for_client {
                    Event::Refused(Refusal::SlowBody)
                } else {
                    Event::TimedOut
                });
            }
            Poll::Pending
        })
        .await
    }

    /// Writes to a client that is still sending: it may be one that reads only once it has sent everything.
    pub(super) async fn deliver<S: ClientStream>(
        &mut self,
        client: &mut Client<'_, S>,
        stream: &mut Stream,
        mut bytes: &[u8],
    ) -> Result<(), Gone> {
        let patience = client.worker.proxy.options.limits.write_timeout;
        while !bytes.is_empty() {
            let mut stuck = None;
            let count = poll_fn(|cx| {
                if let Poll::Ready(written) = Pin::new(&mut client.stream).poll_write(cx, bytes) {
                    return Poll::Ready(written.map_err(Gone::from));
                }
                let stuck = stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
                if stuck.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(client.slow_reader()));
                }
                self.client_side(client, stream, cx).map(|_| Err(Gone))
            })
            .await?;
            bytes = bytes.get(count..).filter(|_| count > 0).ok_or(Gone)?;
        }
        Ok(())
    }

    /// What there is to do on the client's side: passes on its body, then looks whether it is still there.
    fn client_side<S: ClientStream>(
        &mut self,
        client: &mut Client<'_, S>,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Event> {
        if self.cut {
            // What the client still sends goes nowhere.
            return Poll::Pending;
        }
        if !self.sent()
            && let Some(event) = ready!(self.pump(client, stream, cx))
        {
            return Poll::Ready(event);
        }
        self.watch(client, cx)
    }

    /// Notices when a client leaves that has sent its whole request. What it sends ahead waits its turn, and as long as
    /// it waits nobody looks.
    fn watch<S: ClientStream>(
        &self,
        client: &mut Client<'_, S>,
        cx: &mut Context<'_>,
    ) -> Poll<Event> {
        while client.input.filled().len() <= self.kept {
            match client.stream.poll_read_into(cx, &mut client.input) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Event::ClientGone),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }

    /// Sends on what the client sends of its body; ready with nothing when it is all sent.
    fn pump<S: ClientStream>(
        &mut self,
        client: &mut Client<'_, S>,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Event>> {
        loop {
            while self.ready > 0 {
                let bytes = &client.input.filled()[self.kept..self.kept + self.ready];
                match ready!(Pin::new(&mut *stream).poll_write(cx, bytes)) {
                    Ok(count) if count > 0 => {
                        self.wrote(&mut client.input, count);
                        self.unflushed = true;
                    }
                    // Its answer, if it made one, is there to be read; if not, reading says why.
                    Ok(_) | Err(_) => {
                        self.cut = true;
                        return Poll::Pending;
                    }
                }
            }
            if self.unflushed {
                if ready!(Pin::new(&mut *stream).poll_flush(cx)).is_err() {
                    self.cut = true;
                    return Poll::Pending;
                }
                self.unflushed = false;
            }
            if self.whole() {
                return Poll::Ready(None);
            }
            match client.stream.poll_read_into(cx, &mut client.input) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Some(Event::ClientGone)),
                Poll::Pending => {
                    if !std::mem::replace(&mut self.waiting, true) {
                        let patience = client.worker.proxy.options.limits.body_timeout;
                        client.deadline.restart(patience);
                    }
                    return Poll::Pending;
                }
            }
            // The time for an answer does not run out while the client is busy sending.
            self.waiting = false;
            client
                .deadline
                .restart(client.target.remote.request_timeout);
            if let Err(why) = self.look(&client.input, &client.worker.proxy) {
                return Poll::Ready(Some(Event::Refused(why)));
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
