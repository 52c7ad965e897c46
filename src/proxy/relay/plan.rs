//! What is to be done with a request, by its head: where it goes, and how its head goes on.

use std::borrow::Cow;
use std::sync::Arc;

use http::StatusCode;

use crate::tracking::{Channel, Exchange, RequestFacts};

use super::super::answers::OwnAnswer;
use super::super::http1::{BadHead, Framing, RequestHead, no_headers};
use super::super::is_health;
use super::super::pool::Pool;
use super::super::route::{Route, is_metadata, route};
use super::super::upstream::{Place, Remote, Upstream};
use super::metadata::elsewhere;
use super::refusal::Refusal;
use super::stream::ClientStream;
use super::{Client, Worker};

/// What is done with a request.
pub(super) enum Plan {
    Forward(Forward),
    Own {
        answer: OwnAnswer,
        head_length: usize,
        framing: Framing,
        to_head: bool,
        keep_alive: bool,
    },
}

/// A request to be relayed.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that the head says"
)]
pub(super) struct Forward {
    /// `None` outside the endpoint (authorisation metadata, for one): that passes untracked, but for what an HTTP+SSE
    /// server (MCP 2024-11-05) has named as its endpoint.
    pub(super) exchange: Option<Box<Exchange>>,
    pub(super) head_length: usize,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    pub(super) http_1_0: bool,
    pub(super) to_head: bool,
    pub(super) expects_continue: bool,
    /// Whether a stream is asked for.
    pub(super) stream: bool,
    /// The endpoint here that it is about, where that is not the usual one.
    pub(super) endpoint: Option<Box<str>>,
    /// Whether the answer names the server's own URL.
    pub(super) metadata: bool,
    /// Why it is turned down, if its head is enough to know.
    pub(super) refusal: Option<Refusal>,
}

/// A server, and the connections to it.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) number: usize,
    pub(super) upstream: &'a Upstream,
    pub(super) remote: &'a Remote,
    pub(super) pool: &'a Pool,
}

impl<'a> Target<'a> {
    /// The server with this number, if it is behind a connection.
    pub(super) fn of(worker: &'a Worker, number: usize) -> Option<Self> {
        let upstream = worker.proxy.upstreams.get(number)?;
        let Place::Remote(remote) = &upstream.place else {
            return None;
        };
        let pool = worker.pools.get(number)?;
        Some(Self {
            number,
            upstream,
            remote,
            pool,
        })
    }
}

impl<S: ClientStream> Client<'_, S> {
    /// `scheme://host[:port]` by which the client reaches us.
    pub(super) fn base_url(&self) -> Option<String> {
        if let Some(url) = &self.worker.proxy.options.public_url {
            return Some(url.to_string());
        }
        let host = std::str::from_utf8(&self.host).ok()?;
        let authority: http::uri::Authority = host.parse().ok()?;
        Some(format!("http://{authority}"))
    }

    /// Decides on the request at the beginning of the input, if its head is all there. For one to be relayed, `out` is
    /// the head that the server gets.
    pub(super) fn plan(&mut self, out: &mut Vec<u8>) -> Result<Option<Plan>, BadHead> {
        let worker = self.worker;
        let (proxy, mut room) = (&*worker.proxy, no_headers!());
        let longest = proxy.options.limits.max_head;
        let Some(head) = RequestHead::read(self.input.filled(), &mut room, longest)? else {
            return Ok(None);
        };
        let own = |answer| {
            Ok(Some(Plan::Own {
                answer,
                head_length: head.length,
                framing: head.framing,
                to_head: head.method == "HEAD",
                keep_alive: head.keep_alive,
            }))
        };
        let forbidden = proxy.options.guard.refusal(head.host, head.origin);
        let way = route(&proxy.upstreams, head.path);
        // What is turned down at the endpoint may be an operation of a session, so it goes on from here.
        if let Some(why) = forbidden
            && !matches!(way, Some(Route::Endpoint(_)))
        {
            proxy.counters.forbidden.add();
            let status = StatusCode::FORBIDDEN;
            return own(OwnAnswer::error(status, "origin-refused", why, None));
        }
        if is_health(head.path) {
            return own(OwnAnswer::health(head.method, &proxy.health));
        }
        let Some((way, target)) =
            way.and_then(|way| Some((Target::of(worker, way.server())?, way)).map(|(t, w)| (w, t)))
        else {
            let path = head.path;
            let message = format!("no server is served at {path}; /health lists those there are");
            let status = StatusCode::NOT_FOUND;
            return own(OwnAnswer::error(status, "no-such-path", &message, None));
        };
        if self.target.number != target.number {
            self.target = target;
            self.spare = None;
        }
        let host = head.host.unwrap_or_default();
        if self.host != host {
            self.host.clear();
            self.host.extend_from_slice(host);
        }
        let (endpoint, metadata, tracked) = match way {
            Route::Endpoint(_) => {
                target.remote.target(head.query, |path, query| {
                    let remote = target.remote;
                    head.pass_on(&remote.authority, path, query, &remote.added, out);
                });
                let named = head.path.len() > "/mcp/".len();
                (
                    named.then(|| head.path.trim_end_matches('/').into()),
                    false,
                    true,
                )
            }
            Route::Other { path, endpoint, .. } => {
                let metadata = is_metadata(&path) && self.base_url().is_some();
                let elsewhere = metadata.then(|| elsewhere(head.query)).flatten();
                let (path, query) = match elsewhere.as_ref() {
                    None => (&*path, Cow::Borrowed(head.query)),
                    Some(there) => {
                        let query = there.query().map(|query| format!("?{query}"));
                        (there.path(), Cow::Owned(query.unwrap_or_default()))
                    }
                };
                let added = if metadata {
                    &target.remote.plainly
                } else {
                    &target.remote.added
                };
                head.pass_on(&target.remote.authority, path, &query, added, out);
                (Some(endpoint.into()), metadata, false)
            }
        };
        let posts = head.method == "POST";
        let known = || {
            proxy
                .tracker
                .channel(&self.principal, head.path, head.query)
        };
        let channel = posts.then(known).flatten();
        let exchange = (tracked || channel.is_some()).then(|| {
            let spare = self.spare.take();
            follow(worker, target, &self.principal, &head, channel, spare)
        });
        Ok(Some(Plan::Forward(Forward {
            exchange,
            head_length: head.length,
            framing: head.framing,
            keep_alive: head.keep_alive,
            http_1_0: head.http_1_0,
            to_head: head.method == "HEAD",
            expects_continue: head.expects_continue,
            stream: head.method == "GET" && !metadata,
            endpoint,
            metadata,
            refusal: forbidden.map(Refusal::Forbidden),
        })))
    }
}

/// What follows this request: `spare` anew if there is one.
fn follow(
    worker: &Worker,
    target: Target<'_>,
    principal: &Arc<str>,
    head: &RequestHead<'_, '_>,
    channel: Option<Arc<Channel>>,
    spare: Option<Box<Exchange>>,
) -> Box<Exchange> {
    let show = |facts: &mut RequestFacts| {
        if let Some(channel) = channel {
            facts.answered_on(channel);
        }
        for header in head.headers {
            facts.header(header.name, header.value);
        }
    };
    if let Some(mut exchange) = spare {
        exchange.begin_again(head.method, show);
        return exchange;
    }
    let proxy = &worker.proxy;
    let mut facts = proxy.facts(target.upstream, principal, head.method);
    show(&mut facts);
    Box::new(proxy.tracker.begin_in(facts, worker.group.clone()))
}
