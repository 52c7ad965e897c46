//! Lines of the client on their way to the server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::headers;
use super::http::{Request, Response, SendError};
use super::message::{self, Message};
use super::pass::{Answer, Passed, StreamEnd, Waiting, read_answer};
use super::refusals::{self, Failure};
use super::session::is_forgotten;
use super::{Bridge, MOST_UNDER_WAY, UnderWay, lock};

/// How long the lines behind a notification wait for the server to take it.
const NOTIFICATION: Duration = Duration::from_secs(2);
/// Waits between tries to reach the server.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often a server may send us elsewhere.
const MOST_MOVES: u32 = 3;
/// Pages of tools that are read in search of one.
const MOST_PAGES: u32 = 50;
/// How much of the body of an HTTP error is read.
const LONGEST_REFUSAL: usize = 1 << 20;

const ACCEPT: (&str, &[u8]) = ("Accept", b"application/json, text/event-stream");

/// Tells once that a request is on its way.
struct Written(Option<oneshot::Sender<()>>);

impl Written {
    fn tell(&mut self) {
        if let Some(written) = self.0.take() {
            let _ = written.send(());
        }
    }
}

impl Bridge {
    /// Takes a line. Returns when the next one may be taken: requests are under way by then, so that what cancels them
    /// comes behind them, and notifications have been taken by the server.
    pub(super) async fn take(self: &Arc<Self>, line: Vec<u8>) {
        let line = line.trim_ascii().to_vec();
        let messages = match message::read(&line) {
            Ok(messages) if !messages.is_empty() && messages.iter().all(Message::is_sound) => {
                messages
            }
            Ok(_) => {
                let why = "this is neither a request, a notification nor a response";
                let line = message::error_line(None, refusals::INVALID_REQUEST, why);
                return self.output.say(line).await;
            }
            Err(why) => {
                let why = format!("this is no JSON-RPC message: {why}");
                let line = message::error_line(None, refusals::PARSE_ERROR, &why);
                return self.output.say(line).await;
            }
        };
        if let [message] = &messages[..]
            && let Some(id) = &message.cancels
            && self.cancel(id)
        {
            return;
        }
        let (tell, written) = oneshot::channel();
        let asks = messages.iter().any(Message::is_request);
        let forwarding = self.clone().forward(line, messages, Written(Some(tell)));
        let task = self.tasks.spawn(forwarding);
        if asks {
            let _ = written.await;
        } else {
            let _ = timeout(NOTIFICATION, task).await;
        }
    }

    /// The client waits no more for request `id`, raw. Where closing the connection says so, nothing else is sent: then
    /// this is all there is to do.
    fn cancel(&self, id: &str) -> bool {
        let under_way = lock(&self.under_way).get(id).cloned();
        let Some(request) = under_way else {
            // Of a request that is over; a legacy server takes it as it likes.
            return lock(&self.modern).is_some() && self.legacy.generation() == 0;
        };
        if request.modern {
            request.stop.cancel();
        } else {
            lock(&self.cancelled).insert(id.into());
        }
        request.modern
    }

    async fn forward(self: Arc<Self>, line: Vec<u8>, messages: Vec<Message>, written: Written) {
        if let Some(version) = messages.iter().find_map(|message| message.modern.clone()) {
            *lock(&self.modern) = Some(version);
        }
        let stop = CancellationToken::new();
        let Some(ids) = self.enter(&messages, &stop) else {
            let mut waiting = Waiting::new(messages, line);
            return self.fail(&mut waiting, &Failure::TooMany).await;
        };
        let closing = self.closing.clone();
        tokio::select! {
            () = self.exchange(line, messages, written) => {}
            () = stop.cancelled() => {}
            () = closing.cancelled() => {}
        }
        for id in &ids {
            lock(&self.under_way).remove(id);
            lock(&self.cancelled).remove(id);
        }
    }

    /// Notes that the requests among `messages` are under way, until `stop` ends them; their ids. `None` where there are
    /// too many.
    fn enter(&self, messages: &[Message], stop: &CancellationToken) -> Option<Vec<Box<str>>> {
        let requests = || messages.iter().filter(|message| message.is_request());
        let mut under_way = lock(&self.under_way);
        if under_way.len() + requests().count() > MOST_UNDER_WAY {
            return None;
        }
        let mut ids = Vec::new();
        for message in requests() {
            if let Some(id) = &message.id {
                let request = UnderWay {
                    stop: stop.clone(),
                    modern: message.modern.is_some(),
                    listens: message.is("subscriptions/listen"),
                };
                under_way.insert(id.clone(), request);
                ids.push(id.clone());
            }
        }
        Some(ids)
    }

    /// Sends the line until it has an answer, which is passed on, or a failure, which is told.
    async fn exchange(
        self: &Arc<Self>,
        line: Vec<u8>,
        messages: Vec<Message>,
        mut written: Written,
    ) {
        let is_initialize = messages.iter().any(|message| message.is("initialize"));
        let opens_stream = messages
            .iter()
            .any(|message| message.is("notifications/initialized"));
        let (mut renewed, mut refreshed, mut moves) = (false, false, 0);
        let heads: Vec<Head> = messages.iter().map(Head::of).collect();
        let mut waiting = Waiting::new(messages, line);
        loop {
            let generation = self.legacy.generation();
            let (headers, named) = self.headers(&heads, &waiting);
            let request = Request {
                method: "POST",
                headers: &headers,
                named: &named,
                body: waiting.line(),
            };
            let mut response = match self.reach(&request, &mut written).await {
                Ok(response) => response,
                Err(failure) => return self.fail(&mut waiting, &failure).await,
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
                        return self.fail(&mut waiting, &Failure::Nonsense(why)).await;
                    }
                }
            }
            let mismatch = refusals::error_in(&body)
                .is_some_and(|(code, _)| code == refusals::HEADER_MISMATCH);
            if mismatch && !refreshed && self.learn_tools(&waiting, &named).await {
                refreshed = true;
                continue;
            }
            return self.refuse(&mut waiting, response.status, &body).await;
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
    async fn pass_to_the_end(self: &Arc<Self>, mut response: Response, mut waiting: Waiting) {
        let mut passed = self.pass(&mut response, &mut waiting).await;
        loop {
            let StreamEnd {
                last_id,
                retry,
                why,
            } = match passed {
                Ok(Passed::Whole) => return,
                Err(failure) => return self.fail(&mut waiting, &failure).await,
                Ok(Passed::Unfinished(end)) => end,
            };
            drop(response);
            let again = match waiting.requests() {
                [request] if request.modern.is_some() => {
                    if !request.is("subscriptions/listen") {
                        return self.fail(&mut waiting, &Failure::Broken(why)).await;
                    }
                    self.listen_again(&waiting, retry).await
                }
                _ => match last_id {
                    Some(id) => self.resume(&id, retry).await,
                    None => Err(Failure::Broken(why)),
                },
            };
            response = match again {
                Ok(response) => response,
                Err(failure) => return self.fail(&mut waiting, &failure).await,
            };
            passed = self.pass(&mut response, &mut waiting).await;
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

    /// Asks which parameters the server wants in headers, because it missed some. Says whether that changes the call.
    async fn learn_tools(self: &Arc<Self>, waiting: &Waiting, sent: &[(String, Vec<u8>)]) -> bool {
        let [call] = waiting.requests() else {
            return false;
        };
        let (Some(version), true) = (&call.modern, call.is("tools/call")) else {
            return false;
        };
        let params: serde_json::Value = call
            .params
            .as_ref()
            .and_then(|params| serde_json::from_str(params.get()).ok())
            .unwrap_or_default();
        let mut cursor = None;
        for page in 0..MOST_PAGES {
            let mut list = serde_json::json!({"jsonrpc": "2.0", "id": format!("archonctl-tools-{page}"),
                "method": "tools/list", "params": {"_meta": params["_meta"]}});
            if let Some(cursor) = cursor {
                list["params"]["cursor"] = cursor;
            }
            let line = list.to_string().into_bytes();
            let Some(message) = message::read(&line).ok().and_then(|mut read| read.pop()) else {
                return false;
            };
            let headers = headers::standard(&message, version);
            let Ok(response) = self.post(&line, &headers, &[]).await else {
                return false;
            };
            let Answer::Message(Message {
                result: Some(result),
                ..
            }) = read_answer(response).await
            else {
                return false;
            };
            match self.tools.learn(result.get()) {
                Some(next) => cursor = Some(serde_json::Value::from(next)),
                None => break,
            }
        }
        self.tools.of_call(call) != sent
    }

    /// Tells the requests that wait that there is no answer. Nobody waits for those that were cancelled.
    async fn fail(&self, waiting: &mut Waiting, failure: &Failure) {
        let url = self.http.shown();
        let given_up = waiting.give_up();
        if given_up.is_empty() {
            tracing::warn!(
                ?failure,
                "a notification or response did not reach the server"
            );
        }
        for id in given_up.into_iter().filter_map(|request| request.id) {
            if lock(&self.cancelled).contains(&id) {
                continue;
            }
            if let (Failure::TimedOut, Some(process)) = (failure, &self.process) {
                process.timed_out(id.as_bytes());
            }
            self.output.say(failure.line(&id, &url)).await;
        }
    }

    /// Tells the requests that wait of the HTTP error that they met.
    async fn refuse(&self, waiting: &mut Waiting, status: u16, body: &[u8]) {
        let refused = waiting.give_up();
        if refused.is_empty() {
            tracing::warn!(status, "the server did not take a notification or response");
        }
        for request in &refused {
            self.output
                .say(refusals::of_status(status, body, request))
                .await;
        }
    }
}

/// What a message without an answer says of itself.
struct Head {
    initialize: bool,
    modern: bool,
    method: Option<Vec<u8>>,
}

impl Head {
    fn of(message: &Message) -> Self {
        Self {
            initialize: message.is("initialize"),
            modern: message.modern.is_some(),
            method: message.method.as_deref().map(headers::encoded),
        }
    }
}
