//! What the C interface promises beyond single calls: headers that compile everywhere, a shared
//! library with a name and exactly the listed functions, and for each of them a C test and a place
//! in the C++ layer.
#![cfg(all(feature = "capi", target_os = "linux"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/toolchain.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod toolchain;

use std::path::PathBuf;
use std::process::Command;
use toolchain::{
    NATIVE_LIBRARIES, WARNINGS, compiler, fresh_folder, has_tool, in_crate, library, run,
};

const CPP: [&str; 4] = ["c++11", "c++14", "c++17", "c++20"];

fn read(path: &str) -> String {
    std::fs::read_to_string(in_crate(path)).unwrap()
}

/// The committed list of exported functions.
fn exported() -> Vec<String> {
    read("c_tests/exports.txt").lines().map(str::to_owned).collect()
}

#[test]
fn the_header_compiles_everywhere() {
    const C: [&str; 4] = ["c99", "c11", "c17", "c2x"];
    let compilers =
        [("gcc", C, "c"), ("clang", C, "c"), ("g++", CPP, "cc"), ("clang++", CPP, "cc")];
    let folder = fresh_folder("header");
    let include = "#include \"caffe2_qtensor.h\"\n";
    for (compiler, standards, extension) in compilers {
        if !has_tool(compiler) {
            continue;
        }
        for times in [1, 2] {
            let source = folder.join(format!("{compiler}-{times}.{extension}"));
            // An empty translation unit is none that ISO C allows; the declarations fill it.
            std::fs::write(&source, include.repeat(times)).unwrap();
            for standard in standards {
                let mut command = Command::new(compiler);
                command.arg(format!("-std={standard}")).args(WARNINGS).arg("-fsyntax-only");
                run(command.arg("-I").arg(in_crate("include")).arg(&source));
            }
        }
    }
}

/// The headers of the C++ layer, named as programs include them.
fn cpp_headers() -> Vec<String> {
    let files = std::fs::read_dir(in_crate("include/caffe2_qtensor")).unwrap();
    let mut headers: Vec<String> = files
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".hpp"))
        .map(|name| format!("caffe2_qtensor/{name}"))
        .collect();
    headers.push("caffe2_qtensor.hpp".to_owned());
    headers.sort();
    headers
}

/// Each header alone, so that it includes what it uses, and a second time.
#[test]
fn the_cpp_headers_compile_everywhere() {
    // More than a program may ask for: a header's warnings appear where it is included.
    let strict = ["-Wshadow", "-Wconversion", "-Wold-style-cast", "-Wnon-virtual-dtor"];
    let folder = fresh_folder("cpp_headers");
    let headers = cpp_headers();
    assert!(headers.len() > 10, "{headers:?}");
    let write = |header: &String| {
        let source = folder.join(header.replace('/', "-")).with_extension("cc");
        std::fs::write(&source, format!("#include \"{header}\"\n").repeat(2)).unwrap();
        source
    };
    let sources: Vec<PathBuf> = headers.iter().map(write).collect();
    std::thread::scope(|scope| {
        for compiler in ["g++", "clang++"].into_iter().filter(|name| has_tool(name)) {
            let sources = &sources;
            scope.spawn(move || {
                for standard in CPP {
                    let mut command = Command::new(compiler);
                    command.arg(format!("-std={standard}")).args(WARNINGS).args(strict);
                    command.args(["-fno-rtti", "-fsyntax-only", "-I"]).arg(in_crate("include"));
                    run(command.args(sources));
                }
            });
        }
    });
}

/// What the headers define may stand in any number of objects of one program.
#[test]
fn two_translation_units_link() {
    let folder = fresh_folder("two_units");
    let write = |name: &str, text: &str| {
        let source = folder.join(name);
        std::fs::write(&source, format!("#include \"caffe2_qtensor.hpp\"\n{text}")).unwrap();
        source
    };
    let (one, other) = (
        write("one.cc", "caffe2_qtensor::Tensor make() { return caffe2_qtensor::Tensor(); }\n"),
        write(
            "other.cc",
            "caffe2_qtensor::Tensor make();\nint main() { return make().precision() - 8; }\n",
        ),
    );
    let program = folder.join("program");
    let mut command = compiler(true);
    command.arg("-std=c++11").args(WARNINGS).arg("-I").arg(in_crate("include"));
    command.arg(one).arg(other).arg("-o").arg(&program).arg(library("a")).args(NATIVE_LIBRARIES);
    run(&mut command);
    run(&mut Command::new(program));
}

/// Functions that the C++ layer has no use for.
const NOT_IN_CPP: [&str; 1] = [
    // An exception carries the status that the call itself returned.
    "qtensor_error_code",
];

/// Whether a text names a function, and no other one whose name goes on behind it.
fn names(text: &str, function: &str) -> bool {
    let goes_on = |next: char| next.is_alphanumeric() || next == '_';
    text.match_indices(function).any(|(at, _)| {
        !text[..at].ends_with(goes_on) && !text[at + function.len()..].starts_with(goes_on)
    })
}

#[test]
fn every_function_has_its_place_in_cpp() {
    let code: String = cpp_headers()
        .iter()
        .flat_map(|header| {
            let text = read(&format!("include/{header}"));
            let code = |line: &&str| !line.trim_start().starts_with("//");
            text.lines().filter(code).map(|line| line.to_owned() + "\n").collect::<Vec<_>>()
        })
        .collect();
    for function in exported() {
        let expected = !NOT_IN_CPP.contains(&function.as_str());
        assert_eq!(names(&code, &function), expected, "{function}");
    }
}

#[test]
fn the_shared_library_has_a_name() {
    let dynamic = run(Command::new("readelf").args(["-d", "-W"]).arg(library("so")));
    let name = dynamic.lines().find(|line| line.contains("(SONAME)"));
    assert!(name.is_some_and(|line| line.contains("[libcaffe2_qtensor.so.0]")), "{dynamic}");
}

#[test]
fn the_shared_library_exports_what_is_listed() {
    let symbols = run(Command::new("nm").args(["-D", "--defined-only"]).arg(library("so")));
    let mut found: Vec<&str> =
        symbols.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    found.sort_unstable();
    assert_eq!(found, exported());
}

/// A function as the header declares it.
struct Declaration {
    name: String,
    /// Whether it returns a status and takes an error.
    can_fail: bool,
    /// The names of its pointers but for `error`.
    pointers: Vec<String>,
}

/// Every function in the header. A declaration ends with `);` and starts on a line of its own.
fn declarations() -> Vec<Declaration> {
    let header = read("include/caffe2_qtensor.h");
    let is_code = |line: &&str| !["//", "/*", " *"].iter().any(|start| line.starts_with(start));
    let code: Vec<&str> = header.lines().filter(is_code).collect();
    let code = code.join("\n");
    let (mut declarations, mut rest) = (Vec::new(), code.as_str());
    while let Some(end) = rest.find(");\n") {
        let start = rest[..end].rfind("\n\n").map_or(0, |at| at + 2);
        let (before, arguments) = rest[start..end].split_once('(').unwrap();
        let name = before.rsplit([' ', '*', '\n']).next().unwrap().to_owned();
        let mut pointers: Vec<String> = arguments
            .split(',')
            .filter(|argument| argument.contains('*'))
            .map(|argument| argument.rsplit([' ', '*']).next().unwrap().to_owned())
            .collect();
        let can_fail = pointers.last().is_some_and(|name| name == "error")
            && before.contains("qtensor_status ");
        if can_fail {
            pointers.pop();
        }
        declarations.push(Declaration { name, can_fail, pointers });
        rest = &rest[end + 3..];
    }
    declarations
}

/// All C programs and their headers without white space, so that a call is found however it is
/// wrapped.
fn programs() -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(in_crate("c_tests")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "c" || extension == "h") {
            all += &std::fs::read_to_string(path).unwrap();
        }
    }
    all.chars().filter(|character| !character.is_whitespace()).collect()
}

#[test]
fn every_function_has_a_test_and_its_nulls() {
    let (programs, declarations) = (programs(), declarations());
    let mut names: Vec<&str> = declarations.iter().map(|d| d.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, exported(), "the header is read as it is written");
    let mut missing = Vec::new();
    let mut expect = |call: String| {
        if !programs.contains(&call) {
            missing.push(call);
        }
    };
    for Declaration { name, can_fail, pointers } in &declarations {
        if *can_fail {
            expect(format!("WORKS({name},"));
            for pointer in pointers {
                expect(format!("NULL_CALL({name},\"{pointer}\","));
            }
        } else if name.ends_with("_free") {
            // With a handle it is called everywhere, or valgrind would find leaks.
            expect(format!("NULL_FREE({name})"));
        } else {
            expect(format!("{name}("));
            if !pointers.is_empty() {
                expect(format!("NULL_ANSWER({name},"));
            }
        }
    }
    assert!(missing.is_empty(), "c_tests/ has no {missing:#?}");
}
