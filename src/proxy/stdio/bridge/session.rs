//! The session that a legacy server keeps: how it begins, how it is found again, how it is begun anew when the server has
//! forgotten it.

use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::http::Request;
use super::message::{self, Message};
use super::pass::{Answer, read_answer};
use super::{Bridge, lock};

/// Subscriptions and such that are repeated in a new session.
const MOST_REPEATED: usize = 256;

/// What is known of the session.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    state: Mutex<State>,
    /// Held while the session is begun anew, so that it is once.
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// The client's `initialize`, as it stood, once it has been answered.
    initialize: Option<Vec<u8>>,
    /// The client's `notifications/initialized`, once the server has taken it.
    initialized: Option<Vec<u8>>,
    session_id: Option<Vec<u8>>,
    version: Option<Box<str>>,
    /// Counts the sessions.
    generation: u64,
    /// Requests that changed the session and are repeated in a new one, by what they changed.
    repeated: Vec<(String, Vec<u8>)>,
    /// Ends the stream of the session.
    stream: Option<CancellationToken>,
}

impl Legacy {
    /// Which session it is, counted from the beginning; 0 while there is none.
    pub(super) fn generation(&self) -> u64 {
        lock(&self.state).generation
    }

    /// Whether the server gave the session an id.
    pub(super) fn has_id(&self) -> bool {
        lock(&self.state).session_id.is_some()
    }

    /// The headers of the session.
    pub(super) fn headers(&self) -> Vec<(&'static str, Vec<u8>)> {
        let state = lock(&self.state);
        let id = state.session_id.clone().map(|id| ("Mcp-Session-Id", id));
        let version = state
            .version
            .as_deref()
            .map(|version| ("MCP-Protocol-Version", version.as_bytes().to_vec()));
        id.into_iter().chain(version).collect()
    }

    /// The server answered the client's `initialize` with `result`.
    pub(super) fn began(&self, initialize: &[u8], session_id: Option<&[u8]>, result: &str) {
        let mut state = lock(&self.state);
        if let Some(stream) = state.stream.take() {
            stream.cancel();
        }
        *state = State {
            initialize: Some(initialize.to_vec()),
            session_id: session_id.map(<[u8]>::to_vec),
            version: agreed(result),
            generation: state.generation + 1,
            ..State::default()
        };
    }

    /// The server took the client's `notifications/initialized`, the line `line`.
    pub(super) fn initialized(&self, line: &[u8]) {
        lock(&self.state).initialized = Some(line.to_vec());
    }

    /// The server did what `message`, the line `line`, asks; what it keeps in the session is remembered.
    pub(super) fn taken(&self, message: &Message, line: &[u8]) {
        let member = |name: &str| {
            let params: serde_json::Value =
                serde_json::from_str(message.params.as_ref()?.get()).ok()?;
            params.get(name)?.as_str().map(str::to_owned)
        };
        let mut state = lock(&self.state);
        if state.initialize.is_none() {
            return;
        }
        match message.method.as_deref() {
            Some("logging/setLevel") => state.repeat("level".to_owned(), line),
            Some("resources/subscribe") => {
                if let Some(uri) = member("uri") {
                    state.repeat(format!("resource {uri}"), line);
                }
            }
            Some("resources/unsubscribe") => {
                if let Some(uri) = member("uri") {
                    let key = format!("resource {uri}");
                    state.repeated.retain(|(known, _)| *known != key);
                }
            }
            _ => {}
        }
    }
}

impl State {
    fn repeat(&mut self, key: String, line: &[u8]) {
        self.repeated.retain(|(known, _)| *known != key);
        if self.repeated.len() < MOST_REPEATED {
            self.repeated.push((key, line.to_vec()));
        }
    }
}

/// The revision that an answer to `initialize` settles on.
fn agreed(result: &str) -> Option<Box<str>> {
    let result: serde_json::Value = serde_json::from_str(result).ok()?;
    result.get("protocolVersion")?.as_str().map(Into::into)
}

impl Bridge {
    /// Begins the session anew, as the client began it, if it is still the one of `generation`.
    ///
    /// # Errors
    /// Why that did not work.
    pub(super) async fn renew(self: &Arc<Self>, generation: u64) -> Result<(), String> {
        let _turn = self.legacy.renewing.lock().await;
        let (initialize, initialized, repeated) = {
            let state = lock(&self.legacy.state);
            if state.generation != generation {
                return Ok(());
            }
            let Some(initialize) = state.initialize.clone() else {
                return Err("there is no session to begin anew".to_owned());
            };
            let repeated = state.repeated.iter().map(|(_, line)| line.clone());
            (
                initialize,
                state.initialized.clone(),
                repeated.collect::<Vec<_>>(),
            )
        };
        let url = self.http.shown();
        tracing::info!(%url, "the server has forgotten the session; it is begun anew");
        let response = self.post(&initialize, &[], &[]).await?;
        let session_id = response.header("Mcp-Session-Id").map(<[u8]>::to_vec);
        let result = match read_answer(response).await {
            Answer::Message(Message {
                result: Some(result),
                ..
            }) => result,
            Answer::Message(Message {
                error: Some(error), ..
            }) => return Err(format!("initialize was answered with {error}")),
            Answer::Message(_) | Answer::None => {
                return Err("initialize was not answered".to_owned());
            }
            Answer::Failed(why) => return Err(why),
        };
        {
            let mut state = lock(&self.legacy.state);
            let version = agreed(result.get());
            if version != state.version {
                tracing::warn!(before = ?state.version, now = ?version, "the server settles on another revision than before");
            }
            if let Some(stream) = state.stream.take() {
                stream.cancel();
            }
            state.session_id = session_id;
            state.version = version;
            state.generation += 1;
        }
        let headers = self.legacy.headers();
        for line in initialized.iter().chain(&repeated) {
            // What the client was told before stays true as far as the server lets it; nobody waits for these answers.
            match self.post(line, &headers, &[]).await {
                Ok(response) => drop(read_answer(response).await),
                Err(why) => tracing::warn!(why, "a part of the session could not be repeated"),
            }
        }
        if initialized.is_some() {
            self.open_stream();
        }
        Ok(())
    }

    /// Opens the stream on which a legacy server speaks of its own accord.
    pub(super) fn open_stream(self: &Arc<Self>) {
        let stop = self.closing.child_token();
        let before = lock(&self.legacy.state).stream.replace(stop.clone());
        if let Some(before) = before {
            before.cancel();
        }
        let (bridge, generation) = (self.clone(), self.legacy.generation());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = bridge.hold_stream(generation) => {}
            }
        });
    }

    /// Tells a legacy server that its client has left.
    pub(super) async fn leave(&self) {
        if !self.legacy.has_id() || lock(&self.outage).is_some() {
            return;
        }
        let headers = self.legacy.headers();
        let request = Request {
            method: "DELETE",
            headers: &headers,
            named: &[],
            body: &[],
        };
        if let Ok(mut response) = self.http.send(&request, &mut || ()).await {
            let _ = response.body.whole(1 << 16).await;
        }
    }
}

/// Whether a legacy server that answers with `status` and `body` has forgotten the session that the request named: 404 as
/// the revisions have it (MCP 2025-11-25, Transports, Session Management), or the 400 of servers that tell no difference
/// between an unknown id and none.
pub(super) fn is_forgotten(status: u16, body: &[u8]) -> bool {
    if status != 400 {
        return status == 404;
    }
    let error = message::read(body).ok().and_then(|mut messages| {
        let message = messages.pop()?;
        message.error
    });
    error.is_some_and(|error| {
        let said = error.get().to_ascii_lowercase();
        said.contains("session") || said.contains("not initialized")
    })
}
