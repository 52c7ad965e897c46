//! The rules of a session's life as the store applies them, over one batch of records, in memory.
//!
//! Owns what each kind of record does to a session. Does no I/O: what was stored before comes in, what is to be written
//! goes out.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use uuid::Uuid;

use super::limits::Limits;
use super::tracked::{Client, End, KnownSession, Tracked};
use super::usage::{Usage, Whose};
use crate::model::{
    InstanceId, OpenedSession, Operation, Record, RequestId, SessionClosed, SessionId,
    SessionStatus, Timestamp,
};

/// An operation to be written, with what its row copies from the session.
#[derive(Debug)]
pub(super) struct OperationToWrite<'r> {
    pub(super) operation: &'r Operation,
    /// The session's user.
    pub(super) user_id: Option<Uuid>,
}

/// One batch of records being worked out.
pub(super) struct Batch<'r> {
    /// Owner of stand-ins; without one none are made.
    pub(super) instance: Option<InstanceId>,
    sessions: Vec<Tracked<'r>>,
    places: HashMap<SessionId, usize>,
    /// For each session key, the newest ended session so far.
    newest_ended: HashMap<String, (Timestamp, SessionId)>,
    operations: Vec<OperationToWrite<'r>>,
    /// Operations that are stored already; `None` while nothing suggests that there are any.
    repeated: Option<HashSet<RequestId>>,
    stand_ins: usize,
    /// Whether a session's opening record came behind operations of it.
    identified_late: bool,
    limits: Limits,
}

impl<'r> Batch<'r> {
    pub(super) fn new(
        instance: Option<InstanceId>,
        known: Vec<KnownSession>,
        newest_ended: HashMap<String, (Timestamp, SessionId)>,
        repeated: Option<&HashSet<RequestId>>,
        limits: Limits,
    ) -> Self {
        let sessions: Vec<Tracked<'r>> = known.into_iter().map(Tracked::stored).collect();
        let places = sessions.iter().enumerate().map(|(i, s)| (s.id, i));
        Self {
            instance,
            places: places.collect(),
            sessions,
            newest_ended,
            operations: Vec::new(),
            repeated: repeated.cloned(),
            stand_ins: 0,
            identified_late: false,
            limits,
        }
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, record: &'r Record) {
        match record {
            Record::SessionOpened(opened) => self.open(opened),
            Record::OperationFinished(operation) => self.operation(operation),
            Record::SessionTouched(touched) => {
                if let Some(session) = self.session(touched.session_id, touched.at) {
                    session.active_until(touched.at);
                    session.sums.notifications += i64::from(touched.notifications);
                }
            }
            Record::SessionIdle { session_id } => {
                let place = self.places.get(session_id).copied();
                if let Some(session) = place.and_then(|place| self.sessions.get_mut(place))
                    && session.status == SessionStatus::Active
                {
                    session.status = SessionStatus::Idle;
                    session.changed = true;
                }
            }
            Record::SessionClosed(closed) => self.close(closed),
        }
    }

    fn open(&mut self, opened: &'r OpenedSession) {
        let place = self.places.get(&opened.session_id).copied();
        if place.is_some_and(|place| self.sessions[place].identified) {
            return;
        }
        let key = String::from(&*opened.session_key);
        let resumed_from = opened
            .resumed_from
            .or_else(|| self.newest_ended.get(&key).map(|(_, id)| *id));
        let mut client = Client {
            name: opened.client_name.as_deref().map(str::to_owned),
            version: opened.client_version.as_deref().map(str::to_owned),
            capabilities: opened.client_capabilities.as_deref().map(valid_json),
        };
        let mut takes_over = None;
        if client.name.is_none()
            && let Some(predecessor) = resumed_from
        {
            let place = self.places.get(&predecessor).copied();
            match place.and_then(|place| self.sessions.get(place)) {
                // Opened in this batch: its fields are here, or come from where it takes them over itself.
                Some(there) if there.opened.is_some() => {
                    client.fill_from(&there.client);
                    takes_over = there.takes_over;
                }
                // One that has no row has nothing to give.
                Some(there) if !there.stored => {}
                _ => takes_over = Some(predecessor),
            }
        }
        let place = place.unwrap_or_else(|| {
            self.places.insert(opened.session_id, self.sessions.len());
            self.sessions.push(Tracked::new(
                opened.session_id,
                opened.connected_at,
                opened.connected_at,
            ));
            self.sessions.len() - 1
        });
        let session = &mut self.sessions[place];
        self.identified_late |= !session.usage.is_empty();
        session.identify(opened, client, key, resumed_from, takes_over);
        self.note_end(place);
    }

    fn operation(&mut self, operation: &'r Operation) {
        let again = self
            .repeated
            .as_mut()
            .is_some_and(|repeated| !repeated.insert(operation.request_id));
        let finished = operation
            .started_at
            .plus(Duration::from_micros(operation.duration_us));
        let limits = self.limits;
        let Some(session) = self.session(operation.session_id, operation.started_at) else {
            return;
        };
        session.active_until(finished);
        if again {
            return;
        }
        session.sums.add(operation, &limits);
        session.usage.add(operation, &limits);
        let user_id = session.user_id;
        self.operations
            .push(OperationToWrite { operation, user_id });
    }

    fn close(&mut self, closed: &SessionClosed) {
        let Some(session) = self.session(closed.session_id, closed.disconnected_at) else {
            return;
        };
        if session.status == SessionStatus::Disconnected {
            return;
        }
        let disconnected_at = closed.disconnected_at.max(session.connected_at);
        session.status = SessionStatus::Disconnected;
        session.disconnected_at = Some(disconnected_at);
        session.end = Some(End {
            reason: Some(closed.reason.to_string()),
            disconnected_at,
            detected_at: Some(closed.detected_at),
            total_duration: disconnected_at.whole_seconds_since(session.connected_at),
        });
        session.changed = true;
        if let Some(place) = self.places.get(&closed.session_id) {
            self.note_end(*place);
        }
    }

    /// Lets later sessions with the same key find this one, if it has ended.
    fn note_end(&mut self, place: usize) {
        let session = &self.sessions[place];
        let (Some(key), Some(at)) = (&session.key, session.disconnected_at) else {
            return;
        };
        if session.status != SessionStatus::Disconnected {
            return;
        }
        let this = (at, session.id);
        match self.newest_ended.get_mut(key) {
            Some(newest) => *newest = this.max(*newest),
            None => {
                self.newest_ended.insert(key.clone(), this);
            }
        }
    }

    /// The session `id`, or a stand-in that begins `at`, if stand-ins are made.
    fn session(&mut self, id: SessionId, at: Timestamp) -> Option<&mut Tracked<'r>> {
        let place = if let Some(place) = self.places.get(&id) {
            *place
        } else {
            self.instance?;
            self.stand_ins += 1;
            self.places.insert(id, self.sessions.len());
            self.sessions.push(Tracked::new(id, at, at));
            self.sessions.len() - 1
        };
        self.sessions.get_mut(place)
    }

    /// Stored sessions whose client fields are needed.
    pub(super) fn wanted_clients(&self) -> Vec<SessionId> {
        self.sessions.iter().filter_map(|s| s.takes_over).collect()
    }

    /// Fills in the client fields that sessions take over from stored ones.
    pub(super) fn take_over_clients(&mut self, clients: &HashMap<SessionId, Client>) {
        for session in &mut self.sessions {
            if let Some(client) = session.takes_over.and_then(|id| clients.get(&id)) {
                session.client.fill_from(client);
            }
        }
    }

    /// Gives operations that came before their session's opening record its user.
    pub(super) fn name_users(&mut self) {
        if !self.identified_late {
            return;
        }
        for write in &mut self.operations {
            let place = self.places.get(&write.operation.session_id);
            let session = place.and_then(|place| self.sessions.get(*place));
            write.user_id = session.and_then(|session| session.user_id);
        }
    }

    /// How many sessions without an opening record were made up.
    pub(super) fn stand_ins(&self) -> usize {
        self.stand_ins
    }

    /// Operations to be inserted, in the order of the records.
    pub(super) fn operations(&self) -> &[OperationToWrite<'r>] {
        &self.operations
    }

    /// The usage of all sessions whose usage is kept, and whose it is.
    pub(super) fn usage(&self) -> impl Iterator<Item = (Whose<'_>, &Usage<'r>)> {
        let counted = self.sessions.iter().filter(|session| session.counted);
        counted.map(|session| (session.whose(), &session.usage))
    }

    /// Sessions that need a row, or whose row needs an identity.
    pub(super) fn to_insert(&self) -> Vec<&Tracked<'r>> {
        let sessions = self.sessions.iter();
        sessions
            .filter(|s| !s.stored || s.opened.is_some())
            .collect()
    }

    /// Stored sessions that changed.
    pub(super) fn to_update(&self) -> Vec<&Tracked<'r>> {
        let sessions = self.sessions.iter();
        sessions
            .filter(|s| s.stored && s.opened.is_none() && s.changed)
            .collect()
    }
}

/// `text` if it is JSON, else the JSON string that holds it: the column takes nothing else, and nothing is lost.
fn valid_json(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => text.to_owned(),
        Err(_) => serde_json::Value::from(text).to_string(),
    }
}
