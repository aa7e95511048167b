//! How runs end that do not go well: one line, a status, the old output, and nothing left behind.

use crate::run::{Folder, Ran, model, values};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};

/// Work that takes minutes, looked at between channels.
fn slow(folder: &Folder) -> Child {
    folder.database("in", &[(b"w", &[3000, 300], values(900_000))]);
    folder.file("out", b"the old output");
    let mut command = folder.command();
    command.args(["quantize", "in", "-o", "out", "-f", "-p", "8", "--per-channel", "0"]);
    command.args(["--method", "caffe2-l2"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn wait(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn interrupted_work_leaves_everything_as_it_was() {
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let folder = Folder::new();
        let mut child = slow(&folder);
        // It has begun to write when its temporary file is there.
        while folder.names().len() == 2 {
            assert!(child.try_wait().unwrap().is_none(), "the work ended before its signal");
            std::thread::yield_now();
        }
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let ran = wait(child);
        assert_eq!((ran.status, ran.out.as_str()), (Some(status), ""), "{}", ran.error);
        assert_eq!(ran.error, format!("error: interrupted by signal {}\n", status - 128));
        assert_eq!(folder.names(), ["in", "out"]);
        assert_eq!(fs::read(folder.path("out")).unwrap(), b"the old output");
    }
}

#[test]
fn a_file_that_grows_beyond_its_limit_is_an_error() {
    let folder = Folder::new();
    folder.database("in", &[(b"w", &[512, 512], values(512 * 512))]);
    folder.done(&["quantize", "in", "-o", "q", "-p", "8", "-q"]);
    folder.file("out", b"the old output");
    let q = env!("CARGO_BIN_EXE_qtensor");
    let works = ["quantize in -p 8", "dequantize q", "dequantize q --npy w", "convert q -p 9"];
    for work in works {
        // The signal that comes with the limit is ignored or, by default, would end the process.
        for trap in ["trap '' XFSZ; ", ""] {
            let script = format!("{trap}ulimit -f 8; exec {q} {work} -f -o out");
            let mut command = Command::new("sh");
            command.args(["-c", &script]).current_dir(folder.path("."));
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let ran = wait(command.spawn().unwrap());
            ran.check_refused("out: Cannot write the ");
            assert_eq!(folder.names(), ["in", "out", "q"], "{work}");
            assert_eq!(fs::read(folder.path("out")).unwrap(), b"the old output");
        }
    }
}

#[test]
fn an_output_that_is_there_stays_unless_it_is_to_be_replaced() {
    let folder = Folder::new();
    folder.database("in", &[(b"w", &[20, 20], values(400))]);
    folder.done(&["quantize", "in", "-o", "q", "-p", "4", "-q"]);
    folder.file("out", b"the old output");
    for work in
        [&["quantize", "in", "-p", "4"][..], &["dequantize", "q"], &["convert", "q", "-p", "2"]]
    {
        let refused = [work, &["-o", "out"]].concat();
        folder.refused(&refused, "out: The output is there already; --force replaces it.");
        assert_eq!(fs::read(folder.path("out")).unwrap(), b"the old output");
        folder.done(&[work, &["-o", "out", "--force"]].concat());
        folder.done(&["verify", "out"]);
        folder.file("out", b"the old output");
    }
}

#[test]
fn an_output_that_is_the_input_is_refused_however_it_is_named() {
    let folder = Folder::new();
    folder.database("in", &[(b"w", &[20, 20], values(400))]);
    symlink("in", folder.path("link")).unwrap();
    fs::hard_link(folder.path("in"), folder.path("hard")).unwrap();
    let before = fs::read(folder.path("in")).unwrap();
    let absolute = folder.path("in").to_str().unwrap().to_owned();
    for out in ["in", "./in", "link", "hard", &absolute] {
        for force in [&[][..], &["-f"]] {
            let arguments = [&["quantize", "in", "-p", "4", "-o", out][..], force].concat();
            folder.refused(&arguments, "The output is the input; name another file.");
        }
    }
    assert_eq!(fs::read(folder.path("in")).unwrap(), before);
    // A link to something else stays a link, and what it leads to is replaced.
    folder.file("target", b"old");
    symlink("target", folder.path("other")).unwrap();
    folder.done(&["quantize", "in", "-p", "4", "-q", "-f", "-o", "other"]);
    assert!(fs::symlink_metadata(folder.path("other")).unwrap().is_symlink());
    folder.done(&["verify", "target"]);
}

/// Whatever follows them: what is replaced is what they lead to, whole or not at all, and where they
/// lead nowhere nothing is made.
#[test]
fn outputs_that_are_links() {
    let folder = Folder::new();
    folder.database("in", &[(b"w", &[20, 20], values(400))]);
    folder.done(&["quantize", "in", "-o", "q", "-p", "4", "-q"]);
    fs::create_dir(folder.path("sub")).unwrap();
    symlink("nowhere", folder.path("dangling")).unwrap();
    symlink("loop", folder.path("loop")).unwrap();
    symlink("second", folder.path("first")).unwrap();
    symlink("sub/target", folder.path("second")).unwrap();
    for (work, output) in [
        (&["quantize", "in", "-q", "-p", "4"][..], "-o"),
        (&["dequantize", "q"], "-o"),
        (&["dequantize", "q", "--npy", "w"], "-o"),
        (&["convert", "q", "-q", "-p", "2"], "-o"),
        (&["sweep", "in", "--precisions", "4"], "--html"),
    ] {
        for link in ["dangling", "loop"] {
            for force in [&[][..], &["--force"]] {
                let words = format!("{link}: The output is a link that cannot be followed: ");
                folder.refused(&[work, &[output, link], force].concat(), &words);
                assert!(fs::symlink_metadata(folder.path(link)).unwrap().is_symlink());
            }
        }
        folder.file("sub/target", b"old");
        let there = [work, &[output, "first"]].concat();
        folder.refused(&there, "first: The output is there already; --force replaces it.");
        assert_eq!(fs::read(folder.path("sub/target")).unwrap(), b"old");
        assert_eq!(folder.run(&[&there[..], &["--force"]].concat()).status, Some(0));
        for link in ["first", "second"] {
            assert!(fs::symlink_metadata(folder.path(link)).unwrap().is_symlink());
        }
        assert!(fs::read(folder.path("sub/target")).unwrap().len() > 100);
        assert_eq!(fs::read_dir(folder.path("sub")).unwrap().count(), 1);
    }
}

#[test]
fn damage_found_late_leaves_the_old_output() {
    let folder = Folder::new();
    let mut bytes = fs::read(model()).unwrap();
    folder.file("out", b"the old output");
    // The name of the last tensor's field of floats, which is no group that ends.
    let last = bytes.len() - 60;
    bytes[last..].fill(0xff);
    folder.file("in", &bytes);
    folder.refused(&["quantize", "in", "-o", "out", "-p", "4", "-f"], "in: ");
    assert_eq!(fs::read(folder.path("out")).unwrap(), b"the old output");
}

#[test]
fn outputs_that_cannot_be() {
    let folder = Folder::new();
    folder.database("in", &[(b"w", &[20, 20], values(400))]);
    fs::create_dir(folder.path("folder")).unwrap();
    let work = ["quantize", "in", "-p", "4", "-o"];
    for (out, words) in [
        ("folder", "--force"),
        ("no/such/out", "no/such/out: Cannot create the temporary database file"),
    ] {
        folder.refused(&[&work[..], &[out]].concat(), words);
    }
    folder.refused(&[&work[..], &["folder", "-f"]].concat(), "folder: Cannot replace the database");
}

#[test]
fn nobody_who_reads_is_no_error() {
    let folder = Folder::new();
    let names: Vec<Vec<u8>> = (0..2000).map(|index| format!("tensor{index}").into()).collect();
    let tensors: Vec<(&[u8], &[i64], Vec<f32>)> =
        names.iter().map(|name| (name.as_slice(), &[2][..], vec![1.0, 2.0])).collect();
    folder.database("in", &tensors);
    for json in [&[][..], &["--json"]] {
        let arguments = [&["inspect", "in"][..], json].concat();
        assert!(folder.done(&arguments).len() > 1 << 17, "more than a pipe holds");
        let mut command = folder.command();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let ran = wait(child);
        assert_eq!((ran.status, ran.error.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_full_disk_under_stdout_is_an_error() {
    let folder = Folder::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = folder.command();
    command.args(["inspect", &model()]).stdout(full).stderr(Stdio::piped());
    wait(command.spawn().unwrap()).check_refused("Cannot write to stdout");
}

#[test]
fn progress_stays_away_from_pipes() {
    let folder = Folder::new();
    folder.database("in", &[(b"w", &[512, 512], values(512 * 512))]);
    let ran = folder.run(&["quantize", "in", "-o", "out", "-p", "4"]);
    assert_eq!((ran.status, ran.error.as_str()), (Some(0), ""));
}

/// A process that waits for a reader looks at no flag; the second signal ends it.
#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = Folder::new();
    let names: Vec<Vec<u8>> = (0..3000).map(|i| format!("tensor_{i}").into_bytes()).collect();
    let tensors: Vec<(&[u8], &[i64], Vec<f32>)> =
        names.iter().map(|name| (name.as_slice(), &[2i64, 2][..], values(4))).collect();
    folder.database("in", &tensors);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut child = folder.command().args(["inspect", "in"]).stdout(writer).spawn().unwrap();
    let id = child.id().to_string();
    let signal = || {
        let kill = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(kill.unwrap().success());
    };
    // Until the pipe is full: the process sleeps, and goes on sleeping.
    let stat = format!("/proc/{id}/stat");
    let mut asleep = 0;
    while asleep < 10 {
        let sleeps = fs::read_to_string(&stat).unwrap().contains(") S ");
        asleep = if sleeps { asleep + 1 } else { 0 };
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    signal();
    // Two that come at once count as one; one more then.
    let status = loop {
        std::thread::sleep(std::time::Duration::from_millis(100));
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => signal(),
        }
    };
    assert_eq!(status.code(), Some(143));
    drop(reader);
}
