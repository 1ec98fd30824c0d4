//! `grep` and `sed`.

use regex::{Regex, RegexBuilder};

use super::{
    commands::{failed, missing, printed},
    guest::{Guest, Outcome},
};

pub(super) fn grep(guest: &Guest, arguments: &[&str], input: &str) -> Outcome {
    let (mut flags, mut patterns, mut operands) = (String::new(), Vec::new(), Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "-e" => patterns.extend(rest.next().copied()),
            "--" => operands.extend(rest.by_ref().copied()),
            flag if flag.starts_with('-') && flag.len() > 1 => flags.push_str(&flag[1..]),
            operand => operands.push(operand),
        }
    }
    if let Some(unknown) = flags.chars().find(|flag| !"qncEFvilshHoz".contains(*flag)) {
        return failed(2, format!("mock-azure does not know 'grep -{unknown}'"));
    }
    let has = |flag: char| flags.contains(flag);
    if patterns.is_empty() {
        if operands.is_empty() {
            return failed(2, "usage: grep [OPTION]... PATTERNS [FILE]...");
        }
        patterns.push(operands.remove(0));
    }
    let source: Vec<String> = patterns
        .iter()
        .map(|pattern| match (has('F'), has('E')) {
            (true, _) => regex::escape(pattern),
            (_, true) => (*pattern).to_owned(),
            _ => from_basic(pattern),
        })
        .collect();
    let Ok(pattern) = RegexBuilder::new(&source.join("|")).case_insensitive(has('i')).build() else {
        return failed(2, "grep: invalid regular expression");
    };
    let mut texts = Vec::new();
    let mut outcome = Outcome::default();
    for path in &operands {
        match guest.files.get(*path) {
            Some(text) => texts.push((*path, text.as_str())),
            None => {
                if !has('s') && !has('q') {
                    outcome.stderr.push_str(&format!("{}\n", missing("grep", path)));
                }
                outcome.exit_code = 2;
            }
        }
    }
    if operands.is_empty() {
        texts.push(("(standard input)", input));
    }
    let named = (operands.len() > 1 || has('H')) && !has('h');
    let mut any = false;
    for (path, text) in texts {
        let prefix = if named { format!("{path}:") } else { String::new() };
        let lines: Vec<&str> =
            if has('z') { text.split_terminator('\0').collect() } else { text.lines().collect() };
        let hits: Vec<(usize, &str)> =
            lines.into_iter().enumerate().filter(|(_, line)| pattern.is_match(line) != has('v')).collect();
        any |= !hits.is_empty();
        if has('q') {
        } else if has('l') {
            outcome.stdout.push_str(&if hits.is_empty() { String::new() } else { format!("{path}\n") });
        } else if has('c') {
            outcome.stdout.push_str(&format!("{prefix}{}\n", hits.len()));
        } else {
            for (index, line) in hits {
                let number = if has('n') { format!("{}:", index + 1) } else { String::new() };
                let shown: Vec<&str> = match has('o') {
                    true => pattern.find_iter(line).map(|found| found.as_str()).collect(),
                    false => vec![line],
                };
                for text in shown {
                    outcome.stdout.push_str(&format!("{prefix}{number}{text}\n"));
                }
            }
        }
    }
    if any && (outcome.exit_code == 0 || has('q')) {
        outcome.exit_code = 0;
    } else if outcome.exit_code == 0 {
        outcome.exit_code = 1;
    }
    outcome
}

/// What `sed` does to a line.
enum Edit {
    Delete(Regex),
    Replace { pattern: Regex, with: String, all: bool },
}

pub(super) fn sed(guest: &mut Guest, arguments: &[&str], input: &str) -> Outcome {
    let (mut in_place, mut extended, mut scripts, mut paths) = (false, false, Vec::new(), Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "-i" | "--in-place" => in_place = true,
            "-E" | "-r" => extended = true,
            "-Ei" | "-ri" | "-i -E" => (in_place, extended) = (true, true),
            "-e" => scripts.extend(rest.next().copied()),
            "--" => {}
            option if option.starts_with('-') && option.len() > 1 => {
                return failed(1, format!("mock-azure does not know 'sed {option}'"));
            }
            operand if scripts.is_empty() => scripts.push(operand),
            path => paths.push(path),
        }
    }
    let mut edits = Vec::new();
    for script in &scripts {
        match edit(script, extended) {
            Some(edit) => edits.push(edit),
            None => return failed(1, format!("mock-azure does not know 'sed {script}'")),
        }
    }
    if paths.is_empty() {
        return printed(edited(input, &edits));
    }
    let mut outcome = Outcome::default();
    for path in paths {
        let Some(text) = guest.files.get_mut(path) else {
            outcome.stderr.push_str(&format!("sed: can't read {path}: No such file or directory\n"));
            outcome.exit_code = 2;
            continue;
        };
        let after = edited(text, &edits);
        if in_place { *text = after } else { outcome.stdout.push_str(&after) }
    }
    outcome
}

/// `/pattern/d`, `\|pattern|d` and `s/pattern/text/g`, with any separator.
fn edit(script: &str, extended: bool) -> Option<Edit> {
    let script = script.trim();
    let compile = |pattern: &str| {
        let pattern = if extended { pattern.to_owned() } else { from_basic(pattern) };
        Regex::new(&pattern).ok()
    };
    if let Some(rest) = script.strip_prefix('s') {
        let separator = rest.chars().next().filter(|c| !c.is_alphanumeric())?;
        let parts = split(&rest[separator.len_utf8()..], separator);
        let [pattern, with, flags] = parts.as_slice() else { return None };
        let all = match flags.as_str() {
            "" => false,
            "g" => true,
            _ => return None,
        };
        let with = with.replace('$', "$$").replace('&', "${0}");
        let with =
            (1..=9).fold(with, |with, group| with.replace(&format!("\\{group}"), &format!("${{{group}}}")));
        return Some(Edit::Replace { pattern: compile(pattern)?, with, all });
    }
    let rest = script.strip_prefix('\\').unwrap_or(script);
    let separator = rest.chars().next().filter(|c| *c == '/' || script.starts_with('\\'))?;
    match split(&rest[separator.len_utf8()..], separator).as_slice() {
        [pattern, command] if command.trim() == "d" => Some(Edit::Delete(compile(pattern)?)),
        _ => None,
    }
}

/// Splits at a separator that has no backslash before it; a separator that has one loses it.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == separator {
            parts.push(String::new());
            continue;
        }
        let Some(part) = parts.last_mut() else { continue };
        if c == '\\' {
            match chars.next() {
                Some(next) if next == separator => part.push(next),
                Some(next) => part.extend(['\\', next]),
                None => part.push('\\'),
            }
        } else {
            part.push(c);
        }
    }
    parts
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut after = String::new();
    'lines: for line in text.lines() {
        let mut line = line.to_owned();
        for edit in edits {
            match edit {
                Edit::Delete(pattern) if pattern.is_match(&line) => continue 'lines,
                Edit::Delete(_) => {}
                Edit::Replace { pattern, with, all: true } => {
                    line = pattern.replace_all(&line, with.as_str()).into_owned();
                }
                Edit::Replace { pattern, with, .. } => {
                    line = pattern.replace(&line, with.as_str()).into_owned();
                }
            }
        }
        after.push_str(&line);
        after.push('\n');
    }
    after
}

/// A basic regular expression in today's writing: there, `\(` groups and `(` is a plain character.
fn from_basic(pattern: &str) -> String {
    let mut modern = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '(' | ')' | '{' | '}' | '+' | '?' | '|' => modern.extend(['\\', c]),
            '\\' => match chars.next() {
                Some(next @ ('(' | ')' | '{' | '}' | '+' | '?' | '|')) => modern.push(next),
                Some(next) => modern.extend(['\\', next]),
                None => modern.push_str("\\\\"),
            },
            c => modern.push(c),
        }
    }
    modern
}
