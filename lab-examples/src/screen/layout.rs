//! Wraps lines and tables. No line is wider than the screen unless a single word is, and words are never split.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, TableComponent, Width::Fixed, presets};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, core::display_width};

/// The default width, without a terminal and without `COLUMNS`.
pub(super) const WIDTH: usize = 110;
/// The minimum width. Anything narrower would be unreadable.
const LEAST: usize = 40;

/// The width of the screen: `COLUMNS`, or that of the terminal.
pub(super) fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    told.or_else(|| Table::new().width().map(usize::from)).unwrap_or(WIDTH).max(LEAST)
}

/// The width of standard error: `COLUMNS`, or that of the terminal. `None` without either.
pub(super) fn width_of_errors() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    told.or_else(|| Table::new().use_stderr().width().map(usize::from)).map(|width| width.max(LEAST))
}

/// Wraps each line of a text, keeping its indentation.
pub(super) fn fill_all(text: &str, width: usize, marked: impl Fn(&str) -> String) -> String {
    let laid_out = text.lines().map(|line| {
        let words = line.trim_start();
        let indent = &line[..line.len() - words.len()];
        fill(&marked(words), indent, &format!("{indent}  "), width)
    });
    laid_out.collect::<Vec<_>>().join("\n")
}

/// Wraps a text.
pub(super) fn fill(text: &str, first: &str, others: &str, width: usize) -> String {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(others)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::fill(text, options)
}

/// The lines of a table. Columns that are empty in every row are omitted. If the longest words do not fit side by side,
/// each row becomes a paragraph: its first cell, then the others with their headings.
pub(super) fn table(columns: &[&str], rows: Vec<Vec<String>>, width: usize, plain: bool) -> Vec<String> {
    let filled: Vec<usize> = (0..columns.len())
        .filter(|at| {
            rows.is_empty() || rows.iter().any(|row| row.get(*at).is_some_and(|cell| !cell.is_empty()))
        })
        .collect();
    let columns: Vec<&str> = filled.iter().filter_map(|at| columns.get(*at).copied()).collect();
    let pick =
        |row: &Vec<String>| filled.iter().map(|at| row.get(*at).cloned().unwrap_or_default()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(pick).collect();
    let longest_word = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(String::as_str).chain([columns[at]]);
        cells.flat_map(|cell| cell.split(' ')).map(display_width).max().unwrap_or_default()
    };
    // One space on each side of every cell.
    let least: Vec<usize> = (0..columns.len()).map(|at| longest_word(at) + 2).collect();
    let between = columns.len().saturating_sub(1);
    if least.iter().sum::<usize>() + between > width {
        return rows.iter().flat_map(|row| paragraph(&columns, row, width)).collect();
    }
    let mut table = Table::new();
    let preset = if plain { presets::ASCII_HORIZONTAL_ONLY } else { presets::UTF8_HORIZONTAL_ONLY };
    table.load_preset(preset).set_content_arrangement(ContentArrangement::Dynamic);
    for hidden in [
        TableComponent::HorizontalLines,
        TableComponent::MiddleIntersections,
        TableComponent::TopBorder,
        TableComponent::TopBorderIntersections,
        TableComponent::BottomBorder,
        TableComponent::BottomBorderIntersections,
    ] {
        table.remove_style(hidden);
    }
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX)).set_header(columns).add_rows(rows);
    let least = least.into_iter().map(|least| u16::try_from(least).unwrap_or(u16::MAX));
    table.set_constraints(least.map(|least| ColumnConstraint::LowerBoundary(Fixed(least))));
    table.to_string().lines().map(|line| line.trim_end().to_owned()).collect()
}

fn paragraph(columns: &[&str], row: &[String], width: usize) -> Vec<String> {
    let mut cells = columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    let Some((_, first)) = cells.next() else { return Vec::new() };
    let named = |(column, cell): (&&str, &String)| match *column {
        "" => cell.clone(),
        column => format!("{column}: {cell}"),
    };
    let others: Vec<String> = cells.map(named).collect();
    let mut text = fill(first, " ", "   ", width);
    if !others.is_empty() {
        text = format!("{text}\n{}", fill(&others.join("; "), "   ", "   ", width));
    }
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |kind: &str, name: &str| {
            ["", kind, name, "Medium", "2026-11-02 09:15:42"].map(str::to_owned).to_vec()
        };
        vec![
            row("KV_AccountVolumeAccessDeniedAnomaly", "Unusual access denied - User accessing high volume"),
            row("KV_TORAccess", "Access from a TOR exit node to a key vault"),
        ]
    }

    #[test]
    fn a_table_fits_and_no_word_is_cut() {
        for width in [40, 60, 78, 118, 200] {
            for plain in [false, true] {
                let lines = table(&["trial", "type", "name", "severity", "time"], rows(), width, plain);
                let text = lines.join("\n");
                for line in &lines {
                    assert!(display_width(line) <= width, "{width}: {line}");
                }
                for word in rows().iter().flatten().flat_map(|cell| cell.split(' ')) {
                    assert!(text.contains(word), "{width}: '{word}' is cut: {text}");
                }
                assert!(!text.contains("trial"), "an empty column is left out");
                assert!(!plain || text.is_ascii(), "{text}");
            }
        }
    }

    #[test]
    fn a_long_line_hangs_below_its_beginning_and_colour_takes_no_room() {
        let text =
            "\u{1b}[32mone\u{1b}[0m two three-four /a/very/long/path/that/is/longer/than/the/line five";
        assert_eq!(
            fill(text, "  + ", "    ", 20),
            "  + \u{1b}[32mone\u{1b}[0m two\n    three-four\n    /a/very/long/path/that/is/longer/than/the/line\n    five"
        );
    }
}
