//! Identifiers, each a type of its own so that one is never passed for another.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(inline)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// Names one session: a client working with one server for a while. Minted here, never by a client.
    SessionId
}
uuid_id! {
    /// Names one operation. A UUIDv7 (RFC 9562, section 5.7), so that ids sort by start time and a
    /// replayed record is recognised.
    RequestId
}
uuid_id! {
    /// Names one running process of archonctl: the owner of a journal and of the sessions it opened.
    InstanceId
}

/// Where new ids come from. Injected, so that tests can foresee them.
pub trait IdSource: Send + Sync {
    /// A new id, never given out before by this source.
    fn next(&self) -> Uuid;
}

/// The source used outside tests: UUIDv7 of the system clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct UuidV7Source;

impl IdSource for UuidV7Source {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
