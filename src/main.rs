//! Starts the library.
fn main() {}
