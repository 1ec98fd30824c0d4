//! The positions that a tape holds.

/// The position of a value or of a member's name. The values in a list follow it, and so do the names and values in an
/// object.
///
/// It is two words, which stay in registers while the text is walked. Smaller fields would be put together in memory and
/// read back at once, for which a processor has to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Where it begins and, in the upper half, where it ends.
    place: u64,
    /// The index of the span after this one and all that it contains; in the upper half, the first byte, which says what
    /// it is, and above that whether it is a string with escapes.
    kind: u64,
}

/// The span of the text `null`.
pub(super) const NULL: Span = Span::new(0, 4, 1, b'n', false);
/// The span of a value that is not there, which is null with no text.
pub(super) const MISSING: Span = Span::new(0, 0, 1, b'n', false);

impl Span {
    #[inline(always)]
    pub(super) const fn new(begin: u32, end: u32, next: u32, first: u8, escaped: bool) -> Self {
        Self {
            place: (end as u64) << 32 | begin as u64,
            kind: (escaped as u64) << 40 | (first as u64) << 32 | next as u64,
        }
    }

    #[inline(always)]
    pub(super) fn begin(self) -> usize {
        self.place as u32 as usize
    }

    #[inline(always)]
    pub(super) fn end(self) -> usize {
        (self.place >> 32) as usize
    }

    #[inline(always)]
    pub(super) fn next(self) -> u32 {
        self.kind as u32
    }

    #[inline(always)]
    pub(super) fn first(self) -> u8 {
        (self.kind >> 32) as u8
    }

    #[inline(always)]
    pub(super) fn is_escaped(self) -> bool {
        self.kind >> 40 != 0
    }
}
