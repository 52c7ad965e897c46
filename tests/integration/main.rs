//! The one integration binary. Each module says what belongs there.

mod cli_config;
mod cli_generated;
mod cli_run;
mod cli_store;
mod real_clients;
mod support;
