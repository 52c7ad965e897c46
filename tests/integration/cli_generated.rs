//! Completions and manual pages in the repository are those this binary makes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli_run::run;

fn files(dir: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(dir).expect("a directory");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            // A checkout may have brought other line ends.
            let text = std::fs::read_to_string(&path)
                .expect("a text")
                .replace("\r\n", "\n");
            (name, text)
        })
        .collect()
}

fn committed_is_fresh(command: &str, folder: &str) {
    let made = tempfile::tempdir().expect("a directory");
    let target = made.path().to_str().expect("UTF-8");
    let output = run(&[command, "--out", target]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let committed = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    let made = files(made.path());
    let regenerate =
        format!("to make them anew: rm -f {folder}/* && cargo run -- {command} --out {folder}");
    assert_eq!(
        committed.keys().collect::<Vec<_>>(),
        made.keys().collect::<Vec<_>>(),
        "files of {folder}/; {regenerate}"
    );
    for (name, text) in made {
        assert!(
            committed.get(&name) == Some(&text),
            "{folder}/{name} is out of date; {regenerate}"
        );
    }
}

#[test]
fn committed_completions_are_fresh() {
    committed_is_fresh("completions", "completions");
}

#[test]
fn committed_manual_pages_are_fresh() {
    committed_is_fresh("man", "man");
}

#[test]
fn one_script_and_the_main_page_go_to_standard_output() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("test-connection"),
            "{shell}"
        );
    }
    let page = run(&["man"]);
    assert!(String::from_utf8_lossy(&page.stdout).contains(".SH EXAMPLES"));
}
