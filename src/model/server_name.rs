//! What a server may be called: names stand in paths, tables, filters and metric labels.

/// Longest name of a server.
pub(crate) const LONGEST_SERVER_NAME: usize = 64;

/// Whether `c` may stand in the name of a server.
pub(crate) const fn fits_a_server_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// Checks the name of a server.
///
/// # Errors
/// A sentence that says what a name is.
pub fn server_name(text: &str) -> Result<String, String> {
    let fits = text.len() <= LONGEST_SERVER_NAME
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(fits_a_server_name);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "'{text}' is no name; 1 to 64 letters, digits, '.', '-' and '_' are expected, the first a letter or digit"
        ))
    }
}
