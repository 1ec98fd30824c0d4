//! Finds an application's password in the value of a secret.

use arm_core::Secret;

/// The longest value that can be a password on its own.
const LONGEST: usize = 64;
/// How many characters follow the `Q~` in the middle.
const REST: std::ops::RangeInclusive<usize> = 31..=34;

/// Finds the password in a value: text of the usual form (three characters, a digit, `Q~` and more), or else the whole
/// value if it is plain text. `None` if there is none or more than one.
pub(crate) fn find(value: &Secret) -> Option<Secret> {
    let text = value.expose();
    let mut found: Vec<&str> = text.match_indices("Q~").filter_map(|(at, _)| around(text, at)).collect();
    found.dedup();
    match found.as_slice() {
        [one] => Some(Secret::new(*one)),
        [] if is_plain(text) => Some(value.clone()),
        _ => None,
    }
}

fn around(text: &str, mark: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let start = mark.checked_sub(4)?;
    let before = bytes[start..mark - 1].iter().all(|byte| is_part(*byte)) && bytes[mark - 1].is_ascii_digit();
    let rest = bytes[mark + 2..].iter().take_while(|byte| is_part(**byte)).count();
    (before && REST.contains(&rest)).then(|| &text[start..mark + 2 + rest])
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_~.-".contains(&byte)
}

fn is_plain(text: &str) -> bool {
    let around = |c: char| c.is_whitespace() || c.is_control() || ";{}\"'".contains(c);
    (16..=LONGEST).contains(&text.len()) && !text.contains(around) && !text.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "abc8Q~0123456789012345678901234567_-.~";

    fn found(text: &str) -> Option<String> {
        find(&Secret::new(text)).map(|found| found.expose().to_owned())
    }

    #[test]
    fn a_password_is_found_by_its_form_or_because_nothing_is_around_it() {
        assert_eq!(found(PASSWORD).as_deref(), Some(PASSWORD));
        let json = format!("{{\"clientId\":\"x\",\"clientSecret\":\"{PASSWORD}\"}}");
        assert_eq!(found(&json).as_deref(), Some(PASSWORD));
        assert_eq!(
            found("an-older.password=of/another+form").as_deref(),
            Some("an-older.password=of/another+form")
        );
        assert_eq!(found(&format!("{PASSWORD} {PASSWORD}")).as_deref(), Some(PASSWORD), "twice the same");
        for none in [
            "",
            "short",
            "{\"clientSecret\":\"no such form at all\"}",
            "postgres://user:pw@host/database",
            "several words beside each other",
            "several\u{7}letters\u{7}and\u{7}bells",
            "a;c8Q~0123456789012345678901234567_-.~",
        ] {
            assert_eq!(found(none), None, "{none}");
        }
        assert_eq!(found(&format!("{PASSWORD} {}", PASSWORD.replace("abc", "xyz"))), None, "two");
    }
}
