//! The report of a sweep, opened in a real Chromium: nothing fails there, every plot is there, and it
//! can be used in any width, by keyboard and without its script, whatever tensors are called.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod browser;
mod sweep_files;

use browser::{Browser, Page, View};
use std::path::{Path, PathBuf};
use sweep_files::{DIGITS, Floats, folder, normal, sweep, write};

const DESK: View = View { width: 1280, height: 900, dark: false, scripts: true, paper: false };
const PHONE: View = View { width: 390, height: 844, dark: false, scripts: true, paper: false };

/// A sheet of A4, upright, in pixels of a 96th of an inch.
const SHEET: View = View { width: 794, height: 1123, dark: true, scripts: true, paper: true };

/// Names that are markup, or no text at all.
const HOSTILE: [&[u8]; 6] = [
    b"</script><script>document.title='broken'</script>",
    b"\"><img src=x onerror=\"document.title='broken'\">",
    b"not \xff\xfe UTF-8 \x00\x1b[31m",
    "\u{202e}drawkcab &amp; <!-- ]]> {{ ' `".as_bytes(),
    b"a_name_of_a_tensor_that_is_longer_than_any_column_of_any_table_and_has_no_place_to_be_broken_at",
    "层/重み/вес".as_bytes(),
];

/// A database of hostile names, one of them of each kind that is not quantized.
fn hostile(path: &Path) {
    let mut tensors: Vec<Floats> = Vec::new();
    for (seed, name) in (1..).zip(HOSTILE) {
        tensors.push((name, &[32, 64], normal(2048, seed)));
    }
    tensors.push((b"constant", &[64, 64], vec![3.0; 4096]));
    tensors.push((b"<b>bias</b>", &[8], normal(8, 9)));
    write(path, &tensors);
}

fn report(folder: &Path, input: &Path, arguments: &[&str]) -> PathBuf {
    let html = folder.join("report.html");
    let to = ["--html", html.to_str().unwrap(), "--force"];
    let output = sweep(input, &[&to, arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    html
}

/// What is wrong with the plots that are shown, by the browser's own measures; how many there are
/// comes first.
const PLOTS: &str = r#"(() => {
  const shown = [...document.querySelectorAll("svg.plot")].filter((svg) => svg.checkVisibility());
  const wrong = [];
  for (const svg of shown) {
    const name = svg.className.baseVal + ": ";
    const box = svg.getBoundingClientRect();
    const content = svg.getBBox();
    if (!(box.width > 200 && box.height > 100)) wrong.push(name + "too small");
    if (!(content.width > 0 && content.height > 0)) wrong.push(name + "empty");
    const marks = svg.querySelectorAll("path.bars, path.bar, g.point, g.span");
    if (![...marks].some((mark) => mark.getBBox().height > 0)) wrong.push(name + "without data");
    if (!svg.getAttribute("aria-label")) wrong.push(name + "without a text");
    if (svg.innerHTML.includes("NaN") || svg.innerHTML.includes("inf")) wrong.push(name + "NaN");
    const texts = [...svg.querySelectorAll("text")].map((text) => [text, text.getBoundingClientRect()]);
    texts.forEach(([text, a], index) => {
      if (a.left < box.left - 1 || a.right > box.right + 1) wrong.push(name + "cut: " + text.textContent);
      if (parseFloat(getComputedStyle(text).fontSize) * box.width / svg.viewBox.baseVal.width < 10)
        wrong.push(name + "small letters: " + text.textContent);
      for (const [other, b] of texts.slice(index + 1)) {
        if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
          wrong.push(name + text.textContent + " over " + other.textContent);
      }
    });
  }
  return { count: shown.length, wrong };
})()"#;

/// How far the page reaches beyond the window, and what does.
const OVERFLOW: &str = r#"(() => {
  const page = document.documentElement;
  const wide = [...document.querySelectorAll("body *")].filter((it) =>
    !it.closest(".scroll, .skip, #tip, svg") && it.getBoundingClientRect().right > innerWidth + 0.5);
  return { beyond: page.scrollWidth - page.clientWidth,
           wide: wide.map((it) => it.tagName + "." + it.className) };
})()"#;

/// That a page is whole as it is shown now; `plots` is how many there must be.
fn check(browser: &mut Browser, page: &Page, plots: usize) {
    let found = browser.evaluate(page, PLOTS);
    assert_eq!(found["wrong"], serde_json::json!([]), "{found}");
    assert_eq!(found["count"], plots);
    let found = browser.evaluate(page, OVERFLOW);
    assert_eq!(found["beyond"], 0, "{found}");
    assert_eq!(found["wide"], serde_json::json!([]));
    assert_eq!(browser.errors(page), [] as [&str; 0]);
    // Nothing is fetched: the only other address is that of no icon.
    let asked = browser.requests(page);
    let own = |url: &&String| url.starts_with("file:") && url.ends_with("/report.html");
    assert_eq!(asked.iter().filter(own).count(), 1, "{asked:?}");
    assert!(asked.iter().all(|url| own(&url) || url.starts_with("data:")), "{asked:?}");
}

/// Pictures of a page, window by window, for those who want to look: into the folder that
/// `CAFFE2_QTENSOR_PICTURES` names.
fn picture(browser: &mut Browser, page: &Page, view: View, number: u32) {
    let Some(folder) = std::env::var_os("CAFFE2_QTENSOR_PICTURES") else { return };
    let height = browser.evaluate(page, "document.documentElement.scrollHeight").as_u64().unwrap();
    let scheme = if view.dark { "dark" } else { "light" };
    for window in 0..height.div_ceil(u64::from(view.height)) {
        browser.evaluate(page, &format!("scrollTo(0, innerHeight * {window})"));
        browser.settle(page);
        let name = format!("report-{number}-{}-{scheme}-{window}.png", view.width);
        browser.picture(page, &Path::new(&folder).join(name));
    }
}

#[test]
fn every_plot_is_there_in_two_widths_and_both_schemes() {
    let Some(chromium) = browser::find() else { return };
    let folder = folder("report-whole");
    let mut browser = Browser::start(&chromium, &folder);
    let files = folder.join("hostile.minidb");
    hostile(&files);
    // What loses nothing at all, and a file of nothing to quantize.
    let (exact, nothing) = (folder.join("exact.minidb"), folder.join("nothing.minidb"));
    let bits = (0..4096_u16).map(|it| f32::from(it % 2)).collect();
    write(&exact, &[(b"bits", &[64, 64], bits)]);
    write(&nothing, &[(b"bias", &[64], normal(64, 1)), (b"one", &[64, 64], vec![1.0; 4096])]);
    // Of each tensor that was tried: errors, codes, channels; of all: the front, two times, energy.
    for (number, (input, arguments, plots)) in (1..).zip([
        (Path::new(DIGITS), &[][..], 3 * 3 + 4),
        (&files, &["--methods", "min-max,mse,mae,percentile,max-abs,log,dorefa"], 6 * 3 + 4),
        (&files, &["--precisions", "8", "--methods", "mse", "--per-channel", "1"], 6 * 3 + 4),
        (&files, &["--precisions", "1,2", "--min-sqnr", "60"], 6 * 3 + 4),
        (&exact, &[], 3 + 4),
        (&nothing, &[], 0),
    ]) {
        let html = report(&folder, input, arguments);
        let tablet = View { width: 820, ..DESK };
        let dark = |view| View { dark: true, ..view };
        for view in [DESK, PHONE, dark(DESK), dark(PHONE), tablet] {
            let page = browser.open(&html, view);
            check(&mut browser, &page, plots);
            picture(&mut browser, &page, view, number);
            let open = "document.querySelectorAll('details').forEach((it) => { it.open = true; })";
            browser.evaluate(&page, open);
            check(&mut browser, &page, plots);
            browser.close(page);
        }
    }
}

#[test]
fn a_page_that_is_broken_is_noticed() {
    let Some(chromium) = browser::find() else { return };
    let folder = folder("report-broken");
    let mut browser = Browser::start(&chromium, &folder);
    let whole = std::fs::read_to_string(report(&folder, Path::new(DIGITS), &[])).unwrap();
    let mut errors_of = |find: &str, replace: &str| {
        assert!(whole.contains(find), "{find}");
        let broken = folder.join("broken.html");
        std::fs::write(&broken, whole.replacen(find, replace, 1)).unwrap();
        let page = browser.open(&broken, DESK);
        let found = browser.evaluate(&page, PLOTS);
        (browser.errors(&page), found["wrong"].to_string())
    };
    assert_eq!(errors_of("\"use strict\";", "\"use strict\";"), (vec![], "[]".to_owned()));
    // An exception, at once and later, an error on the console, an image that is fetched, a script
    // that nobody allowed.
    for (broken, words) in [
        ("nothing.at.all;", "ReferenceError"),
        ("setTimeout(() => { throw new Error('late'); }, 20);", "late"),
        ("console.error('said');", "said"),
        ("document.body.append(Object.assign(new Image(), {src: 'x.png'}));", "Content Security"),
        ("document.body.setAttribute('onclick', 'x()'); document.body.click();", "inline"),
    ] {
        let (errors, _) = errors_of("\"use strict\";", broken);
        assert!(errors.iter().any(|error| error.contains(words)), "{broken}: {errors:?}");
    }
    // Plots without bars, without a size, with texts that meet.
    for (find, replace, words) in [
        ("<path class=\"bars\" d=\"M", "<path class=\"bars\" d=\"\" data-d=\"M", "without data"),
        ("</style>", "svg.errors { width: 9px; }</style>", "too small"),
        ("</style>", "svg text { font-size: 40px !important; }</style>", " over "),
        ("</style>", "svg text { font-size: 6px !important; }</style>", "small letters"),
    ] {
        let (_, wrong) = errors_of(find, replace);
        assert!(wrong.contains(words), "{replace}: {wrong}");
    }
}

#[test]
fn other_histograms_can_be_chosen_and_points_reached_by_keyboard() {
    let Some(chromium) = browser::find() else { return };
    let folder = folder("report-used");
    let mut browser = Browser::start(&chromium, &folder);
    let html = report(&folder, Path::new(DIGITS), &[]);
    let page = browser.open(&html, DESK);
    let shown = "[...document.querySelectorAll('[data-tensor=\"2\"] svg.histogram')].map((svg) => \
                 svg.getAttribute('aria-label') + svg.querySelector('path.bars').getAttribute('d') + \
                 svg.querySelector('.x').textContent)";
    let choose = |value: &str| {
        format!(
            "(() => {{ const select = document.querySelector('select[data-tensor=\"2\"]');
             const before = select.value; select.value = '{value}';
             select.dispatchEvent(new Event('change')); return before; }})()"
        )
    };
    let first = browser.evaluate(&page, shown);
    let before = browser.evaluate(&page, &choose("0"));
    let second = browser.evaluate(&page, shown);
    assert_eq!(second.as_array().unwrap().len(), 2);
    for (one, other) in first.as_array().unwrap().iter().zip(second.as_array().unwrap()) {
        assert_ne!(one, other);
        assert!(other.as_str().unwrap().contains("1 bit, min-max"), "{other}");
    }
    check(&mut browser, &page, 13);
    // And what was drawn here is what the page came with.
    browser.evaluate(&page, &choose(before.as_str().unwrap()));
    assert_eq!(browser.evaluate(&page, shown), first);

    // The first stop is a link to the tensors; soon comes a point of the plot.
    let focus = "document.activeElement.closest('g.point')?.getAttribute('aria-label') ?? ''";
    let mut stops = 0;
    while browser.evaluate(&page, focus) == "" {
        browser.press(&page, "Tab");
        stops += 1;
        assert!(stops < 12, "no point can be reached");
    }
    let tip =
        "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent";
    let smallest = browser.evaluate(&page, focus);
    assert_eq!(browser.evaluate(&page, tip), smallest);
    assert!(smallest.as_str().unwrap().starts_with("1 bit"), "{smallest}");
    browser.press(&page, "End");
    let largest = browser.evaluate(&page, focus);
    assert!(largest.as_str().unwrap().starts_with("8 bits"), "{largest}");
    assert_eq!(browser.evaluate(&page, tip), largest);
    browser.press(&page, "ArrowLeft");
    assert_ne!(browser.evaluate(&page, focus), largest);
    browser.press(&page, "ArrowRight");
    assert_eq!(browser.evaluate(&page, focus), largest);
    let ring = "getComputedStyle(document.activeElement.querySelector('.hit')).strokeWidth";
    assert_eq!(browser.evaluate(&page, ring), "3px");
    browser.press(&page, "Escape");
    assert_eq!(browser.evaluate(&page, tip), "");
    // All points are one stop.
    browser.press(&page, "Tab");
    assert_eq!(browser.evaluate(&page, focus), "");
    assert_eq!(browser.errors(&page), [] as [&str; 0]);
}

#[test]
fn on_paper_everything_is_open_and_nothing_dark() {
    let Some(chromium) = browser::find() else { return };
    let folder = folder("report-paper");
    let mut browser = Browser::start(&chromium, &folder);
    let files = folder.join("hostile.minidb");
    hostile(&files);
    let html = report(&folder, &files, &[]);
    let page = browser.open(&html, SHEET);
    browser.evaluate(&page, "dispatchEvent(new Event('beforeprint'))");
    check(&mut browser, &page, 6 * 3 + 4);
    let closed = "document.querySelectorAll('details:not([open])').length";
    assert_eq!(browser.evaluate(&page, closed), 0);
    let wide = "[...document.querySelectorAll('.scroll')].filter((it) => \
                it.scrollWidth > it.clientWidth + 1).length";
    assert_eq!(browser.evaluate(&page, wide), 0, "paper does not scroll");
    let ink = browser.evaluate(&page, "getComputedStyle(document.documentElement).color");
    assert_eq!(ink, "rgb(29, 33, 37)");
    browser.evaluate(&page, "dispatchEvent(new Event('afterprint'))");
    assert_ne!(browser.evaluate(&page, closed), 0, "what was closed is so again");
}

#[test]
fn without_its_script_the_page_says_the_same() {
    let Some(chromium) = browser::find() else { return };
    let folder = folder("report-plain");
    let mut browser = Browser::start(&chromium, &folder);
    let html = report(&folder, Path::new(DIGITS), &[]);
    let page = browser.open(&html, View { scripts: false, ..PHONE });
    check(&mut browser, &page, 13);
    let offered =
        "[...document.querySelectorAll('.scripted')].filter((it) => it.checkVisibility()).length";
    assert_eq!(browser.evaluate(&page, offered), 0, "what does nothing is not offered");
    let titles = browser.evaluate(&page, "document.querySelectorAll('g.point title').length");
    assert_eq!(titles, 3 * 24, "each point says what it is, in all sizes of the plot");
    let points = "document.querySelectorAll('g.point[tabindex=\"0\"]').length";
    assert_eq!(browser.evaluate(&page, points), 3 * 24);
}

#[test]
fn names_are_text_whatever_they_say() {
    let Some(chromium) = browser::find() else { return };
    let folder = folder("report-names");
    let mut browser = Browser::start(&chromium, &folder);
    let files = folder.join("<i>hostile & \"odd\".minidb");
    hostile(&files);
    let html = report(&folder, &files, &["--precisions", "4"]);
    let page = browser.open(&html, DESK);
    let title = browser.evaluate(&page, "document.title");
    assert_eq!(title, "<i>hostile & \"odd\".minidb — quantization sweep");
    let strange = "document.querySelectorAll('img, b, i, script:not([nonce]):not(#data)').length";
    assert_eq!(browser.evaluate(&page, strange), 0);
    let names =
        browser.evaluate(&page, "[...document.querySelectorAll('h3')].map((it) => it.textContent)");
    let names: Vec<&str> =
        names.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let expected = HOSTILE.map(|name| match std::str::from_utf8(name) {
        Ok(text) => text.replace('\u{202e}', "\u{fffd}"),
        Err(_) => name.escape_ascii().to_string(),
    });
    assert_eq!(names, expected);
}
