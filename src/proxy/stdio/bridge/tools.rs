//! Which parameters of tools the server wants in headers, asked for when it missed some.

use std::sync::Arc;

use super::Bridge;
use super::headers;
use super::message::{self, Message};
use super::pass::{Answer, Waiting, read_answer};

/// Pages of tools that are read in search of one.
const MOST_PAGES: u32 = 50;

impl Bridge {
    /// Asks which parameters the server wants in headers, because it missed some. Says whether that changes the call.
    pub(super) async fn learn_tools(
        self: &Arc<Self>,
        waiting: &Waiting,
        sent: &[(String, Vec<u8>)],
    ) -> bool {
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
}
