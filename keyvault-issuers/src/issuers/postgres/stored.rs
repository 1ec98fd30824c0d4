//! A connection string as users store it, and the position of its user name and password.

use std::{collections::BTreeMap, ops::Range};

use arm_core::Secret;
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::address::Address;

/// A value that contains a user and a password of a PostgreSQL server.
#[derive(Clone)]
pub(super) struct Stored {
    value: Secret,
    user_at: Range<usize>,
    password_at: Range<usize>,
    pub(super) user: String,
    pub(super) password: Secret,
    /// As given; empty if the value has none.
    pub(super) addresses: Vec<Address>,
    pub(super) database: Option<String>,
}

/// One `name=value` of a connection string: its name in lower case without spaces and underscores, the position of its
/// value without quotes, and the decoded value.
struct Member {
    name: String,
    at: Range<usize>,
    text: Zeroizing<String>,
}

/// Reads one form: its members, or `None` if the text has another form.
type Form = fn(&str) -> Option<Vec<Member>>;

const USER: &[&str] = &["user", "username", "userid", "uid"];
const PASSWORD: &[&str] = &["password", "pwd", "psw"];
const HOST: &[&str] = &["host", "server", "datasource"];
const PORT: &[&str] = &["port"];
const DATABASE: &[&str] = &["dbname", "database", "db", "initialcatalog"];
const SCHEMES: &[&str] = &["jdbc:postgresql://", "postgresql://", "postgres://"];

impl Stored {
    /// Reads a URL, a JDBC URL, libpq keywords, an Npgsql string or a JSON object. `Err` says what is wrong, without
    /// the value.
    pub(super) fn read(value: &Secret) -> Result<Self, &'static str> {
        let forms: [Form; 4] = [url, json, semicolons, keywords];
        let mut why = "it is not a URL, connection string or JSON object with a user name and a password";
        for form in forms {
            match form(value.expose()).map(|members| Self::of(value, &members)) {
                Some(Ok(stored)) => return Ok(stored),
                Some(Err(Some(reason))) => why = reason,
                _ => {}
            }
        }
        Err(why)
    }

    /// `Err(None)`: the form does not fit.
    fn of(value: &Secret, members: &[Member]) -> Result<Self, Option<&'static str>> {
        let one = |names: &[&str]| {
            let mut found = members.iter().filter(|member| names.contains(&member.name.as_str()));
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => {
                    Err(Some("it has more than one user, password, host, port or database"))
                }
                (found, _) => Ok(found.filter(|member| !member.text.is_empty())),
            }
        };
        let (Some(user), Some(password)) = (one(USER)?, one(PASSWORD)?) else { return Err(None) };
        let text = |member: Option<&Member>| member.map(|member| member.text.to_string());
        let addresses = Address::list(text(one(HOST)?).as_deref(), text(one(PORT)?).as_deref());
        Ok(Self {
            value: value.clone(),
            user_at: user.at.clone(),
            password_at: password.at.clone(),
            user: user.text.to_string(),
            password: Secret::new(password.text.to_string()),
            addresses: addresses.ok_or("its port is not a number")?,
            database: text(one(DATABASE)?),
        })
    }

    /// Returns the value with another user and password and every other byte kept. Neither may need quotes or escapes
    /// in any form.
    pub(super) fn with(&self, user: &str, password: &Secret) -> Option<Secret> {
        let text = self.value.expose();
        let mut places = [(self.user_at.clone(), user), (self.password_at.clone(), password.expose())];
        places.sort_by_key(|(at, _)| at.start);
        let mut written = Zeroizing::new(String::with_capacity(text.len() + 128));
        let mut rest = 0;
        for (at, new) in places {
            written.push_str(text.get(rest..at.start)?);
            written.push_str(new);
            rest = at.end;
        }
        written.push_str(&text[rest..]);
        let value = Secret::new(std::mem::take(&mut *written));
        let read = Self::read(&value).ok()?;
        let same = read.user == user
            && read.password == *password
            && read.addresses == self.addresses
            && read.database == self.database;
        same.then_some(value)
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_')).flat_map(char::to_lowercase).collect()
}

fn decoded(text: &str) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(percent_decode_str(text).decode_utf8().ok()?.into_owned()))
}

fn url(text: &str) -> Option<Vec<Member>> {
    let begins =
        |scheme: &&&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let start = SCHEMES.iter().find(begins)?.len();
    let until = |from: usize, marks: &[char]| text[from..].find(marks).map_or(text.len(), |at| from + at);
    let mut members = Vec::new();
    let mut add = |name: &str, at: Range<usize>| {
        members.push(Member { name: plain(name), text: decoded(&text[at.clone()])?, at });
        Some(())
    };
    let end = until(start, &['/', '?', '#']);
    let hosts = match text[start..end].rfind('@') {
        Some(sign) => {
            let sign = start + sign;
            let colon = text[start..sign].find(':').map(|at| start + at);
            add("user", start..colon.unwrap_or(sign))?;
            if let Some(colon) = colon {
                add("password", colon + 1..sign)?;
            }
            sign + 1
        }
        None => start,
    };
    if hosts < end {
        add("host", hosts..end)?;
    }
    let question = until(end, &['?', '#']);
    if question > end + 1 {
        add("database", end + 1..question)?;
    }
    if text[question..].starts_with('?') {
        let last = until(question, &['#']);
        let mut at = question + 1;
        while at < last {
            let next = until(at, &['&', '#']);
            if let Some(equals) = text[at..next].find('=') {
                add(&text[at..at + equals], at + equals + 1..next)?;
            }
            at = next + 1;
        }
    }
    Some(members)
}

fn json(text: &str) -> Option<Vec<Member>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let members = members.into_iter().filter_map(|(name, raw)| {
        let raw = raw.get();
        let start = (raw.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        let (at, text) = match serde_json::from_str::<String>(raw) {
            Ok(text) => (start + 1..start + raw.len() - 1, text),
            // A number, such as a port.
            Err(_) => (start..start + raw.len(), raw.to_owned()),
        };
        Some(Member { name: plain(&name), at, text: Zeroizing::new(text) })
    });
    Some(members.collect())
}

/// `Host=h;Username=u;Password="p"`: quotes are doubled inside quotes.
fn semicolons(text: &str) -> Option<Vec<Member>> {
    let (bytes, mut at, mut members) = (text.as_bytes(), 0, Vec::new());
    while at < text.len() {
        if bytes[at] == b';' || bytes[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let equals = at + text[at..].find('=')?;
        let name = plain(text[at..equals].trim());
        let blanks = text[equals + 1..].len() - text[equals + 1..].trim_start().len();
        let start = equals + 1 + blanks;
        let quote = bytes.get(start).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let (place, value) = match quote {
            Some(quote) => {
                let mut end = start + 1;
                while bytes.get(end).is_some_and(|byte| *byte != quote) || bytes.get(end + 1) == Some(&quote)
                {
                    end += if bytes.get(end) == Some(&quote) { 2 } else { 1 };
                }
                bytes.get(end)?;
                let (one, two) = (char::from(quote).to_string(), char::from(quote).to_string().repeat(2));
                (start + 1..end, Zeroizing::new(text[start + 1..end].replace(&two, &one)))
            }
            None => {
                let end = text[start..].find(';').map_or(text.len(), |end| start + end);
                let end = start + text[start..end].trim_end().len();
                (start..end, Zeroizing::new(text[start..end].to_owned()))
            }
        };
        at = text[place.end..].find(';').map_or(text.len(), |end| place.end + end);
        members.push(Member { name, at: place, text: value });
    }
    Some(members)
}

/// `host=h user=u password='it\'s'`: spaces between pairs, and optionally around `=`.
fn keywords(text: &str) -> Option<Vec<Member>> {
    let blank = |at: usize| text[at..].len() - text[at..].trim_start().len();
    let (mut at, mut members) = (blank(0), Vec::new());
    while at < text.len() {
        let equals = at + text[at..].find('=')?;
        let name = text[at..equals].trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return None;
        }
        let mut start = equals + 1 + blank(equals + 1);
        let quoted = text[start..].starts_with('\'');
        start += usize::from(quoted);
        // Reserve enough capacity: reallocation would leave copies behind.
        let (mut value, mut end, mut escaped) =
            (Zeroizing::new(String::with_capacity(text.len())), None, false);
        for (place, c) in text[start..].char_indices() {
            match c {
                _ if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '\'' if quoted => end = Some(start + place),
                c if !quoted && c.is_whitespace() => end = Some(start + place),
                c => value.push(c),
            }
            if end.is_some() {
                break;
            }
        }
        let end = match (end, quoted) {
            (Some(end), _) => end,
            (None, false) => text.len(),
            (None, true) => return None,
        };
        members.push(Member { name: plain(name), at: start..end, text: value });
        at = end + usize::from(quoted);
        at += blank(at);
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "n-_w0123456789012345678901234567890123456789";

    fn changed(text: &str) -> Result<(String, String), &'static str> {
        let stored = Stored::read(&Secret::new(text))?;
        let written = stored.with("app_b", &Secret::new(NEW)).ok_or("cannot be written")?;
        let read = format!(
            "{} {} {:?} {:?}",
            stored.user,
            stored.password.expose(),
            stored.addresses,
            stored.database
        );
        Ok((read, written.expose().to_owned()))
    }

    #[test]
    fn only_the_user_and_the_password_are_replaced_whatever_the_form() {
        let cases = [
            (
                "postgresql://app_a:p%40ss%2Fw@db.example:5433/shop?sslmode=verify-full&application_name=a%20b#x",
                "app_a p@ss/w [db.example:5433] Some(\"shop\")",
                "postgresql://app_b:NEW@db.example:5433/shop?sslmode=verify-full&application_name=a%20b#x",
            ),
            ("POSTGRES://app%5Fa:x@[::1]/", "app_a x [::1:5432] None", "POSTGRES://app_b:NEW@[::1]/"),
            (
                "jdbc:postgresql://one:1,two/d%20b?password=a%26b&ssl=true&user=app_a",
                "app_a a&b [one:1, two:5432] Some(\"d b\")",
                "jdbc:postgresql://one:1,two/d%20b?password=NEW&ssl=true&user=app_b",
            ),
            (
                "postgresql://%2Fvar%2Frun/db?user=app_a&password=x",
                "app_a x [/var/run:5432] Some(\"db\")",
                "postgresql://%2Fvar%2Frun/db?user=app_b&password=NEW",
            ),
            (
                "  host = h  user=app_a password = 'it\\'s a \\\\ word'\tport='5433' dbname=d ",
                "app_a it's a \\ word [h:5433] Some(\"d\")",
                "  host = h  user=app_b password = 'NEW'\tport='5433' dbname=d ",
            ),
            ("user=app_a password=x", "app_a x [] None", "user=app_b password=NEW"),
            (
                "Host=h1,h2:7;Port=5433; Username = app_a ;PASSWORD=\"a;\"\"b\";Database=d;SSL Mode=Require;;",
                "app_a a;\"b [h1:5433, h2:7] Some(\"d\")",
                "Host=h1,h2:7;Port=5433; Username = app_b ;PASSWORD=\"NEW\";Database=d;SSL Mode=Require;;",
            ),
            (
                "Server=h;User Id=app_a;Pwd='it''s';",
                "app_a it's [h:5432] None",
                "Server=h;User Id=app_b;Pwd='NEW';",
            ),
            (
                "{ \"engine\":\"postgres\", \"username\" : \"app_a\",\n \"password\":\"a\\\"b\", \"port\": 5433,\"host\":\"h\",\"x\":[1.0]}",
                "app_a a\"b [h:5433] None",
                "{ \"engine\":\"postgres\", \"username\" : \"app_b\",\n \"password\":\"NEW\", \"port\": 5433,\"host\":\"h\",\"x\":[1.0]}",
            ),
        ];
        for (text, read, written) in cases {
            let (was, is) = changed(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(was, read, "{text}");
            assert_eq!(is, written.replace("NEW", NEW), "{text}");
        }
    }

    #[test]
    fn what_names_no_user_and_password_or_two_is_refused_and_says_why() {
        let none = "it is not a URL, connection string or JSON object with a user name and a password";
        let twice = "it has more than one user, password, host, port or database";
        let cases = [
            ("", none),
            ("s3cr3t", none),
            ("postgresql://h/db", none),
            ("postgresql://app_a@h/db", none),
            ("postgresql://app_a:@h/db", none),
            ("mysql://app_a:x@h/db", none),
            ("host=h user=app_a password='x", none),
            ("Host=h;Username=app_a;Password=\"x", none),
            ("[\"user\", \"password\"]", none),
            ("postgresql://app_a:x@h/db?user=other", twice),
            ("Username=app_a;User Id=app_b;Password=x", twice),
            ("postgresql://app_a:x@h:port/db", "its port is not a number"),
        ];
        for (text, why) in cases {
            assert_eq!(changed(text).err(), Some(why), "{text}");
        }
    }
}
