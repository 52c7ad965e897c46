//! Tests of the store against a real database in a temporary directory.

mod fold;
mod live;
mod migrations;
mod property;
