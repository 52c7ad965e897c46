//! The prices that costs are estimated with.

use super::window::{Statement, fetch_all};
use crate::model::{Cost, Price, PriceList, Timestamp};
use crate::store::connection::Store;
use crate::store::error::StoreError;
use crate::store::rows::PriceRow;

/// All prices, by provider and model, the newest of each first.
pub(in crate::store) const PRICES: &str = "SELECT CAST(id AS BIGINT) AS id, model_name, provider, input_price_per_1k, \
    output_price_per_1k, CAST(effective_date AS TEXT) AS effective_date, notes, seeded FROM archon_llm_pricing \
    ORDER BY provider, model_name, effective_date DESC, id";

impl Store {
    /// All prices, by provider and model, the newest of each first.
    pub(crate) async fn prices(&self) -> Result<Vec<PriceRow>, StoreError> {
        let statement = Statement::new(PRICES);
        fetch_all!(self, statement, "list prices")
    }

    /// Which of the models that costs are estimated for have no price that is in force at `at`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn models_without_price(&self, at: Timestamp) -> Result<Vec<String>, StoreError> {
        let models = self.models().models();
        if models.is_empty() {
            return Ok(Vec::new());
        }
        let prices = self.price_list().await?;
        let models = models.into_iter();
        let without = models.filter(|model| prices.price(model, at).is_none());
        Ok(without.map(str::to_owned).collect())
    }

    /// The same, to estimate costs with. What is no amount of money is left out.
    pub(crate) async fn price_list(&self) -> Result<PriceList, StoreError> {
        let statement = Statement::new(
            "SELECT model_name, provider, input_price_per_1k, output_price_per_1k, \
             CAST(effective_date AS TEXT) AS effective_date FROM archon_llm_pricing \
             WHERE input_price_per_1k BETWEEN -1000000000 AND 1000000000000000 \
             AND output_price_per_1k BETWEEN -1000000000 AND 1000000000000000",
        );
        let rows: Vec<(String, String, Cost, Cost, String)> =
            fetch_all!(self, statement, "read prices")?;
        let price = |(model, provider, input, output, from)| Price {
            model,
            provider,
            input,
            output,
            from,
        };
        Ok(PriceList::new(rows.into_iter().map(price)))
    }
}
