//! Finding out whether a pooler in transaction mode is in front of the database.
//!
//! Such a pooler gives each transaction another connection to the server: a lock that is to last for a whole run, and
//! settings of the session, would be somebody else's with the next statement. Asks only; needs no right.

use super::connection::Conn;

/// Where Supabase's pooler listens in transaction mode.
const SUPAVISOR_PORT: u16 = 6543;
const SUPAVISOR_HOST: &str = ".pooler.supabase.com";

/// What is known of the address.
#[derive(Clone, Debug, Default)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Address {
    /// What the pooler is, if the address alone says that there is one in transaction mode.
    pub(super) fn names_pooler(&self) -> Option<String> {
        let supabase = self.host.ends_with(SUPAVISOR_HOST) || self.host.ends_with(".supabase.co");
        (supabase && self.port == SUPAVISOR_PORT)
            .then(|| format!("Supabase's pooler (Supavisor, port {SUPAVISOR_PORT})"))
    }

    fn guess(&self) -> String {
        match self.port {
            SUPAVISOR_PORT => format!("a pooler on port {SUPAVISOR_PORT} (pgbouncer or Supavisor)"),
            _ => "a pooler (such as pgbouncer)".to_owned(),
        }
    }
}

/// Whether `conn` and `other`, two connections from here, are ever on the same one to the server, or `conn` on different
/// ones. While `other` has a transaction open, a connection of its own to the server cannot be the one of `conn`.
pub(super) async fn find(
    conn: &mut Conn,
    other: &mut Conn,
    address: &Address,
) -> Result<Option<String>, sqlx::Error> {
    const WHO: &str = "SELECT pg_backend_pid()";
    for _ in 0..2 {
        let first = conn.value(WHO).await?;
        other.begin().await?;
        let theirs = other.value(WHO).await?;
        let second = conn.value(WHO).await;
        other.rollback().await?;
        if theirs == first || second? != first {
            return Ok(Some(address.guess()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_supabases_pooler_is_known() {
        let address = |host: &str, port| Address {
            host: host.to_owned(),
            port,
        };
        for (host, port, known) in [
            ("aws-0-eu-central-1.pooler.supabase.com", 6543, true),
            ("db.abcdefgh.supabase.co", 6543, true),
            ("aws-0-eu-central-1.pooler.supabase.com", 5432, false),
            ("db.abcdefgh.supabase.co", 5432, false),
            ("localhost", 6543, false),
        ] {
            assert_eq!(
                address(host, port).names_pooler().is_some(),
                known,
                "{host}:{port}"
            );
        }
    }
}
