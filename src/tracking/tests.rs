//! Rules of docs/TRACKING.md, in virtual time.
