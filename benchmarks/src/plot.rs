//! Plots all ratios in one picture.

use std::fmt::Write as _;

use crate::table::Section;

const WIDTH: f64 = 1080.0;
const NAMES: f64 = 470.0;
const LINE: f64 = 18.0;
/// The ratios at which a line is drawn, on a logarithmic scale.
const MARKS: [f64; 8] = [0.03125, 0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0];

/// Draws a bar from the lower to the upper quartile of each row that has a floor, with a dot on the median. The dark
/// line is the floor.
pub(crate) fn svg(sections: &[(&str, Section)]) -> String {
    let lines: usize = sections
        .iter()
        .map(|(_, section)| 1 + section.rows.iter().filter(|row| row.ratio.is_some()).count())
        .sum();
    let height = (lines as f64 + 2.5) * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"11\" role=\"img\">\n\
         <title>Ours relative to the floor: median and quartiles of each benchmark</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for mark in MARKS {
        let (x, bottom) = (across(mark), height - LINE * 1.5);
        let stroke = if mark == 1.0 { "#333" } else { "#ccc" };
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {LINE}V{bottom:.1}\" stroke=\"{stroke}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} ×</text>",
            bottom + 14.0,
            (mark * 1000.0).round() / 1000.0
        );
    }
    let mut y = LINE;
    for (_, section) in sections {
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{:.1}\" font-weight=\"bold\">{}</text>",
            y + 13.0,
            escaped(section.title)
        );
        y += LINE;
        for row in &section.rows {
            let Some([low, median, high]) = row.ratio else { continue };
            let (left, middle, right) = (across(low), across(median), across(high));
            let colour = if row.missed() { "#b3261e" } else { "#1a5fb4" };
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
                 <rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"8\" fill=\"{colour}\" opacity=\"0.35\"/>\
                 <circle cx=\"{middle:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{median:.2}</text>",
                NAMES - 8.0,
                y + 13.0,
                escaped(&short(&row.what)),
                y + 5.0,
                (right - left).max(1.0),
                y + 9.0,
                right.max(middle) + 8.0,
                y + 13.0,
            );
            y += LINE;
        }
    }
    svg + "</svg>\n"
}

/// The horizontal position of a ratio.
fn across(ratio: f64) -> f64 {
    let [least, .., most] = MARKS;
    let part = (ratio.clamp(least, most) / least).log2() / (most / least).log2();
    NAMES + part * (WIDTH - NAMES - 50.0)
}

/// The label without backticks and without the details of the scan.
fn short(what: &str) -> String {
    let plain = what.replace('`', "");
    plain.split_once(", scanned").map_or(plain.clone(), |(name, _)| name.to_owned())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
