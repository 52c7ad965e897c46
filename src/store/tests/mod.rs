//! Tests of the store against real databases.

mod costs;
mod events;
mod fold;
mod live;
mod migrations;
mod operations;
mod property;
mod replicas;
