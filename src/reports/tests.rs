//! The answers against expectations worked out by hand.
