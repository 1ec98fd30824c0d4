//! The parts of `$filter` expressions.

/// The text of a quoted value, `'O''Brien'`; `None` if it is not exactly one quoted value.
pub(crate) fn quoted(value: &str) -> Option<String> {
    let inside = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (!inside.replace("''", "").contains('\'')).then(|| inside.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quoted_value_is_one_value_and_not_the_ends_of_two() {
        assert_eq!(quoted(" 'kv-one' ").as_deref(), Some("kv-one"));
        assert_eq!(quoted("'O''Brien'").as_deref(), Some("O'Brien"));
        assert_eq!(quoted("'a' or name eq 'b'"), None);
        assert_eq!(quoted("kv-one"), None);
        assert_eq!(quoted("'"), None);
    }
}
