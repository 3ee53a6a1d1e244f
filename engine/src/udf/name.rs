//! Names that a user's function may have.

/// Letters of a name.
const LONGEST: usize = 128;

/// Refuses what could not be called, and what would stand in for a built-in function.
pub(crate) fn check(name: &str) -> Result<(), String> {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain || name.len() > LONGEST {
        return Err(format!(
            "'{name}' cannot be the name of a function: letters, digits and '_', a letter first, at most {LONGEST}."
        ));
    }
    if crate::sql::is_function(name) {
        return Err(format!("There is a built-in function {}. Choose another name.", name.to_ascii_uppercase()));
    }
    if crate::sql::is_reserved(name) {
        return Err(format!("{} is a reserved word. Choose another name.", name.to_ascii_uppercase()));
    }
    Ok(())
}
