//! How many arguments functions take.

use super::KqlError;

/// Whether so many arguments fit a function of the table, if it is there.
pub(super) fn fits(
    table: &[(&str, usize, usize)],
    name: &str,
    arguments: usize,
) -> Option<Result<(), KqlError>> {
    let (_, least, most) = table.iter().find(|(known, ..)| *known == name)?;
    Some(if arguments < *least {
        // Documented: these arguments are required.
        let message = format!("{name}(): function expects {least} argument(s).");
        Err(KqlError::Semantic { code: "SEM0219", message })
    } else if arguments > *most {
        Err(KqlError::Unsupported(format!("'{name}' with {arguments} arguments is not known here")))
    } else {
        Ok(())
    })
}
