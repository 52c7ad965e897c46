//! Stands between an MCP client and an MCP server over stdio: starts the server, passes every byte on as it comes, and
//! ends the server's whole process group with its client. `bridge` is such a server itself and forwards over HTTP.
//!
//! What passes is told to `tracking`, which never holds it up for longer than a write to the journal. Nothing here keeps
//! a line, re-serialises or reorders. The child's standard error is the client's own and is not looked at.

mod bridge;
mod child;
mod guard;
mod pipes;
mod relay;
mod signals;

pub use bridge::{BridgeError, BridgeOptions, OwnHeader, TargetError, bridge};
pub use child::{Child, SpawnError};
pub use guard::{GUARD, guard};
pub use relay::{StdioOptions, relay};
pub use signals::ClientSignals;
