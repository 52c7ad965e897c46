//! A legacy client and a server that knows only revisions of the modern era: what the one asks for is put into the words
//! of the other.
//!
//! The handshake becomes `server/discover`, every request says who sends it (`_meta`), requests of the server (MCP
//! 2026-07-28, Multi Round-Trip Requests) are put to the client as such, and what lasted for a session is kept here.
//! Results pass as they are: what they have beyond the older revisions is left alone by their clients.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::headers;
use super::message::{self, Message, answer_with_error, on_one_line};
use super::pass::{Answer, Waiting, read_answer};
use super::refusals::{self, Failure};
use super::{Bridge, lock};

/// The revision that is spoken where the server does not say which it knows.
const REVISION: &str = "2026-07-28";
/// How often one request may ask for input.
pub(super) const MOST_ROUNDS: u32 = 16;
/// Resources whose changes a client wants to hear of.
const MOST_SUBSCRIPTIONS: usize = 1_000;
/// What the ids of the bridge's own requests begin with.
const OWN: &str = "archonctl-";

/// A JSON object whose values stay as they are.
type Members = BTreeMap<String, Box<RawValue>>;

/// What is kept for a legacy client of a modern server.
#[derive(Debug)]
pub(super) struct Translation {
    /// Members of every request's `_meta`.
    identity: BTreeMap<&'static str, Value>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// `logging/setLevel`.
    level: Option<Value>,
    resources: BTreeSet<String>,
    /// Ends the subscription under way.
    listening: Option<CancellationToken>,
    /// Requests put to the client, by their id.
    asked: HashMap<Box<str>, oneshot::Sender<Message>>,
    numbers: u64,
}

/// A request whose answer is that more is needed.
#[derive(Debug)]
pub(super) struct NeedsInput {
    /// The client's id of it, raw.
    id: Box<str>,
    result: Box<RawValue>,
    /// The line it was sent in.
    line: Vec<u8>,
}

fn raw(value: &Value) -> Box<RawValue> {
    // A value of serde_json's always has a text.
    to_raw_value(value).unwrap_or_default()
}

fn members(text: &str) -> Option<Members> {
    serde_json::from_str(text).ok()
}

/// `line` with `more` in `params`, and in `params._meta` what `meta` has, in front of what is there.
fn with_params(
    line: &[u8],
    more: Members,
    meta: &BTreeMap<&'static str, Value>,
) -> Option<Vec<u8>> {
    let mut message: Members = serde_json::from_slice(line).ok()?;
    let mut params = match message.get("params") {
        Some(params) => members(params.get())?,
        None => Members::new(),
    };
    params.extend(more);
    let mut all = params
        .get("_meta")
        .and_then(|meta| members(meta.get()))
        .unwrap_or_default();
    all.extend(
        meta.iter()
            .map(|(name, value)| ((*name).to_owned(), raw(value))),
    );
    params.insert("_meta".to_owned(), to_raw_value(&all).ok()?);
    message.insert("params".to_owned(), to_raw_value(&params).ok()?);
    serde_json::to_vec(&message).ok()
}

/// `line` with another id.
pub(super) fn with_id(line: &[u8], id: &str) -> Option<Vec<u8>> {
    let mut message: Members = serde_json::from_slice(line).ok()?;
    message.insert("id".to_owned(), serde_json::from_str(id).ok()?);
    serde_json::to_vec(&message).ok()
}

/// The answer `result` to `request`, as a line.
fn result_line(request: &Message, result: &Value) -> Option<Vec<u8>> {
    let id = request.id.as_deref()?;
    let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
    Some(on_one_line(line.into_bytes()))
}

/// Whether `id`, raw, is one of the bridge's own requests.
pub(super) fn is_own(id: Option<&str>) -> bool {
    id.is_some_and(|id| id.trim_start_matches('"').starts_with(OWN))
}

impl NeedsInput {
    /// The client's id of the request, raw.
    pub(super) fn id(&self) -> Box<str> {
        self.id.clone()
    }

    /// What the answer `result` to the request that the client knows as `id`, sent in `line`, asks for, if it asks for
    /// anything.
    pub(super) fn read(id: Box<str>, result: &RawValue, line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Kind<'a> {
            #[serde(rename = "resultType", borrow, default)]
            kind: Option<&'a str>,
        }
        let kind: Kind<'_> = serde_json::from_str(result.get()).ok()?;
        (kind.kind == Some("input_required")).then(|| Self {
            id,
            result: result.to_owned(),
            line: line.to_vec(),
        })
    }
}

impl Translation {
    fn meta(&self) -> BTreeMap<&'static str, Value> {
        let mut meta = self.identity.clone();
        if let Some(level) = lock(&self.state).level.clone() {
            meta.insert("io.modelcontextprotocol/logLevel", level);
        }
        meta
    }

    fn next_id(&self, kind: &str) -> String {
        let mut state = lock(&self.state);
        state.numbers += 1;
        format!("\"{OWN}{kind}-{}\"", state.numbers)
    }
}

impl Bridge {
    /// Whether the server refused `initialize` with `body` because it knows only modern revisions, and can be spoken to
    /// all the same. Then the client has its answer.
    pub(super) async fn translated(self: &Arc<Self>, waiting: &mut Waiting, body: &[u8]) -> bool {
        const MODERN: [i64; 2] = [refusals::HEADER_MISMATCH, refusals::UNSUPPORTED_VERSION];
        let Some((code, error)) = refusals::error_in(body) else {
            return false;
        };
        let [initialize] = waiting.requests() else {
            return false;
        };
        if !MODERN.contains(&code) {
            return false;
        }
        let Some(line) = self.begin_translation(initialize, &error).await else {
            return false;
        };
        waiting.give_up();
        self.output.say(line).await;
        true
    }

    /// The server refused the client's `initialize`, with `error`, because it knows only modern revisions: begins to
    /// translate. The answer to the client; `None` when the server does not tell of itself either.
    async fn begin_translation(
        self: &Arc<Self>,
        initialize: &Message,
        error: &str,
    ) -> Option<Vec<u8>> {
        let error: Value = serde_json::from_str(error).unwrap_or_default();
        let supported: Vec<&str> = error["data"]["supported"]
            .as_array()
            .map(|versions| versions.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let version = match supported.first() {
            Some(first) if !supported.contains(&REVISION) => *first,
            _ => REVISION,
        };
        let params = initialize.params.as_deref().map_or("null", RawValue::get);
        let params: Value = serde_json::from_str(params).unwrap_or_default();
        let or_empty = |value: &Value| {
            if value.is_object() {
                value.clone()
            } else {
                json!({})
            }
        };
        let identity = BTreeMap::from([
            (
                "io.modelcontextprotocol/protocolVersion",
                Value::from(version),
            ),
            (
                "io.modelcontextprotocol/clientInfo",
                or_empty(&params["clientInfo"]),
            ),
            (
                "io.modelcontextprotocol/clientCapabilities",
                or_empty(&params["capabilities"]),
            ),
        ]);
        let discover = json!({"jsonrpc": "2.0", "id": format!("{OWN}discover"), "method": "server/discover",
            "params": {"_meta": identity}});
        let line = discover.to_string().into_bytes();
        let sent = message::read(&line).ok()?.pop()?;
        let response = self
            .post(&line, &headers::standard(&sent, version), &[])
            .await
            .ok()?;
        let Answer::Message(Message {
            result: Some(result),
            ..
        }) = read_answer(response).await
        else {
            return None;
        };
        let result: Value = serde_json::from_str(result.get()).ok()?;
        let unnamed = json!({"name": "unknown", "version": "unknown"});
        let named = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
        let mut answer = json!({
            "protocolVersion": params["protocolVersion"],
            "capabilities": or_empty(&result["capabilities"]),
            "serverInfo": if named.is_object() { named } else { &unnamed },
        });
        if result["instructions"].is_string() {
            answer["instructions"] = result["instructions"].clone();
        }
        tracing::info!(
            version,
            "the server knows only revisions that the client does not; requests are translated"
        );
        *lock(&self.translation) = Some(Arc::new(Translation {
            identity,
            state: Mutex::default(),
        }));
        result_line(initialize, &answer)
    }

    /// What a line of a legacy client becomes before a modern server: another line and its message, or nothing, because
    /// it was answered or needs no answer.
    pub(super) async fn translate(
        self: &Arc<Self>,
        translation: &Arc<Translation>,
        line: &[u8],
        mut messages: Vec<Message>,
    ) -> Option<(Vec<u8>, Vec<Message>)> {
        let (Some(message), true) = (messages.pop(), messages.is_empty()) else {
            let why = "batches are not carried to a server of the revisions behind them";
            let line = message::error_line(None, refusals::INVALID_REQUEST, why);
            self.output.say(line).await;
            return None;
        };
        if message.is_response() {
            let id = message.id.clone().unwrap_or_default();
            if let Some(asked) = lock(&translation.state).asked.remove(&id) {
                let _ = asked.send(message);
            }
            return None;
        }
        let params: Value = message
            .params
            .as_deref()
            .and_then(|params| serde_json::from_str(params.get()).ok())
            .unwrap_or_default();
        let uri = params["uri"].as_str().unwrap_or_default();
        match message.method.as_deref() {
            Some("ping") => {}
            Some("logging/setLevel") => {
                lock(&translation.state).level = Some(params["level"].clone());
            }
            Some("resources/subscribe") => {
                let changed = {
                    let mut state = lock(&translation.state);
                    state.resources.len() < MOST_SUBSCRIPTIONS
                        && state.resources.insert(uri.to_owned())
                };
                if changed {
                    self.listen(translation);
                }
            }
            Some("resources/unsubscribe") => {
                let changed = lock(&translation.state).resources.remove(uri);
                if changed {
                    self.listen(translation);
                }
            }
            Some("notifications/initialized") => self.listen(translation),
            Some(_) if message.is_request() => {
                return match with_params(line, Members::new(), &translation.meta()) {
                    Some(line) => message::read(&line).ok().map(|messages| (line, messages)),
                    // Parameters that are no object: the server may say what it thinks of them.
                    None => Some((line.to_vec(), vec![message])),
                };
            }
            // There is no such notification in the modern era.
            _ => {}
        }
        if let Some(line) = result_line(&message, &json!({})) {
            self.output.say(line).await;
        }
        None
    }

    /// Listens for what a legacy server would have told of its own accord.
    fn listen(self: &Arc<Self>, translation: &Arc<Translation>) {
        let stop = self.closing.child_token();
        let id = translation.next_id("listen");
        let resources = {
            let mut state = lock(&translation.state);
            if let Some(before) = state.listening.replace(stop.clone()) {
                before.cancel();
            }
            state.resources.clone()
        };
        let request = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"subscriptions/listen","params":{}}}"#,
            json!({"notifications": {"toolsListChanged": true, "promptsListChanged": true,
                "resourcesListChanged": true, "resourceSubscriptions": resources}})
        );
        let line = with_params(request.as_bytes(), Members::new(), &translation.meta());
        let Some((line, messages)) =
            line.and_then(|line| message::read(&line).ok().map(|messages| (line, messages)))
        else {
            return;
        };
        let bridge = self.clone();
        tokio::spawn(async move {
            let mut waiting = Waiting::own(messages, line);
            tokio::select! {
                () = stop.cancelled() => {}
                () = bridge.exchange_own(&mut waiting) => {}
            }
        });
    }

    /// Puts the requests that `needs` asks for to the client. The line that brings the server the answers.
    ///
    /// # Errors
    /// The line that tells the client why its own request fails.
    pub(super) async fn gather(
        self: &Arc<Self>,
        translation: &Arc<Translation>,
        needs: NeedsInput,
    ) -> Result<(Vec<u8>, Vec<Message>), Vec<u8>> {
        #[derive(Deserialize)]
        struct Required {
            #[serde(default, rename = "inputRequests")]
            requests: BTreeMap<String, Input>,
            #[serde(default, rename = "requestState")]
            state: Option<Box<RawValue>>,
        }
        #[derive(Deserialize)]
        struct Input {
            method: String,
            #[serde(default)]
            params: Option<Box<RawValue>>,
        }
        let nonsense =
            |why: &str| Failure::Nonsense(why.to_owned()).line(&needs.id, &self.http.shown());
        let required: Required = serde_json::from_str(needs.result.get())
            .map_err(|_| nonsense("asks for input that cannot be read"))?;
        let mut waiting = Vec::new();
        for (key, input) in required.requests {
            let id = translation.next_id("ask");
            let (tell, told) = oneshot::channel();
            {
                let mut state = lock(&translation.state);
                // Whoever asked them may have been cancelled meanwhile.
                state.asked.retain(|_, asked| !asked.is_closed());
                state.asked.insert(id.clone().into(), tell);
            }
            let params = input
                .params
                .map_or_else(String::new, |params| format!(r#","params":{params}"#));
            let method = Value::from(input.method.as_str());
            let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method}{params}}}"#);
            self.output.say(on_one_line(line.into_bytes())).await;
            waiting.push((key, input.method, told));
        }
        let mut responses = Members::new();
        for (key, method, told) in waiting {
            let answer = told
                .await
                .map_err(|_| nonsense("asked for input that nobody gave"))?;
            match (answer.result, answer.error) {
                (Some(result), _) => responses.insert(key, result),
                (None, Some(_)) if method == "elicitation/create" => {
                    responses.insert(key, raw(&json!({"action": "cancel"})))
                }
                (None, error) => {
                    let error =
                        error.map_or_else(|| "{}".to_owned(), |error| error.get().to_owned());
                    return Err(answer_with_error(Some(&needs.id), &error));
                }
            };
        }
        let mut more = Members::new();
        if let Ok(responses) = to_raw_value(&responses) {
            more.insert("inputResponses".to_owned(), responses);
        }
        if let Some(state) = required.state {
            more.insert("requestState".to_owned(), state);
        }
        // Another request, by the letter of the revision: it has an id of its own.
        let id = translation.next_id("retry");
        let line = with_params(&needs.line, more, &translation.meta())
            .and_then(|line| with_id(&line, &id))
            .ok_or_else(|| nonsense("asks for input for a request that has no parameters"))?;
        let messages = message::read(&line).map_err(|why| nonsense(&why))?;
        Ok((line, messages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_who_sends_it_and_keeps_what_it_said() {
        let meta = BTreeMap::from([("a/b", json!("x"))]);
        let line = br#"{"id":1,"method":"m","params":{"n":1.50,"_meta":{"progressToken":7}}}"#;
        let made = with_params(line, Members::new(), &meta).expect("an object");
        assert_eq!(
            String::from_utf8(made).expect("UTF-8"),
            r#"{"id":1,"method":"m","params":{"_meta":{"a/b":"x","progressToken":7},"n":1.50}}"#
        );
        let made = with_params(br#"{"id":1,"method":"m"}"#, Members::new(), &meta);
        assert!(made.is_some_and(|line| line.ends_with(br#""params":{"_meta":{"a/b":"x"}}}"#)));
        assert!(with_params(br#"{"params":[1]}"#, Members::new(), &meta).is_none());
        assert_eq!(
            with_id(br#"{"result":{},"id":"a"}"#, "7"),
            Some(br#"{"id":7,"result":{}}"#.to_vec())
        );
    }

    #[test]
    fn own_ids_are_known() {
        assert!(is_own(Some("\"archonctl-listen-1\"")));
        for other in [None, Some("1"), Some("\"x-archonctl-\"")] {
            assert!(!is_own(other));
        }
    }
}
