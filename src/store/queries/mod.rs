//! The questions that `reports` asks, as SQL. Owns statements, one or two for each question; means nothing by them.
//!
//! All read, none writes, none runs for each row of another.

mod operations;
mod prices;
mod recent;
mod sessions;
mod spread;
mod trends;
mod usage;
mod users;
mod window;

pub(in crate::store) use operations::OPERATION_COLUMNS;
pub(in crate::store) use prices::PRICES;
pub(crate) use trends::{UNITS, whole_units};
