//! Buffers for bytes on their way, lent to a connection only while it has any.
//!
//! Ten thousand idle connections hold none; a busy one uses the buffer that was used last, which is in the cache.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::AsyncRead;
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

/// Bytes that one read can take.
const BUFFER_BYTES: usize = 64 << 10;
/// Buffers that a worker keeps.
const MOST_KEPT: usize = 128;

/// The buffers of one worker that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    fn take(&self) -> Vec<u8> {
        let kept = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        kept.unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES))
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MOST_KEPT && buffer.capacity() <= 2 * BUFFER_BYTES {
            free.push(buffer);
        }
    }
}

/// Bytes that were read and not yet passed on.
#[derive(Debug)]
pub(super) struct Buffer<'a> {
    bytes: Vec<u8>,
    start: usize,
    home: &'a Buffers,
}

impl<'a> Buffer<'a> {
    /// An empty one.
    pub(super) fn new(home: &'a Buffers) -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            home,
        }
    }

    /// What was read and not yet consumed.
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Forgets the first `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Gives the memory back if there is nothing in it.
    pub(super) fn release(&mut self) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            self.start = 0;
            self.home.give_back(std::mem::take(&mut self.bytes));
        }
    }

    /// [`Buffer::poll_fill`] from a socket, which says beforehand whether there is anything: no memory is taken until
    /// then.
    pub(super) fn poll_fill_tcp(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut TcpStream,
    ) -> Poll<std::io::Result<usize>> {
        if self.bytes.capacity() == 0 {
            ready!(stream.poll_read_ready(cx))?;
        }
        self.poll_fill(cx, stream)
    }

    /// Reads what is there, behind what is filled. Ready with 0 at the end of the stream.
    pub(super) fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<std::io::Result<usize>> {
        if self.bytes.capacity() == 0 {
            self.bytes = self.home.take();
        }
        if self.bytes.len() == self.bytes.capacity() {
            if self.start > 0 {
                self.bytes.drain(..self.start);
                self.start = 0;
            } else {
                self.bytes.reserve(BUFFER_BYTES);
            }
        }
        let read = poll_read_buf(Pin::new(stream), cx, &mut self.bytes);
        if read.is_pending() {
            self.release();
        }
        let count = ready!(read)?;
        Poll::Ready(Ok(count))
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        self.consume(usize::MAX - self.start);
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_come_out_as_they_went_in_and_memory_goes_home() {
        let (home, text) = (Buffers::default(), vec![7_u8; BUFFER_BYTES * 2 + 5]);
        let mut source = text.as_slice();
        let mut buffer = Buffer::new(&home);
        let mut seen = Vec::new();
        while std::future::poll_fn(|cx| buffer.poll_fill(cx, &mut source))
            .await
            .expect("read")
            > 0
        {
            // One byte stays behind each time, so that the rest has to be moved up.
            let whole = buffer.filled().len() - 1;
            seen.extend_from_slice(&buffer.filled()[..whole]);
            buffer.consume(whole);
        }
        seen.extend_from_slice(buffer.filled());
        assert_eq!(seen, text);
        drop(buffer);
        assert_eq!(home.free.lock().expect("free").len(), 1);
    }
}
