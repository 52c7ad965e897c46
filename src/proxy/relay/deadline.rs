//! When an answer must have begun.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// One timer serves all requests of a connection: it is set anew only when it fires.
#[derive(Debug)]
pub(super) struct Deadline {
    after: Duration,
    due: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(super) fn new(after: Duration) -> Self {
        let due = Instant::now() + after;
        Self {
            after,
            due,
            timer: Box::pin(tokio::time::sleep_until(due)),
        }
    }

    /// Counts from now on.
    pub(super) fn restart(&mut self) {
        self.due = Instant::now() + self.after;
    }

    /// Ready when it is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= self.due {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.due);
        }
        Poll::Pending
    }

    /// What `work` comes to, unless the deadline is over before.
    pub(super) async fn bound<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll(cx).map(|()| None),
        })
        .await
    }
}
