//! Letting somebody in, or not: one place for both kinds of tokens, with what is remembered of those who were let in.
//!
//! A token is looked up each time, so that one that is revoked is good no more at once. What is remembered serves two
//! purposes alone: who got in a moment ago gets in while the store is away, and is not kept out with whoever tries in vain from
//! the same address, as behind a proxy all have one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::jwt::Jwts;
use super::limit::Tries;
use super::scope::Scopes;
use super::token::{PREFIX, Shown};
use crate::model::{Clock, Timestamp};
use crate::store::{ApiTokenRow, Store, StoreError};

/// How long somebody is remembered.
const REMEMBERED: Duration = Duration::from_mins(10);
/// How many are.
const MOST_REMEMBERED: usize = 1_000;
/// How exactly it is kept when a token was used.
const USE_NOTED: Duration = Duration::from_mins(10);

/// Somebody who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The token's name, or the subject of a JWT.
    pub name: String,
    /// What may be done.
    pub scopes: Scopes,
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The token lets nobody in; why.
    #[error("{0}")]
    Wrong(&'static str),
    /// There were too many wrong ones from this address; how long to wait.
    #[error("there were too many wrong tokens from this address")]
    TooMany(Duration),
    /// Nobody can say at the moment.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody who was let in a while ago.
#[derive(Clone)]
struct Remembered {
    principal: Principal,
    at: Timestamp,
    expires_at: Option<Timestamp>,
}

type Known = HashMap<[u8; 32], Remembered>;

/// The door.
pub struct Login {
    store: Store,
    clock: Arc<dyn Clock>,
    jwts: Option<Jwts>,
    tries: Mutex<Tries>,
    known: Mutex<Known>,
    /// When it was last noted that a token was used, by its id.
    noted: Mutex<HashMap<String, Timestamp>>,
}

/// No code that holds one of these locks can panic half way through a change.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Login {
    /// A door for the tokens in `store`, and for JWTs where there are keys for them.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, jwts: Option<Jwts>) -> Self {
        Self {
            store,
            clock,
            jwts,
            tries: Mutex::default(),
            known: Mutex::default(),
            noted: Mutex::default(),
        }
    }

    /// Who shows `token`, from `address`.
    ///
    /// # Errors
    /// When it lets nobody in, when too many wrong ones came from there, when the store does not answer.
    pub async fn principal(&self, token: &str, address: IpAddr) -> Result<Principal, Refused> {
        let now = self.clock.now();
        let digest: [u8; 32] = Sha256::digest(token).into();
        let known = locked(&self.known).get(&digest).cloned();
        let known = known.filter(|known| now.since(known.at) < REMEMBERED);
        if known.is_none() {
            // Taken before, and given back: many at the same time count one by one.
            let tried = locked(&self.tries).take(address, now);
            tried.map_err(Refused::TooMany)?;
        }
        let found = self.look(token, now).await;
        if known.is_none() && !matches!(found, Err(Refused::Wrong(_))) {
            locked(&self.tries).give_back(address);
        }
        match (found, known) {
            (Ok(remembered), _) => {
                let principal = remembered.principal.clone();
                self.remember(digest, remembered, now);
                Ok(principal)
            }
            (Err(Refused::Store(error)), Some(known))
                if known.expires_at.is_none_or(|at| at > now) =>
            {
                tracing::debug!(%error, "the store is away; somebody is let in who was before");
                Ok(known.principal)
            }
            (Err(refused), _) => {
                if matches!(refused, Refused::Wrong(_)) {
                    locked(&self.known).remove(&digest);
                }
                Err(refused)
            }
        }
    }

    async fn look(&self, token: &str, now: Timestamp) -> Result<Remembered, Refused> {
        if !token.starts_with(PREFIX) {
            let jwts = self.jwts.as_ref();
            let jwts = jwts.ok_or(Refused::Wrong("the token is none of archonctl"))?;
            let principal = jwts.principal(token).map_err(Refused::Wrong)?;
            return Ok(Remembered {
                principal,
                at: now,
                expires_at: None,
            });
        }
        let unknown = Refused::Wrong("the token is not known");
        let Some(shown) = Shown::read(token) else {
            return Err(unknown);
        };
        let Some(row) = self.store.api_token(shown.id).await? else {
            return Err(unknown);
        };
        if !shown.is_of(&row) {
            return Err(unknown);
        }
        if row.revoked_at.is_some() {
            return Err(Refused::Wrong("the token was revoked"));
        }
        if row.expires_at.is_some_and(|at| at <= now) {
            return Err(Refused::Wrong("the token has expired"));
        }
        self.note_use(&row, now);
        Ok(Remembered {
            principal: Principal {
                scopes: Scopes::among(row.scopes.split_whitespace()),
                name: row.name,
            },
            at: now,
            expires_at: row.expires_at,
        })
    }

    fn remember(&self, digest: [u8; 32], remembered: Remembered, now: Timestamp) {
        let mut known = locked(&self.known);
        if known.len() >= MOST_REMEMBERED && !known.contains_key(&digest) {
            known.retain(|_, known| now.since(known.at) < REMEMBERED);
            let oldest = known.iter().min_by_key(|(_, known)| known.at);
            let oldest = oldest.map(|(digest, _)| *digest);
            if known.len() >= MOST_REMEMBERED
                && let Some(oldest) = oldest
            {
                known.remove(&oldest);
            }
        }
        known.insert(digest, remembered);
    }

    /// Has it noted that a token was used, where that was not noted for a while. Nobody waits for it.
    fn note_use(&self, row: &ApiTokenRow, now: Timestamp) {
        let due = |at: Option<&Timestamp>| at.is_none_or(|at| now.since(*at) >= USE_NOTED);
        let mut noted = locked(&self.noted);
        if !due(row.last_used_at.as_ref()) || !due(noted.get(&row.token_id)) {
            return;
        }
        noted.insert(row.token_id.clone(), now);
        drop(noted);
        let (store, id) = (self.store.clone(), row.token_id.clone());
        tokio::spawn(async move {
            if let Err(error) = store.api_token_used(&id, now).await {
                tracing::debug!(%error, "it is not noted that a token was used");
            }
        });
    }
}
