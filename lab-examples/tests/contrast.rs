//! The style sheet of the pages, light, dark and printed: every text can be read (WCAG 2.1 AA: 4.5 to 1), and every mark seen
//! (3 to 1).
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../templates/report/style.css");
const TEXT: f64 = 4.5;
const MARK: f64 = 3.0;

/// A rule: its selectors, and what it declares.
struct Rule {
    selectors: String,
    declared: BTreeMap<String, String>,
}

/// All rules, those within `@media` too.
fn rules(style: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for block in style.split('}') {
        let Some((before, body)) = block.rsplit_once('{') else { continue };
        let selectors = before.rsplit(['{', '}']).next().unwrap_or_default().trim().to_owned();
        let declared = body.split(';').filter_map(|line| line.split_once(':'));
        let declared = declared.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
        rules.push(Rule { selectors, declared: declared.collect() });
    }
    rules
}

/// The colours by name: in light, in dark, and on paper.
fn themes() -> [(&'static str, BTreeMap<String, String>); 3] {
    let colours = |rule: &Rule| -> BTreeMap<String, String> {
        let named = rule.declared.iter().filter_map(|(name, value)| Some((name.strip_prefix("--")?, value)));
        named.map(|(name, value)| (name.to_owned(), value.clone())).collect()
    };
    let roots: Vec<_> = rules(STYLE).iter().filter(|rule| rule.selectors == ":root").map(colours).collect();
    let [light, dark, print] = roots.as_slice() else { unreachable!("{} themes", roots.len()) };
    let over = |theme: &BTreeMap<String, String>| {
        let mut all = light.clone();
        all.extend(theme.clone());
        all
    };
    [("light", light.clone()), ("dark", over(dark)), ("print", over(print))]
}

/// The relative luminance of a colour such as `#55606e` or `#fff`.
fn luminance(colour: &str) -> f64 {
    let digits = colour.strip_prefix('#').unwrap();
    let wide: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => digits.to_owned(),
    };
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&wide[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The name of a colour in a declaration.
fn named(value: &str) -> Option<&str> {
    value.split_once("var(--")?.1.split(')').next()
}

/// What must be told apart: the rule, the two colours by name, and how well.
fn pairs() -> Vec<(String, String, String, f64)> {
    let mut pairs = Vec::new();
    for rule in rules(STYLE).iter().filter(|rule| rule.selectors != ":root") {
        let get = |name: &str| rule.declared.get(name).and_then(|value| named(value)).map(str::to_owned);
        let mut pair = |a: &str, b: &str, least: f64| {
            pairs.push((rule.selectors.clone(), a.to_owned(), b.to_owned(), least));
        };
        let behind = get("background");
        match (get("color"), &behind) {
            (Some(text), Some(behind)) => pair(&text, behind, TEXT),
            (None, Some(behind)) => pair("ink", behind, TEXT),
            (Some(text), None) => ["paper", "card"].iter().for_each(|behind| pair(&text, behind, TEXT)),
            (None, None) => {}
        }
        let is_text = rule.selectors.contains("text");
        if let Some(fill) = get("fill").filter(|_| is_text) {
            // On a node of a drawing, or beside it.
            ["paper", "card", "unknown-paper", "open-paper"]
                .iter()
                .for_each(|behind| pair(&fill, behind, TEXT));
        }
        // The bars of the timeline, hollow ones too, on their track.
        if rule.selectors.contains(".time")
            && !rule.selectors.contains(".track")
            && !rule.selectors.contains(".tick")
        {
            let mark = get("stroke").or_else(|| get("fill"));
            mark.iter().for_each(|mark| pair(mark, "paper", MARK));
        }
    }
    pairs.push(("a link in a notice".to_owned(), "accent".to_owned(), "unknown-paper".to_owned(), TEXT));
    pairs
}

#[test]
fn every_text_can_be_read_and_every_mark_seen_in_light_in_dark_and_on_paper() {
    let pairs = pairs();
    assert!(pairs.len() > 30, "{}", pairs.len());
    for (theme, colours) in themes() {
        for (rule, a, b, least) in &pairs {
            let found = contrast(&colours[a], &colours[b]);
            assert!(found >= *least, "{theme}: '{rule}': {a} on {b} is {found:.2}, and must be {least}");
        }
    }
}

#[test]
fn every_colour_has_a_name_so_that_it_changes_with_the_theme() {
    for rule in rules(STYLE).iter().filter(|rule| rule.selectors != ":root") {
        for (name, value) in &rule.declared {
            assert!(!value.contains('#'), "'{}': {name}: {value}", rule.selectors);
        }
    }
}

#[test]
fn contrast_is_computed_as_the_guidelines_say() {
    assert!((contrast("#fff", "#000000") - 21.0).abs() < 1e-9);
    // The grey that just passes on white, and the one below it.
    assert!(contrast("#767676", "#fff") >= TEXT && contrast("#777", "#fff") < TEXT);
}
