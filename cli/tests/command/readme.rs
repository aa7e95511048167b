//! The README's session prints what the README says.

use crate::run::Folder;
use std::path::Path;
use std::process::Command;

/// The block of code behind a mark.
fn block<'a>(readme: &'a str, name: &str) -> &'a str {
    let (_, from) = readme.split_once(&format!("<!-- command: {name} -->\n```")).unwrap();
    let (_, code) = from.split_once('\n').unwrap();
    code.split_once("```").unwrap().0
}

#[test]
fn the_session() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let folder = Folder::new();
    let tests = root.join("tests").canonicalize().unwrap();
    std::os::unix::fs::symlink(tests, folder.path("tests")).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_qtensor")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-ec", block(&readme, "session.sh")]).env("PATH", path);
    let output = command.current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), block(&readme, "session.txt"));
}
