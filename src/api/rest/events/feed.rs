//! One look at the store for all who read events: what one daemon reads of the log, once, whoever listens.
//!
//! Owns the looking and the handing round. Looks only while somebody listens, and waits for nobody: what is handed round is
//! kept for a while, and who has not taken it by then reads on from the store, by the id of the last event it has.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, broadcast};

use crate::reports::{self, EventId, EventKind, EventPage, EventSession, LiveEvent};
use crate::store::{Store, StoreError};

/// How often the store is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// The same while the store does not answer.
const AWAY: Duration = Duration::from_secs(2);
/// Pieces (of some 1,000 events at the most) that are kept for those who are not as quick.
const KEPT: usize = 16;
/// After each piece of a burst the others may take it, for so long.
const BREATH: Duration = Duration::from_millis(5);
/// Readers at the same time.
pub(super) const READERS: usize = 256;

/// An event as it is sent.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) id: EventId,
    kind: Option<EventKind>,
    session: Option<EventSession>,
    pub(super) text: Bytes,
}

/// What came behind a place.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where the piece before ended.
    pub(super) from: EventId,
    pub(super) to: EventId,
    pub(super) events: Vec<Told>,
}

/// Which events a reader wants.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) kinds: Vec<EventKind>,
    pub(super) session_id: Option<crate::model::SessionId>,
    pub(super) user_id: Option<uuid::Uuid>,
    pub(super) server: Option<String>,
}

impl Wanted {
    pub(super) fn has(&self, told: &Told) -> bool {
        let (Some(kind), Some(session)) = (told.kind, &told.session) else {
            return true;
        };
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && self.session_id.is_none_or(|id| id == session.session_id)
            && (self.user_id.is_none() || self.user_id == session.user_id)
            && (self.server.is_none() || self.server == session.server)
    }
}

impl Told {
    pub(super) fn new(id: EventId, event: &LiveEvent) -> Self {
        // Texts, numbers and objects of them: nothing that has no JSON. A line break in a text is an escape there.
        let data = serde_json::to_string(event).unwrap_or_default();
        let text = format!("id: {id}\nevent: {}\ndata: {data}\n\n", event.name());
        Self {
            id,
            kind: event.kind(),
            session: event.session().cloned(),
            text: text.into(),
        }
    }
}

/// All that are behind `place`, as they are sent.
pub(super) async fn read(
    store: &Store,
    place: EventId,
) -> Result<(Vec<Told>, EventId, bool), StoreError> {
    let EventPage { events, next, more } = reports::events_behind(store, place).await?;
    let told = events.iter().map(|(id, event)| Told::new(*id, event));
    Ok((told.collect(), next, more))
}

#[derive(Debug, Default)]
struct State {
    /// There while somebody looks.
    pieces: Option<broadcast::Sender<Arc<Piece>>>,
    /// How far it is settled that there is nothing that was not handed round.
    seen: Option<EventId>,
}

/// The events of a store for those who listen here.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(super) store: Store,
    state: Mutex<State>,
    pub(super) places: Arc<Semaphore>,
}

impl Feed {
    /// Nobody listens yet.
    pub(crate) fn new(store: Store) -> Arc<Self> {
        Arc::new(Self {
            store,
            state: Mutex::default(),
            places: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// What is handed round from now on.
    pub(super) fn listen(self: &Arc<Self>) -> broadcast::Receiver<Arc<Piece>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pieces) = &state.pieces {
            return pieces.subscribe();
        }
        let (pieces, receiver) = broadcast::channel(KEPT);
        state.pieces = Some(pieces.clone());
        state.seen = None;
        drop(state);
        let feed = Arc::clone(self);
        tokio::spawn(async move { feed.look(pieces).await });
        receiver
    }

    /// How far everything was handed round.
    pub(super) fn seen(&self) -> Option<EventId> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen
    }

    /// Hands round what comes until nobody listens.
    async fn look(&self, pieces: broadcast::Sender<Arc<Piece>>) {
        let (mut at, mut told) = (None, None);
        while !self.is_idle(&pieces) {
            let wait = match self.step(&pieces, &mut at, &mut told).await {
                Ok(true) => BREATH,
                Ok(false) => EVERY,
                Err(error) => {
                    tracing::debug!(%error, "the store does not say what happened");
                    AWAY
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a look; says whether there is more.
    async fn step(
        &self,
        pieces: &broadcast::Sender<Arc<Piece>>,
        at: &mut Option<EventId>,
        told: &mut Option<EventId>,
    ) -> Result<bool, StoreError> {
        let from = match *at {
            Some(at) => at,
            None => reports::events_end(&self.store).await?,
        };
        let (events, next, more) = read(&self.store, from).await?;
        if !events.is_empty() {
            let piece = Piece {
                from: told.unwrap_or(from),
                to: next,
                events,
            };
            // Nobody may be listening any more.
            let _ = pieces.send(Arc::new(piece));
            *told = Some(next);
        }
        *told = told.or(Some(from));
        *at = Some(next);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen = Some(next);
        Ok(more)
    }

    /// Whether nobody listens; then the next one who does starts anew.
    fn is_idle(&self, pieces: &broadcast::Sender<Arc<Piece>>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = pieces.receiver_count() == 0;
        if idle {
            state.pieces = None;
        }
        idle
    }
}
