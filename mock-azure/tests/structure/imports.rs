//! Reads the imports of a crate's files, for tests of what may import what.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// All Rust files below `src`, by their path from there, with their text.
pub(crate) fn files(source: &Path) -> BTreeMap<String, String> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![source.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(source).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The first `depth` names of every path below `crate::` in a file, in `use` trees and elsewhere.
pub(crate) fn imports(text: &str, depth: usize) -> BTreeSet<Vec<String>> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut found = BTreeSet::new();
    for (_, rest) in code.match_indices("crate::").map(|(at, mark)| (at, &code[at + mark.len()..])) {
        branch(rest, depth, &mut Vec::new(), &mut found);
    }
    found
}

/// Reads one branch of a tree of paths; answers the text behind it.
pub(crate) fn branch<'a>(
    text: &'a str,
    depth: usize,
    before: &mut Vec<String>,
    found: &mut BTreeSet<Vec<String>>,
) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') {
            rest = branch(rest, depth, &mut before.clone(), found);
            rest = rest.trim_start().strip_prefix(',').unwrap_or(rest);
        }
        return &rest.trim_start()[1..];
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    assert!(!name.is_empty(), "not a path: {}", text.chars().take(40).collect::<String>());
    before.push(name.to_owned());
    match rest.strip_prefix("::") {
        Some(rest) => branch(rest, depth, before, found),
        None => {
            found.insert(before.iter().take(depth).cloned().collect());
            rest
        }
    }
}

/// `state` of `state/world.rs`, `transport` of `transport.rs`.
pub(crate) fn room(name: &str) -> &str {
    name.split('/').next().unwrap_or(name).trim_end_matches(".rs")
}

/// Those that need themselves through others: what is left when those that need none of the rest are taken
/// away, again and again.
pub(crate) fn circles(mut needs: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    while let Some(free) = needs
        .iter()
        .find(|(_, others)| others.iter().all(|other| !needs.contains_key(other)))
        .map(|(room, _)| room.clone())
    {
        needs.remove(&free);
    }
    needs
}
