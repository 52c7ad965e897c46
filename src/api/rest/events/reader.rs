//! One who reads events: what is sent to it, from where on, and when it is cut off.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::feed::{self, Feed, Told, Wanted};
use crate::reports::EventId;
use crate::store::StoreError;

/// How often something is sent at the least, so that nothing between takes the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Pieces on their way to a reader.
const UNDER_WAY: usize = 2;

/// Why nothing more is sent.
enum End {
    /// It has left, or does not read.
    Gone,
    /// All that it asked for was sent, or the daemon stops.
    Over,
    Store(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// One who reads events.
pub(super) struct Reader {
    pub(super) feed: Arc<Feed>,
    pub(super) wanted: Wanted,
    /// Everything up to here was sent.
    pub(super) at: EventId,
    /// When the stream ends by itself; for a time that is over, as soon as everything was sent.
    pub(super) until: Option<Instant>,
    /// How long it may take for a piece.
    pub(super) patience: Duration,
    pub(super) stop: CancellationToken,
    /// Its place among the readers.
    pub(super) _place: OwnedSemaphorePermit,
}

impl Reader {
    /// Sends `first`, and then events as they come, to the body that is returned.
    pub(super) fn start(self, first: Bytes) -> EventBody {
        let (sender, receiver) = mpsc::channel(UNDER_WAY);
        tokio::spawn(async move {
            let stop = self.stop.clone();
            let ended = tokio::select! {
                ended = self.run(&sender, first) => ended,
                () = sender.closed() => End::Gone,
                () = stop.cancelled() => End::Over,
            };
            match ended {
                End::Over => {}
                End::Gone => tracing::debug!("a reader of events left, or was too slow"),
                End::Store(error) => {
                    tracing::debug!(%error, "a stream of events ends: the store does not answer");
                }
            }
        });
        EventBody(receiver)
    }

    async fn run(mut self, to: &mpsc::Sender<Bytes>, first: Bytes) -> End {
        match self.follow(to, first).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn follow(&mut self, to: &mpsc::Sender<Bytes>, first: Bytes) -> Result<Infallible, End> {
        // From before the first look at the store, so that nothing falls in between.
        let mut pieces = self.feed.listen();
        self.send(to, first).await?;
        self.catch_up(to).await?;
        let mut beat = Instant::now() + HEARTBEAT;
        loop {
            let deadline = self.until.unwrap_or(beat).min(beat);
            tokio::select! {
                biased;
                piece = pieces.recv() => {
                    let piece = match piece {
                        Ok(piece) => piece,
                        // It lags behind, and is not waited for: it can read on from the store.
                        Err(RecvError::Lagged(_)) => return Err(End::Gone),
                        Err(RecvError::Closed) => return Err(End::Over),
                    };
                    if piece.from > self.at {
                        self.catch_up(to).await?;
                    }
                    let new = piece.events.iter().filter(|told| told.id > self.at);
                    if self.pass(to, new).await? {
                        beat = Instant::now() + HEARTBEAT;
                    }
                    self.at = self.at.max(piece.to);
                }
                () = tokio::time::sleep_until(deadline) => {
                    if self.until.is_some_and(|until| until <= Instant::now()) {
                        // Until now, and not until the last look.
                        self.catch_up(to).await?;
                        return Err(End::Over);
                    }
                    // Nothing is before it that was not taken from `pieces`.
                    if let Some(seen) = self.feed.seen() && pieces.is_empty() {
                        self.at = self.at.max(seen);
                    }
                    let text = format!(": still there\nid: {}\n\n", self.at);
                    self.send(to, text.into()).await?;
                    beat = Instant::now() + HEARTBEAT;
                }
            }
        }
    }

    /// Sends everything that the store has behind `at`.
    async fn catch_up(&mut self, to: &mpsc::Sender<Bytes>) -> Result<(), End> {
        loop {
            let (events, next, more) = feed::read(&self.feed.store, self.at).await?;
            self.pass(to, events.iter()).await?;
            self.at = self.at.max(next);
            if !more {
                return Ok(());
            }
        }
    }

    /// Sends those of `events` that are wanted; says whether there were any.
    async fn pass(
        &self,
        to: &mpsc::Sender<Bytes>,
        events: impl Iterator<Item = &Told>,
    ) -> Result<bool, End> {
        let mut text = BytesMut::new();
        for told in events.filter(|told| self.wanted.has(told)) {
            text.extend_from_slice(&told.text);
        }
        let any = !text.is_empty();
        if any {
            self.send(to, text.freeze()).await?;
        }
        Ok(any)
    }

    async fn send(&self, to: &mpsc::Sender<Bytes>, text: Bytes) -> Result<(), End> {
        match timeout(self.patience, to.send(text)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }
}

/// The body of a stream of events.
pub(super) struct EventBody(mpsc::Receiver<Bytes>);

impl http_body::Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|text| text.map(|text| Ok(Frame::data(text))))
    }
}
