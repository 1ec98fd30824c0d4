//! As much of DER as keys and their files need.

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

pub(super) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut all = vec![tag];
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.iter().copied().skip_while(|digit| *digit == 0).collect();
    match (content.len(), u8::try_from(digits.len())) {
        (..0x80, _) => all.extend(digits.first().or(Some(&0))),
        (_, Ok(count)) => {
            all.push(0x80 | count);
            all.extend(digits);
        }
        (_, Err(_)) => {}
    }
    all.extend_from_slice(content);
    all
}

/// `[number]` around a value, which stays as it is.
pub(super) fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    tagged(0xa0 | number, content)
}

/// A number that is not negative.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    if digits.first().is_none_or(|first| first & 0x80 != 0) {
        digits.insert(0, 0);
    }
    tagged(INTEGER, &digits)
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tagged(SEQUENCE, &parts.concat())
}

pub(super) fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    tagged(SET, &parts.concat())
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    tagged(OCTETS, bytes)
}

pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    tagged(BITS, &[&[0], bytes].concat())
}

pub(super) fn identifier(encoded: &[u8]) -> Vec<u8> {
    tagged(IDENTIFIER, encoded)
}

pub(super) fn null() -> Vec<u8> {
    tagged(NULL, &[])
}

/// The values inside a value: each with its tag and its content.
pub(super) fn inside(content: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (mut rest, mut all) = (content, Vec::new());
    while let [tag, length, after @ ..] = rest {
        let (length, after) = match length {
            0..0x80 => (usize::from(*length), after),
            _ => {
                let (digits, after) = after.split_at_checked(usize::from(length & 0x7f))?;
                let length = digits
                    .iter()
                    .try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)))?;
                (length, after)
            }
        };
        let (content, after) = after.split_at_checked(length)?;
        all.push((*tag, content));
        rest = after;
    }
    rest.is_empty().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let long = vec![7; 300];
        let whole = sequence(&[integer(&[0, 0x80]), octets(&long), null()]);
        assert_eq!(whole[..4], [0x30, 0x82, 0x01, 0x36]);
        let (_, content) = inside(&whole).unwrap()[0];
        let parts = inside(content).unwrap();
        assert_eq!(parts, [(INTEGER, &[0, 0x80][..]), (OCTETS, &long[..]), (NULL, &[][..])]);
        assert_eq!(inside(&whole[..20]), None);
        assert_eq!(inside(&[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1]), None);
    }
}
