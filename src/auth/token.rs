//! Tokens of the API: `archonctl_ID_SECRET`. The id is public and finds the row; of the secret, 256 random bits, the store
//! has the SHA-256 alone, which needs no salt and no slow hash at that length.

use std::fmt::Write;

use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::scope::Scopes;
use crate::model::Timestamp;
use crate::store::{ApiTokenRow, Store, StoreError};

/// What every token begins with, so that it is recognised where it should not be.
pub(super) const PREFIX: &str = "archonctl_";
/// Hexadecimal digits of the public part.
const ID_DIGITS: usize = 16;
/// Bytes of the secret part.
const SECRET: usize = 32;
/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Why a token was not made or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Another token that is not revoked has the name.
    #[error("there is a token named '{0}' already")]
    NameTaken(String),
    /// No token has this id or name.
    #[error("there is no token '{0}'")]
    Unknown(String),
    /// The machine gives no random numbers.
    #[error("this machine gives no random numbers")]
    Random,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A token as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    /// The public part.
    pub id: String,
    /// What somebody called it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is good no more.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, within some minutes.
    pub last_used_at: Option<Timestamp>,
}

impl TokenInfo {
    /// `active`, `expired` or `revoked`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if self.expires_at.is_some_and(|at| at <= now) {
            "expired"
        } else {
            "active"
        }
    }
}

impl From<ApiTokenRow> for TokenInfo {
    fn from(row: ApiTokenRow) -> Self {
        Self {
            scopes: Scopes::among(row.scopes.split_whitespace()),
            id: row.token_id,
            name: row.name,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// A new token, and the only time that it is seen whole.
pub struct Created {
    /// What may be shown of it.
    pub info: TokenInfo,
    /// The token.
    pub token: String,
}

/// Checks a name. One that looks like an id would be taken for one.
///
/// # Errors
/// Says what a name is.
pub fn token_name(text: &str) -> Result<String, String> {
    let id = text.len() == ID_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let sound = !text.is_empty()
        && text.trim() == text
        && text.chars().count() <= LONGEST_NAME
        && !text.chars().any(char::is_control);
    if id {
        Err(format!("'{text}' looks like the id of a token"))
    } else if sound {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "a name has 1 to {LONGEST_NAME} characters, none of them a control character, and no blanks around it"
        ))
    }
}

/// Makes a token.
///
/// # Errors
/// When the name is taken, or the store does not keep it.
pub async fn create(
    store: &Store,
    name: &str,
    scopes: Scopes,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<Created, TokenError> {
    let (mut id, mut secret) = ([0; ID_DIGITS / 2], [0; SECRET]);
    let random = SystemRandom::new();
    random
        .fill(&mut id)
        .and_then(|()| random.fill(&mut secret))
        .map_err(|_| TokenError::Random)?;
    let row = ApiTokenRow {
        token_id: hex(&id),
        name: name.to_owned(),
        secret_sha256: Sha256::digest(secret).to_vec(),
        scopes: scopes.to_string(),
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    if !store.add_api_token(&row).await? {
        return Err(TokenError::NameTaken(name.to_owned()));
    }
    let token = format!("{PREFIX}{}_{}", row.token_id, hex(&secret));
    Ok(Created {
        info: row.into(),
        token,
    })
}

/// All tokens there ever were, the newest first.
///
/// # Errors
/// When the store does not answer.
pub async fn list(store: &Store) -> Result<Vec<TokenInfo>, StoreError> {
    let rows = store.api_tokens().await?;
    Ok(rows.into_iter().map(TokenInfo::from).collect())
}

/// Revokes the token with this id, or the one that has this name now. One that is revoked already stays as it is.
///
/// # Errors
/// When there is none, or the store does not answer.
pub async fn revoke(
    store: &Store,
    id_or_name: &str,
    now: Timestamp,
) -> Result<TokenInfo, TokenError> {
    let all = list(store).await?;
    let by_name = || {
        let mut named = all.iter().filter(|token| token.name == id_or_name);
        let current = named.clone().find(|token| token.revoked_at.is_none());
        current.or_else(|| named.next())
    };
    let found = all.iter().find(|token| token.id == id_or_name);
    let mut token = found
        .or_else(by_name)
        .cloned()
        .ok_or_else(|| TokenError::Unknown(id_or_name.to_owned()))?;
    if token.revoked_at.is_none() {
        store.revoke_api_token(&token.id, now).await?;
        token.revoked_at = Some(now);
    }
    Ok(token)
}

/// How many tokens let somebody in at the moment.
///
/// # Errors
/// When the store does not answer.
pub async fn usable(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let tokens = list(store).await?;
    let active = tokens.iter().filter(|token| token.status(now) == "active");
    Ok(active.count())
}

/// A token that somebody shows, taken apart.
pub(super) struct Shown<'a> {
    pub(super) id: &'a str,
    digest: [u8; 32],
}

impl<'a> Shown<'a> {
    /// Reads a token; `None` where it has not the form of one.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let hexadecimal = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let sound = id.len() == ID_DIGITS
            && secret.len() == 2 * SECRET
            && hexadecimal(id)
            && hexadecimal(secret);
        let mut bytes = [0; SECRET];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(secret.get(at..at + 2)?, 16).ok()?;
        }
        sound.then(|| Self {
            id,
            digest: Sha256::digest(bytes).into(),
        })
    }

    /// Whether its secret is the one that `row` has the digest of; takes equally long, wherever they differ.
    pub(super) fn is_of(&self, row: &ApiTokenRow) -> bool {
        self.digest[..].ct_eq(&row.secret_sha256).into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
