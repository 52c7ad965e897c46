//! What the daemon answers itself: health, the REST API and the built-in MCP server.
//!
//! Owns the outward shape of those answers. Asks `reports` for every figure, knows no SQL, forwards nothing and
//! never writes a session or an operation.

pub mod health;
pub mod mcp_server;
pub mod rest;
