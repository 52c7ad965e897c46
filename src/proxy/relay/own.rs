//! Answers of our own, in place of the server's.

use std::sync::atomic::Ordering;

use http::StatusCode;
use tokio::io::AsyncWriteExt;

use crate::tracking::{Exchange, Failure};

use super::super::answers::OwnAnswer;
use super::passage::Passage;
use super::stream::ClientStream;
use super::{Client, Gone};

/// Bytes of a body that are read only to throw them away.
const MOST_DISCARDED: usize = 1 << 20;

impl<S: ClientStream> Client<'_, S> {
    /// Reads the rest of a body that cannot be sent, within limits: the id of the request may be in it, and then the
    /// client is not cut off while it is sending.
    pub(super) async fn take_rest(&mut self, passage: &mut Passage<'_>) -> Result<(), Gone> {
        let mut left = MOST_DISCARDED;
        let limits = &self.worker.proxy.options.limits;
        self.deadline.restart(limits.body_timeout);
        while !passage.whole() && left > 0 {
            self.input.consume(passage.kept + passage.ready);
            (passage.kept, passage.ready) = (0, 0);
            let fill = std::future::poll_fn(|cx| self.stream.poll_read_into(cx, &mut self.input));
            let Some(read) = self.deadline.bound(fill).await else {
                return Ok(());
            };
            let count = read?;
            if count == 0 {
                return Err(Gone);
            }
            left = left.saturating_sub(count);
            if passage.look(&self.input, &self.worker.proxy).is_err() {
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
        let patience = self.worker.proxy.options.limits.write_timeout;
        let writing = self.stream.write_all(out);
        match self.deadline.patient(patience, writing).await {
            Some(written) => written?,
            None => return Err(self.slow_reader()),
        }
        Ok(keep_alive)
    }

    /// The client does not read what it is sent.
    pub(super) fn slow_reader(&self) -> Gone {
        self.worker.proxy.counters.slow_reader.add();
        self.stream.spoil();
        Gone
    }

    /// What a client is told whose request could not be sent, or not answered.
    pub(super) fn unreachable(
        &self,
        exchange: Option<&Exchange>,
        why: &str,
        failure: fn(String) -> Failure,
    ) -> OwnAnswer {
        let upstream = self.target.upstream;
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
        let seconds = self.target.remote.request_timeout.as_secs_f64();
        let server = &self.target.upstream.server.name;
        let message = format!("the MCP server '{server}' did not answer within {seconds} s");
        OwnAnswer::error(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream-timeout",
            &message,
            id.as_deref(),
        )
    }
}
