//! When the other side must have done something.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// One timer serves all requests of a connection: it is set anew only when it fires, or has to fire earlier.
#[derive(Debug)]
pub(super) struct Deadline {
    due: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(super) fn new(after: Duration) -> Self {
        let due = Instant::now() + after;
        Self {
            due,
            timer: Box::pin(tokio::time::sleep_until(due)),
        }
    }

    /// Counts from now on.
    pub(super) fn restart(&mut self, after: Duration) {
        self.due = Instant::now() + after;
        if self.timer.deadline() > self.due {
            self.timer.as_mut().reset(self.due);
        }
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

    /// What `work` comes to, unless it has to be waited for longer than `longest`. No clock is read where it need not be
    /// waited for.
    pub(super) async fn patient<T>(
        &mut self,
        longest: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let (mut work, mut waiting) = (std::pin::pin!(work), false);
        std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => {
                if !std::mem::replace(&mut waiting, true) {
                    self.restart(longest);
                }
                self.poll(cx).map(|()| None)
            }
        })
        .await
    }
}
