//! Setting prices: all of a list, or none.
//!
//! What a price means and where it is used is `model::models`; which prices there are is asked in `queries/prices`.

use std::collections::HashMap;

use serde::Serialize;

use super::connection::{Store, on_tx};
use super::error::StoreError;
use super::rows::PriceRow;
use crate::model::Price;

/// A price somebody sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrice {
    /// What it is.
    pub price: Price,
    /// Remarks. `None` leaves those that are there.
    pub notes: Option<String>,
}

/// What setting a price did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceChange {
    /// There was none for this model, provider and day.
    Added,
    /// There was another one.
    Changed,
    /// It was so before.
    Unchanged,
}

impl Store {
    /// Sets `prices`, in one transaction. A model and a provider that are there under another spelling keep theirs; a price
    /// of the same day is replaced. With `rehearse` nothing is kept.
    ///
    /// # Errors
    /// When the store does not take them; then none is set.
    pub async fn set_prices(
        &self,
        prices: &[NewPrice],
        rehearse: bool,
    ) -> Result<Vec<PriceChange>, StoreError> {
        let mut tx = self.begin_write().await?;
        let rows: Vec<PriceRow> = on_tx!(tx, conn => {
            sqlx::query_as(super::queries::PRICES).fetch_all(conn).await
        })
        .map_err(StoreError::during("read prices"))?;
        let mut spelled: HashMap<(String, String), (String, String)> = HashMap::new();
        let mut there = HashMap::new();
        for row in rows {
            let key = key(&row.model_name, &row.provider);
            let spelling = (row.model_name.clone(), row.provider.clone());
            spelled.entry(key.clone()).or_insert(spelling);
            there.insert((key, row.effective_date.clone()), row);
        }
        let mut changes = Vec::new();
        for new in prices {
            let Price {
                model,
                provider,
                input,
                output,
                from,
            } = &new.price;
            let key = key(model, provider);
            let change = if let Some(row) = there.get(&(key.clone(), from.clone())) {
                let notes = new.notes.as_ref().or(row.notes.as_ref());
                let same = row.input_price_per_1k == *input
                    && row.output_price_per_1k == *output
                    && row.notes.as_ref() == notes;
                if same {
                    PriceChange::Unchanged
                } else {
                    let id = row.id;
                    let done = on_tx!(tx, conn => {
                        sqlx::query(
                            "UPDATE archon_llm_pricing SET input_price_per_1k = $1, output_price_per_1k = $2, notes = $3, \
                             seeded = $4 WHERE id = $5",
                        )
                        .bind(*input)
                        .bind(*output)
                        .bind(notes)
                        .bind(false)
                        .bind(id)
                        .execute(conn)
                        .await
                        .map(drop)
                    });
                    done.map_err(StoreError::during("change a price"))?;
                    PriceChange::Changed
                }
            } else {
                let spelling = spelled
                    .entry(key)
                    .or_insert_with(|| (model.clone(), provider.clone()));
                let sql = if self.is_embedded() {
                    "INSERT INTO archon_llm_pricing (model_name, provider, input_price_per_1k, output_price_per_1k, \
                     effective_date, notes, seeded) VALUES ($1, $2, $3, $4, $5, $6, $7)"
                } else {
                    "INSERT INTO archon_llm_pricing (model_name, provider, input_price_per_1k, output_price_per_1k, \
                     effective_date, notes, seeded) VALUES ($1, $2, $3, $4, to_date($5, 'YYYY-MM-DD'), $6, $7)"
                };
                let done = on_tx!(tx, conn => {
                    sqlx::query(sql)
                        .bind(&spelling.0)
                        .bind(&spelling.1)
                        .bind(*input)
                        .bind(*output)
                        .bind(from)
                        .bind(new.notes.as_ref())
                        .bind(false)
                        .execute(conn)
                        .await
                        .map(drop)
                });
                done.map_err(StoreError::during("add a price"))?;
                PriceChange::Added
            };
            changes.push(change);
        }
        if rehearse {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(changes)
    }
}

/// Names without regard to capitals.
fn key(model: &str, provider: &str) -> (String, String) {
    (model.to_lowercase(), provider.to_lowercase())
}
