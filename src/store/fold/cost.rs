//! What the operations of a batch cost: estimated from their tokens, the model behind their session, and the prices.
//!
//! Where the model or its price is not known there is no cost, and never a made-up one.

use crate::model::{ModelRules, PriceList, Record};
use crate::store::connection::Store;
use crate::store::error::StoreError;

/// The models behind sessions, and their prices.
pub(super) struct Costing<'s> {
    pub(super) models: &'s ModelRules,
    pub(super) prices: PriceList,
}

impl Store {
    /// What it takes to estimate the costs of `records`; `None` where nothing is to be estimated.
    pub(super) async fn costing(
        &self,
        records: &[Record],
    ) -> Result<Option<Costing<'_>>, StoreError> {
        let models = self.models();
        let wanted = records.iter().any(|record| match record {
            Record::OperationFinished(operation) => {
                let counted =
                    operation.prompt_tokens.is_some() || operation.completion_tokens.is_some();
                let known = !models.is_empty() || operation.model.is_some();
                counted && known && operation.estimated_cost.is_none()
            }
            _ => false,
        });
        if !wanted {
            return Ok(None);
        }
        match self.price_list().await {
            Ok(prices) => Ok(Some(Costing { models, prices })),
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                // Records that wait for it would wait for ever.
                tracing::warn!(%error, "prices cannot be read; operations are stored without their cost");
                Ok(None)
            }
        }
    }
}
