//! One request on its way to the server, and its answer on its way back: tried again where that is safe, sent again where
//! the server wants it otherwise, taken up again where it broke off.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::headers;
use super::http::{Request, Response, SendError};
use super::message::Message;
use super::pass::{Passed, StreamEnd, Waiting};
use super::refusals::{self, Failure};
use super::session::is_forgotten;
use super::translate::MOST_ROUNDS;
use super::{Bridge, lock};

/// Waits between tries to reach the server.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often a server may send us elsewhere.
const MOST_MOVES: u32 = 3;
/// How much of the body of an HTTP error is read.
const LONGEST_REFUSAL: usize = 1 << 20;

const ACCEPT: (&str, &[u8]) = ("Accept", b"application/json, text/event-stream");

/// Tells once that a request is on its way.
pub(super) struct Written(Option<oneshot::Sender<()>>);

impl Written {
    /// Tells `written`.
    pub(super) fn new(written: oneshot::Sender<()>) -> Self {
        Self(Some(written))
    }

    fn tell(&mut self) {
        if let Some(written) = self.0.take() {
            let _ = written.send(());
        }
    }
}

impl Bridge {
    /// Sends the line, and again with input for as long as the server asks for some that the client does not know of.
    pub(super) async fn exchange_all(
        self: &Arc<Self>,
        line: Vec<u8>,
        messages: Vec<Message>,
        mut written: Written,
    ) {
        let heads: Vec<Head> = messages.iter().map(Head::of).collect();
        let mut waiting = Waiting::new(messages, line);
        self.exchange(&heads, &mut waiting, &mut written).await;
        for _ in 0..MOST_ROUNDS {
            let translation = lock(&self.translation).clone();
            let (Some(needs), Some(translation)) = (waiting.take_needs_input(), translation) else {
                return;
            };
            let id = needs.id();
            match self.gather(&translation, needs).await {
                Err(line) => return self.output.say(line).await,
                Ok((line, messages)) => {
                    let heads: Vec<Head> = messages.iter().map(Head::of).collect();
                    waiting = Waiting::new(messages, line).known_as(id);
                    self.exchange(&heads, &mut waiting, &mut written).await;
                }
            }
        }
        if let Some(needs) = waiting.take_needs_input() {
            let failure = Failure::Nonsense("asks for input again and again".to_owned());
            let line = failure.line(&needs.id(), &self.http.shown());
            self.output.say(line).await;
        }
    }

    /// Sends a request of the bridge's own, until it is over.
    pub(super) async fn exchange_own(self: &Arc<Self>, waiting: &mut Waiting) {
        let heads: Vec<Head> = waiting.requests().iter().map(Head::of).collect();
        self.exchange(&heads, waiting, &mut Written(None)).await;
    }

    /// Sends what waits until it has an answer, which is passed on, or a failure, which is told.
    async fn exchange(
        self: &Arc<Self>,
        heads: &[Head],
        waiting: &mut Waiting,
        written: &mut Written,
    ) {
        let is_initialize = heads.iter().any(|head| head.initialize);
        let opens_stream = heads.iter().any(|head| head.initialized);
        let (mut renewed, mut refreshed, mut moves) = (false, false, 0);
        loop {
            let generation = self.legacy.generation();
            let (headers, named) = self.headers(heads, waiting);
            let request = Request {
                method: "POST",
                headers: &headers,
                named: &named,
                body: waiting.line(),
            };
            let mut response = match self.reach(&request, written).await {
                Ok(response) => response,
                Err(failure) => return self.fail(waiting, &failure).await,
            };
            if response.is_success() {
                if opens_stream {
                    self.legacy.initialized(waiting.line());
                    self.open_stream();
                }
                return self.pass_to_the_end(response, waiting).await;
            }
            if matches!(response.status, 307 | 308)
                && moves < MOST_MOVES
                && response
                    .header("Location")
                    .is_some_and(|location| self.http.moved(location))
            {
                moves += 1;
                continue;
            }
            let body = response
                .body
                .whole(LONGEST_REFUSAL)
                .await
                .unwrap_or_default();
            let of_session = self.legacy.has_id() && heads.iter().all(|head| !head.modern);
            if of_session && !is_initialize && !renewed && is_forgotten(response.status, &body) {
                renewed = true;
                match self.renew(generation).await {
                    Ok(()) => continue,
                    Err(why) => {
                        let why = format!(
                            "has forgotten the session, and a new one does not begin: {why}"
                        );
                        return self.fail(waiting, &Failure::Nonsense(why)).await;
                    }
                }
            }
            let mismatch = refusals::error_in(&body)
                .is_some_and(|(code, _)| code == refusals::HEADER_MISMATCH);
            if mismatch && !refreshed && self.learn_tools(waiting, &named).await {
                refreshed = true;
                continue;
            }
            if is_initialize && self.translated(waiting, &body).await {
                return;
            }
            return self.refuse(waiting, response.status, &body).await;
        }
    }

    /// The headers for requests of `heads`, beside the user's own.
    #[expect(clippy::type_complexity, reason = "two lists of headers")]
    fn headers(
        &self,
        heads: &[Head],
        waiting: &Waiting,
    ) -> (Vec<(&'static str, Vec<u8>)>, Vec<(String, Vec<u8>)>) {
        let mut all = vec![(ACCEPT.0, ACCEPT.1.to_vec())];
        let mut named = Vec::new();
        match (heads, waiting.requests()) {
            (_, [request]) if request.modern.is_some() => {
                let version = request.modern.as_deref().unwrap_or_default();
                all.extend(headers::standard(request, version));
                if request.is("tools/call") {
                    named = self.tools.of_call(request);
                }
            }
            ([head], _) if head.initialize => {}
            ([head], []) if self.legacy.generation() == 0 => {
                if let Some(version) = &*lock(&self.modern) {
                    all.push(("MCP-Protocol-Version", version.as_bytes().to_vec()));
                    all.extend(head.method.clone().map(|method| ("Mcp-Method", method)));
                }
            }
            _ => all.extend(self.legacy.headers()),
        }
        (all, named)
    }

    /// Sends `request` when the server can be reached, within the time that is allowed for that.
    async fn reach(
        self: &Arc<Self>,
        request: &Request<'_>,
        written: &mut Written,
    ) -> Result<Response, Failure> {
        let mut wait = FIRST_WAIT;
        loop {
            let mut tell = || written.tell();
            let sending = self.http.send(request, &mut tell);
            match timeout(self.options.request_timeout, sending).await {
                Err(_) => return Err(Failure::TimedOut),
                Ok(Err(SendError::Broken(why))) => return Err(Failure::Broken(why)),
                Ok(Ok(response)) => {
                    if lock(&self.outage).take().is_some() {
                        tracing::info!("the server is back");
                    }
                    return Ok(response);
                }
                Ok(Err(SendError::Connect(why))) => {
                    let since = *lock(&self.outage).get_or_insert_with(|| {
                        let (url, secs) = (self.http.shown(), self.options.retry_for.as_secs());
                        tracing::warn!(
                            url,
                            why,
                            "the server cannot be reached; it is tried again for {secs} s"
                        );
                        Instant::now()
                    });
                    if Instant::now() + wait > since + self.options.retry_for {
                        return Err(Failure::Unreachable(why));
                    }
                }
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Sends a request of the bridge's own once.
    pub(super) async fn post(
        self: &Arc<Self>,
        line: &[u8],
        headers: &[(&'static str, Vec<u8>)],
        named: &[(String, Vec<u8>)],
    ) -> Result<Response, String> {
        let mut all = vec![(ACCEPT.0, ACCEPT.1.to_vec())];
        all.extend_from_slice(headers);
        let request = Request {
            method: "POST",
            headers: &all,
            named,
            body: line,
        };
        let mut nobody = || ();
        let sending = self.http.send(&request, &mut nobody);
        let sent = timeout(self.options.request_timeout, sending);
        let response = sent.await.map_err(|_| "no answer in time".to_owned())?;
        response.map_err(|error| error.to_string())
    }

    /// Passes an answer on to its end, and a stream that breaks off before that as long as it can be taken up again.
    async fn pass_to_the_end(self: &Arc<Self>, mut response: Response, waiting: &mut Waiting) {
        let mut passed = self.pass(&mut response, waiting).await;
        loop {
            let StreamEnd {
                last_id,
                retry,
                why,
            } = match passed {
                Ok(Passed::Whole) => return,
                Err(failure) => return self.fail(waiting, &failure).await,
                Ok(Passed::Unfinished(end)) => end,
            };
            drop(response);
            let again = match waiting.requests() {
                [request] if request.modern.is_some() => {
                    if !request.is("subscriptions/listen") {
                        return self.fail(waiting, &Failure::Broken(why)).await;
                    }
                    self.listen_again(waiting, retry).await
                }
                _ => match last_id {
                    Some(id) => self.resume(&id, retry).await,
                    None => Err(Failure::Broken(why)),
                },
            };
            response = match again {
                Ok(response) => response,
                Err(failure) => return self.fail(waiting, &failure).await,
            };
            passed = self.pass(&mut response, waiting).await;
        }
    }

    /// Sends a held subscription again, whose stream has ended: the server keeps nothing of it.
    async fn listen_again(
        self: &Arc<Self>,
        waiting: &Waiting,
        retry: Option<Duration>,
    ) -> Result<Response, Failure> {
        sleep(retry.unwrap_or(super::streams::AGAIN_AFTER)).await;
        let heads: Vec<Head> = waiting.requests().iter().map(Head::of).collect();
        let (headers, named) = self.headers(&heads, waiting);
        let request = Request {
            method: "POST",
            headers: &headers,
            named: &named,
            body: waiting.line(),
        };
        let mut response = self.reach(&request, &mut Written(None)).await?;
        if response.is_success() {
            return Ok(response);
        }
        let body = response
            .body
            .whole(LONGEST_REFUSAL)
            .await
            .unwrap_or_default();
        let said = refusals::error_in(&body).map_or_else(String::new, |(_, error)| error);
        let why = format!("ended the subscription: HTTP {} {said}", response.status);
        Err(Failure::Nonsense(why.trim_end().to_owned()))
    }
}

/// What a message without an answer says of itself.
struct Head {
    initialize: bool,
    initialized: bool,
    modern: bool,
    method: Option<Vec<u8>>,
}

impl Head {
    fn of(message: &Message) -> Self {
        Self {
            initialize: message.is("initialize"),
            initialized: message.is("notifications/initialized"),
            modern: message.modern.is_some(),
            method: message.method.as_deref().map(headers::encoded),
        }
    }
}
