//! Finds a key in the value of a secret and replaces it.
//!
//! It searches for the key itself, not for the syntax around it. A plain key, a connection string, a URL and a JSON
//! document are all handled alike, and every other byte is kept.

use arm_core::Secret;
use zeroize::Zeroizing;

/// Shorter keys could match by chance.
const SHORTEST: usize = 16;

/// How one character of a key is written in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    /// `%2F`, or `%2f` in lower case.
    Percent {
        lower: bool,
    },
    /// `\/` in JSON.
    Escaped,
    /// `\u002f` in JSON, `\u002F` elsewhere.
    Unicode {
        lower: bool,
    },
}

/// Where a key occurs in a value, and how its special characters are encoded there.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    start: usize,
    end: usize,
    styles: Vec<(u8, Style)>,
}

/// Whether the value contains the key.
pub(crate) fn holds(value: &Secret, key: &Secret) -> bool {
    places(value.expose(), key.expose()).next().is_some()
}

/// Returns the value with every `old` replaced by `new` and every other byte kept; `None` if it does not contain `old`.
pub(crate) fn replace(value: &Secret, old: &Secret, new: &Secret) -> Option<Secret> {
    let text = value.expose();
    let mut written = Zeroizing::new(String::with_capacity(text.len() + 3 * new.expose().len()));
    let mut rest = 0;
    for place in places(text, old.expose()) {
        written.push_str(&text[rest..place.start]);
        for byte in new.expose().bytes() {
            write(&mut written, byte, style_of(byte, &place.styles));
        }
        rest = place.end;
    }
    (rest > 0).then(|| {
        written.push_str(&text[rest..]);
        Secret::new(std::mem::take(&mut *written))
    })
}

fn places<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = Place> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        if key.len() < SHORTEST || !key.is_ascii() {
            return None;
        }
        let place = (from..text.len()).find_map(|start| place_at(text.as_bytes(), start, key.as_bytes()))?;
        from = place.end;
        Some(place)
    })
}

fn place_at(text: &[u8], start: usize, key: &[u8]) -> Option<Place> {
    let (mut at, mut styles) = (start, Vec::new());
    for byte in key {
        let (style, length) = read(&text[at..], *byte)?;
        if !byte.is_ascii_alphanumeric() {
            styles.push((*byte, style));
        }
        at += length;
    }
    Some(Place { start, end: at, styles })
}

/// How this character is encoded at the start of the text, and in how many bytes.
fn read(text: &[u8], byte: u8) -> Option<(Style, usize)> {
    let hex = |digits: &[u8]| -> Option<bool> {
        let code = std::str::from_utf8(digits).ok()?;
        (u32::from_str_radix(code, 16).ok()? == u32::from(byte))
            .then(|| code.bytes().any(|c| c.is_ascii_lowercase()))
    };
    match text {
        [first, ..] if *first == byte => Some((Style::Plain, 1)),
        [b'%', high, low, ..] => hex(&[*high, *low]).map(|lower| (Style::Percent { lower }, 3)),
        [b'\\', b'/', ..] if byte == b'/' => Some((Style::Escaped, 2)),
        [b'\\', b'u', rest @ ..] => {
            let lower = hex(rest.get(..4)?)?;
            Some((Style::Unicode { lower }, 6))
        }
        _ => None,
    }
}

/// The style in which the old key encoded this character, or else other characters.
fn style_of(byte: u8, seen: &[(u8, Style)]) -> Style {
    if byte.is_ascii_alphanumeric() {
        return Style::Plain;
    }
    let same = seen.iter().find(|(other, _)| *other == byte).map(|(_, style)| *style);
    let other = || match seen.iter().map(|(_, style)| *style).find(|style| *style != Style::Plain) {
        // Only a slash can be written in this style.
        Some(Style::Escaped) | None => Style::Plain,
        Some(style) => style,
    };
    // A value that encodes one special character encodes the others too.
    same.unwrap_or_else(other)
}

fn write(written: &mut String, byte: u8, style: Style) {
    let digits = |lower: bool, width: usize| match lower {
        true => format!("{byte:0width$x}"),
        false => format!("{byte:0width$X}"),
    };
    match style {
        Style::Plain => written.push(char::from(byte)),
        Style::Percent { lower } => {
            written.push('%');
            written.push_str(&digits(lower, 2));
        }
        Style::Escaped => {
            written.push('\\');
            written.push(char::from(byte));
        }
        Style::Unicode { lower } => {
            written.push_str("\\u");
            written.push_str(&digits(lower, 4));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "AAAA+BBBB/CCCC0123456789==";
    const NEW: &str = "zz/zz+zz+zzzz9876543210zz=";

    #[test]
    fn only_a_slash_is_escaped_by_itself_and_what_the_old_key_lacks_is_encoded_as_its_other_characters() {
        assert_eq!(replaced(r#""AAAA\/BBBB\/CCCC0123456789==""#), None, "the first is a plus");
        let at = |value: &str| {
            let (old, new) =
                (Secret::new("AAAABBBBCCCC0123456789=="), Secret::new("zzzz+zzzzzzz9876543210z="));
            replace(&Secret::new(value), &old, &new).map(|value| value.expose().to_owned())
        };
        assert_eq!(at("k=AAAABBBBCCCC0123456789%3D%3d").as_deref(), Some("k=zzzz%2Bzzzzzzz9876543210z%3D"));
        assert_eq!(at("k=AAAABBBBCCCC0123456789==").as_deref(), Some("k=zzzz+zzzzzzz9876543210z="));
        assert_eq!(at("k=AAAABBBBCCCC0123456789=%3d").as_deref(), Some("k=zzzz%2bzzzzzzz9876543210z="));
    }

    fn replaced(value: &str) -> Option<String> {
        let outcome = replace(&Secret::new(value), &Secret::new(OLD), &Secret::new(NEW));
        outcome.map(|value| value.expose().to_owned())
    }

    #[test]
    fn only_the_key_is_replaced_whatever_is_around_it() {
        for (begin, end) in [
            ("", ""),
            ("DefaultEndpointsProtocol=https;AccountName=st;AccountKey=", ";EndpointSuffix=core.windows.net"),
            ("accountkey = ", " ;;"),
            ("h:6380,password=", ",ssl=True,abortConnect=False"),
            ("mongodb://acct:", "@acct.mongo.cosmos.azure.com:10255/?ssl=true&appName=@acct@"),
            ("{ \"a\" : \"", "\",\n\t\"b\": 1.0 }"),
        ] {
            assert_eq!(replaced(&format!("{begin}{OLD}{end}")), Some(format!("{begin}{NEW}{end}")));
        }
    }

    #[test]
    fn a_key_is_written_as_the_one_before_it_was() {
        let cases = [
            (
                "amqps://r:AAAA%2BBBBB%2FCCCC0123456789%3D%3D@h/",
                "amqps://r:zz%2Fzz%2Bzz%2Bzzzz9876543210zz%3D@h/",
            ),
            (
                "redis://:AAAA%2bBBBB%2fCCCC0123456789%3d%3d@h",
                "redis://:zz%2fzz%2bzz%2bzzzz9876543210zz%3d@h",
            ),
            ("m://a:AAAA+BBBB/CCCC0123456789%3D%3D@h", "m://a:zz/zz+zz+zzzz9876543210zz%3D@h"),
            (r#""AAAA+BBBB\/CCCC0123456789==""#, r#""zz\/zz+zz+zzzz9876543210zz=""#),
            (r#""AAAA\u002BBBBB/CCCC0123456789==""#, r#""zz/zz\u002Bzz\u002Bzzzz9876543210zz=""#),
        ];
        for (value, expected) in cases {
            assert_eq!(replaced(value).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_holds_no_such_key_or_too_short_a_one_is_left_alone() {
        assert_eq!(replaced("AccountKey=AAAA+BBBB/CCCC0123456788==;"), None);
        assert!(!holds(&Secret::new("abc"), &Secret::new("abc")));
        assert!(!holds(&Secret::new(""), &Secret::new(OLD)));
        assert_eq!(replaced(&format!("{OLD}|{OLD}")), Some(format!("{NEW}|{NEW}")));
    }

    proptest! {
        #[test]
        fn all_else_stays_and_the_new_key_is_found(begin in ".{0,40}", end in ".{0,40}", encode: bool) {
            prop_assume!(!begin.contains(OLD) && !end.contains(OLD));
            let old = if encode { OLD.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D") } else { OLD.into() };
            let value = format!("{begin}{old}{end}");
            let written = replaced(&value).unwrap();
            prop_assert!(written.starts_with(&begin) && written.ends_with(&end));
            prop_assert!(holds(&Secret::new(written.clone()), &Secret::new(NEW)));
            let back = replace(&Secret::new(written), &Secret::new(NEW), &Secret::new(OLD)).unwrap();
            prop_assert_eq!(back.expose(), value);
        }
    }
}
