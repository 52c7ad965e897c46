//! Tells cargo that the migrations are part of the program: they are embedded by a macro that cargo cannot see into.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
