//! A small part of the shell, enough for scripts that look at files and change them. A script with
//! anything else in it is refused as a whole, before it runs.

mod parse;
mod run;

pub(super) use run::run;

/// A script that can be run.
#[derive(Debug)]
pub(super) struct Script(List);

type List = Vec<Chain>;

/// Pipelines joined by `&&` (true) and `||` (false).
#[derive(Debug)]
struct Chain {
    first: Pipeline,
    rest: Vec<(bool, Pipeline)>,
}

#[derive(Debug)]
struct Pipeline {
    negated: bool,
    commands: Vec<Command>,
}

#[derive(Debug)]
enum Command {
    Simple { assigned: Vec<(String, Word)>, words: Vec<Word>, redirects: Vec<Redirect> },
    If { condition: List, then: List, otherwise: List },
    For { name: String, words: Vec<Word>, body: List },
}

/// Parts of a word: text or a variable, in quotes or not.
#[derive(Debug, Clone, Default, PartialEq)]
struct Word(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text { text: String, quoted: bool },
    Variable { name: String, quoted: bool },
}

#[derive(Debug, Clone, PartialEq)]
struct Redirect {
    errors: bool,
    append: bool,
    target: Word,
}
