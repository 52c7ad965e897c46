//! What the daemon answers itself: health, the REST API and the built-in MCP server.
//!
//! Owns the outward shape of those answers. Asks `reports` for every figure, knows no SQL, forwards nothing. What
//! servers report of their own sessions goes to `tracking`, as what the proxy sees does.

pub mod health;
pub mod mcp_server;
pub mod metrics;
pub mod rest;
