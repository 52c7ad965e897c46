//! archonctl: sessions, calls and disconnect reasons for people who run MCP servers.
//!
//! The library holds everything; the binary only starts it. `docs/ARCHITECTURE.md` draws the floors: a folder
//! imports only what stands below it.

pub mod api;
pub mod auth;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod journal;
pub mod model;
pub mod probe;
pub mod proxy;
pub mod reports;
pub mod store;
pub mod track;
pub mod tracking;
pub mod wire;
