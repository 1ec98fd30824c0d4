//! The files of a crate, and which of them each needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A module by its path from the crate's root, which is the empty path.
type Module = Vec<String>;

/// A crate's files by their modules.
pub(crate) struct Sources(BTreeMap<Module, File>);

#[derive(Default)]
struct File {
    /// The names that it defines.
    defined: BTreeSet<String>,
    /// What it imports, by the names that this has here; `*` for all of a module.
    imported: Vec<(String, Vec<String>)>,
    /// The paths that it needs: imports that it does not give out again, and paths within its code.
    needed: Vec<Vec<String>>,
}

impl Sources {
    pub(crate) fn read(source: &Path) -> Self {
        let module = |name: &str| -> Module {
            let steps = name.trim_end_matches(".rs").split('/').map(str::to_owned);
            steps.filter(|step| step != "lib" && step != "mod").collect()
        };
        let files = files(source);
        let of_tests: BTreeSet<Module> =
            files.iter().flat_map(|(name, text)| declared_for_tests(&module(name), text)).collect();
        let code = files.iter().map(|(name, text)| (module(name), File::read(text)));
        Self(code.filter(|(module, _)| !of_tests.iter().any(|tests| module.starts_with(tests))).collect())
    }

    /// What the files and folders of a folder need of each other; `mod` is the folder's own file. The crate's root and its
    /// prelude, which only give names out, are left out.
    pub(crate) fn needs_within(&self, folder: &[String]) -> BTreeMap<String, BTreeSet<String>> {
        let part = |module: &Module| -> Option<String> {
            let below = module.strip_prefix(folder)?;
            Some(below.first().map_or("mod", String::as_str).to_owned())
        };
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let is_code = |module: &Module| !module.is_empty() && *module != ["prelude"];
        for (module, file) in self.0.iter().filter(|(module, _)| is_code(module)) {
            let Some(this) = part(module) else { continue };
            let others = needs.entry(this.clone()).or_default();
            let homes = file.needed.iter().filter_map(|path| self.home(module, path, 0));
            others.extend(homes.filter(is_code).filter_map(|home| part(&home)).filter(|it| *it != this));
        }
        needs
    }

    /// The file that defines what a path in a module means, through all that give it out again; `None` if it is of
    /// another crate.
    fn home(&self, module: &[String], path: &[String], depth: usize) -> Option<Module> {
        let (module, path) = absolute(module, path);
        let Some((first, rest)) = path.split_first() else { return Some(module) };
        if depth > 20 {
            return None;
        }
        let child = [module.as_slice(), std::slice::from_ref(first)].concat();
        if self.0.contains_key(&child) {
            return self.home(&child, rest, depth + 1);
        }
        let file = self.0.get(&module)?;
        let follow = |import: &[String], rest: &[String]| -> Option<Module> {
            self.is_local(&module, import).then(|| self.home(&module, &[import, rest].concat(), depth + 1))?
        };
        if let Some((_, import)) = file.imported.iter().find(|(name, _)| name == first) {
            return follow(import, rest);
        }
        if file.defined.contains(first) {
            return Some(module);
        }
        let globs = file.imported.iter().filter(|(name, _)| name == "*");
        globs.filter_map(|(_, import)| follow(import, path)).next().or(Some(module))
    }

    /// Whether a path does not begin with another crate.
    fn is_local(&self, module: &[String], path: &[String]) -> bool {
        let child = || [module, &path[..1]].concat();
        path.first().is_some_and(|first| is_anchor(first) || self.0.contains_key(&child()))
    }
}

/// The modules that a file has for tests alone: `#[cfg(test)] mod tests;`.
fn declared_for_tests(module: &[String], text: &str) -> Vec<Module> {
    let behind = text.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.trim_start().lines().next());
    let names = behind.filter_map(|line| line.strip_suffix(';')?.rsplit_once("mod "));
    names.map(|(_, name)| [module, &[name.to_owned()]].concat()).collect()
}

fn is_anchor(step: &str) -> bool {
    matches!(step, "crate" | "self" | "super")
}

/// A path without `crate`, `self` and `super`, and the module that it begins in.
fn absolute<'a>(module: &[String], path: &'a [String]) -> (Module, &'a [String]) {
    let anchors = path.iter().take_while(|step| is_anchor(step)).count();
    let mut begin = module.to_vec();
    for anchor in &path[..anchors] {
        match anchor.as_str() {
            "crate" => begin.clear(),
            "super" => _ = begin.pop(),
            _ => {}
        }
    }
    (begin, &path[anchors..])
}

impl File {
    /// Without the tests at its end.
    fn read(text: &str) -> Self {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String =
            lines.flat_map(|line| [line.split(" // ").next().unwrap_or_default(), "\n"]).collect();
        let tokens = tokens(&code);
        let (mut file, mut at) = (Self::default(), 0);
        while at < tokens.len() {
            let before = |steps: usize| at.checked_sub(steps).map_or("", |at| tokens[at]);
            match tokens[at] {
                "use" => {
                    let is_given_out = before(1) == "pub" || (before(1) == ")" && before(4) == "pub");
                    let begun = file.imported.len();
                    at = file.import(&tokens, at + 1, &[]);
                    if !is_given_out {
                        file.needed.extend(file.imported[begun..].iter().map(|(_, path)| path.clone()));
                    }
                }
                "struct" | "enum" | "fn" | "trait" | "type" | "const" | "static" => {
                    file.defined.extend(tokens.get(at + 1).map(|name| (*name).to_owned()));
                    at += 1;
                }
                token if is_name(token) && !matches!(before(1), "::" | "$" | ".") => {
                    let begun = at;
                    while tokens.get(at + 1) == Some(&"::")
                        && tokens.get(at + 2).is_some_and(|it| is_name(it))
                    {
                        at += 2;
                    }
                    if at > begun {
                        let steps = tokens[begun..=at].iter().step_by(2);
                        file.needed.push(steps.map(|step| (*step).to_owned()).collect());
                    }
                    at += 1;
                }
                _ => at += 1,
            }
        }
        file
    }

    /// Reads a branch of a tree of imports; answers the place behind it.
    fn import(&mut self, tokens: &[&str], mut at: usize, before: &[String]) -> usize {
        let mut path = before.to_vec();
        loop {
            match tokens[at] {
                "{" => {
                    at += 1;
                    while tokens[at] != "}" {
                        at = self.import(tokens, at, &path);
                        at += usize::from(tokens[at] == ",");
                    }
                    return at + 1;
                }
                "self" if !path.is_empty() => {}
                name => path.push(name.to_owned()),
            }
            if tokens[at + 1] != "::" {
                break;
            }
            at += 2;
        }
        let alias = (tokens[at + 1] == "as").then(|| tokens[at + 2]);
        let name = alias.or(path.last().map(String::as_str)).unwrap_or_default().to_owned();
        path.retain(|step| step != "*");
        self.imported.push((name, path));
        at + if alias.is_some() { 3 } else { 1 }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::`, and single characters.
fn tokens(code: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), code.trim_start());
    while let Some(first) = rest.chars().next() {
        let end = match first {
            _ if rest.starts_with("::") => 2,
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        found.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    found
}

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
