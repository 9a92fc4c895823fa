//! Lists the scenario files, so that a new one needs no line of code.
#![allow(clippy::disallowed_methods, reason = "a build script reads the folder that it lists")]

use std::fmt::Write as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("scenarios");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let name = path.file_stem().and_then(|n| n.to_str()).ok_or("a scenario's name is not UTF-8")?;
            names.push(name.to_owned());
        }
    }
    names.sort();
    let mut table = String::from(
        "/// Name and text of every scenario file.\npub(crate) const FILES: &[(&str, &str)] = &[\n",
    );
    for name in names {
        let path = folder.join(format!("{name}.toml"));
        writeln!(table, "    ({name:?}, include_str!({path:?})),")?;
    }
    table.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("scenarios.rs"), table)?;
    Ok(())
}
