//! Letting in and keeping out.
