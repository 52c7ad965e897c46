//! Answers of the server on their way to the client: one body of JSON, or a stream of events, each message a line.

use std::time::Duration;

use crate::wire::{BodyKind, body_kind};

use super::events::{Event, Events};
use super::http::Response;
use super::message::{self, Message, on_one_line};
use super::refusals::Failure;
use super::translate::{self, NeedsInput};
use super::{Bridge, LONGEST_MESSAGE, lock};

/// The requests of one line, as far as they have no answer yet.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Each with its id.
    requests: Vec<Message>,
    line: Vec<u8>,
    /// Whether a held subscription has been acknowledged to the client.
    acknowledged: bool,
    /// Whether they are the bridge's own: their answers are nobody's.
    own: bool,
    /// The id by which the client knows the one request there is, where that was sent under another.
    known_as: Option<Box<str>>,
    /// The request that was answered with one for input.
    needs_input: Option<NeedsInput>,
}

impl Waiting {
    /// The requests among `messages`, which came in `line`.
    pub(super) fn new(messages: Vec<Message>, line: Vec<u8>) -> Self {
        Self {
            requests: messages.into_iter().filter(Message::is_request).collect(),
            line,
            acknowledged: false,
            own: false,
            known_as: None,
            needs_input: None,
        }
    }

    /// Requests of the bridge's own.
    pub(super) fn own(messages: Vec<Message>, line: Vec<u8>) -> Self {
        Self {
            own: true,
            // Nobody has to be told that it began.
            acknowledged: true,
            ..Self::new(messages, line)
        }
    }

    /// A request that the client knows as `id`.
    pub(super) fn known_as(self, id: Box<str>) -> Self {
        Self {
            known_as: Some(id),
            ..self
        }
    }

    /// Whether these are the bridge's own.
    pub(super) fn is_own(&self) -> bool {
        self.own
    }

    /// The request that has to be sent again with input, if there is one.
    pub(super) fn take_needs_input(&mut self) -> Option<NeedsInput> {
        self.needs_input.take()
    }

    /// The id by which the client knows `request`, raw.
    pub(super) fn client_id(&self, request: &Message) -> Box<str> {
        let known_as = self.known_as.clone();
        known_as.or_else(|| request.id.clone()).unwrap_or_default()
    }

    /// Whether all have been answered.
    pub(super) fn is_over(&self) -> bool {
        self.requests.is_empty()
    }

    /// Those without an answer.
    pub(super) fn requests(&self) -> &[Message] {
        &self.requests
    }

    /// The line they came in.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// The same, with the ids by which the client knows them.
    pub(super) fn named(&mut self) -> Vec<(Box<str>, Message)> {
        let requests = self.give_up().into_iter();
        requests
            .map(|request| (self.client_id(&request), request))
            .collect()
    }

    /// All of them count as answered.
    pub(super) fn give_up(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.requests)
    }
}

/// How an answer's body ended.
#[derive(Debug)]
pub(super) enum Passed {
    /// With everything answered.
    Whole,
    /// It was a stream that ended before everything was answered.
    Unfinished(StreamEnd),
}

/// How a stream of events ended.
#[derive(Debug)]
pub(super) struct StreamEnd {
    /// The last event's id, by which the stream can be taken up again.
    pub(super) last_id: Option<Vec<u8>>,
    /// When the server wants that.
    pub(super) retry: Option<Duration>,
    /// What happened.
    pub(super) why: String,
}

/// An answer to a request of the bridge's own.
#[derive(Debug)]
pub(super) enum Answer {
    /// The response.
    Message(Message),
    /// A success without a body.
    None,
    /// Nothing that could be read; what happened.
    Failed(String),
}

/// How the body of `response` is to be read.
pub(super) fn kind_of(response: &Response) -> BodyKind {
    body_kind(
        response.header("Content-Type"),
        response.header("Content-Encoding"),
    )
}

/// The content type of `response`, for people.
fn type_of(response: &Response) -> String {
    response
        .header("Content-Type")
        .map_or("nothing".into(), String::from_utf8_lossy)
        .into_owned()
}

/// Reads the answer to a request of the bridge's own. Whatever else comes with it is nobody's.
pub(super) async fn read_answer(mut response: Response) -> Answer {
    let status = response.status;
    if kind_of(&response) == BodyKind::EventStream {
        let mut events = Events::new(LONGEST_MESSAGE);
        loop {
            let piece = match response.body.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => return Answer::Failed("the answer ended without a response".into()),
                Err(error) => return Answer::Failed(error.to_string()),
            };
            let mut found = Vec::new();
            events.feed(&piece, &mut found);
            for event in found {
                let Event::Data(data) = event else { continue };
                let messages = message::read(&data).unwrap_or_default();
                if let Some(answer) = messages.into_iter().find(Message::is_response) {
                    return Answer::Message(answer);
                }
            }
        }
    }
    let body = match response.body.whole(LONGEST_MESSAGE).await {
        Ok(body) => body,
        Err(error) => return Answer::Failed(error.to_string()),
    };
    let read = message::read(&body).unwrap_or_default();
    match read.into_iter().find(Message::is_response) {
        Some(answer) => Answer::Message(answer),
        None if response.is_success() && body.is_empty() => Answer::None,
        None => Answer::Failed(format!("HTTP {status}")),
    }
}

impl Bridge {
    /// Passes the body of a successful answer on, and notes which of `waiting` it answers.
    ///
    /// # Errors
    /// When it is no answer that can be read.
    pub(super) async fn pass(
        &self,
        response: &mut Response,
        waiting: &mut Waiting,
    ) -> Result<Passed, Failure> {
        let session_id = response.header("Mcp-Session-Id").map(<[u8]>::to_vec);
        match kind_of(response) {
            BodyKind::EventStream => {
                let end = self
                    .pass_events(response, waiting, session_id.as_deref())
                    .await;
                return Ok(if waiting.is_over() {
                    Passed::Whole
                } else {
                    Passed::Unfinished(end)
                });
            }
            BodyKind::Json => {
                let body = response.body.whole(LONGEST_MESSAGE).await;
                let body = body.map_err(|error| Failure::Broken(error.to_string()))?;
                if !body.trim_ascii().is_empty() {
                    let passed = self.pass_message(body, waiting, session_id.as_deref());
                    if !passed.await && !waiting.is_over() {
                        return Err(Failure::Nonsense(
                            "answered with something that is no JSON-RPC message".to_owned(),
                        ));
                    }
                }
            }
            BodyKind::Opaque => {
                let kind = type_of(response);
                let body = response.body.whole(1 << 20).await.unwrap_or_default();
                if !waiting.is_over() && !body.is_empty() {
                    return Err(Failure::Nonsense(format!(
                        "answered with {kind}, where JSON or an event stream is expected"
                    )));
                }
            }
        }
        if waiting.is_over() {
            Ok(Passed::Whole)
        } else {
            let status = response.status;
            Err(Failure::Nonsense(format!(
                "took the request and gave no answer (HTTP {status})"
            )))
        }
    }

    /// Passes the messages of a stream on until it ends.
    pub(super) async fn pass_events(
        &self,
        response: &mut Response,
        waiting: &mut Waiting,
        session_id: Option<&[u8]>,
    ) -> StreamEnd {
        let mut events = Events::new(LONGEST_MESSAGE);
        let why = loop {
            let piece = match response.body.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break "the stream ended without it".to_owned(),
                Err(error) => break error.to_string(),
            };
            let mut found = Vec::new();
            events.feed(&piece, &mut found);
            for event in found {
                match event {
                    Event::Data(data) => {
                        self.pass_message(data, waiting, session_id).await;
                    }
                    Event::TooLong => tracing::warn!(
                        longest = LONGEST_MESSAGE,
                        "a message of the server was longer than allowed and was left out"
                    ),
                }
            }
        };
        StreamEnd {
            last_id: events.last_id,
            retry: events.retry,
            why,
        }
    }

    /// Passes one message, or a batch, on; false if it is none, which the client must not see.
    async fn pass_message(
        &self,
        text: Vec<u8>,
        waiting: &mut Waiting,
        session_id: Option<&[u8]>,
    ) -> bool {
        let messages = message::read(&text).unwrap_or_default();
        if messages.is_empty() || !messages.iter().all(Message::is_sound) {
            tracing::warn!("the server sent something that is no JSON-RPC message; it is left out");
            return false;
        }
        for message in &messages {
            if message.is("notifications/subscriptions/acknowledged")
                && waiting
                    .requests
                    .iter()
                    .any(|r| r.is("subscriptions/listen"))
                && std::mem::replace(&mut waiting.acknowledged, true)
            {
                // The subscription was made anew behind the client's back.
                return true;
            }
            if message.is_response() && self.answered(message, waiting, session_id) {
                return true;
            }
        }
        let renamed = waiting.known_as.as_ref().filter(|_| {
            let is_retry = |message: &Message| translate::is_own(message.id.as_deref());
            messages
                .iter()
                .any(|message| message.is_response() && is_retry(message))
        });
        let text = renamed
            .and_then(|id| translate::with_id(&text, id))
            .unwrap_or(text);
        self.output.say(on_one_line(text)).await;
        true
    }

    /// Notes what the answer `message` answers, and what it means to the bridge itself. Says whether it is nobody
    /// else's.
    fn answered(
        &self,
        message: &Message,
        waiting: &mut Waiting,
        session_id: Option<&[u8]>,
    ) -> bool {
        let at = waiting
            .requests
            .iter()
            .position(|request| request.id == message.id);
        let Some(at) = at else { return false };
        let request = waiting.requests.swap_remove(at);
        let Some(result) = &message.result else {
            return waiting.own;
        };
        if lock(&self.translation).is_some()
            && let Some(needs) =
                NeedsInput::read(waiting.client_id(&request), result, &waiting.line)
        {
            waiting.needs_input = Some(needs);
            return true;
        }
        if request.is("initialize") {
            self.legacy.began(&waiting.line, session_id, result.get());
        } else if request.modern.is_none() {
            self.legacy.taken(&request, &waiting.line);
        } else if request.is("tools/list") {
            self.tools.learn(result.get());
        }
        waiting.own
    }
}
