//! The one integration binary. Each module says what belongs there.

mod architecture;
mod bridge;
mod built_in;
mod cli_config;
mod cli_generated;
mod cli_run;
mod cli_store;
mod crash;
mod daemon;
mod pg_functions;
mod pg_migrations;
mod pg_row_security;
mod pg_triggers;
mod postgres_away;
mod postgres_connect;
mod postgres_serve;
mod probes;
mod real_clients;
mod relay_http;
mod rest_api;
mod servers_for_tests;
mod stdio;
mod streaming;
mod support;
mod test_connection;
