//! The connection inside this process that one stream of HTTP/2 becomes, and the answer's body read from it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, ReadHalf};
use tokio_util::io::poll_read_buf;

use super::super::BoxError;
use super::super::buffer::Buffer;
use super::super::http1::Framing;
use super::super::relay::ClientStream;
use super::{Open, Task};

/// Bytes that may wait in each direction.
const PIPE_BYTES: usize = 32 << 10;

/// The relay's end.
pub(super) struct Inside {
    stream: DuplexStream,
    spoiled: Arc<AtomicBool>,
}

/// Both ends, and what says whether an end of the answer is no proper one.
pub(super) fn pipe() -> (Inside, DuplexStream, Arc<AtomicBool>) {
    let (stream, outside) = tokio::io::duplex(PIPE_BYTES);
    let spoiled = Arc::new(AtomicBool::new(false));
    let inside = Inside {
        stream,
        spoiled: spoiled.clone(),
    };
    (inside, outside, spoiled)
}

impl ClientStream for Inside {
    fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer<'_>,
    ) -> Poll<io::Result<usize>> {
        buffer.poll_fill(cx, &mut self.stream)
    }

    fn spoil(&self) {
        self.spoiled.store(true, Ordering::Relaxed);
    }
}

impl AsyncRead for Inside {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Inside {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The body of an answer. With it end the stream and whatever is still being sent on it.
pub(super) struct Body(Option<Reading>);

struct Reading {
    reader: ReadHalf<DuplexStream>,
    read: BytesMut,
    framing: Framing,
    spoiled: Arc<AtomicBool>,
    _with: (Task, Open),
}

impl Body {
    pub(super) fn new(
        reader: ReadHalf<DuplexStream>,
        read: &[u8],
        framing: Framing,
        spoiled: Arc<AtomicBool>,
        with: (Task, Open),
    ) -> Self {
        Self(Some(Reading {
            reader,
            read: BytesMut::from(read),
            framing,
            spoiled,
            _with: with,
        }))
    }

    /// Of an answer that never came.
    pub(super) fn broken() -> Self {
        Self(None)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(this) = &mut self.get_mut().0 else {
            return Poll::Ready(None);
        };
        loop {
            if !this.read.is_empty() {
                let mut data = BytesMut::new();
                let count = this
                    .framing
                    .read(&this.read, |part| data.extend_from_slice(part));
                let count = count.map_err(|error| Box::new(error) as BoxError);
                match count {
                    Ok(count) => drop(this.read.split_to(count)),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
                if !data.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(data.freeze()))));
                }
            }
            if this.framing.is_done() {
                return Poll::Ready(None);
            }
            let count = ready!(poll_read_buf(
                Pin::new(&mut this.reader),
                cx,
                &mut this.read
            ));
            match count {
                Ok(1..) => {}
                Ok(_)
                    if this.framing == Framing::UntilClose
                        && !this.spoiled.load(Ordering::Relaxed) =>
                {
                    return Poll::Ready(None);
                }
                Ok(_) => return Poll::Ready(Some(Err("the answer broke off".into()))),
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|this| this.read.is_empty() && this.framing.is_done())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
