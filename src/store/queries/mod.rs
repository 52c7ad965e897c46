//! The questions that `reports` asks, as SQL. Owns statements, one or two for each question; means nothing by them.
//!
//! All read, none writes, none runs for each row of another.

mod sessions;
mod usage;
mod users;
mod window;
