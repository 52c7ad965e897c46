//! `docs/TRACKING-TESTS.md` and the tests that name its rules: every rule has a test, and every test that names a rule is on
//! the page.
//!
//! A test names the rules that it proves in its documentation: `/// Rule: session/opened, reason/delete`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The page, from the root of the project.
const PAGE: &str = "docs/TRACKING-TESTS.md";
/// Makes its last column anew.
const UPDATE: &str = "UPDATE_RULES";
/// Rules about what is not there yet.
const NOT_YET: [&str; 1] = ["reason/quota-exceeded"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files in and below `dir`, in order.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(dir).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The name of the function that `line` begins.
fn function(line: &str) -> Option<&str> {
    let (before, behind) = line.split_once("fn ")?;
    let only_words = ["", "async ", "pub(crate) ", "pub(super) "];
    only_words.contains(&before).then_some(())?;
    behind.split('(').next()
}

/// Whether `name` is one of the scenarios of `text` that run on every kind of store.
fn runs_on_every_store(text: &str, name: &str) -> bool {
    let lists = text.split("on_every_store!(").skip(1);
    let mut named = lists.filter_map(|list| list.split(')').next());
    named.any(|list| list.split([',', '\n']).any(|one| one.trim() == name))
}

/// The tests of each rule, as the page shows them.
fn tests() -> BTreeMap<String, Vec<String>> {
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("tests/integration"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("a file");
        let shown = file.strip_prefix(root()).expect("below the root");
        let shown = shown.display().to_string().replace('\\', "/");
        let (mut rules, mut is_test) = (Vec::new(), false);
        for line in text.lines().map(str::trim) {
            if let Some(named) = line.strip_prefix("/// Rule: ") {
                rules.extend(named.split(", ").map(str::to_owned));
            } else if rules.is_empty() {
            } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some(name) = function(line) {
                assert!(
                    is_test || runs_on_every_store(&text, name),
                    "{shown}: {name} names a rule and is no test"
                );
                for rule in rules.drain(..) {
                    let all = tests.entry(rule).or_default();
                    all.push(format!("`{name}` ({shown})"));
                }
                is_test = false;
            } else {
                let goes_on = line.starts_with("///") || line.starts_with("#[");
                assert!(goes_on, "{shown}: a rule is named above {line}");
            }
        }
    }
    tests
}

/// A row of the page: the rule's id, what it says, its tests.
fn row(line: &str) -> Option<[&str; 3]> {
    let cells = line.strip_prefix("| `")?.strip_suffix(" |")?;
    let (id, rest) = cells.split_once("` | ")?;
    let (rule, tests) = rest.rsplit_once(" | ")?;
    Some([id, rule, tests])
}

#[test]
fn the_page_of_rules_names_every_test_that_names_a_rule() {
    let page = fs::read_to_string(root().join(PAGE)).expect("the page");
    let mut tests = tests();
    let mut fresh = String::new();
    let mut seen = Vec::new();
    for line in page.lines() {
        let Some([id, rule, _]) = row(line) else {
            let _ = writeln!(fresh, "{line}");
            continue;
        };
        assert!(!seen.contains(&id), "{id} is on the page twice");
        seen.push(id);
        let found = tests.remove(id).unwrap_or_default();
        assert_eq!(
            found.is_empty(),
            NOT_YET.contains(&id),
            "{id} ({rule}): {} tests name it",
            found.len()
        );
        let shown = if found.is_empty() {
            "none yet".to_owned()
        } else {
            found.join("<br>")
        };
        let _ = writeln!(fresh, "| `{id}` | {rule} | {shown} |");
    }
    assert!(seen.len() > 60, "the page has {} rules", seen.len());
    assert!(tests.is_empty(), "not on the page: {tests:?}");
    if std::env::var_os(UPDATE).is_some() {
        fs::write(root().join(PAGE), &fresh).expect("written");
    } else {
        let same = page.replace("\r\n", "\n") == fresh;
        assert!(same, "{PAGE} is out of date: {UPDATE}=1 makes it anew");
    }
}
