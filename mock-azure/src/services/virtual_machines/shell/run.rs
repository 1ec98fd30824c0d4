//! Commands, carried out.

use std::collections::HashMap;

use super::{Command, List, Piece, Pipeline, Redirect, Script, Word};
use crate::services::virtual_machines::{
    commands,
    guest::{Guest, Outcome},
};

/// Runs a script in a machine.
pub(in crate::services::virtual_machines) fn run(
    guest: &mut Guest,
    script: &Script,
    parameters: &[(String, String)],
) -> Outcome {
    let mut shell = Shell {
        guest,
        variables: parameters.iter().cloned().collect(),
        out: Outcome::default(),
        stop_at_failure: false,
        exited: false,
    };
    for (index, (_, value)) in parameters.iter().enumerate() {
        shell.variables.insert((index + 1).to_string(), value.clone());
    }
    shell.list(&script.0, false);
    shell.out
}

struct Shell<'a> {
    guest: &'a mut Guest,
    variables: HashMap<String, String>,
    out: Outcome,
    stop_at_failure: bool,
    exited: bool,
}

impl Shell<'_> {
    /// Runs commands one after the other; answers whether the last succeeded.
    fn list(&mut self, list: &List, is_condition: bool) -> bool {
        for chain in list {
            let mut good = self.pipeline(&chain.first);
            let mut last = chain.rest.is_empty();
            for (index, (and, pipeline)) in chain.rest.iter().enumerate() {
                if !self.exited && good == *and {
                    good = self.pipeline(pipeline);
                    last = index + 1 == chain.rest.len();
                }
            }
            if self.stop_at_failure && !good && last && !is_condition {
                self.exited = true;
            }
            if self.exited {
                break;
            }
        }
        self.out.exit_code == 0
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> bool {
        let mut input = String::new();
        for (index, command) in pipeline.commands.iter().enumerate() {
            let last = index + 1 == pipeline.commands.len();
            let before = self.out.stdout.len();
            self.command(command, &input);
            if !last {
                input = self.out.stdout.split_off(before);
            }
        }
        if pipeline.negated && !self.exited {
            self.out.exit_code = i32::from(self.out.exit_code == 0);
        }
        self.out.exit_code == 0
    }

    fn command(&mut self, command: &Command, input: &str) {
        match command {
            Command::If { condition, then, otherwise } => {
                let holds = self.list(condition, true);
                if !self.exited {
                    self.out.exit_code = 0;
                    self.list(if holds { then } else { otherwise }, false);
                }
            }
            Command::For { name, words, body } => {
                let values: Vec<String> = words.iter().flat_map(|word| self.expand(word)).collect();
                self.out.exit_code = 0;
                for value in values {
                    self.variables.insert(name.clone(), value);
                    self.list(body, false);
                    if self.exited {
                        return;
                    }
                }
            }
            Command::Simple { assigned, words, redirects } => {
                for (name, word) in assigned {
                    let value = self.expand(word).join(" ");
                    self.variables.insert(name.clone(), value);
                }
                let words: Vec<String> = words.iter().flat_map(|word| self.expand(word)).collect();
                let outcome = match words.split_first() {
                    Some((name, arguments)) => self.call(name, arguments, input),
                    None => Outcome::default(),
                };
                self.write(outcome, redirects);
            }
        }
    }

    fn call(&mut self, name: &str, arguments: &[String], input: &str) -> Outcome {
        let mut outcome = Outcome::default();
        match name {
            "set" => {
                for argument in arguments {
                    let flags = argument.trim_start_matches(['-', '+']);
                    if flags.contains('e') && flags.len() < 5 {
                        self.stop_at_failure = argument.starts_with('-');
                    }
                }
            }
            "unset" => {
                for name in arguments {
                    self.variables.remove(name);
                }
            }
            "export" => {
                for (name, value) in arguments.iter().filter_map(|argument| argument.split_once('=')) {
                    self.variables.insert(name.to_owned(), value.to_owned());
                }
            }
            "printenv" => match arguments.first() {
                Some(name) => match self.variables.get(name) {
                    Some(value) => outcome.stdout = format!("{value}\n"),
                    None => outcome.exit_code = 1,
                },
                None => {
                    let mut all: Vec<String> =
                        self.variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
                    all.sort();
                    outcome.stdout = all.concat();
                }
            },
            "exit" => {
                let code = arguments.first().and_then(|code| code.parse().ok());
                outcome.exit_code = code.unwrap_or(self.out.exit_code);
                self.exited = true;
            }
            _ => outcome = commands::call(self.guest, name, arguments, input),
        }
        outcome
    }

    fn write(&mut self, outcome: Outcome, redirects: &[Redirect]) {
        let Outcome { mut stdout, mut stderr, exit_code } = outcome;
        for redirect in redirects {
            let target = self.expand(&redirect.target).join(" ");
            let text = std::mem::take(if redirect.errors { &mut stderr } else { &mut stdout });
            match target.as_str() {
                "/dev/null" => {}
                "&1" => stdout.push_str(&text),
                path => {
                    let file = self.guest.files.entry(path.to_owned()).or_default();
                    if !redirect.append {
                        file.clear();
                    }
                    file.push_str(&text);
                }
            }
        }
        self.out.stdout.push_str(&stdout);
        self.out.stderr.push_str(&stderr);
        self.out.exit_code = exit_code;
    }

    /// The words that a word becomes: variables put in, file patterns matched.
    fn expand(&self, word: &Word) -> Vec<String> {
        let (mut text, mut quoted_any, mut pattern) = (String::new(), false, false);
        for piece in &word.0 {
            let (value, quoted) = match piece {
                Piece::Text { text, quoted } => (text.clone(), *quoted),
                Piece::Variable { name, quoted } if name == "?" => (self.out.exit_code.to_string(), *quoted),
                Piece::Variable { name, quoted } => {
                    (self.variables.get(name).cloned().unwrap_or_default(), *quoted)
                }
            };
            quoted_any |= quoted;
            pattern |= !quoted && value.contains('*');
            text.push_str(&value);
        }
        if text.is_empty() && !quoted_any {
            return Vec::new();
        }
        let matching: Vec<String> =
            self.guest.files.keys().filter(|path| pattern && matches(&text, path)).cloned().collect();
        if matching.is_empty() { vec![text] } else { matching }
    }
}

/// Whether a path matches a pattern with `*`, which stands for anything but a slash.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => path.strip_prefix(before).is_some_and(|rest| {
            let reach = rest.find('/').unwrap_or(rest.len());
            (0..=reach).filter(|at| rest.is_char_boundary(*at)).any(|at| matches(after, &rest[at..]))
        }),
    }
}
