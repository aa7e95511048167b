//! Help, completions and manual pages: there for every subcommand.

use crate::run::Folder;

const SUBCOMMANDS: [&str; 9] = [
    "inspect",
    "quantize",
    "dequantize",
    "convert",
    "verify",
    "diff",
    "sweep",
    "completions",
    "man",
];

#[test]
fn every_subcommand_has_help_with_examples() {
    let folder = Folder::new();
    let general = folder.done(&["--help"]);
    assert!(general.contains("Exit status:"));
    for name in SUBCOMMANDS {
        assert!(general.contains(&format!("  {name} ")), "{name}");
        let help = folder.done(&[name, "--help"]);
        assert!(help.contains(&format!("Examples:\n  qtensor {name} ")), "{help}");
        assert!(!help.contains('\u{1b}'));
        // What prints results prints them as JSON, too.
        assert_eq!(help.contains("--json"), !["completions", "man"].contains(&name), "{name}");
    }
    let version = folder.done(&["--version"]);
    assert_eq!(version, format!("qtensor {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_and_manual_pages() {
    let folder = Folder::new();
    for (shell, words) in [
        ("bash", "complete -F _qtensor"),
        ("zsh", "#compdef qtensor"),
        ("fish", "complete -c qtensor"),
    ] {
        let script = folder.done(&["completions", shell]);
        assert!(script.contains(words), "{shell}");
        for name in SUBCOMMANDS {
            assert!(script.contains(name), "{shell} {name}");
        }
    }
    folder.done(&["man", "share/man1"]);
    let page = |name: &str| std::fs::read_to_string(folder.path(format!("share/man1/{name}.1")));
    assert!(page("qtensor").unwrap().contains("qtensor\\-quantize(1)"));
    for name in SUBCOMMANDS {
        let page = page(&format!("qtensor-{name}")).unwrap();
        assert!(page.contains(".SH SYNOPSIS") && page.contains("Examples:"), "{name}");
    }
    folder.file("file", b"");
    folder.refused(&["man", "file"], "file: the manual pages cannot be written: it is no folder.");
}

#[test]
fn manual_pages_that_are_there_stay_unless_they_are_to_be_replaced() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("man1")).unwrap();
    // The last of them: none is written before all are looked at.
    folder.file("man1/qtensor-sweep.1", b"the old page");
    let pages = || std::fs::read_dir(folder.path("man1")).unwrap().count();
    let words = "man1/qtensor-sweep.1: The output is there already; --force replaces it.";
    folder.refused(&["man", "man1"], words);
    assert_eq!(std::fs::read(folder.path("man1/qtensor-sweep.1")).unwrap(), b"the old page");
    assert_eq!(pages(), 1);
    folder.done(&["man", "man1", "--force"]);
    let page = std::fs::read_to_string(folder.path("man1/qtensor-sweep.1")).unwrap();
    assert!(page.contains(".SH SYNOPSIS"));
    assert_eq!(pages(), 1 + SUBCOMMANDS.len());
}
