//! What a statement makes, changes and drops, told from its text.
//!
//! Used to leave out statements of a migration whose things are there already, and to know which things a migration wants
//! gone. Knows the statements migrations are written with; what it does not know it calls so, and decides nothing.

use super::objects::{ObjectKind, ObjectName};
use super::tokens::{Token, tokens};

/// What one statement does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// Things it makes or changes. Functions without arguments.
    pub(super) makes: Vec<ObjectName>,
    /// Things it drops.
    pub(super) drops: Vec<ObjectName>,
    /// What it does to rows.
    pub(super) rows: Option<Rows>,
    /// Whether it does more than its text tells: code that puts statements together, or grants.
    pub(super) opaque: bool,
}

/// What a statement does to rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Adds some to this table.
    Insert(String),
    /// Changes or removes some.
    Change,
}

/// Where bookkeeping of this and other products is.
pub(super) const RECORDS: &str = "archon_migrations";

impl Effect {
    /// Whether it only records a migration.
    pub(super) fn records(&self) -> bool {
        self.rows == Some(Rows::Insert(RECORDS.to_owned()))
    }
}

/// The effect of the statement made of `tokens`.
pub(super) fn effect(tokens: &[Token<'_>]) -> Effect {
    let mut effect = Effect::default();
    let mut reader = Reader { tokens, at: 0 };
    if tokens.first().is_some_and(|first| first.is("DO")) {
        for token in tokens {
            inside(token, &mut effect);
        }
    } else {
        reader.statement(&mut effect);
    }
    effect
}

/// What the code in a `DO` block does: its statements, and those it has in strings.
fn inside(token: &Token<'_>, effect: &mut Effect) {
    let text = match token {
        Token::Body(body) => *body,
        Token::Text(text) => text.as_str(),
        _ => return,
    };
    let placed: Vec<_> = tokens(text)
        .into_iter()
        .map(|placed| placed.token)
        .collect();
    for at in 0..placed.len() {
        // A name after these words is no statement's beginning: `TG_OP = INSERT`, `AFTER INSERT`, `FOR UPDATE`.
        let begins = at == 0
            || matches!(&placed[at - 1], Token::Sign(';'))
            || ["BEGIN", "THEN", "ELSE", "LOOP"]
                .iter()
                .any(|word| placed[at - 1].is(word));
        let made_up = placed[at].is("EXECUTE")
            && !matches!(placed.get(at + 1), Some(Token::Text(_) | Token::Body(_)));
        let unseen = ["GRANT", "REVOKE", "LOCK", "PERFORM", "CALL"];
        effect.opaque |= made_up || (begins && unseen.iter().any(|word| placed[at].is(word)));
        if begins {
            let end = placed[at..].iter().position(|t| *t == Token::Sign(';'));
            let end = end.map_or(placed.len(), |length| at + length);
            Reader {
                tokens: &placed[at..end],
                at: 0,
            }
            .statement(effect);
        }
        inside(&placed[at], effect);
    }
}

struct Reader<'a, 't> {
    tokens: &'a [Token<'t>],
    at: usize,
}

impl Reader<'_, '_> {
    fn peek(&self) -> Option<&Token<'_>> {
        self.tokens.get(self.at)
    }

    /// Takes the keyword if it is next.
    fn word(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is);
        is
    }

    /// Takes the keywords if they are next.
    fn words(&mut self, words: &[&str]) -> bool {
        let start = self.at;
        let all = words.iter().all(|word| self.word(word));
        if !all {
            self.at = start;
        }
        all
    }

    fn sign(&mut self, sign: char) -> bool {
        let is = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is);
        is
    }

    /// The last part of a name; a schema before it is passed over.
    fn name(&mut self) -> Option<String> {
        let mut name = self.part()?;
        while self.sign('.') {
            name = self.part()?;
        }
        Some(name)
    }

    fn part(&mut self) -> Option<String> {
        let name = match self.peek()? {
            Token::Word(word) => word.to_lowercase(),
            Token::Name(name) => name.clone(),
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// Moves behind the next `word` that is not in parentheses.
    fn behind(&mut self, word: &str) -> bool {
        let mut depth = 0_i32;
        while let Some(token) = self.peek() {
            let found = depth == 0 && token.is(word);
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if found {
                return true;
            }
        }
        false
    }

    fn statement(&mut self, effect: &mut Effect) {
        if self.word("CREATE") {
            self.create(effect);
        } else if self.word("ALTER") {
            self.alter(effect);
        } else if self.word("DROP") {
            self.drop(effect);
        } else if self.words(&["INSERT", "OR", "IGNORE", "INTO"]) || self.words(&["INSERT", "INTO"])
        {
            effect.rows = self.name().map(Rows::Insert);
        } else if ["UPDATE", "DELETE", "MERGE", "WITH", "TRUNCATE"]
            .iter()
            .any(|word| self.word(word))
        {
            effect.rows = Some(Rows::Change);
        }
    }

    fn create(&mut self, effect: &mut Effect) {
        self.words(&["OR", "REPLACE"]);
        while [
            "TEMP",
            "TEMPORARY",
            "UNLOGGED",
            "RECURSIVE",
            "UNIQUE",
            "CONSTRAINT",
        ]
        .iter()
        .any(|word| self.word(word))
        {}
        let Some(kind) = self.kind() else { return };
        self.word("CONCURRENTLY");
        self.words(&["IF", "NOT", "EXISTS"]);
        let Some(name) = self.name() else { return };
        let name = match kind {
            ObjectKind::Trigger | ObjectKind::Policy => {
                self.behind("ON");
                match self.name() {
                    Some(table) => ObjectName::of(kind, table, name),
                    None => return,
                }
            }
            _ => ObjectName::alone(kind, name),
        };
        effect.makes.push(name);
    }

    /// The kind of thing whose word is next.
    fn kind(&mut self) -> Option<ObjectKind> {
        [
            ("TABLE", ObjectKind::Table),
            ("INDEX", ObjectKind::Index),
            ("SEQUENCE", ObjectKind::Sequence),
            ("FUNCTION", ObjectKind::Function),
            ("PROCEDURE", ObjectKind::Function),
            ("VIEW", ObjectKind::View),
            ("TRIGGER", ObjectKind::Trigger),
            ("POLICY", ObjectKind::Policy),
        ]
        .into_iter()
        .find_map(|(word, kind)| self.word(word).then_some(kind))
    }

    fn drop(&mut self, effect: &mut Effect) {
        let Some(kind) = self.kind() else { return };
        self.word("CONCURRENTLY");
        self.words(&["IF", "EXISTS"]);
        loop {
            let Some(name) = self.name() else { return };
            let name = match kind {
                ObjectKind::Trigger | ObjectKind::Policy if self.word("ON") => match self.name() {
                    Some(table) => ObjectName::of(kind, table, name),
                    None => return,
                },
                _ => ObjectName::alone(kind, name),
            };
            effect.drops.push(name);
            self.arguments();
            if !self.sign(',') {
                return;
            }
        }
    }

    /// Passes over a list in parentheses.
    fn arguments(&mut self) {
        if self.sign('(') {
            let mut depth = 1;
            while depth > 0 && self.at < self.tokens.len() {
                if self.sign('(') {
                    depth += 1;
                } else if self.sign(')') {
                    depth -= 1;
                } else {
                    self.at += 1;
                }
            }
        }
    }

    fn alter(&mut self, effect: &mut Effect) {
        let Some(kind) = self.kind() else { return };
        self.words(&["IF", "EXISTS"]);
        self.word("ONLY");
        let Some(name) = self.name() else { return };
        match kind {
            ObjectKind::Table => loop {
                self.action(&name, effect);
                if !self.behind_comma() {
                    return;
                }
            },
            ObjectKind::Trigger | ObjectKind::Policy => {
                if let (true, Some(table)) = (self.behind("ON"), self.name()) {
                    effect.makes.push(ObjectName::of(kind, table, name));
                }
            }
            _ => effect.makes.push(ObjectName::alone(kind, name)),
        }
    }

    fn behind_comma(&mut self) -> bool {
        while self.at < self.tokens.len() {
            if self.sign(',') {
                return true;
            }
            self.arguments();
            if !matches!(self.peek(), Some(Token::Sign(',' | '('))) {
                self.at += 1;
            }
        }
        false
    }

    /// One action of `ALTER TABLE`.
    fn action(&mut self, table: &str, effect: &mut Effect) {
        let of = |kind, name| ObjectName::of(kind, table, name);
        let itself = || ObjectName::alone(ObjectKind::Table, table);
        let mut made = None;
        if self.word("ADD") || self.words(&["VALIDATE"]) {
            if self.word("CONSTRAINT") {
                made = self.name().map(|name| of(ObjectKind::Constraint, name));
            } else {
                self.word("COLUMN");
                self.words(&["IF", "NOT", "EXISTS"]);
                made = self.name().map(|name| of(ObjectKind::Column, name));
            }
        } else if self.word("DROP") {
            let kind = if self.word("CONSTRAINT") {
                ObjectKind::Constraint
            } else {
                self.word("COLUMN");
                ObjectKind::Column
            };
            self.words(&["IF", "EXISTS"]);
            effect.drops.extend(self.name().map(|name| of(kind, name)));
        } else if self.word("ALTER") {
            self.word("COLUMN");
            made = self.name().map(|name| of(ObjectKind::Column, name));
        } else if self.word("ENABLE") || self.word("DISABLE") {
            while self.word("ALWAYS") || self.word("REPLICA") {}
            if self.word("TRIGGER") {
                made = self.name().map(|name| of(ObjectKind::Trigger, name));
            } else {
                made = Some(itself());
            }
        } else {
            // Row security and options belong to the table.
            made = Some(itself());
        }
        effect.makes.extend(made);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::statements;
    use super::*;

    fn of(sql: &str) -> (String, String, Option<Rows>) {
        let found = statements(sql);
        let effect = effect(&found[0].tokens);
        let told = |names: &[ObjectName]| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        (told(&effect.makes), told(&effect.drops), effect.rows)
    }

    #[test]
    fn what_a_statement_makes_is_told_from_its_text() {
        for (sql, makes, drops) in [
            ("CREATE TABLE IF NOT EXISTS public.A (x int)", "table a", ""),
            (
                "create unique index concurrently if not exists i on t (x)",
                "index i",
                "",
            ),
            (
                "CREATE OR REPLACE FUNCTION f(a uuid, b int DEFAULT (1+2)) RETURNS void AS $$ $$ LANGUAGE sql",
                "function f",
                "",
            ),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", "view v", ""),
            (
                "CREATE TRIGGER x AFTER INSERT OR UPDATE OF a ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f()",
                "trigger t.x",
                "",
            ),
            (
                "CREATE POLICY \"Own rows\" ON public.t FOR SELECT USING (true)",
                "policy t.\"Own rows\"",
                "",
            ),
            (
                "ALTER TABLE IF EXISTS ONLY t ADD COLUMN IF NOT EXISTS a numeric(10,6) DEFAULT 0, ADD b int, ADD CONSTRAINT c CHECK (a > 0, b)",
                "column t.a, column t.b, constraint t.c",
                "",
            ),
            (
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS c, DROP COLUMN d, VALIDATE CONSTRAINT e, ALTER COLUMN f SET NOT NULL",
                "constraint t.e, column t.f",
                "constraint t.c, column t.d",
            ),
            ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "table t", ""),
            (
                "ALTER TABLE t SET (fillfactor = 90), DISABLE TRIGGER x",
                "table t, trigger t.x",
                "",
            ),
            (
                "DROP FUNCTION IF EXISTS f(uuid, int), g()",
                "",
                "function f, function g",
            ),
            ("DROP TRIGGER IF EXISTS x ON t", "", "trigger t.x"),
            (
                "DROP POLICY IF EXISTS \"Own rows\" ON t",
                "",
                "policy t.\"Own rows\"",
            ),
            (
                "DROP INDEX CONCURRENTLY IF EXISTS i, j",
                "",
                "index i, index j",
            ),
            ("SELECT 1", "", ""),
            ("COMMENT ON TABLE t IS 'x'", "", ""),
        ] {
            assert_eq!(of(sql), (makes.to_owned(), drops.to_owned(), None), "{sql}");
        }
    }

    #[test]
    fn blocks_of_code_are_looked_into() {
        let sql = "DO $do$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
                DROP POLICY IF EXISTS p ON t;
                EXECUTE 'CREATE POLICY p ON t FOR SELECT TO authenticated USING (true)';
                EXECUTE $q$CREATE POLICY \"q r\" ON t$q$;
            ELSE
                ALTER TABLE t ADD COLUMN a int;
            END IF;
        END $do$";
        assert_eq!(
            of(sql),
            (
                "policy t.p, policy t.\"q r\", column t.a".to_owned(),
                "policy t.p".to_owned(),
                None
            )
        );
        assert_eq!(
            of("DO $$ BEGIN UPDATE t SET a = 1; END $$").2,
            Some(Rows::Change)
        );
    }

    #[test]
    fn rows_are_told_apart_from_things() {
        assert_eq!(
            of("INSERT OR IGNORE INTO a (b) VALUES (1)").2,
            Some(Rows::Insert("a".to_owned()))
        );
        assert_eq!(of("UPDATE a SET b = 1").2, Some(Rows::Change));
        assert_eq!(
            of("WITH x AS (SELECT 1) UPDATE a SET b = 1").2,
            Some(Rows::Change)
        );
        let found = statements(
            "INSERT INTO archon_migrations (version) VALUES ('1') ON CONFLICT DO NOTHING",
        );
        assert!(effect(&found[0].tokens).records());
    }
}
