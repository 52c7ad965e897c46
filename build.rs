//! Tells cargo that the migrations are part of the program, and lists what lies beside them: probes and down scripts, which
//! are embedded like the migrations themselves.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    let out = env::var("OUT_DIR").expect("cargo says where to write");
    let mut lists = String::new();
    for (name, folder) in [
        ("POSTGRES_PROBES", "probes/postgres"),
        ("SQLITE_PROBES", "probes/sqlite"),
        ("POSTGRES_DOWN", "down/postgres"),
        ("SQLITE_DOWN", "down/sqlite"),
    ] {
        let folder = Path::new(&root).join("migrations").join(folder);
        // Writing to a String cannot fail.
        let _ = writeln!(lists, "const {name}: Texts = &[");
        for path in files(&folder) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let path = path.to_string_lossy();
            let _ = writeln!(lists, "    ({stem:?}, include_str!({path:?})),");
        }
        lists.push_str("];\n");
    }
    fs::write(Path::new(&out).join("beside_migrations.rs"), lists).expect("a list of files");
}

/// The files in `folder`, in order; none if it is not there.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths
}
