//! Bodies of a server in this process, shown to their exchange as they pass.
//!
//! Each frame goes on as it came and when it came; nothing is kept. For whoever serves through `http_body`: the built-in
//! server, and servers that are tracked from within.

use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};

use crate::wire;

use super::exchange::Exchange;
use super::facts::AnswerFacts;

/// A request's body on its way to the server.
#[derive(Debug)]
pub struct RequestTap<B> {
    inner: B,
    exchange: Option<Arc<Exchange>>,
    ended: bool,
}

impl<B> RequestTap<B> {
    /// Shows `inner` to `exchange`; to nobody where there is none.
    #[must_use]
    pub fn new(inner: B, exchange: Option<Arc<Exchange>>) -> Self {
        Self {
            inner,
            exchange,
            ended: false,
        }
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true)
            && let Some(exchange) = &self.exchange
        {
            exchange.request_end();
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for RequestTap<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        if let (Some(exchange), Some(Ok(frame))) = (&this.exchange, &frame)
            && let Some(data) = frame.data_ref()
        {
            exchange.request_data(data);
        }
        if frame.is_none() || this.inner.is_end_stream() {
            this.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An answer's body on its way to the client. What a frame completes is in the journal before the frame goes on.
#[derive(Debug)]
pub struct AnswerTap<B> {
    inner: B,
    exchange: Option<Arc<Exchange>>,
}

impl<B> AnswerTap<B> {
    /// Shows the head of `response` to `exchange`, adds `X-Archon-Session-Id` to it where there is a session, and taps the
    /// body. Without an exchange nothing is shown or added.
    pub fn of(response: Response<B>, exchange: Option<Arc<Exchange>>) -> Response<Self> {
        let mut response = response;
        if let Some(exchange) = &exchange {
            let facts = AnswerFacts::read(response.status(), response.headers());
            let session = exchange.answer_head(facts);
            if let Some(id) = session
                && let Ok(id) = HeaderValue::from_bytes(id.as_bytes())
            {
                response.headers_mut().insert(wire::ARCHON_SESSION_ID, id);
            }
        }
        response.map(|inner| Self { inner, exchange })
    }

    fn end(&self) {
        if let Some(exchange) = &self.exchange {
            exchange.answer_end();
        }
    }
}

impl<B> Body for AnswerTap<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        if let Some(exchange) = &this.exchange {
            match &frame {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        exchange.answer_data(data);
                    }
                    // With a known length the last frame is the end: nobody asks for another.
                    if this.inner.is_end_stream() {
                        exchange.answer_end();
                    }
                }
                Some(Err(error)) => exchange.answer_broken(&error.to_string()),
                None => exchange.answer_end(),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let over = self.inner.is_end_stream();
        if over {
            self.end();
        }
        over
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
