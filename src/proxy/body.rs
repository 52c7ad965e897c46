//! Bodies on their way through, each tapped by the exchange it belongs to.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::tracking::Exchange;

use super::BoxError;
use super::local::LocalBody;
use super::pool::Lease;

/// Bodies up to this many bytes can be sent again if a kept connection turns out to be closed.
const REPLAYABLE_BYTES: usize = 64 << 10;

/// What of a request's body has passed, for as long as it may have to be sent again.
#[derive(Debug, Default)]
pub(super) struct Passed {
    frames: Vec<Bytes>,
    bytes: usize,
    complete: bool,
    given_up: bool,
}

/// A request's body, shared with whoever may have to send it again.
pub(super) type SharedPassed = Arc<Mutex<Passed>>;

/// The frames of `passed`, if they are the whole body.
pub(super) fn replayable(passed: &SharedPassed) -> Option<Vec<Bytes>> {
    let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
    (passed.complete && !passed.given_up).then(|| std::mem::take(&mut passed.frames))
}

/// A request's body on its way to the server.
pub(super) enum RequestBody {
    /// As it comes from the client.
    Live {
        inner: Incoming,
        exchange: Arc<Exchange>,
        passed: SharedPassed,
        ended: bool,
    },
    /// Sent again.
    Again(std::collections::VecDeque<Bytes>),
}

impl RequestBody {
    pub(super) fn live(inner: Incoming, exchange: Arc<Exchange>) -> (Self, SharedPassed) {
        let passed = SharedPassed::default();
        let mut body = Self::Live {
            inner,
            exchange,
            passed: passed.clone(),
            ended: false,
        };
        body.note_end();
        (body, passed)
    }

    pub(super) fn again(frames: Vec<Bytes>) -> Self {
        Self::Again(frames.into())
    }

    /// Tells the exchange that the body is over, as soon as that is known.
    fn note_end(&mut self) {
        if let Self::Live {
            inner,
            exchange,
            passed,
            ended,
        } = self
            && !*ended
            && inner.is_end_stream()
        {
            *ended = true;
            exchange.request_end();
            passed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .complete = true;
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let frame = match this {
            Self::Again(frames) => {
                return Poll::Ready(frames.pop_front().map(|bytes| Ok(Frame::data(bytes))));
            }
            Self::Live {
                inner,
                exchange,
                passed,
                ended,
            } => {
                let frame = ready!(Pin::new(inner).poll_frame(cx));
                match &frame {
                    Some(Ok(frame)) => {
                        if let Some(data) = frame.data_ref() {
                            exchange.request_data(data);
                            let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
                            passed.bytes += data.len();
                            if passed.bytes > REPLAYABLE_BYTES {
                                passed.given_up = true;
                                passed.frames.clear();
                            } else {
                                passed.frames.push(data.clone());
                            }
                        }
                    }
                    Some(Err(_)) => {}
                    None => {
                        if !std::mem::replace(ended, true) {
                            exchange.request_end();
                            passed
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .complete = true;
                        }
                    }
                }
                frame
            }
        };
        this.note_end();
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Live { inner, .. } => inner.is_end_stream(),
            Self::Again(frames) => frames.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Live { inner, .. } => inner.size_hint(),
            Self::Again(frames) => {
                SizeHint::with_exact(frames.iter().map(|frame| frame.remaining() as u64).sum())
            }
        }
    }
}

/// An answer's body on its way to the client.
pub(super) enum AnswerBody {
    /// From a server behind a connection, which goes back to its pool at the end.
    Remote {
        inner: Incoming,
        tap: Tap,
        lease: Option<Lease>,
    },
    /// From a server in this process.
    Local { inner: LocalBody, tap: Tap },
    /// Our own.
    Own(Full<Bytes>),
}

/// Tells an exchange what passes of an answer.
pub(super) struct Tap {
    exchange: Arc<Exchange>,
    ended: bool,
}

impl Tap {
    pub(super) fn new(exchange: Arc<Exchange>) -> Self {
        Self {
            exchange,
            ended: false,
        }
    }

    fn see<E: std::fmt::Display>(&mut self, frame: Option<&Result<Frame<Bytes>, E>>) {
        match frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.exchange.answer_data(data);
                }
            }
            Some(Err(error)) => {
                self.ended = true;
                self.exchange.answer_broken(&error.to_string());
            }
            None => self.end(),
        }
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.exchange.answer_end();
        }
    }
}

impl AnswerBody {
    pub(super) fn remote(inner: Incoming, exchange: Arc<Exchange>, lease: Lease) -> Self {
        let mut body = Self::Remote {
            inner,
            tap: Tap::new(exchange),
            lease: Some(lease),
        };
        body.note_end();
        body
    }

    /// With a known length the last frame is the end: nobody asks for another.
    fn note_end(&mut self) {
        match self {
            Self::Remote { inner, tap, lease } if inner.is_end_stream() => {
                tap.end();
                if let Some(lease) = lease.take() {
                    lease.give_back();
                }
            }
            Self::Local { inner, tap } if inner.is_end_stream() => tap.end(),
            _ => {}
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let frame = match this {
            Self::Remote { inner, tap, lease } => {
                let frame = ready!(Pin::new(inner).poll_frame(cx));
                tap.see(frame.as_ref());
                if frame.is_none()
                    && let Some(lease) = lease.take()
                {
                    lease.give_back();
                }
                frame.map(|frame| frame.map_err(Into::into))
            }
            Self::Local { inner, tap } => {
                let frame = ready!(Pin::new(inner).poll_frame(cx));
                tap.see(frame.as_ref());
                frame
            }
            Self::Own(inner) => {
                return Pin::new(inner)
                    .poll_frame(cx)
                    .map(|frame| frame.map(|frame| frame.map_err(Into::into)));
            }
        };
        this.note_end();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Remote { inner, .. } => inner.is_end_stream(),
            Self::Local { inner, .. } => inner.is_end_stream(),
            Self::Own(inner) => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Remote { inner, .. } => inner.size_hint(),
            Self::Local { inner, .. } => inner.size_hint(),
            Self::Own(inner) => inner.size_hint(),
        }
    }
}
