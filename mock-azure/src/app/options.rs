//! The query options that a surface accepts. Any other option is refused as unknown, since ignoring it would answer a
//! different question.

use crate::{
    app::registry::SURFACES,
    http::{Call, Reply, host::Service},
    state::{Accepts, At, QueryOption},
};

/// The option in the link to the next page of any list.
const SKIP_TOKEN: &str = "$skiptoken";

/// The options accepted at a host.
pub(crate) fn at(service: &Service) -> Vec<QueryOption> {
    let at = At::of(service);
    SURFACES.iter().filter(|surface| surface.at == at).flat_map(|surface| surface.options).copied().collect()
}

/// Refuses with 501 an option, such as `$select`, or a value of one, that the surface does not accept.
pub(crate) fn check(call: &Call, accepted: &[QueryOption]) -> Result<(), Box<Reply>> {
    let options = call.query_pairs().iter().filter(|(name, _)| name.starts_with('$'));
    for (name, value) in options.filter(|(name, _)| !name.eq_ignore_ascii_case(SKIP_TOKEN)) {
        let Some((name, accepts)) = accepted.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
        else {
            let known: Vec<&str> = accepted.iter().map(|(known, _)| *known).collect();
            return Err(Box::new(Reply::unknown("query option", name, &known)));
        };
        let unknown = |known: &[&str]| Err(Box::new(Reply::unknown(name, value, known)));
        match accepts {
            Accepts::Read => {}
            Accepts::Count if value.parse::<usize>().is_ok_and(|count| count > 0) => {}
            Accepts::Count => return unknown(&["numbers from 1"]),
            Accepts::Words(words) => {
                let known = |word: &str| words.iter().any(|known| known.eq_ignore_ascii_case(word.trim()));
                if !value.split(',').all(known) {
                    return unknown(words);
                }
            }
        }
    }
    Ok(())
}
