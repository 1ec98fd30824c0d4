//! The number of arguments of functions.

use super::KqlError;

/// Checks the number of arguments of a function in the table. `None` if the function is not in it.
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
