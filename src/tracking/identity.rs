//! Which session a request belongs to: the five rules, in their order.
//!
//! Every key that a client supplies is scoped by server and principal: two users never share a session by sending the
//! same string.

use sha2::{Digest, Sha256};

use crate::model::{Derivation, Era, InstanceId, SessionId};
use crate::wire::ClientInfo;

use super::facts::RequestFacts;

/// Separates the parts of a key; a header cannot hold it, and a JSON text that does is scoped all the same.
const SEPARATOR: char = '\u{1f}';

/// A rule and the text it matches on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) derivation: Derivation,
    pub(super) text: String,
}

fn scoped(rule: char, server: &str, principal: &str, parts: &[&[u8]]) -> String {
    let length = parts.iter().map(|part| part.len() + 1).sum::<usize>();
    let mut text = String::with_capacity(3 + server.len() + principal.len() + length);
    text.push(rule);
    for part in [server.as_bytes(), principal.as_bytes()]
        .iter()
        .chain(parts)
    {
        text.push(SEPARATOR);
        match std::str::from_utf8(part) {
            Ok(plain) => text.push_str(plain),
            Err(_) => text.push_str(&String::from_utf8_lossy(part)),
        }
    }
    text
}

/// Rule 1: the session id that a legacy server minted.
pub(super) fn protocol(facts: &RequestFacts, session_id: &[u8]) -> Key {
    let text = scoped('p', &facts.server.name, &facts.principal, &[session_id]);
    Key {
        derivation: Derivation::Protocol,
        text,
    }
}

/// Rule 2: one child process of `instance`, which has just one.
pub(super) fn process(server: &str, principal: &str, instance: InstanceId) -> Key {
    let text = scoped('c', server, principal, &[instance.to_string().as_bytes()]);
    Key {
        derivation: Derivation::Process,
        text,
    }
}

/// Rules 3 and 4: a key that the client chose, in `baggage` or in a vendor's member of `_meta`.
pub(super) fn chosen(facts: &RequestFacts, conversation: Option<&str>) -> Option<Key> {
    let scope = |rule, value: &str| {
        scoped(
            rule,
            &facts.server.name,
            &facts.principal,
            &[value.as_bytes()],
        )
    };
    if let Some(named) = &facts.baggage_session {
        return Some(Key {
            derivation: Derivation::Explicit,
            text: scope('e', named),
        });
    }
    conversation.map(|named| Key {
        derivation: Derivation::Vendor,
        text: scope('v', named),
    })
}

/// Rule 3, for a session that its server reports itself: the id that the session was given first, so that those which go
/// on from it have the same key.
pub(super) fn reported(server: &str, principal: &str, first: SessionId) -> String {
    scoped('r', server, principal, &[first.to_string().as_bytes()])
}

/// Rule 5: server, principal, client name, client version and user agent.
pub(super) fn inferred(facts: &RequestFacts, client: &ClientInfo) -> Key {
    let user_agent = facts.agent();
    inferred_from(&facts.server.name, &facts.principal, client, user_agent)
}

/// [`inferred`], from what a stored session says.
pub(super) fn inferred_from(
    server: &str,
    principal: &str,
    client: &ClientInfo,
    user_agent: &[u8],
) -> Key {
    let name = client.name.as_deref().unwrap_or_default().as_bytes();
    let version = client.version.as_deref().unwrap_or_default().as_bytes();
    Key {
        derivation: Derivation::Inferred,
        text: scoped('i', server, principal, &[name, version, user_agent]),
    }
}

/// Where a legacy client of a server that mints no id is found after its `initialize`: its later requests carry
/// nothing but a user agent.
pub(super) fn legacy_alias(server: &str, principal: &str, user_agent: &[u8]) -> String {
    scoped('l', server, principal, &[user_agent])
}

/// The era of a request whose head and body say `head` and `body`.
pub(super) fn era(head: Option<Era>, body: Option<Era>) -> Era {
    if head == Some(Era::Modern) || body == Some(Era::Modern) {
        Era::Modern
    } else {
        Era::Legacy
    }
}

/// A key as it is stored: a digest, since `Mcp-Session-Id` lets whoever knows it speak in the session.
pub(super) fn digest(key: &str) -> Box<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(key.as_bytes());
    let digits = digest
        .iter()
        .take(16)
        .flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect::<String>()
        .into()
}
