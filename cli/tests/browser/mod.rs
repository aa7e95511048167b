//! A headless Chromium, driven by its own DevTools protocol over a pair of pipes: what it says is
//! what the browser did, console errors, uncaught exceptions and refused fetches included.

use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Set where a missing browser is a failure.
const REQUIRED: &str = "CAFFE2_QTENSOR_REQUIRE_TOOLS";

/// A running browser; it ends with the value.
pub(crate) struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    last: u64,
    events: Vec<Value>,
    folder: PathBuf,
}

/// What a page is opened with.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
    pub(crate) scripts: bool,
    /// Whether the page is shown as it is printed.
    pub(crate) paper: bool,
}

/// An open page.
pub(crate) struct Page {
    session: String,
    target: String,
}

/// Where the browser is, or nothing where there is none; that is said aloud, and a failure where
/// the environment says that there must be one.
pub(crate) fn find() -> Option<PathBuf> {
    let folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os(REQUIRED).is_none(), "{REQUIRED} is set and there is no chromium");
        eprintln!("SKIPPED: no chromium in PATH, so that the report was not opened in a browser");
    }
    found
}

impl Browser {
    /// Starts the browser. `folder` is where it may keep what it likes.
    pub(crate) fn start(browser: &Path, folder: &Path) -> Browser {
        let folder = folder.join(format!("browser-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (commands, answers) = (folder.join("commands"), folder.join("answers"));
        for pipe in [&commands, &answers] {
            std::fs::remove_file(pipe).ok();
            assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        }
        // The protocol is spoken on the descriptors 3 and 4. A browser that hangs is ended.
        let child = Command::new("sh")
            .args(["-c", "exec timeout 900 \"$@\" 3<\"$COMMANDS\" 4>\"$ANSWERS\"", "sh"])
            .arg(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .arg("about:blank")
            .env("COMMANDS", &commands)
            .env("ANSWERS", &answers)
            // Nothing of the user's is read or changed.
            .env("HOME", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let to = File::options().write(true).open(&commands).unwrap();
        let from = BufReader::new(File::open(&answers).unwrap());
        Browser { child, to, from, last: 0, events: Vec::new(), folder }
    }

    /// Sends a command and waits for its answer; events that come before are kept.
    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        loop {
            let answer = self.receive();
            if answer["id"] == self.last {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    fn receive(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(
            bytes.pop(),
            Some(0),
            "the browser is gone: {}",
            std::fs::read_to_string(self.folder.join("stderr")).unwrap_or_default()
        );
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Opens a file and waits until it is loaded and drawn.
    pub(crate) fn open(&mut self, file: &Path, view: View) -> Page {
        let target = self.call(None, "Target.createTarget", json!({"url": "about:blank"}));
        let target = target["targetId"].as_str().unwrap().to_owned();
        let attach = json!({"targetId": target, "flatten": true});
        let session = self.call(None, "Target.attachToTarget", attach);
        let session = session["sessionId"].as_str().unwrap().to_owned();
        let page = Page { session, target };
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            self.call(Some(&page.session), domain, json!({}));
        }
        self.show(&page, view);
        let url = format!("file://{}", file.canonicalize().unwrap().display());
        let opened = self.call(Some(&page.session), "Page.navigate", json!({"url": url}));
        assert!(opened.get("errorText").is_none(), "{url}: {opened}");
        while !self.events.iter().any(|event| {
            event["method"] == "Page.loadEventFired" && event["sessionId"] == page.session.as_str()
        }) {
            let event = self.receive();
            self.events.push(event);
        }
        if view.scripts {
            self.settle(&page);
        }
        page
    }

    /// Changes how a page is shown.
    pub(crate) fn show(&mut self, page: &Page, view: View) {
        let session = Some(page.session.as_str());
        let metrics = json!({
            "width": view.width, "height": view.height, "deviceScaleFactor": 1, "mobile": false
        });
        self.call(session, "Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if view.dark { "dark" } else { "light" };
        let media = if view.paper { "print" } else { "screen" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let features = json!({"media": media, "features": features});
        self.call(session, "Emulation.setEmulatedMedia", features);
        let scripts = json!({"value": !view.scripts});
        self.call(session, "Emulation.setScriptExecutionDisabled", scripts);
    }

    /// Waits for what the page has scheduled.
    pub(crate) fn settle(&mut self, page: &Page) {
        let frames = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 100)))";
        self.evaluate(page, frames);
    }

    /// The value of an expression in the page.
    pub(crate) fn evaluate(&mut self, page: &Page, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call(Some(&page.session), "Runtime.evaluate", params);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses and releases a key.
    pub(crate) fn press(&mut self, page: &Page, key: &str) {
        for kind in ["rawKeyDown", "keyUp"] {
            let code = match key {
                "Tab" => 9,
                "Enter" => 13,
                "Escape" => 27,
                "End" => 35,
                "Home" => 36,
                "ArrowLeft" => 37,
                "ArrowRight" => 39,
                "ArrowDown" => 40,
                _ => 0,
            };
            let params =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.call(Some(&page.session), "Input.dispatchKeyEvent", params);
        }
    }

    /// Everything that the page complained of so far: exceptions, errors on the console and in the
    /// browser's log.
    pub(crate) fn errors(&self, page: &Page) -> Vec<String> {
        let complaint = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => {
                ["error", "warning", "assert"].iter().any(|kind| event["params"]["type"] == *kind)
            }
            Some("Log.entryAdded") => {
                ["error", "warning"].iter().any(|level| event["params"]["entry"]["level"] == *level)
            }
            _ => false,
        };
        self.of(page).filter(complaint).map(|event| event["params"].to_string()).collect()
    }

    /// The addresses that the page asked for, its own among them.
    pub(crate) fn requests(&self, page: &Page) -> Vec<String> {
        self.of(page)
            .filter(|event| event["method"] == "Network.requestWillBeSent")
            .filter_map(|event| event["params"]["request"]["url"].as_str().map(str::to_owned))
            .collect()
    }

    fn of(&self, page: &Page) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(|event| event["sessionId"] == page.session.as_str())
    }

    /// A picture of what is in view, written to a file.
    pub(crate) fn picture(&mut self, page: &Page, file: &Path) {
        let params = json!({"format": "png"});
        let answer = self.call(Some(&page.session), "Page.captureScreenshot", params);
        std::fs::write(file, from_base64(answer["data"].as_str().unwrap())).unwrap();
    }

    pub(crate) fn close(&mut self, page: Page) {
        self.call(None, "Target.closeTarget", json!({"targetId": page.target}));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = json!({"id": 0, "method": "Browser.close"}).to_string() + "\0";
        if self.to.write_all(close.as_bytes()).is_err() {
            self.child.kill().ok();
        }
        self.child.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for digit in text.bytes().filter_map(|byte| DIGITS.iter().position(|it| *it == byte)) {
        bits = bits << 6 | u32::try_from(digit).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}
