//! Writing heads and bodies.

use std::io::{self, IoSlice};

use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Bodies up to this many bytes are written in one piece with their head; larger ones are not copied.
const COPIED_BYTES: usize = 8 << 10;

/// Writes `head` and then `body`, in one piece where that is cheaper. `head` is as it was afterwards.
pub(super) async fn write_both<S: AsyncWrite + Unpin>(
    stream: &mut S,
    head: &mut Vec<u8>,
    body: &[u8],
) -> io::Result<()> {
    let length = head.len();
    if length == 0 {
        stream.write_all(body).await?;
    } else if body.len() <= COPIED_BYTES {
        head.extend_from_slice(body);
        let written = stream.write_all(head).await;
        head.truncate(length);
        written?;
    } else {
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
        stream.write_all(&body[written - length..]).await?;
    }
    // TLS may hold the end back; on TCP this does nothing.
    stream.flush().await
}
