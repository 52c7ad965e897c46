//! The rules of a session's life as the store applies them, over one batch of records, in memory.
//!
//! Owns what each kind of record does to a session. Does no I/O: what was stored before comes in, what is to be written
//! goes out.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::cost::Costing;
use super::limits::Limits;
use super::read::{Known, session_of};
use super::tracked::{Client, End, Joined, Tracked};
use super::usage::{Usage, Whose};
use crate::model::{
    InstanceId, OpenedSession, Operation, Record, RequestId, SessionClosed, SessionId,
    SessionStatus, Timestamp,
};
use crate::store::events::{Entries, Happened};

/// An operation to be written, with what its row copies from the session.
#[derive(Debug)]
pub(super) struct OperationToWrite<'r> {
    pub(super) operation: &'r Operation,
    /// The session whose row it belongs to, which may have another id than the operation says.
    pub(super) session_id: SessionId,
    /// The session's user.
    pub(super) user_id: Option<Uuid>,
    /// What it cost, in micro-dollars.
    pub(super) cost: Option<i64>,
}

/// One batch of records being worked out.
pub(super) struct Batch<'r> {
    /// Owner of stand-ins; without one none are made.
    pub(super) instance: Option<InstanceId>,
    sessions: Vec<Tracked<'r>>,
    places: HashMap<SessionId, usize>,
    /// For each session key, the newest ended session so far.
    newest_ended: HashMap<String, (Timestamp, SessionId)>,
    /// For each session key, the open sessions.
    open: HashMap<String, BTreeSet<SessionId>>,
    /// Ids that turned out to be other names of a session, and that session.
    aliases: Vec<(SessionId, SessionId)>,
    operations: Vec<OperationToWrite<'r>>,
    /// What happened, in the order of the records.
    happened: Entries,
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
        known: Known,
        repeated: Option<&HashSet<RequestId>>,
        limits: Limits,
    ) -> Self {
        let stored = known.sessions.into_iter();
        let sessions: Vec<Tracked<'r>> = stored.map(Tracked::stored).collect();
        let places = sessions.iter().enumerate().map(|(i, s)| (s.id, i));
        let mut places: HashMap<SessionId, usize> = places.collect();
        for (alias, session) in &known.aliases {
            if let Some(place) = places.get(session).copied() {
                places.insert(*alias, place);
            }
        }
        let mut batch = Self {
            instance,
            places,
            sessions,
            newest_ended: known.newest_ended,
            open: HashMap::new(),
            aliases: Vec::new(),
            operations: Vec::new(),
            happened: Entries::default(),
            repeated: repeated.cloned(),
            stand_ins: 0,
            identified_late: false,
            limits,
        };
        // Only who opens sessions asks which others there are.
        if known.opens {
            for place in 0..batch.sessions.len() {
                batch.note_key(place);
            }
        }
        batch
    }

    /// Which sessions, as `records` call them, are over: asked before any record is taken.
    pub(super) fn over(&self, records: &[Record]) -> Vec<SessionId> {
        let any = self.sessions.iter();
        if !any
            .clone()
            .any(|session| session.status == SessionStatus::Disconnected)
        {
            return Vec::new();
        }
        let ids: BTreeSet<SessionId> = records.iter().map(session_of).collect();
        let is_over = |id: &SessionId| {
            let place = self.places.get(id);
            let session = place.and_then(|place| self.sessions.get(*place));
            session.is_some_and(|session| session.status == SessionStatus::Disconnected)
        };
        ids.into_iter().filter(is_over).collect()
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, record: &'r Record) {
        match record {
            Record::SessionOpened(opened) => self.open(opened),
            Record::OperationFinished(operation) | Record::OperationOfModel(operation, _) => {
                self.operation(operation);
            }
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
                    self.happened.add(Happened::Idle(session.id));
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
        if let Some(same) = place.is_none().then(|| self.same_as(opened)).flatten() {
            self.sessions[same].join(opened, &client);
            self.aliases
                .push((opened.session_id, self.sessions[same].id));
            self.places.insert(opened.session_id, same);
            return;
        }
        let mut takes_over = None;
        let mut joined = None;
        if client.name.is_none()
            && let Some(predecessor) = resumed_from
        {
            let place = self.places.get(&predecessor).copied();
            let there = place.and_then(|place| self.sessions.get(place));
            joined = there.and_then(|there| there.joined.clone());
            match there {
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
            self.happened.add(Happened::Opened(opened.session_id));
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
        if let Some(joined) = joined {
            // Of the client, that is: a revision is agreed on anew.
            session.joined.get_or_insert_default().client = joined.client;
        }
        self.note_key(place);
    }

    /// The session that `opened` is another name of. Sessions with the same key follow one another: one that opened before
    /// another with its key was over is that other one, met by another instance.
    fn same_as(&self, opened: &OpenedSession) -> Option<usize> {
        if opened.resumed_from.is_some() || opened.session_key.is_empty() {
            return None;
        }
        let open = self.open.get(&*opened.session_key);
        let id = open.and_then(BTreeSet::first).copied().or_else(|| {
            let (at, id) = self.newest_ended.get(&*opened.session_key)?;
            (opened.connected_at < *at).then_some(*id)
        })?;
        self.places.get(&id).copied()
    }

    fn operation(&mut self, operation: &'r Operation) {
        let again = self
            .repeated
            .as_mut()
            .is_some_and(|repeated| !repeated.insert(operation.request_id));
        let finished = operation.ended_at();
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
        let (session_id, user_id) = (session.id, session.user_id);
        self.happened.add(Happened::Finished(operation.request_id));
        self.operations.push(OperationToWrite {
            operation,
            session_id,
            user_id,
            cost: limits.cost(operation.estimated_cost),
        });
    }

    /// Estimates what operations cost that came without a cost. Once everything is known of their sessions.
    pub(super) fn estimate_costs(&mut self, costing: &Costing<'_>) {
        let limits = self.limits;
        for write in &mut self.operations {
            let operation = write.operation;
            let (prompt, completion) = (operation.prompt_tokens, operation.completion_tokens);
            if write.cost.is_some() || prompt.or(completion).is_none() {
                continue;
            }
            let place = self.places.get(&operation.session_id).copied();
            let Some(session) = place.and_then(|place| self.sessions.get_mut(place)) else {
                continue;
            };
            let price = |model: &str| costing.prices.price(model, operation.started_at);
            let said = operation.model.as_deref().and_then(price);
            let price = said.or_else(|| price(session.model(costing.models)?));
            let tokens = |count| limits.tokens(count).unwrap_or(0);
            let cost = price.map(|price| price.cost(tokens(prompt), tokens(completion)));
            write.cost = limits.cost(cost);
            if let Some(cost) = write.cost {
                session.sums.cost += cost;
                session.usage.add_cost(operation, cost);
            }
        }
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
        let id = session.id;
        self.happened.add(Happened::Closed(id));
        if let Some(place) = self.places.get(&closed.session_id).copied() {
            self.note_key(place);
        }
    }

    /// Lets later sessions with the same key find this one.
    fn note_key(&mut self, place: usize) {
        let session = &self.sessions[place];
        let Some(key) = &session.key else {
            return;
        };
        if session.status != SessionStatus::Disconnected {
            match self.open.get_mut(key) {
                Some(open) => _ = open.insert(session.id),
                None => _ = self.open.insert(key.clone(), BTreeSet::from([session.id])),
            }
            return;
        }
        if let Some(open) = self.open.get_mut(key) {
            open.remove(&session.id);
        }
        let Some(at) = session.disconnected_at else {
            return;
        };
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
            self.happened.add(Happened::Opened(id));
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
            session.complete();
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

    /// Ids that turned out to be other names of a session, and that session.
    pub(super) fn aliases(&self) -> &[(SessionId, SessionId)] {
        &self.aliases
    }

    /// Stored sessions that were told more under other ids.
    pub(super) fn joined(&self) -> impl Iterator<Item = (&Tracked<'r>, &Joined<'r>)> {
        let stored = self.sessions.iter();
        let stored = stored.filter(|session| session.stored && session.opened.is_none());
        stored.filter_map(|session| Some((session, session.joined.as_ref()?)))
    }

    /// How many sessions without an opening record were made up.
    pub(super) fn stand_ins(&self) -> usize {
        self.stand_ins
    }

    /// Operations to be inserted, in the order of the records.
    pub(super) fn operations(&self) -> &[OperationToWrite<'r>] {
        &self.operations
    }

    /// What happened, in the order of the records.
    pub(super) fn happened(&self) -> &Entries {
        &self.happened
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
