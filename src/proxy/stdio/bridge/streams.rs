//! Streams of a legacy server beside its answers: the one on which it speaks of its own accord, and those that it broke
//! off to be taken up again (MCP 2025-11-25, Transports, Resumability).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::wire::BodyKind;

use super::Bridge;
use super::http::{Request, Response};
use super::pass::{Waiting, kind_of};
use super::refusals::Failure;
use super::session::is_forgotten;

/// How long a stream stays away that ended without a word on that.
pub(super) const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long it stays away at the most when the server does not come back.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// A stream that lived so long was a good one.
const LIVED: Duration = Duration::from_secs(5);

impl Bridge {
    /// Holds the stream of the session of `generation` open, until the server offers none.
    pub(super) async fn hold_stream(self: Arc<Self>, generation: u64) {
        let (mut last_id, mut failures) = (None::<Vec<u8>>, 0);
        // Nothing is answered here.
        let mut nobody = Waiting::new(Vec::new(), Vec::new());
        loop {
            let (began, mut again_after) = (Instant::now(), AGAIN_AFTER);
            match self.get(last_id.as_deref()).await {
                Ok(mut response) if response.is_success() => {
                    if kind_of(&response) != BodyKind::EventStream {
                        return;
                    }
                    let end = self.pass_events(&mut response, &mut nobody, None).await;
                    last_id = end.last_id.or(last_id);
                    again_after = end.retry.unwrap_or(again_after);
                }
                Ok(mut response) => {
                    let body = response.body.whole(1 << 16).await.unwrap_or_default();
                    if self.legacy.has_id() && is_forgotten(response.status, &body) {
                        // Not in this task, which ends with the session that it belongs to.
                        tokio::spawn(async move {
                            if let Err(why) = self.renew(generation).await {
                                tracing::warn!(
                                    why,
                                    "the server has forgotten the session, and a new one does not begin"
                                );
                            }
                        });
                        return;
                    }
                    if response.status < 500 {
                        // 405: it offers none.
                        return;
                    }
                }
                Err(_) => {}
            }
            // One that lived was a good one: the next is for now.
            failures = if began.elapsed() >= LIVED {
                0
            } else {
                failures + 1
            };
            let wait = again_after * 2_u32.pow(failures.clamp(1, 8) - 1);
            sleep(wait.min(LONGEST_WAIT.max(again_after))).await;
        }
    }

    /// Takes up a stream that broke off behind event `last_id`.
    pub(super) async fn resume(
        self: &Arc<Self>,
        last_id: &[u8],
        retry: Option<Duration>,
    ) -> Result<Response, Failure> {
        let until = Instant::now() + self.options.retry_for;
        let mut wait = retry.unwrap_or(AGAIN_AFTER);
        loop {
            sleep(wait).await;
            match self.get(Some(last_id)).await {
                Ok(response) if response.is_success() => return Ok(response),
                Ok(response) => {
                    let why = format!(
                        "does not take up the answer that broke off: HTTP {}",
                        response.status
                    );
                    return Err(Failure::Nonsense(why));
                }
                Err(why) if Instant::now() >= until => return Err(Failure::Unreachable(why)),
                Err(_) => wait = (wait * 2).min(LONGEST_WAIT),
            }
        }
    }

    async fn get(self: &Arc<Self>, last_id: Option<&[u8]>) -> Result<Response, String> {
        let mut headers = vec![("Accept", b"text/event-stream".to_vec())];
        headers.extend(self.legacy.headers());
        headers.extend(last_id.map(|id| ("Last-Event-ID", id.to_vec())));
        let request = Request {
            method: "GET",
            headers: &headers,
            named: &[],
            body: &[],
        };
        let sent = self.http.send(&request, &mut || ()).await;
        sent.map_err(|error| error.to_string())
    }
}
