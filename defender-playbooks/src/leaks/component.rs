//! Whether a value that occurs inside a longer text is a separate part of it, rather than a piece of another value.

use zeroize::Zeroizing;

/// The kind of text in which a value is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// A secret, such as a connection string, a URL with a password, or JSON.
    Secret,
    /// A line of a file, in which spaces also separate parts.
    Line,
}

/// The shortest value that is searched for inside others.
pub(super) const SHORTEST: usize = 8;

/// Whether `text[from..to]` is a separate part: the whole text, quoted, after `key=`, or the password in a URL.
pub(super) fn is_component(text: &str, from: usize, to: usize, within: Within) -> bool {
    let (Some(before), Some(after)) = (text.get(..from), text.get(to..)) else { return false };
    let quote = |one: Option<char>| one.filter(|one| matches!(one, '"' | '\'' | '`'));
    if let (Some(opening), Some(closing)) = (quote(before.chars().next_back()), quote(after.chars().next())) {
        return opening == closing;
    }
    let is_password = || {
        let name = before.rsplit_once("://").map(|(_, name)| name);
        name.is_some_and(|name| name.ends_with(':') && !name.contains(['/', '@', ' ']))
            && after.starts_with('@')
    };
    let blank = |one: char| within == Within::Line && one.is_whitespace();
    let begins = || before.is_empty() || before.ends_with(blank) || follows_key(before);
    let ends = || after.is_empty() || after.starts_with(blank) || precedes_key(after);
    is_password() || (begins() && ends())
}

/// Whether the text ends in `key=`, with a separator or nothing before the key.
fn follows_key(before: &str) -> bool {
    let Some(rest) = before.strip_suffix('=') else { return false };
    let key = rest.rsplit([';', '&', '?', ',', '\n', '"', '\'']).next().unwrap_or(rest);
    is_key(key)
}

/// Whether the text begins with a separator, and then ends or continues with `key=`.
fn precedes_key(after: &str) -> bool {
    let Some(rest) = after.strip_prefix([';', '&', ',', '\n']) else { return false };
    let key = rest.split_once('=').map(|(key, _)| key);
    rest.trim().is_empty() || key.is_some_and(is_key)
}

fn is_key(text: &str) -> bool {
    let text = text.trim();
    let word = |one: char| one.is_ascii_alphanumeric() || matches!(one, ' ' | '_' | '-' | '.' | ':');
    !text.is_empty() && text.len() <= 64 && text.chars().all(word)
}

/// The parts of a secret that grant access and may have leaked on their own: the key or password in a connection
/// string, and the password in a URL. Account and host names are not included.
pub(super) fn credentials(secret: &str) -> impl Iterator<Item = &str> {
    let pairs = secret.split([';', '&', '\n']).filter_map(|pair| pair.split_once('='));
    let values = pairs.filter(|(key, _)| opens_something(key)).map(|(_, value)| value.trim());
    let password = secret.rsplit_once("://").and_then(|(_, rest)| rest.rsplit_once('@')?.0.split_once(':'));
    values.chain(password.map(|(_, password)| password)).filter(|part| part.len() >= SHORTEST)
}

/// The texts that scanners hash: the secret itself, its parts, and each part with its name, since detect-secrets treats
/// `AccountKey=..` as the secret.
pub(super) fn hashed(secret: &str) -> impl Iterator<Item = Zeroizing<String>> {
    let pairs = secret.split([';', '&', '\n']).map(str::trim);
    let named = pairs.filter(|pair| pair.split_once('=').is_some_and(|(key, _)| opens_something(key)));
    let whole = std::iter::once(secret);
    let as_found = whole.chain(credentials(secret)).chain(named).map(|text| Zeroizing::new(text.to_owned()));
    as_found.chain(std::iter::once(Zeroizing::new(format!("AccountKey={secret}"))))
}

fn opens_something(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    ["key", "password", "pwd", "secret", "sig", "signature", "token"].iter().any(|end| key.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands(value: &str, text: &str, within: Within) -> bool {
        text.match_indices(value).any(|(at, _)| is_component(text, at, at + value.len(), within))
    }

    #[test]
    fn a_password_stands_between_the_name_of_an_address_and_its_host() {
        let is = |text: &str| {
            let from = text.find("hunter2xx").unwrap();
            is_component(text, from, from + 9, Within::Secret)
        };
        assert!(is("postgres://user:hunter2xx@db/x") && is("redis://:hunter2xx@db"));
        for none in [
            "postgres://user:hunter2xx/db",
            "https://h/p:hunter2xx@x",
            "https://u@h:hunter2xx@x",
            "https://userhunter2xx@x",
            "user:hunter2xx@db",
        ] {
            assert!(!is(none), "{none}");
        }
    }

    #[test]
    fn a_value_is_found_in_connection_strings_addresses_and_json() {
        let key = "ab/cd+efgh==";
        let storage =
            format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={key};EndpointSuffix=x");
        for text in [
            storage.as_str(),
            "AccountKey=ab/cd+efgh==",
            "cache.example:6380,password=ab/cd+efgh==,ssl=True",
            "https://a.example/?sv=1&sig=ab/cd+efgh==",
            "amqps://user:ab/cd+efgh==@host/queue",
            r#"{"key":"ab/cd+efgh=="}"#,
        ] {
            assert!(stands(key, text, Within::Secret), "{text}");
        }
        assert!(stands(key, "KEY ab/cd+efgh== # note", Within::Line));
        assert_eq!(credentials(&storage).collect::<Vec<_>>(), [key]);
        assert_eq!(credentials("amqps://user:ab/cd+efgh==@host/queue").collect::<Vec<_>>(), [key]);
    }

    #[test]
    fn a_piece_of_another_value_does_not_match() {
        for text in [
            "xabcdefgh",
            "abcdefghx",
            "abcdefgh/z==",
            "K=abcdefgh/z;L=1",
            "p@abcdefgh",
            "K=x;abcdefgh",
            "abcdefgh ij",
        ] {
            assert!(!stands("abcdefgh", text, Within::Secret), "{text}");
        }
    }
}
