//! A session: one client working with one server for a while.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceId, SessionId, Timestamp};

macro_rules! word_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[schemars(inline)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The word the store and the REST contract use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!(concat!("'{}' is none of: ", $($word, " "),+), text)),
                }
            }
        }
    };
}

word_enum! {
    /// Where a session stands in its life.
    SessionStatus {
        /// Something happened less than the idle time ago.
        Active = "active",
        /// Nothing happened for the idle time.
        Idle = "idle",
        /// Ended; it never opens again.
        Disconnected = "disconnected",
    }
}

word_enum! {
    /// Which family of protocol revisions a session speaks.
    Era {
        /// Revisions 2024-11-05 to 2025-11-25: `initialize` and, if the server mints one, `Mcp-Session-Id`.
        Legacy = "legacy",
        /// Revisions from 2026-07-28 on: no handshake and no session in the protocol.
        Modern = "modern",
    }
}

word_enum! {
    /// The rule that told which session a request belongs to, in falling order of trust.
    Derivation {
        /// `Mcp-Session-Id`, minted by the server.
        Protocol = "protocol",
        /// One child process of a stdio server.
        Process = "process",
        /// `X-Archon-Session-Id`, or `session.id` in W3C `baggage`.
        Explicit = "explicit",
        /// A conversation key of the client's vendor.
        Vendor = "vendor",
        /// Server, principal, client name, client version and user agent together.
        Inferred = "inferred",
    }
}

/// Who a session belongs to, as far as anybody said so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserContext {
    /// The user's id.
    pub user_id: Option<uuid::Uuid>,
    /// The user's e-mail address.
    pub user_email: Option<Box<str>>,
    /// The user's name.
    pub user_name: Option<Box<str>>,
}

/// A session as it is when it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedSession {
    /// Minted here.
    pub session_id: SessionId,
    /// The instance that opened it.
    pub instance_id: InstanceId,
    /// Name of the upstream server it works with.
    pub server: Box<str>,
    /// Which family of protocol revisions it speaks.
    pub era: Era,
    /// The rule by which requests find it.
    pub derivation: Derivation,
    /// What that rule matched on, already scoped by server and principal: two sessions with the same key follow
    /// one another, they never overlap.
    pub session_key: Box<str>,
    /// The verified user, else the remote address.
    pub principal: Box<str>,
    /// `clientInfo.name`, as sent.
    pub client_name: Option<Box<str>>,
    /// `clientInfo.version`, as sent.
    pub client_version: Option<Box<str>>,
    /// The client's capabilities: a JSON object, as sent.
    pub client_capabilities: Option<Box<str>>,
    /// The protocol revision that was agreed on, or that requests carry.
    pub protocol_version: Option<Box<str>>,
    /// The HTTP `User-Agent`, as sent.
    pub user_agent: Option<Box<str>>,
    /// Who the user is.
    pub user: UserContext,
    /// When its first request began.
    pub connected_at: Timestamp,
    /// The session that this one goes on from, where the tracker knew it; else the store finds it by the key.
    pub resumed_from: Option<SessionId>,
    /// False where a crash of this instance ends the session too (a child process, the built-in server).
    pub survives_instance: bool,
}
