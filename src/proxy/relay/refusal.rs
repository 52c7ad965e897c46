//! Requests that are turned down once their head has been read, and how that is said.

use http::StatusCode;

use crate::tracking::{Exchange, Failure};

use super::super::answers::OwnAnswer;
use super::super::limits::{Count, Counters};
use super::stream::ClientStream;
use super::{Client, Gone};

/// Why a request is turned down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It comes from where it may not; what tells.
    Forbidden(&'static str),
    /// Its body is no chunked coding.
    BadBody,
    /// Its body is longer than is allowed.
    TooLarge,
    /// The next piece of its body did not come in time.
    SlowBody,
    /// It would hold a stream, and there are as many as may be.
    TooManyStreams,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::BadBody => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::TooManyStreams => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Forbidden(_) => "origin-refused",
            Self::BadBody => "bad-request",
            Self::TooLarge => "body-too-large",
            Self::SlowBody => "slow-body",
            Self::TooManyStreams => "too-many-streams",
        }
    }

    /// Adds it to what `/health` shows.
    pub(super) fn count(self, counters: &Counters) {
        let count: &Count = match self {
            Self::Forbidden(_) => &counters.forbidden,
            Self::BadBody => &counters.bad_request,
            Self::TooLarge => &counters.body_too_large,
            Self::SlowBody => &counters.slow_body,
            Self::TooManyStreams => &counters.too_many_streams,
        };
        count.add();
    }
}

impl<S: ClientStream> Client<'_, S> {
    /// Turns a request down. `whole` says whether its body has been read to its end; else the connection closes.
    pub(super) async fn refuse(
        &mut self,
        exchange: Option<&Exchange>,
        refusal: Refusal,
        keep_alive: bool,
        whole: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let proxy = &self.worker.proxy;
        refusal.count(&proxy.counters);
        let limits = &proxy.options.limits;
        let message = match refusal {
            Refusal::Forbidden(why) => why.to_owned(),
            Refusal::BadBody => "the body's chunked coding is broken".to_owned(),
            Refusal::TooLarge => format!(
                "the body is longer than the {} bytes that are allowed (--max-body)",
                limits.max_body
            ),
            Refusal::SlowBody => format!(
                "the next piece of the body did not come within {} s (--body-timeout)",
                limits.body_timeout.as_secs_f64()
            ),
            Refusal::TooManyStreams => format!(
                "{} streams are open, as many as are allowed (--max-streams)",
                limits.max_streams
            ),
        };
        let id = exchange.and_then(|exchange| exchange.failed(Failure::Refused(message.clone())));
        let mut answer =
            OwnAnswer::error(refusal.status(), refusal.reason(), &message, id.as_deref());
        answer.retry_after = (refusal == Refusal::TooManyStreams).then_some(10);
        self.sending = !whole;
        self.own(&answer, false, keep_alive && whole, out).await
    }
}
