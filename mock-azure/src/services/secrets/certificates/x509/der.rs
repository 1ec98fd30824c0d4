//! Keys and PKCS files in DER.

use yasna::{
    Tag, construct_der,
    models::{ObjectIdentifier, TaggedDerValue},
    parse_der,
};

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_sequence(|writer| parts.iter().for_each(|part| writer.next().write_der(part)));
    })
}

pub(super) fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_set(|writer| parts.iter().for_each(|part| writer.next().write_der(part)));
    })
}

/// An explicit `[number]` tag around a value.
pub(super) fn explicit(number: u64, content: &[u8]) -> Vec<u8> {
    construct_der(|writer| writer.write_tagged(Tag::context(number), |writer| writer.write_der(content)))
}

/// A non-negative integer.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    construct_der(|writer| writer.write_bigint_bytes(bytes, true))
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    construct_der(|writer| writer.write_bytes(bytes))
}

pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    construct_der(|writer| writer.write_bitvec_bytes(bytes, bytes.len() * 8))
}

pub(super) fn identifier(numbers: &[u64]) -> Vec<u8> {
    construct_der(|writer| writer.write_oid(&ObjectIdentifier::from_slice(numbers)))
}

pub(super) fn null() -> Vec<u8> {
    construct_der(|writer| writer.write_null())
}

/// The items of a sequence.
pub(super) fn parts(sequence: &[u8]) -> Option<Vec<TaggedDerValue>> {
    parse_der(sequence, |reader| reader.collect_sequence_of(|reader| reader.read_tagged_der())).ok()
}

/// A single value of any type.
pub(super) fn value(der: &[u8]) -> Option<TaggedDerValue> {
    parse_der(der, |reader| reader.read_tagged_der()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let long = vec![7; 300];
        let whole = sequence(&[integer(&[0, 0x80]), octets(&long), null()]);
        assert_eq!(whole[..4], [0x30, 0x82, 0x01, 0x36]);
        let read = parts(&whole).unwrap();
        let contents: Vec<&[u8]> = read.iter().map(TaggedDerValue::value).collect();
        assert_eq!(contents, [&[0, 0x80][..], &long[..], &[][..]]);
        assert!(parts(&whole[..20]).is_none());
        assert!(parts(&[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1]).is_none());
    }
}
