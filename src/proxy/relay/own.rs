//! Answers of our own, in place of the server's.

use std::sync::atomic::Ordering;

use http::StatusCode;
use tokio::io::AsyncWriteExt;

use crate::tracking::{Exchange, Failure};

use super::super::answers::OwnAnswer;
use super::passage::Passage;
use super::{Client, Gone};

/// Bytes of a body that are read only to throw them away.
const MOST_DISCARDED: usize = 1 << 20;

impl Client<'_> {
    /// Reads the rest of a body that cannot be sent, within limits: the id of the request may be in it, and then the
    /// client is not cut off while it is sending.
    pub(super) async fn take_rest(&mut self, passage: &mut Passage<'_>) -> Result<(), Gone> {
        let mut left = MOST_DISCARDED;
        while !passage.whole() && left > 0 {
            self.input.consume(passage.kept + passage.ready);
            (passage.kept, passage.ready) = (0, 0);
            let fill = std::future::poll_fn(|cx| self.input.poll_fill(cx, &mut self.stream));
            let Some(read) = self.deadline.bound(fill).await else {
                return Ok(());
            };
            let count = read?;
            if count == 0 {
                return Err(Gone);
            }
            left = left.saturating_sub(count);
            if passage.look(&self.input).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers ourselves; says whether the connection can serve another request.
    pub(super) async fn own(
        &mut self,
        answer: &OwnAnswer,
        to_head: bool,
        keep_alive: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let keep_alive = keep_alive && !self.standing.draining.load(Ordering::Relaxed);
        out.clear();
        answer.write(to_head, !keep_alive, out);
        self.stream.write_all(out).await?;
        Ok(keep_alive)
    }

    /// Turns down a request whose body is no chunked coding.
    pub(super) async fn refuse_body(
        &mut self,
        exchange: Option<&Exchange>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let message = "the body's chunked coding is broken";
        self.sending = true;
        if let Some(exchange) = exchange {
            exchange.failed(Failure::Refused(message.to_owned()));
        }
        let answer = OwnAnswer::error(StatusCode::BAD_REQUEST, "bad-request", message, None);
        self.own(&answer, false, false, out).await
    }

    /// What a client is told whose request could not be sent, or not answered.
    pub(super) fn unreachable(
        &self,
        exchange: Option<&Exchange>,
        why: &str,
        failure: fn(String) -> Failure,
    ) -> OwnAnswer {
        let upstream = &self.worker.proxy.upstream;
        let server = &upstream.server.name;
        if upstream.note_reachable(false) {
            tracing::warn!(%server, why, "the server cannot be reached");
        }
        let message = format!("the MCP server '{server}' cannot be reached: {why}");
        let id = exchange.and_then(|exchange| exchange.failed(failure(message.clone())));
        OwnAnswer::error(
            StatusCode::BAD_GATEWAY,
            "upstream-unreachable",
            &message,
            id.as_deref(),
        )
    }

    /// What a client is told whose request was not answered in time.
    pub(super) fn timed_out(&self, exchange: Option<&Exchange>) -> OwnAnswer {
        let id = exchange.and_then(|exchange| exchange.failed(Failure::TimedOut));
        let seconds = self.worker.proxy.options.request_timeout.as_secs_f64();
        let server = &self.worker.proxy.upstream.server.name;
        let message = format!("the MCP server '{server}' did not answer within {seconds} s");
        OwnAnswer::error(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream-timeout",
            &message,
            id.as_deref(),
        )
    }
}
