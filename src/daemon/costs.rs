//! Says at the start which of the models that people named have no price.

use crate::model::{Clock, SystemClock};
use crate::store::Store;

/// Tells of models without a price: their tokens are counted, and there is no cost.
pub(super) async fn tell(store: &Store) {
    match store.models_without_price(SystemClock.now()).await {
        Ok(models) => {
            for model in models {
                tracing::warn!(
                    "there is no price for the model {model}: its calls get no cost; `archonctl pricing set` adds one, \
                     PROVIDER/MODEL says whose it is"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "prices cannot be read"),
    }
}
