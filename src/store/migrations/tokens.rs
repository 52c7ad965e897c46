//! SQL cut into tokens and statements, for both databases. Reads the texts of migrations and what databases keep of
//! `CREATE` statements; understands no statement.

use std::ops::Range;

/// A piece of SQL that is neither blank nor comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A name or keyword without quotes, as it stands.
    Word(&'t str),
    /// A name in quotes, without them.
    Name(String),
    /// A string, without its quotes.
    Text(String),
    /// What stands between two equal dollar quotes.
    Body(&'t str),
    /// A number or a parameter.
    Number(&'t str),
    /// Any other character.
    Sign(char),
}

impl Token<'_> {
    /// Whether this is the keyword `word`, given in capitals.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed<'t> {
    pub(super) token: Token<'t>,
    pub(super) place: Range<usize>,
}

/// All tokens of `sql`, to its end; what is not closed reaches to the end.
pub(super) fn tokens(sql: &str) -> Vec<Placed<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (token, length) = match c {
            c if c.is_whitespace() => (None, c.len_utf8()),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, comment(rest)),
            '\'' => {
                let escapes = matches!(found.last(), Some(Placed { token: Token::Word(word), place })
                    if word.eq_ignore_ascii_case("e") && place.end == at);
                let (text, length) = quoted(rest, '\'', escapes);
                (Some(Token::Text(text)), length)
            }
            '"' | '`' => {
                let (text, length) = quoted(rest, c, false);
                (Some(Token::Name(text)), length)
            }
            '$' => {
                if let Some((body, length)) = dollar(rest) {
                    (Some(Token::Body(body)), length)
                } else {
                    let length = 1 + run(&rest[1..], |c| c.is_ascii_digit());
                    (Some(Token::Number(&rest[..length])), length)
                }
            }
            c if c.is_ascii_digit() => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || c == '.');
                (Some(Token::Number(&rest[..length])), length)
            }
            c if c.is_alphabetic() || c == '_' => {
                let length = run(rest, |c| c.is_alphanumeric() || c == '_' || c == '$');
                (Some(Token::Word(&rest[..length])), length)
            }
            c => (Some(Token::Sign(c)), c.len_utf8()),
        };
        if let Some(token) = token {
            found.push(Placed {
                token,
                place: at..at + length,
            });
        }
        at += length;
    }
    found
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Length of the comment that `text` begins with; they nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// What stands in the quotes that `text` begins with, doubled quotes taken for one, and the length of all.
fn quoted(text: &str, quote: char, escapes: bool) -> (String, usize) {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if escapes => inside.extend(chars.next().map(|(_, c)| c)),
            c if c != quote => inside.push(c),
            _ if chars.peek().is_some_and(|(_, next)| *next == quote) => {
                inside.push(quote);
                chars.next();
            }
            _ => return (inside, at + quote.len_utf8()),
        }
    }
    (inside, text.len())
}

/// The body of the dollar-quoted string that `text` begins with, if it does, and the length of all.
fn dollar(text: &str) -> Option<(&str, usize)> {
    let tag = 1 + run(&text[1..], |c| c.is_alphanumeric() || c == '_');
    let open = text.get(..=tag)?;
    if !open.ends_with('$') || text[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let rest = &text[open.len()..];
    let end = rest.find(open).unwrap_or(rest.len());
    Some((&rest[..end], (2 * open.len() + end).min(text.len())))
}

/// One statement of a text.
#[derive(Clone, Debug)]
pub(super) struct Statement<'t> {
    /// The statement from its first word to before its semicolon; comments before it are not part of it.
    pub(super) sql: &'t str,
    /// The line its first word stands in, from 1.
    pub(super) line: usize,
    pub(super) tokens: Vec<Token<'t>>,
}

/// The statements of `sql`, in order; empty ones are left out.
pub(super) fn statements(sql: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut current: Vec<Placed<'_>> = Vec::new();
    let (mut parens, mut blocks) = (0_i32, 0_i32);
    let mut line = Lines::of(sql);
    for placed in tokens(sql) {
        let creates = current.first().is_some_and(|p| p.token.is("CREATE"));
        match &placed.token {
            Token::Sign(';') if parens <= 0 && blocks <= 0 => {
                found.extend(statement(sql, &mut line, std::mem::take(&mut current)));
                (parens, blocks) = (0, 0);
                continue;
            }
            Token::Sign('(') => parens += 1,
            Token::Sign(')') => parens -= 1,
            // The body of a trigger in SQLite, of a function in SQL's own syntax: statements inside a statement.
            token if creates && token.is("BEGIN") => blocks += 1,
            token if blocks > 0 && token.is("CASE") => blocks += 1,
            token if blocks > 0 && token.is("END") => blocks -= 1,
            _ => {}
        }
        current.push(placed);
    }
    found.extend(statement(sql, &mut line, current));
    found
}

fn statement<'t>(
    sql: &'t str,
    lines: &mut Lines<'t>,
    placed: Vec<Placed<'t>>,
) -> Option<Statement<'t>> {
    let (start, end) = (placed.first()?.place.start, placed.last()?.place.end);
    Some(Statement {
        sql: &sql[start..end],
        line: lines.at(start),
        tokens: placed.into_iter().map(|p| p.token).collect(),
    })
}

/// Counts lines on the way through a text.
struct Lines<'t> {
    text: &'t str,
    seen: usize,
    line: usize,
}

impl<'t> Lines<'t> {
    const fn of(text: &'t str) -> Self {
        Self {
            text,
            seen: 0,
            line: 1,
        }
    }

    fn at(&mut self, place: usize) -> usize {
        self.line += self.text[self.seen..place].matches('\n').count();
        self.seen = place;
        self.line
    }
}

/// The tokens in one canonical spelling: keywords and plain names in lower case, one blank where one is needed. What two
/// texts have in common that differ in layout, case of keywords and comments.
pub(super) fn normal(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut before: Option<&Token<'_>> = None;
    for token in tokens {
        let glued = matches!(token, Token::Sign(',' | ')' | ';' | '.'))
            || matches!(before, None | Some(Token::Sign('(' | '.')));
        if !glued {
            text.push(' ');
        }
        match token {
            Token::Word(word) => text.push_str(&word.to_lowercase()),
            Token::Name(name) => text.push_str(&identifier(name)),
            Token::Text(inside) => text.push_str(&literal(inside)),
            Token::Body(body) => text.push_str(body),
            Token::Number(number) => text.push_str(number),
            Token::Sign(sign) => text.push(*sign),
        }
        before = Some(token);
    }
    text
}

/// `name` as an identifier, quoted only if it has to be for being read back as the same.
pub(super) fn identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// `text` as a string of SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(sql: &str) -> Vec<(&str, usize)> {
        let found = statements(sql);
        found.iter().map(|s| (s.sql, s.line)).collect()
    }

    #[test]
    fn semicolons_end_statements_only_where_they_do() {
        let sql = "-- one; two\nSELECT 'a;''b', \"c;d\", E'\\';' ; /* ; /* ; */ ; */\n\nDO $x$ BEGIN; $y$;$y$ END $x$;\nSELECT $1;;";
        assert_eq!(
            split(sql),
            [
                ("SELECT 'a;''b', \"c;d\", E'\\';'", 2),
                ("DO $x$ BEGIN; $y$;$y$ END $x$", 4),
                ("SELECT $1", 5),
            ]
        );
    }

    #[test]
    fn bodies_of_statements_stay_whole() {
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; DELETE FROM c; END";
        let rule = "CREATE RULE r AS ON INSERT TO a DO ALSO (SELECT 1; SELECT 2)";
        assert_eq!(
            split(&format!("{trigger};\n{rule};\nBEGIN;\nSELECT 1;")),
            [(trigger, 1), (rule, 2), ("BEGIN", 3), ("SELECT 1", 4)]
        );
    }

    #[test]
    fn what_is_not_closed_reaches_to_the_end() {
        for sql in [
            "SELECT 'a;",
            "SELECT \"a;",
            "DO $$ a;",
            "SELECT 1 /* a;",
            "SELECT $a;",
            "$",
            "'",
            "$a$",
        ] {
            assert!(split(sql).len() <= 1, "{sql}");
        }
        assert!(split("  ; ;\n-- nothing").is_empty());
    }

    #[test]
    fn layout_and_case_do_not_matter() {
        let of = |sql| {
            let found = tokens(sql);
            normal(&found.into_iter().map(|p| p.token).collect::<Vec<_>>())
        };
        assert_eq!(
            of("CREATE  TABLE \"A b\"( x TEXT DEFAULT 'It''s' ,--c\n y INTEGER)"),
            "create table \"A b\" (x text default 'It''s', y integer)"
        );
        assert_eq!(of("a.b(c)"), of("A.B (\nc )"));
    }
}
