//! Finds where the values of a JSON text end, sixteen bytes at a time.
//!
//! It accepts nothing that `serde_json` rejects. It does not say what is wrong: if it fails, `serde_json` decodes the
//! text and decides.
//!
//! The position is what is left of the text, in registers while a value is walked. A function that is called from there
//! therefore takes bytes, since a reference to the scanner would force it into memory, and is `#[cold]`, so that the loop
//! keeps its registers and the call saves them: a twentieth of the time of a list, also if the text is indented.

use wide::u8x16;

/// A number without an exponent fits an `f64` if it has at most this many characters.
const MANY_DIGITS: usize = 300;

/// A position in a text. Each method moves past what it reads, and returns `None` if it finds something else.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    rest: &'a [u8],
    /// Whether a string or number that was read might not be decodable.
    doubtful: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, rest: text.as_bytes(), doubtful: false }
    }

    #[inline]
    pub(super) fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// Returns the text read since a position.
    #[inline]
    pub(super) fn since(&self, begin: usize) -> &'a str {
        self.text.get(begin..self.at()).unwrap_or_default()
    }

    /// Skips whitespace, and returns the next byte without reading it.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Option<u8> {
        let byte = *self.rest.first()?;
        // Nearly every byte is greater than all whitespace bytes.
        if byte > b' ' {
            return Some(byte);
        }
        self.rest = behind_space(self.rest);
        self.rest.first().copied()
    }

    /// Reads so many bytes.
    #[inline(always)]
    fn pass(&mut self, length: usize) -> Option<()> {
        self.rest = self.rest.get(length..)?;
        Some(())
    }

    /// Reads this byte, after whitespace.
    #[inline(always)]
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        if self.peek()? != byte {
            return None;
        }
        self.pass(1)
    }

    /// Reads a literal, whose first byte has been seen.
    #[inline(always)]
    pub(super) fn word(&mut self, word: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(word.as_bytes())?;
        Some(())
    }

    /// Reads a string; returns the text between its quotes, and whether it has escapes.
    #[inline]
    pub(super) fn string(&mut self) -> Option<(&'a str, bool)> {
        self.peek().filter(|byte| *byte == b'"')?;
        let begin = self.at() + 1;
        let escaped = self.pass_string()?;
        Some((self.text.get(begin..self.at() - 1)?, escaped))
    }

    /// Skips a string, whose first byte has been seen; returns whether it has escapes.
    #[inline(always)]
    fn pass_string(&mut self) -> Option<bool> {
        let (mut rest, mut escaped) = (self.rest.get(1..)?, false);
        loop {
            rest = behind_plain(rest);
            match rest.first()? {
                b'"' => break,
                b'\\' => {
                    let length = escape(rest.get(1..)?)?;
                    self.doubtful |= length > 2;
                    rest = rest.get(length..)?;
                    escaped = true;
                }
                _ => return None,
            }
        }
        self.rest = rest.get(1..)?;
        Some(escaped)
    }

    /// Reads a number, whose first byte has been seen.
    pub(super) fn number(&mut self) -> Option<&'a str> {
        let begin = self.at();
        self.pass_number()?;
        Some(self.since(begin))
    }

    #[inline(always)]
    fn pass_number(&mut self) -> Option<()> {
        let (length, doubtful) = number(self.rest)?;
        self.doubtful |= doubtful;
        self.pass(length)
    }

    /// Reads a value that is certain to be decodable: without a number that might be too large, or an escape that might
    /// be half of a surrogate pair. If the value is not, stays where it is.
    pub(super) fn certain_value(&mut self) -> Option<&'a str> {
        let begin = *self;
        self.doubtful = false;
        let value = self.value().filter(|_| !self.doubtful);
        if value.is_none() {
            *self = begin;
        }
        value
    }

    /// Reads any value.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        self.peek();
        let begin = self.at();
        self.walk(Depth::default()).map(|_| self.since(begin))
    }

    /// Reads any value, and returns its levels.
    #[inline(always)]
    pub(super) fn walk<L: Levels>(&mut self, levels: L) -> Option<L> {
        // A copy keeps the position in a register instead of behind the reference.
        let mut inner = *self;
        let walked = inner.pass_value(levels);
        *self = inner;
        walked
    }

    #[inline(always)]
    fn pass_value<L: Levels>(&mut self, mut levels: L) -> Option<L> {
        // What ends the innermost list or object.
        let mut close = None;
        loop {
            let (first, begin) = (self.peek()?, self.at());
            let mut escaped = false;
            match first {
                b'"' => escaped = self.pass_string()?,
                open @ (b'{' | b'[') => {
                    self.pass(1)?;
                    // In ASCII, `}` and `]` are two after `{` and `[`.
                    if self.take(open + 2).is_none() {
                        levels.open(begin, open == b'{')?;
                        close = Some(open + 2);
                        self.name_in(close, &mut levels)?;
                        continue;
                    }
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.pass_number()?,
            }
            levels.leaf(first, begin, self.at(), escaped);
            loop {
                let Some(end) = close else { return Some(levels) };
                match self.peek()? {
                    b',' => {
                        self.pass(1)?;
                        self.name_in(close, &mut levels)?;
                        break;
                    }
                    byte if byte == end => {
                        self.pass(1)?;
                        let is_object = levels.close(self.at());
                        close = is_object.map(|is_object| if is_object { b'}' } else { b']' });
                    }
                    _ => return None,
                }
            }
        }
    }

    /// Reads the name of a member and the colon, in an object.
    #[inline(always)]
    fn name_in(&mut self, close: Option<u8>, levels: &mut impl Levels) -> Option<()> {
        if close == Some(b'}') {
            self.peek().filter(|byte| *byte == b'"')?;
            let begin = self.at();
            let escaped = self.pass_string()?;
            levels.leaf(b'"', begin, self.at(), escaped);
            self.take(b':')?;
        }
        Some(())
    }
}

/// Returns what follows the whitespace at the beginning.
#[cold]
fn behind_space(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
    let space = bytes.iter().take_while(|byte| is_space(byte)).count();
    bytes.get(space..).unwrap_or_default()
}

/// The lists and objects around the current position.
pub(super) trait Levels {
    /// Enters a list or object that is not empty; `None` if it is too deep.
    fn open(&mut self, begin: usize, is_object: bool) -> Option<()>;

    /// Leaves the innermost list or object, which ends here; returns whether the one around it is an object, `None` if
    /// there is none.
    fn close(&mut self, end: usize) -> Option<bool>;

    /// Passes the name of a member, or a value that contains no other, which begins with this byte.
    fn leaf(&mut self, first: u8, begin: usize, end: usize, escaped: bool);
}

/// Levels of which only the kind is known.
#[derive(Default)]
struct Depth {
    /// One bit for each level: whether that level is an object.
    objects: u64,
    depth: u32,
}

impl Levels for Depth {
    #[inline(always)]
    fn open(&mut self, _: usize, is_object: bool) -> Option<()> {
        if self.depth == u64::BITS {
            return None;
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(is_object);
        Some(())
    }

    #[inline(always)]
    fn close(&mut self, _: usize) -> Option<bool> {
        self.depth -= 1;
        self.objects >>= 1;
        (self.depth > 0).then_some(self.objects & 1 == 1)
    }

    #[inline(always)]
    fn leaf(&mut self, _: u8, _: usize, _: usize, _: bool) {}
}

/// Returns the first quote, backslash or control character, and what follows it.
#[inline(always)]
pub(super) fn behind_plain(mut bytes: &[u8]) -> &[u8] {
    while let Some((block, behind)) = bytes.split_first_chunk::<16>() {
        let block = u8x16::new(*block);
        let control = block.min(u8x16::splat(0x1f)).cmp_eq(block);
        let ends = block.cmp_eq(u8x16::splat(b'"')) | block.cmp_eq(u8x16::splat(b'\\')) | control;
        let found = ends.move_mask();
        if found != 0 {
            return bytes.get(found.trailing_zeros() as usize..).unwrap_or_default();
        }
        bytes = behind;
    }
    behind_few_plain(bytes)
}

/// The same for the end of a text.
#[cold]
fn behind_few_plain(bytes: &[u8]) -> &[u8] {
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let plain = bytes.iter().position(ends).unwrap_or(bytes.len());
    bytes.get(plain..).unwrap_or_default()
}

/// Returns the length of a number, and whether it might be too large for an `f64`.
#[cold]
fn number(bytes: &[u8]) -> Option<(usize, bool)> {
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
    let mut doubtful = end > MANY_DIGITS;
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent);
        if end == exponent {
            return None;
        }
        doubtful = true;
    }
    Some((end, doubtful))
}

/// Returns the length of an escape, given the bytes after its backslash.
#[cold]
fn escape(behind: &[u8]) -> Option<usize> {
    match behind.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => behind.get(1..5)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}
