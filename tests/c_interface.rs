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

/// Compiles texts in C++ as strictly as a program may ask for, and more: a header's warnings appear
/// where it is included. Every compiler there is.
fn compile_strictly(
    folder: &str,
    texts: &[(String, String)],
    includes: &[PathBuf],
    standards: &[&str],
) {
    let strict = ["-Wshadow", "-Wconversion", "-Wold-style-cast", "-Wnon-virtual-dtor"];
    let folder = fresh_folder(folder);
    let write = |(name, text): &(String, String)| {
        let source = folder.join(name.replace('/', "-")).with_extension("cc");
        std::fs::write(&source, text).unwrap();
        source
    };
    let sources: Vec<PathBuf> = texts.iter().map(write).collect();
    std::thread::scope(|scope| {
        for compiler in ["g++", "clang++"].into_iter().filter(|name| has_tool(name)) {
            let sources = &sources;
            scope.spawn(move || {
                for standard in standards {
                    let mut command = Command::new(compiler);
                    command.arg(format!("-std={standard}")).args(WARNINGS).args(strict);
                    command.args(["-fno-rtti", "-fsyntax-only"]);
                    for include in includes {
                        command.arg("-I").arg(include);
                    }
                    run(command.args(sources));
                }
            });
        }
    });
}

/// Each header alone, so that it includes what it uses, and a second time: under the oldest and the
/// newest standard. All of them together, under every one.
#[test]
fn the_cpp_headers_compile_everywhere() {
    let headers = cpp_headers();
    assert!(headers.len() > 10, "{headers:?}");
    let twice = |name: String| (name.clone(), format!("#include \"{name}\"\n").repeat(2));
    let texts: Vec<_> = headers.into_iter().map(twice).collect();
    let includes = [in_crate("include")];
    compile_strictly("cpp_headers", &texts, &includes, &[CPP[0], CPP[CPP.len() - 1]]);
    let umbrella: Vec<_> =
        texts.into_iter().filter(|(name, _)| name == "caffe2_qtensor.hpp").collect();
    compile_strictly("cpp_headers_together", &umbrella, &includes, &CPP);
}

const DROPIN_HEADERS: [&str; 2] = ["caffe2/core/qtensor.h", "caffe2/core/qtensor_serialization.h"];

/// The drop-in headers alone, twice, and with the C++ layer in either order, in a program without
/// Caffe2. All members are instantiated: a template's own warnings appear only then.
#[test]
fn the_dropin_headers_compile_everywhere() {
    let include = |header: &str| format!("#include \"{header}\"\n");
    let umbrella = include("caffe2_qtensor.hpp");
    let mut texts = Vec::new();
    for header in DROPIN_HEADERS {
        let class = match header {
            "caffe2/core/qtensor.h" => "QTensor",
            _ => {
                "QTensorDeserializer<caffe2::CPUContext>;\n\
                  template class caffe2::QTensorSerializer"
            }
        };
        let members = format!("template class caffe2::{class}<caffe2::CPUContext>;\n");
        for (name, text) in [
            ("twice", include(header).repeat(2)),
            ("before", include(header) + &umbrella),
            ("after", umbrella.clone() + &include(header)),
        ] {
            let text = format!("#define CAFFE2_QTENSOR_STANDALONE\n{text}{members}");
            texts.push((format!("{name}-{header}"), text));
        }
    }
    // Alone, they find the rest of the headers by themselves.
    let folders = [in_crate("include/caffe2_qtensor/compat"), in_crate("include")];
    let (alone, together): (Vec<_>, Vec<_>) =
        texts.into_iter().partition(|(name, _)| name.starts_with("twice"));
    compile_strictly("dropin_headers_alone", &alone, &folders[..1], &CPP);
    compile_strictly("dropin_headers_together", &together, &folders, &CPP[..1]);
}

/// The same with a Caffe2 of either age around.
#[test]
fn the_dropin_headers_compile_in_caffe2() {
    for age in ["caffe2_2017", "caffe2_2021"] {
        let twice = |header: &str| {
            let text = format!(
                "#include \"{header}\"\n#include \"{header}\"\n\
                 template class caffe2::QTensor<caffe2::CPUContext>;\n"
            );
            (header.to_owned(), text)
        };
        let folder = fresh_folder(&format!("in_{age}"));
        for (name, text) in DROPIN_HEADERS.map(twice) {
            let source = folder.join(name.replace('/', "-")).with_extension("cc");
            std::fs::write(&source, text).unwrap();
            for standard in CPP {
                let mut command = compiler(true);
                command.arg(format!("-std={standard}")).args(WARNINGS).arg("-fsyntax-only");
                command.arg("-I").arg(in_crate("include/caffe2_qtensor/compat"));
                // Behind it, so that it is ours that is found.
                command.arg("-I").arg(in_crate("c_tests").join(age)).arg(&source);
                run(&mut command);
            }
        }
    }
}

/// What the headers define may stand in any number of objects of one program.
#[test]
fn two_translation_units_link() {
    let folder = fresh_folder("two_units");
    let dropin = "#include \"caffe2/core/qtensor_serialization.h\"\n";
    let umbrella = "#include \"caffe2_qtensor.hpp\"\n";
    let write = |name: &str, headers: [&str; 2], text: &str| {
        let [first, second] = headers;
        let text = format!("#define CAFFE2_QTENSOR_STANDALONE\n{first}{second}{text}");
        let source = folder.join(name);
        std::fs::write(&source, text).unwrap();
        source
    };
    let one = write(
        "one.cc",
        [umbrella, dropin],
        "caffe2_qtensor::Tensor make() { return caffe2_qtensor::Tensor(); }\n\
         std::string bytes_of(const caffe2::QTensor<caffe2::CPUContext>& tensor) {\n\
           return caffe2::SerializeQTensor(tensor, \"w\");\n\
         }\n",
    );
    let other = write(
        "other.cc",
        [dropin, umbrella],
        "caffe2_qtensor::Tensor make();\n\
         std::string bytes_of(const caffe2::QTensor<caffe2::CPUContext>& tensor);\n\
         int main() {\n\
           caffe2::QTensor<caffe2::CPUContext> tensor({2, 3}, 4), read;\n\
           caffe2::DeserializeQTensor(bytes_of(tensor), &read);\n\
           return make().precision() + read.precision() - 12;\n\
         }\n",
    );
    let program = folder.join("program");
    let mut command = compiler(true);
    command.arg("-std=c++11").args(WARNINGS).arg("-I").arg(in_crate("include"));
    command.arg("-I").arg(in_crate("include/caffe2_qtensor/compat"));
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
        rest = &rest[end + 3..];
        if before.starts_with("typedef") {
            continue;
        }
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
                // Some arguments have a NULL with a meaning: all defaults, nothing to count, and no
                // context that a function would need.
                expect(match pointer.as_str() {
                    "options" => format!("NULL_OPTIONS({name},"),
                    "format" => format!("NULL_FORMAT({name},"),
                    "counts" => format!("NULL_COUNTS({name},"),
                    "context" => format!("NULL_CONTEXT({name},"),
                    _ => format!("NULL_CALL({name},\"{pointer}\","),
                });
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

/// Every number that the header puts into a compiled program is pinned by c_tests/test_layout.c.
#[test]
fn every_constant_and_every_field_is_pinned() {
    let pinned: String =
        read("c_tests/test_layout.c").chars().filter(|c| !c.is_whitespace()).collect();
    let (mut missing, mut found) = (Vec::new(), 0);
    let mut expect = |text: String| {
        found += 1;
        if !pinned.contains(&text) {
            missing.push(text);
        }
    };
    let header = read("include/caffe2_qtensor.h");
    let mut fields: Vec<&str> = Vec::new();
    for line in header.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["#define", name, _] if name.contains("_VERSION_") => {}
            ["#define", name, value] if value.parse::<i64>().is_ok() => {
                expect(format!("VALUE({name},{value})"));
            }
            [name, "=", value] if name.starts_with("QTENSOR_") => {
                expect(format!("VALUE({name},{})", value.trim_end_matches(',')));
            }
            ["typedef", "struct", .., "{"] => fields.clear(),
            ["}", name] => {
                let name = name.trim_end_matches(';');
                if !fields.is_empty() {
                    expect(format!("SIZE({name},"));
                }
                for field in fields.drain(..) {
                    expect(format!("FIELD({name},{field},"));
                }
            }
            // A field stands on a line of its own, and its comment before it.
            ["/*" | "*" | "//", ..] => {}
            [_, .., last] if line.starts_with("  ") && last.ends_with(';') => {
                let name = last.trim_start_matches('*').trim_end_matches(';');
                fields.push(name.split('[').next().unwrap());
            }
            _ => {}
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(found > 150, "the header is read as it is written: {found}");
}
