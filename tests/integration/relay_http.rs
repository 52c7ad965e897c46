//! HTTP/1.1 as the relay speaks it, on real connections: what passes, what is refused, what happens when a side leaves.

mod bodies;
mod failures;
mod http2;
mod limits;
mod load;
mod messages;
mod refusals;
mod tracked;
mod upstreams;

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Daemon, Peer, Upstream, new_data_dir};

/// A daemon with an upstream, and where it keeps its data.
struct Relay {
    daemon: Daemon,
    upstream: Upstream,
    data_dir: PathBuf,
    _root: TempDir,
}

impl Relay {
    fn start(arguments: &[&str]) -> Self {
        let upstream = Upstream::start();
        let (root, data_dir) = new_data_dir();
        // One worker, so that any client may meet the connection that another one left.
        let own = ["--workers", "1", "--upstream", &upstream.url];
        let arguments = [&own, arguments].concat();
        Self {
            daemon: Daemon::start(&data_dir, &arguments),
            upstream,
            data_dir,
            _root: root,
        }
    }

    fn client(&self) -> Peer {
        Peer::connect(&self.daemon.url)
    }
}

/// A call of the modern era, so that no handshake is needed.
fn call(id: u32) -> String {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"}, "io.modelcontextprotocol/clientCapabilities": {}});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "t", "arguments": {}, "_meta": meta}}).to_string()
}

/// A POST of `body`, with `headers` as whole lines.
fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// An answer with a result for request `id`.
fn result(id: u32) -> String {
    let body = json!({"jsonrpc": "2.0", "id": id, "result": {"content": []}}).to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The id in a JSON-RPC message.
fn id_of(body: &[u8]) -> Value {
    let document: Value = serde_json::from_slice(body).expect("JSON");
    document["id"].clone()
}

/// A call on `client`, answered on `server`: both connections work.
fn one_call(client: &mut Peer, server: &mut Peer, id: u32) {
    client.write(post("", &call(id)));
    answer_call(client, server, id);
}

/// Answers the call that `client` has sent and `server` gets.
fn answer_call(client: &mut Peer, server: &mut Peer, id: u32) {
    let (_, body) = server.message().expect("a request");
    assert_eq!(id_of(&body), id);
    server.write(result(id));
    let (head, body) = client.message().expect("an answer");
    assert_eq!((head.status(), id_of(&body)), (200, json!(id)));
}
