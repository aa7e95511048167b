//! HTML and SVG text: what is escaped, and how a table is written.

/// Text that can stand between tags and in quoted attributes. Control characters, which HTML has no
/// way to write, and those that turn the direction of what follows become U+FFFD.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escaped.push('\u{fffd}'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A text of JSON, quotes included, that can stand in a `<script>`.
pub(super) fn json_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A table whose first column names its rows. It scrolls by itself where it is too wide.
pub(super) struct Table {
    html: String,
    words: usize,
    columns: Vec<String>,
    stacked: bool,
}

impl Table {
    /// `words` is how many columns, from the first on, hold words instead of numbers.
    pub(super) fn new(caption: &str, words: usize, columns: &[&str]) -> Table {
        let caption = escape(caption);
        let mut html = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n\
             <table><caption>{caption}</caption>\n<thead><tr>"
        );
        for (index, column) in columns.iter().enumerate() {
            let class = if index < words { " class=\"word\"" } else { "" };
            html.push_str(&format!("<th scope=\"col\"{class}>{}</th>", escape(column)));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        let columns = columns.iter().map(|column| escape(column)).collect();
        Table { html, words, columns, stacked: false }
    }

    /// For a table of which the style sheet makes a block of each row where the page is narrow: cells
    /// say what they are.
    pub(super) fn stacked(self) -> Table {
        Table { stacked: true, ..self }
    }

    /// A row of cells; `class` may mark it.
    pub(super) fn row(&mut self, class: &str, cells: &[String]) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let role = |role: &str| match self.stacked {
            true => format!(" role=\"{role}\""),
            false => String::new(),
        };
        let mut row = format!("<tr{}{class}>", role("row"));
        for (index, (cell, column)) in cells.iter().zip(&self.columns).enumerate() {
            let cell = escape(cell);
            let class = if index < self.words { " class=\"word\"" } else { "" };
            row.push_str(&match (index, self.stacked) {
                (0, _) => format!("<th scope=\"row\"{}{class}>{cell}</th>", role("rowheader")),
                (_, true) => {
                    format!("<td{} data-label=\"{column}\"{class}>{cell}</td>", role("cell"))
                }
                (_, false) => format!("<td{class}>{cell}</td>"),
            });
        }
        self.html.push_str(&row);
        self.html.push_str("</tr>\n");
    }

    pub(super) fn finish(mut self) -> String {
        self.html.push_str("</tbody></table></div>\n");
        self.html
    }
}

/// Something that opens and closes.
pub(super) fn details(summary: &str, content: &str, open: bool) -> String {
    let open = if open { " open" } else { "" };
    let summary = escape(summary);
    format!("<details class=\"more\"{open}><summary>{summary}</summary>\n{content}</details>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_markup() {
        assert_eq!(
            escape("</script><b a='\"'>&\u{202e}\0\n"),
            "&lt;/script&gt;&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}\u{fffd}\u{fffd}"
        );
        let quoted = json_text("</script>\"\\\u{2028}\n<!--");
        assert_eq!(quoted, r#""\u003c/script\u003e\"\\\u2028\u000a\u003c!--""#);
        let read: String = serde_json::from_str(&quoted).unwrap_or_default();
        assert_eq!(read, "</script>\"\\\u{2028}\n<!--");
    }

    #[test]
    fn a_table_says_what_its_cells_are() {
        let mut table = Table::new("A & B", 1, &["Name", "Bytes"]).stacked();
        table.row("best", &["<w>".to_owned(), "12".to_owned()]);
        let html = table.finish();
        assert!(html.contains("<caption>A &amp; B</caption>"));
        assert!(html.contains("<tr role=\"row\" class=\"best\">"));
        assert!(
            html.contains("<th scope=\"row\" role=\"rowheader\" class=\"word\">&lt;w&gt;</th>")
        );
        assert!(html.contains("<td role=\"cell\" data-label=\"Bytes\">12</td>"));
        let mut table = Table::new("A", 1, &["Name", "Bytes"]);
        table.row("", &["w".to_owned(), "12".to_owned()]);
        assert!(
            table.finish().contains("<tr><th scope=\"row\" class=\"word\">w</th><td>12</td></tr>")
        );
    }
}
