//! The prices that costs are estimated with.

use super::window::{Statement, fetch_all};
use crate::store::connection::Store;
use crate::store::error::StoreError;
use crate::store::rows::PriceRow;

impl Store {
    /// All prices, by provider and model, the newest of each first.
    pub(crate) async fn prices(&self) -> Result<Vec<PriceRow>, StoreError> {
        let statement = Statement::new(
            "SELECT CAST(id AS BIGINT) AS id, model_name, provider, input_price_per_1k, output_price_per_1k, \
             CAST(effective_date AS TEXT) AS effective_date, notes FROM archon_llm_pricing \
             ORDER BY provider, model_name, effective_date DESC, id",
        );
        fetch_all!(self, statement, "list prices")
    }
}
