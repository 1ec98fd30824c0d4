//! Where the values of a JSON text end, sixteen bytes at a time.
//!
//! It accepts what `serde_json` accepts, and nothing else, to a depth of [`DEEPEST`]. It does not say what is wrong: where
//! it gives up, `serde_json` is asked, whose word counts.

/// So deep may values be nested.
const DEEPEST: u32 = 64;

/// Numbers without an exponent and no longer than this fit an `f64`.
const MANY_DIGITS: usize = 300;

const ONES: u64 = u64::MAX / 0xff;
const HIGH: u64 = ONES << 7;

/// A place in a text. Each method goes behind what it reads, and is nothing where something else stands.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    doubtful: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, doubtful: false }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What was read since a place.
    pub(super) fn since(&self, begin: usize) -> &'a str {
        self.text.get(begin..self.at).unwrap_or_default()
    }

    /// The next byte that is no whitespace.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// One byte, behind whitespace.
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        found.then_some(())
    }

    /// A literal, whose first byte was seen.
    pub(super) fn word(&mut self, word: &str) -> Option<()> {
        let found = self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found.then_some(())
    }

    /// What stands between the quotes of a string, and whether it has escapes.
    pub(super) fn string(&mut self) -> Option<(&'a str, bool)> {
        self.take(b'"')?;
        let (bytes, begin, mut escaped) = (self.text.as_bytes(), self.at, false);
        loop {
            self.at += plain(bytes.get(self.at..)?);
            match bytes.get(self.at)? {
                b'"' => break,
                b'\\' => {
                    let length = escape(bytes.get(self.at + 1..)?)?;
                    self.doubtful |= length > 2;
                    self.at += length;
                }
                _ => return None,
            }
            escaped = true;
        }
        let inside = self.since(begin);
        self.at += 1;
        Some((inside, escaped))
    }

    pub(super) fn number(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes().get(self.at..)?;
        let digits = |from: usize| {
            let rest = bytes.get(from..).unwrap_or_default();
            from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        let whole = usize::from(bytes.first() == Some(&b'-'));
        let mut end = digits(whole);
        if end == whole || (bytes.get(whole) == Some(&b'0') && end > whole + 1) {
            return None;
        }
        if bytes.get(end) == Some(&b'.') {
            let fraction = end + 1;
            end = digits(fraction);
            if end == fraction {
                return None;
            }
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end = digits(exponent);
            if end == exponent {
                return None;
            }
            self.doubtful = true;
        }
        self.doubtful |= end > MANY_DIGITS;
        let begin = self.at;
        self.at += end;
        Some(self.since(begin))
    }

    /// Any value that can be decoded for certain: it has no number that might be too large, and no escape that might be
    /// half of a character. Stays where it is if there is none.
    pub(super) fn certain_value(&mut self) -> Option<&'a str> {
        let begin = self.at;
        self.doubtful = false;
        let value = self.value().filter(|_| !self.doubtful);
        if value.is_none() {
            self.at = begin;
        }
        value
    }

    /// Any value.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        self.peek();
        let begin = self.at;
        // One bit for each level: whether it is an object.
        let (mut objects, mut depth) = (0_u64, 0_u32);
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    // `}` and `]` are two behind.
                    if self.take(open + 2).is_none() {
                        if depth == DEEPEST {
                            return None;
                        }
                        depth += 1;
                        objects = objects << 1 | u64::from(open == b'{');
                        self.name_in(objects)?;
                        continue;
                    }
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => drop(self.number()?),
            }
            loop {
                if depth == 0 {
                    return Some(self.since(begin));
                }
                let close = if objects & 1 == 1 { b'}' } else { b']' };
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        self.name_in(objects)?;
                        break;
                    }
                    byte if byte == close => {
                        self.at += 1;
                        depth -= 1;
                        objects >>= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    /// The name of a member and the colon, where the innermost level is an object.
    fn name_in(&mut self, objects: u64) -> Option<()> {
        if objects & 1 == 1 {
            self.string()?;
            self.take(b':')?;
        }
        Some(())
    }
}

/// How many bytes stand before the first that ends a plain run of a string: a quote, a backslash, a control character.
fn plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let words = u128::from_le_bytes(*block);
        // Both at once: most strings end in the first sixteen bytes, and each step more is a guess that may go wrong.
        let (first, second) = (ends_in(words as u64), ends_in((words >> 64) as u64));
        if first | second != 0 {
            let (found, behind) = if first == 0 { (second, 8) } else { (first, 0) };
            return at + behind + (found.trailing_zeros() / 8) as usize;
        }
        at += 16;
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The high bits of those of eight bytes that end a plain run. Only the lowest is certain: a borrow reaches those above.
fn ends_in(word: u64) -> u64 {
    let zero_of = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero_of(word ^ (ONES * u64::from(b'"')));
    let backslash = zero_of(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGH
}

/// The length of an escape, given what stands behind its backslash.
fn escape(behind: &[u8]) -> Option<usize> {
    match behind.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => behind.get(1..5)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}
