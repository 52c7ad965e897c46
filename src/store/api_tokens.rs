//! Tokens of the API: rows with the SHA-256 of a secret, never the secret.
//!
//! Owns the rows. What a token may do, and whether one that is shown is the right one, is `auth`'s to say.

use super::connection::{Store, on_pool, on_tx};
use super::error::StoreError;
use crate::model::Timestamp;

/// A token as it is kept. The digest of its secret is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ApiTokenRow {
    /// The part of the token that everybody may see.
    pub token_id: String,
    /// What somebody called it.
    pub name: String,
    /// SHA-256 of its secret part, 32 bytes.
    pub secret_sha256: Vec<u8>,
    /// What it may be used for, words with blanks between them.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is good no more; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, within some minutes.
    pub last_used_at: Option<Timestamp>,
}

impl std::fmt::Debug for ApiTokenRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiTokenRow")
            .field("token_id", &self.token_id)
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str = "SELECT token_id, name, secret_sha256, scopes, created_at, expires_at, revoked_at, last_used_at \
    FROM archon_api_tokens";

impl Store {
    /// Keeps a token; `false` where another one that is not revoked has its name.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn add_api_token(&self, token: &ApiTokenRow) -> Result<bool, StoreError> {
        let mut tx = self.begin_write().await?;
        let added = on_tx!(tx, conn => {
            sqlx::query(
                "INSERT INTO archon_api_tokens (token_id, name, secret_sha256, scopes, created_at, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING",
            )
            .bind(&token.token_id)
            .bind(&token.name)
            .bind(&token.secret_sha256)
            .bind(&token.scopes)
            .bind(token.created_at)
            .bind(token.expires_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected())
        })
        .map_err(StoreError::during("keep a token"))?;
        tx.commit().await?;
        Ok(added > 0)
    }

    /// All tokens there ever were, the newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn api_tokens(&self) -> Result<Vec<ApiTokenRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY created_at DESC, token_id"));
        on_pool!(self, pool => sqlx::query_as(sql).fetch_all(pool).await)
            .map_err(StoreError::during("list tokens"))
    }

    /// The token with this id.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn api_token(&self, token_id: &str) -> Result<Option<ApiTokenRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE token_id = $1"));
        on_pool!(self, pool => sqlx::query_as(sql).bind(token_id).fetch_optional(pool).await)
            .map_err(StoreError::during("look for a token"))
    }

    /// Revokes the token with this id, from `at` on; one that was revoked before stays so.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn revoke_api_token(&self, token_id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.note_on_token(
            "UPDATE archon_api_tokens SET revoked_at = $2 WHERE token_id = $1 AND revoked_at IS NULL",
            token_id,
            at,
            "revoke a token",
        )
        .await
    }

    /// Notes that the token with this id was used.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn api_token_used(&self, token_id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.note_on_token(
            "UPDATE archon_api_tokens SET last_used_at = $2 \
             WHERE token_id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
            token_id,
            at,
            "note that a token was used",
        )
        .await
    }

    async fn note_on_token(
        &self,
        sql: &'static str,
        token_id: &str,
        at: Timestamp,
        what: &'static str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_write().await?;
        on_tx!(tx, conn => {
            sqlx::query(sql).bind(token_id).bind(at).execute(conn).await.map(drop)
        })
        .map_err(StoreError::during(what))?;
        tx.commit().await
    }
}
