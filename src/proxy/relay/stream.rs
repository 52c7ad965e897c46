//! What a client is connected by.

use std::io;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::super::buffer::Buffer;

/// A connection of a client: one of its own, or one stream of an HTTP/2 connection.
pub(in crate::proxy) trait ClientStream: AsyncRead + AsyncWrite + Unpin {
    /// Reads what is there into `buffer`. Ready with 0 at the end.
    fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer<'_>,
    ) -> Poll<io::Result<usize>>;

    /// Sees to it that its end does not look like a proper one.
    fn spoil(&self);
}

impl ClientStream for TcpStream {
    fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer<'_>,
    ) -> Poll<io::Result<usize>> {
        buffer.poll_fill_tcp(cx, self)
    }

    fn spoil(&self) {
        let _ = self.set_zero_linger();
    }
}
