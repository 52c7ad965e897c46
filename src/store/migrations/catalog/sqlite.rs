//! SQLite's catalog: the texts of its `CREATE` statements, taken apart.
//!
//! SQLite keeps the text a thing was made with, and appends to it what `ALTER TABLE` adds. Definitions are these texts in one
//! spelling, columns and constraints each by themselves.

use super::Names;
use crate::store::migrations::connection::{Conn, list, text};
use crate::store::migrations::objects::{Catalog, ObjectKind, ObjectName};
use crate::store::migrations::tokens::{Token, normal, tokens};

pub(super) async fn read(conn: &mut Conn, names: &Names) -> Result<Catalog, sqlx::Error> {
    let (tables, others) = (list(&names.tables), list(&names.others));
    let sql = format!(
        "SELECT type, name, tbl_name, sql FROM sqlite_master
         WHERE sql IS NOT NULL AND (tbl_name IN ({tables}) OR name IN ({others}))"
    );
    let mut catalog = Catalog::default();
    for row in conn.rows(&sql).await? {
        let [kind, name, table, sql] = [0, 1, 2, 3].map(|at| text(Some(&row), at));
        let tokens: Vec<_> = tokens(sql).into_iter().map(|placed| placed.token).collect();
        let made = match kind {
            "table" => {
                take_apart(name, &tokens, &mut catalog);
                continue;
            }
            "index" => ObjectName::alone(ObjectKind::Index, name),
            "view" => ObjectName::alone(ObjectKind::View, name),
            "trigger" => ObjectName::of(ObjectKind::Trigger, table, name),
            _ => continue,
        };
        let unique = if tokens.iter().take(2).any(|t| t.is("UNIQUE")) {
            "unique "
        } else {
            ""
        };
        let rest = normal(behind_name(&tokens, name));
        catalog.0.insert(made, format!("{unique}{rest}"));
    }
    Ok(catalog)
}

/// What follows the name in a `CREATE` statement.
fn behind_name<'a, 't>(tokens: &'a [Token<'t>], name: &str) -> &'a [Token<'t>] {
    let at = tokens.iter().position(|token| match token {
        Token::Word(word) => word.eq_ignore_ascii_case(name),
        Token::Name(word) => word == name,
        _ => false,
    });
    at.and_then(|at| tokens.get(at + 1..)).unwrap_or(tokens)
}

/// The columns and constraints in `CREATE TABLE name (…) …`, each with its tokens, and the options behind them.
pub(in crate::store::migrations) fn table_pieces<'a, 't>(
    table: &str,
    tokens: &'a [Token<'t>],
) -> (Vec<&'a [Token<'t>]>, String) {
    let rest = behind_name(tokens, table);
    let mut pieces = Vec::new();
    let (mut depth, mut start, mut end) = (0_i32, 1, rest.len());
    for (at, token) in rest.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            _ => {}
        }
        let closes = depth == 0 && *token == Token::Sign(')');
        if closes || (depth == 1 && *token == Token::Sign(',')) {
            pieces.extend(rest.get(start..at));
            start = at + 1;
        }
        if closes {
            end = at;
            break;
        }
    }
    let options = rest.get(end + 1..).unwrap_or_default();
    let mut options: Vec<_> = options
        .split(|token| *token == Token::Sign(','))
        .map(normal)
        .collect();
    options.sort();
    (pieces, options.join(", "))
}

fn take_apart(table: &str, tokens: &[Token<'_>], catalog: &mut Catalog) {
    let (pieces, options) = table_pieces(table, tokens);
    catalog
        .0
        .insert(ObjectName::alone(ObjectKind::Table, table), options);
    for piece in pieces {
        let (name, definition) = named(piece);
        let kind = if is_constraint(piece) {
            ObjectKind::Constraint
        } else {
            ObjectKind::Column
        };
        catalog
            .0
            .insert(ObjectName::of(kind, table, name), definition);
    }
}

fn is_constraint(piece: &[Token<'_>]) -> bool {
    let words = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    piece
        .first()
        .is_some_and(|first| words.iter().any(|word| first.is(word)))
}

/// Name and definition of a column or a constraint; a constraint without a name is called by its text.
fn named(piece: &[Token<'_>]) -> (String, String) {
    let name_at = usize::from(piece.first().is_some_and(|first| first.is("CONSTRAINT")));
    match piece.get(name_at) {
        Some(Token::Name(name)) => (name.clone(), normal(&piece[name_at + 1..])),
        Some(Token::Word(word)) if name_at == 1 || !is_constraint(piece) => {
            ((*word).to_owned(), normal(&piece[name_at + 1..]))
        }
        _ => (normal(piece), normal(piece)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_taken_apart() {
        let sql = "CREATE TABLE t (\n  a INTEGER NOT NULL PRIMARY KEY, -- key\n  \"B c\" TEXT CONSTRAINT v CHECK (\"B c\" IN ('x', 'y,z')),\n  \
                   CONSTRAINT u UNIQUE (a, \"B c\"), CHECK (a > 0)) WITHOUT ROWID, STRICT";
        let found: Vec<_> = tokens(sql).into_iter().map(|placed| placed.token).collect();
        let mut catalog = Catalog::default();
        take_apart("t", &found, &mut catalog);
        let told: Vec<_> = catalog
            .0
            .iter()
            .map(|(name, text)| format!("{name}: {text}"))
            .collect();
        assert_eq!(
            told,
            [
                "table t: strict, without rowid",
                "column t.\"B c\": text constraint v check (\"B c\" in ('x', 'y,z'))",
                "column t.a: integer not null primary key",
                "constraint t.\"check (a > 0)\": check (a > 0)",
                "constraint t.u: unique (a, \"B c\")",
            ]
        );
    }
}
