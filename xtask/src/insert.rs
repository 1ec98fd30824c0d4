//! Inserts text into source files at unambiguous places.

/// Inserts a method at the end of the first `impl NAME {`.
pub(crate) fn at_end_of_impl(text: &str, name: &str, method: &str) -> Result<String, String> {
    let head = format!("impl {name} {{");
    let start = text.find(&head).ok_or_else(|| format!("'{head}' not found"))?;
    let end =
        text[start..].find("\n}\n").ok_or_else(|| format!("the end of '{head}' was not found"))? + start;
    Ok(format!("{}\n\n{}{}", &text[..end], method.trim_end(), &text[end..]))
}

/// Inserts an entry at the end of the `vec![..]` of the first function whose body mentions `word`.
pub(crate) fn at_end_of_list(text: &str, word: &str, entry: &str) -> Result<String, String> {
    let functions = text.match_indices("\nfn ").map(|(at, _)| at + 1);
    let bodies = functions.filter_map(|start| {
        let end = start + text[start..].find("\n}\n")?;
        text[start..end].contains(word).then_some((start, end))
    });
    for (start, end) in bodies {
        if let Some(close) = text[start..end].rfind("\n    ]") {
            let at = start + close;
            return Ok(format!("{}\n{}{}", &text[..at], entry.trim_end(), &text[at..]));
        }
    }
    Err(format!("no list of contracts mentions '{word}'"))
}

/// Inserts a line in alphabetical order among those with the same prefix.
pub(crate) fn among(text: &str, beginning: &str, line: &str) -> Result<String, String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|it| it.starts_with(beginning));
    let first = first.ok_or_else(|| format!("no line starts with '{beginning}'"))?;
    let run = lines[first..].iter().take_while(|it| it.starts_with(beginning)).count();
    let later = lines[first..first + run].iter().position(|it| *it > line).unwrap_or(run);
    lines.insert(first + later, line);
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_comes_last_in_its_own_impl() {
        let text = "impl A {\n    fn a() {}\n}\n\nimpl B {\n    fn b() {}\n}\n";
        let done = at_end_of_impl(text, "A", "    fn c() {}").unwrap();
        assert_eq!(done, "impl A {\n    fn a() {}\n\n    fn c() {}\n}\n\nimpl B {\n    fn b() {}\n}\n");
        assert!(at_end_of_impl(text, "C", "").is_err());
    }

    #[test]
    fn a_contract_comes_last_in_the_list_that_knows_its_client() {
        let text = "\nfn one() -> V {\n    vec![\n        A,\n    ]\n}\n\nfn two() -> V {\n    vec![\n        B,\n    ]\n}\n";
        let done = at_end_of_list(text, "B", "        C,").unwrap();
        assert!(done.ends_with("        B,\n        C,\n    ]\n}\n"), "{done}");
        assert!(at_end_of_list(text, "D", "").is_err());
    }

    #[test]
    fn a_line_keeps_the_order_of_its_neighbours() {
        let done = among("//! x\n\nmod a;\nmod c;\n\npub use a::A;\n", "mod ", "mod b;").unwrap();
        assert_eq!(done, "//! x\n\nmod a;\nmod b;\nmod c;\n\npub use a::A;\n");
    }
}
