//! The source against `docs/ARCHITECTURE.md`: who imports whom, that every module says what it is, that no file names a
//! machine it was made on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A row of the table of floors.
#[derive(Debug, PartialEq, Eq)]
enum Allowed {
    Only(Vec<String>),
    AllBut(Vec<String>),
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between backticks in `text`.
fn named(text: &str) -> Vec<String> {
    let parts = text.split('`').enumerate();
    parts
        .filter(|(at, _)| at % 2 == 1)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// The rows, from the ground up.
fn floors(page: &str) -> Vec<(String, Allowed)> {
    let table = page
        .lines()
        .skip_while(|line| !line.starts_with("| folder |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [folder, _, imports] = cells[..] else {
            panic!("a row of three cells: {line}");
        };
        let allowed = match imports.trim() {
            "–" => Allowed::Only(Vec::new()),
            all if all.starts_with("all") => Allowed::AllBut(named(all)),
            some => Allowed::Only(named(some)),
        };
        (named(folder).concat(), allowed)
    };
    table.map(row).collect()
}

/// All files below `folder` whose name ends in `.rs`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a file below `src` holds tests only.
fn holds_tests(file: &Path) -> bool {
    let tests = ["tests", "tests.rs", "testing.rs", "fuzz.rs"];
    file.iter()
        .any(|part| tests.iter().any(|name| part == *name))
}

/// The folders that `line` imports, in a file that lies `depth` modules below the root.
fn imports(line: &str, depth: usize) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        found.extend(first_names(&code[at + "crate::".len()..]));
    }
    let climb = "super::".repeat(depth);
    for (at, _) in code.match_indices(&climb) {
        let after = &code[at + climb.len()..];
        if !code[..at].ends_with("super::") && !after.starts_with("super::") {
            found.extend(first_names(after));
        }
    }
    found
}

/// The first name of the path that `text` begins with, or the first names of all paths in its braces.
fn first_names(text: &str) -> Vec<String> {
    let name = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(inside) = text.strip_prefix('{') else {
        return vec![name(text)];
    };
    let (mut names, mut depth, mut begins) = (Vec::new(), 0, true);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && depth == 0 && !c.is_whitespace() => {
                names.push(name(&inside[at..]));
                begins = false;
            }
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    names
}

/// The source without modules of tests, statements that go over lines joined into their first.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut marked = false;
    for (number, line) in text.lines().enumerate() {
        let plain = line.trim();
        if marked && plain.starts_with("mod ") && plain.ends_with('{') {
            break;
        }
        marked = plain == "#[cfg(test)]";
        let goes_on = lines.last().is_some_and(|(_, last)| {
            last.trim_start().starts_with("use ") || last.trim_start().starts_with("pub use ")
        });
        match lines.last_mut() {
            Some((_, last)) if goes_on && !last.contains(';') => last.push_str(plain),
            _ => lines.push((number + 1, line.to_owned())),
        }
    }
    lines
}

#[test]
fn a_folder_imports_only_what_stands_below_it() {
    let floors = floors(&read(&root().join("docs/ARCHITECTURE.md")));
    let places: BTreeMap<&str, usize> = floors
        .iter()
        .enumerate()
        .map(|(at, (name, _))| (name.as_str(), at))
        .collect();
    assert_eq!(places.len(), floors.len(), "every folder has one row");
    for (at, (folder, allowed)) in floors.iter().enumerate() {
        if let Allowed::Only(names) = allowed {
            for name in names {
                let below = places.get(name.as_str()).is_some_and(|place| *place < at);
                assert!(
                    below,
                    "docs/ARCHITECTURE.md: {name} has to stand above {folder}"
                );
            }
        }
    }
    let src = root().join("src");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in sources(&src) {
        let inside = file.strip_prefix(&src).expect("below src");
        let parts: Vec<_> = inside.iter().filter_map(|part| part.to_str()).collect();
        let [folder, rest @ ..] = &parts[..] else {
            continue;
        };
        if rest.is_empty() || holds_tests(inside) {
            continue;
        }
        let Some(place) = places.get(folder) else {
            wrong.push(format!("src/{folder} has no row in docs/ARCHITECTURE.md"));
            continue;
        };
        let depth = parts.len() - usize::from(parts.last() == Some(&"mod.rs"));
        for (line, text) in statements(&read(&file)) {
            for import in imports(&text, depth) {
                let free = match &floors[*place].1 {
                    Allowed::Only(names) => names.contains(&import),
                    Allowed::AllBut(names) => !names.contains(&import),
                };
                seen += usize::from(import != *folder);
                if import != *folder && places.contains_key(import.as_str()) && !free {
                    let shown = inside.display();
                    wrong.push(format!(
                        "src/{shown}:{line}: {folder} may not import {import}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(seen > 50, "imports are found at all: {seen}");
}

#[test]
fn imports_are_found_in_every_spelling() {
    let found = |text: &str, depth| -> Vec<String> {
        let lines = statements(text).into_iter();
        lines.flat_map(|(_, line)| imports(&line, depth)).collect()
    };
    assert_eq!(found("use crate::store::Store;", 2), ["store"]);
    assert_eq!(
        found("let x = crate::wire::era_of(crate::model::Y);", 2),
        ["wire", "model"]
    );
    assert_eq!(
        found("use crate::{model::{A, B}, store};", 2),
        ["model", "store"]
    );
    assert_eq!(
        found(
            "use crate::{\n    model::A,\n    wire::{\n        B,\n    },\n};",
            2
        ),
        ["model", "wire"]
    );
    assert_eq!(found("use super::super::store::Store;", 2), ["store"]);
    assert!(found("use super::store::place;", 2).is_empty());
    assert!(found("use super::super::x;", 3).is_empty());
    assert!(found("// see crate::store", 2).is_empty());
    assert!(found("#[cfg(test)]\nmod tests {\n    use crate::store::X;\n}", 2).is_empty());
}

#[test]
fn every_module_opens_with_what_it_is() {
    for file in sources(&root().join("src"))
        .iter()
        .chain(&sources(&root().join("tests")))
    {
        assert!(
            read(file).starts_with("//! "),
            "{} does not begin with //!",
            file.display()
        );
    }
}

#[test]
fn no_file_names_a_machine_it_was_made_on() {
    // Put together here, so that this file is not one of them.
    let homes = [
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["/ro", "ot/"],
        ["/wo", "rk/"],
    ]
    .map(|parts| parts.concat());
    let files = files(root());
    assert!(files.len() > 100, "{}", files.len());
    for file in files {
        // What is no text names nothing.
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            // The home of nobody, in tests of settings.
            let line = line.replace("/home/me", "");
            let named = homes.iter().any(|home| line.contains(home.as_str()));
            assert!(!named, "{}:{}: {line}", file.display(), number + 1);
        }
    }
}

/// All files of the repository; those that are made or fetched are none of it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let made = [".git", "target", "node_modules", "__pycache__"];
        if made.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
