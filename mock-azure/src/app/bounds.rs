//! Limits on the size of a request. Azure's responses beyond these limits are not known here.

use crate::http::{Reply, Request};

/// The maximum size of a body, in bytes. Resource Manager itself accepts 4 MB.
pub(crate) const BODY: usize = 4 * 1024 * 1024;
/// The maximum number of headers.
pub(crate) const HEADERS: usize = 100;
/// The maximum size of all headers and the address, in bytes.
pub(crate) const HEAD: usize = 64 * 1024;
/// The maximum nesting of arrays and objects in a JSON body.
const NESTING: usize = 64;

/// The refusal of a request that exceeds a limit.
pub(crate) fn exceeded(request: &Request) -> Option<Reply> {
    let mut head = request.path.len() + request.query.len() + request.authority.len();
    head += request.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if request.headers.len() > HEADERS || head > HEAD {
        return Some(head_too_big());
    }
    if request.body.len() > BODY {
        return Some(body_too_long());
    }
    if nesting(&request.body) > NESTING {
        let message = format!("mock-azure accepts JSON bodies of at most {NESTING} levels.");
        return Some(Reply::arm_error(501, "MockBodyTooDeep", message));
    }
    None
}

pub(crate) fn head_too_big() -> Reply {
    let message =
        format!("mock-azure accepts at most {HEADERS} headers, and {HEAD} bytes including the address.");
    Reply::arm_error(431, "MockHeadersTooBig", message)
}

pub(crate) fn body_too_long() -> Reply {
    Reply::arm_error(413, "MockBodyTooLong", format!("mock-azure accepts bodies of at most {BODY} bytes."))
}

/// The nesting depth of brackets, ignoring those in JSON strings.
fn nesting(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: usize, body: String) -> Request {
        Request {
            method: "PUT".to_owned(),
            authority: "management.azure.com".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![("x-a".to_owned(), "1".to_owned()); headers],
            body: body.into(),
        }
    }

    fn refused(request: &Request) -> Option<(u16, String)> {
        let reply = exceeded(request)?;
        Some((reply.status, reply.error_code().unwrap_or_default().to_owned()))
    }

    #[test]
    fn each_bound_lets_its_last_through_and_refuses_the_next_in_no_words_of_azure() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(refused(&request(HEADERS, nested(NESTING))), None);
        assert_eq!(refused(&request(0, "x".repeat(BODY))), None);
        assert_eq!(
            refused(&request(HEADERS + 1, String::new())),
            Some((431, "MockHeadersTooBig".to_owned()))
        );
        assert_eq!(refused(&request(0, "x".repeat(BODY + 1))), Some((413, "MockBodyTooLong".to_owned())));
        assert_eq!(refused(&request(0, nested(NESTING + 1))), Some((501, "MockBodyTooDeep".to_owned())));
        let mut long = request(0, String::new());
        long.query = "q".repeat(HEAD);
        assert_eq!(refused(&long), Some((431, "MockHeadersTooBig".to_owned())));
    }

    #[test]
    fn brackets_in_a_string_are_not_levels() {
        let text = format!(r#"{{"a\\\"{}":1}}"#, "[".repeat(NESTING));
        assert_eq!(nesting(text.as_bytes()), 1);
    }
}
