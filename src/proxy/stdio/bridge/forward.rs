//! Lines of the client as they come: what is answered here, what is cancelled, and what goes on to the server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::exchange::Written;
use super::message::{self, Message};
use super::pass::Waiting;
use super::refusals::{self, Failure};
use super::{Bridge, MOST_UNDER_WAY, UnderWay, lock};

/// How long the lines behind a notification wait for the server to take it.
const NOTIFICATION: Duration = Duration::from_secs(2);

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
        let translation = lock(&self.translation).clone();
        let translation = translation.filter(|_| {
            let as_before =
                |message: &Message| message.modern.is_none() && !message.is("initialize");
            messages.iter().all(as_before)
        });
        let (line, messages) = match &translation {
            None => (line, messages),
            Some(translation) => match self.translate(translation, &line, messages).await {
                Some(translated) => translated,
                None => return,
            },
        };
        let (tell, written) = oneshot::channel();
        let asks = messages.iter().any(Message::is_request);
        let forwarding = self.clone().forward(line, messages, Written::new(tell));
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
            () = self.exchange_all(line, messages, written) => {}
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
}
