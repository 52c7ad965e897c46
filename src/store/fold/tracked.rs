//! One session while a batch is worked out: what was stored of it, what the batch made of it.
//!
//! Owns the state and the arithmetic of one session; which record does what to which is [`super::batch`]'s.

use uuid::Uuid;

use super::limits::{Limits, addend};
use super::usage::{Usage, Whose};
use crate::model::{
    ClientType, InstanceId, ModelRules, OpenedSession, Operation, OperationStatus, SessionId,
    SessionStatus, Timestamp,
};

/// What was stored of a session before the batch.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct KnownSession {
    pub(super) session_id: SessionId,
    pub(super) session_key: Option<String>,
    pub(super) status: SessionStatus,
    pub(super) connected_at: Timestamp,
    pub(super) last_activity: Timestamp,
    pub(super) disconnected_at: Option<Timestamp>,
    pub(super) user_id: Option<Uuid>,
    pub(super) client_type: String,
    pub(super) server: Option<String>,
    /// Whether its sums are those of all its operations; if not, somebody is about to count them.
    pub(super) counted: bool,
    /// Whether an opening record was taken; false for stand-ins and for other writers' rows.
    pub(super) identified: bool,
    /// The client's name, where it is known.
    pub(super) client_name: Option<String>,
}

/// What a session's client said of itself.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub(super) struct Client {
    #[sqlx(rename = "client_name")]
    pub(super) name: Option<String>,
    #[sqlx(rename = "client_version")]
    pub(super) version: Option<String>,
    #[sqlx(rename = "client_capabilities")]
    pub(super) capabilities: Option<String>,
}

/// What openings of a session under other ids say of it: other instances met its client as well.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined<'r> {
    pub(super) client: Client,
    pub(super) protocol_version: Option<&'r str>,
    pub(super) user_agent: Option<&'r str>,
}

/// Sums over operations (and notifications), to be added to a session's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) requests: i64,
    pub(super) failed: i64,
    pub(super) notifications: i64,
    pub(super) bytes_in: i64,
    pub(super) bytes_out: i64,
    pub(super) prompt_tokens: i64,
    pub(super) completion_tokens: i64,
    pub(super) cost: i64,
    /// When the first and the last successful request started; the handshake is none.
    pub(super) first_success_at: Option<Timestamp>,
    pub(super) last_success_at: Option<Timestamp>,
}

/// A session's end, as this batch brought it about.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// `None` keeps the stored reason.
    pub(super) reason: Option<String>,
    pub(super) disconnected_at: Timestamp,
    pub(super) detected_at: Option<Timestamp>,
    pub(super) total_duration: i64,
}

/// A session that the batch touches.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Tracked<'r> {
    pub(super) id: SessionId,
    /// Whether it has a row.
    pub(super) stored: bool,
    /// Whether an opening record was taken, in this batch or before.
    pub(super) identified: bool,
    /// The opening record, if it came with this batch and counts.
    pub(super) opened: Option<&'r OpenedSession>,
    pub(super) client: Client,
    /// Where missing client fields come from.
    pub(super) takes_over: Option<SessionId>,
    pub(super) resumed_from: Option<SessionId>,
    pub(super) key: Option<String>,
    pub(super) user_id: Option<Uuid>,
    /// What it was told under other ids in this batch.
    pub(super) joined: Option<Joined<'r>>,
    /// Its client's name as stored.
    stored_name: Option<String>,
    /// As stored.
    client_type: Option<String>,
    /// As stored.
    server: Option<String>,
    pub(super) connected_at: Timestamp,
    pub(super) last_activity: Timestamp,
    pub(super) status: SessionStatus,
    pub(super) disconnected_at: Option<Timestamp>,
    pub(super) end: Option<End>,
    pub(super) sums: Sums,
    pub(super) usage: Usage<'r>,
    pub(super) counted: bool,
    pub(super) changed: bool,
}

impl<'r> Tracked<'r> {
    pub(super) fn new(id: SessionId, connected_at: Timestamp, last_activity: Timestamp) -> Self {
        Self {
            id,
            stored: false,
            identified: false,
            opened: None,
            client: Client::default(),
            takes_over: None,
            resumed_from: None,
            key: None,
            user_id: None,
            joined: None,
            stored_name: None,
            client_type: None,
            server: None,
            connected_at,
            last_activity,
            status: SessionStatus::Active,
            disconnected_at: None,
            end: None,
            sums: Sums::default(),
            usage: Usage::default(),
            counted: true,
            changed: false,
        }
    }

    pub(super) fn stored(known: KnownSession) -> Self {
        Self {
            stored: true,
            identified: known.identified,
            stored_name: known.client_name,
            key: known.session_key,
            user_id: known.user_id,
            client_type: Some(known.client_type),
            server: known.server,
            counted: known.counted,
            status: known.status,
            disconnected_at: known.disconnected_at,
            ..Self::new(known.session_id, known.connected_at, known.last_activity)
        }
    }

    /// Gives a new session, or a stand-in, the identity of its opening record.
    pub(super) fn identify(
        &mut self,
        opened: &'r OpenedSession,
        client: Client,
        key: String,
        resumed_from: Option<SessionId>,
        takes_over: Option<SessionId>,
    ) {
        self.identified = true;
        self.opened = Some(opened);
        self.client = client;
        self.takes_over = takes_over;
        self.key = Some(key);
        self.resumed_from = resumed_from;
        self.user_id = opened.user.user_id;
        self.connected_at = opened.connected_at;
        self.last_activity = self.last_activity.max(opened.connected_at);
        if self.status == SessionStatus::Disconnected {
            // A stand-in that ended: its start was a guess, so its length was one too.
            let ended = self.end.take();
            let at = self.disconnected_at.unwrap_or(self.last_activity);
            let at = at.max(self.connected_at);
            self.disconnected_at = Some(at);
            self.end = Some(End {
                reason: ended.as_ref().and_then(|end| end.reason.clone()),
                disconnected_at: at,
                detected_at: ended.and_then(|end| end.detected_at),
                total_duration: at.whole_seconds_since(self.connected_at),
            });
        }
    }

    /// Takes what another opening of this session says, which came under another id.
    pub(super) fn join(&mut self, opened: &'r OpenedSession, client: &Client) {
        let joined = self.joined.get_or_insert_default();
        joined.client.fill_from(client);
        let said = (&opened.protocol_version, &opened.user_agent);
        joined.protocol_version = joined.protocol_version.or(said.0.as_deref());
        joined.user_agent = joined.user_agent.or(said.1.as_deref());
        if opened.connected_at < self.connected_at {
            self.connected_at = opened.connected_at;
            let at = self.disconnected_at.unwrap_or(self.connected_at);
            if let Some(end) = &mut self.end {
                end.total_duration = at.whole_seconds_since(self.connected_at);
            }
        }
        self.active_until(opened.connected_at);
    }

    /// Its length, if it has ended.
    pub(super) fn total_duration(&self) -> Option<i64> {
        let at = self
            .disconnected_at
            .filter(|_| self.status == SessionStatus::Disconnected)?;
        Some(at.whole_seconds_since(self.connected_at))
    }

    /// Fills in what is missing from what came under other ids.
    pub(super) fn complete(&mut self) {
        if let Some(joined) = &self.joined {
            self.client.fill_from(&joined.client);
        }
    }

    /// Notes activity that ended at `at`. A session that has ended stays so.
    pub(super) fn active_until(&mut self, at: Timestamp) {
        self.last_activity = self.last_activity.max(at);
        if self.status == SessionStatus::Idle {
            self.status = SessionStatus::Active;
        }
        self.changed = true;
    }

    /// The product name of its client, as it is stored after the batch.
    pub(super) fn client_type(&self) -> &str {
        let joined = self.joined.as_ref();
        let joined = joined.and_then(|joined| joined.client.name.as_deref());
        let name = match (&self.client_type, self.opened) {
            (Some(stored), None) if self.stored_name.is_some() || joined.is_none() => {
                return stored;
            }
            _ => self.client.name.as_deref().or(joined),
        };
        name.map_or(ClientType::UNKNOWN, ClientType::from_name)
            .as_str()
    }

    /// Whose usage its operations are.
    pub(super) fn whose(&self) -> Whose<'_> {
        Whose {
            user_id: self.user_id,
            client_type: self.client_type(),
            server: self.server(),
        }
    }

    fn server(&self) -> &str {
        let server = self.opened.map(|opened| &*opened.server);
        server.or(self.server.as_deref()).unwrap_or_default()
    }

    /// The model behind it.
    pub(super) fn model<'m>(&self, models: &'m ModelRules) -> Option<&'m str> {
        let joined = self.joined.as_ref();
        let joined = joined.and_then(|joined| joined.client.name.as_deref());
        let name = self.client.name.as_deref();
        let name = name.or(self.stored_name.as_deref()).or(joined);
        models.model_of(self.server(), self.client_type(), name)
    }

    /// The owner of the row: who opened it, else who made the stand-in.
    pub(super) fn owner(&self, maker: Option<InstanceId>) -> Option<InstanceId> {
        self.opened.map(|opened| opened.instance_id).or(maker)
    }
}

impl Client {
    /// Takes over what is missing.
    pub(super) fn fill_from(&mut self, other: &Self) {
        let fill = |to: &mut Option<String>, from: &Option<String>| {
            if to.is_none() {
                to.clone_from(from);
            }
        };
        fill(&mut self.name, &other.name);
        fill(&mut self.version, &other.version);
        fill(&mut self.capabilities, &other.capabilities);
    }
}

impl Sums {
    /// The handshake adds its bytes and is no request: a session that did nothing else has made none.
    pub(super) fn add(&mut self, operation: &Operation, limits: &Limits) {
        let counted = !operation.is_handshake();
        self.requests += i64::from(counted);
        self.failed += i64::from(counted && operation.status != OperationStatus::Success);
        self.bytes_in += addend(operation.bytes_in);
        self.bytes_out += addend(operation.bytes_out);
        self.prompt_tokens += limits.tokens(operation.prompt_tokens).map_or(0, i64::from);
        self.completion_tokens += limits
            .tokens(operation.completion_tokens)
            .map_or(0, i64::from);
        self.cost += limits.cost(operation.estimated_cost).unwrap_or(0);
        if counted && operation.status == OperationStatus::Success {
            let at = operation.started_at;
            self.first_success_at = Some(self.first_success_at.map_or(at, |first| first.min(at)));
            self.last_success_at = Some(self.last_success_at.map_or(at, |last| last.max(at)));
        }
    }
}
