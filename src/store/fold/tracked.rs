//! One session while a batch is worked out: what was stored of it, what the batch made of it.
//!
//! Owns the state and the arithmetic of one session; which record does what to which is [`super::batch`]'s.

use uuid::Uuid;

use crate::model::{
    InstanceId, OpenedSession, Operation, OperationStatus, SessionId, SessionStatus, Timestamp,
};

/// No single count of bytes or money goes into a sum with more than this, so that no sum of a session can overflow and
/// make the whole batch fail for ever.
const LARGEST_ADDEND: i64 = 1_000_000_000_000_000;

/// How much room columns have that older tables keep short. Migrations widen them; where something of somebody else's
/// depends on such a column they cannot, and then what does not fit is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Widths {
    /// Characters of methods and tools.
    pub(super) method: Option<usize>,
    /// Characters of clients' versions.
    pub(super) version: Option<usize>,
    /// Characters of users' names.
    pub(super) user_name: Option<usize>,
    /// The largest cost, in micro-dollars.
    pub(super) cost: Option<i64>,
}

impl Widths {
    /// As the oldest tables have it.
    pub(super) const NARROW: Self = Self {
        method: Some(100),
        version: Some(50),
        user_name: Some(255),
        cost: Some(9_999_999_999),
    };
}

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
    /// Whether an opening record was taken; false for stand-ins and for other writers' rows.
    pub(super) identified: bool,
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
    pub(super) connected_at: Timestamp,
    pub(super) last_activity: Timestamp,
    pub(super) status: SessionStatus,
    pub(super) disconnected_at: Option<Timestamp>,
    pub(super) end: Option<End>,
    pub(super) sums: Sums,
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
            connected_at,
            last_activity,
            status: SessionStatus::Active,
            disconnected_at: None,
            end: None,
            sums: Sums::default(),
            changed: false,
        }
    }

    pub(super) fn stored(known: KnownSession) -> Self {
        Self {
            stored: true,
            identified: known.identified,
            key: known.session_key,
            user_id: known.user_id,
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

    /// Notes activity that ended at `at`. A session that has ended stays so.
    pub(super) fn active_until(&mut self, at: Timestamp) {
        self.last_activity = self.last_activity.max(at);
        if self.status == SessionStatus::Idle {
            self.status = SessionStatus::Active;
        }
        self.changed = true;
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
    pub(super) fn add(&mut self, operation: &Operation) {
        let counted = !operation.is_handshake();
        self.requests += i64::from(counted);
        self.failed += i64::from(counted && operation.status != OperationStatus::Success);
        self.bytes_in += addend(operation.bytes_in);
        self.bytes_out += addend(operation.bytes_out);
        self.prompt_tokens += operation.prompt_tokens.map_or(0, i64::from);
        self.completion_tokens += operation.completion_tokens.map_or(0, i64::from);
        self.cost += cost_micros(operation).unwrap_or(0);
    }
}

/// A count as the store keeps it.
pub(super) fn addend(count: u64) -> i64 {
    i64::try_from(count).map_or(LARGEST_ADDEND, |count| count.min(LARGEST_ADDEND))
}

/// An operation's cost as the store keeps it, in micro-dollars.
pub(super) fn cost_micros(operation: &Operation) -> Option<i64> {
    let cost = operation.estimated_cost?;
    Some(cost.as_micros().clamp(-LARGEST_ADDEND, LARGEST_ADDEND))
}
