//! URLs of a server behind a Unix socket: the folder is the percent-encoded host.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The port that names the socket file; nothing listens on it.
pub(crate) const PORT: u16 = 5432;

/// `postgres://role:password@%2Ffolder:5432/database`.
pub(crate) fn socket_url(
    folder: &Path,
    port: u16,
    role: &str,
    password: &str,
    database: &str,
) -> String {
    let host = encode(folder.as_os_str().as_bytes());
    let role = encode(role.as_bytes());
    let database = encode(database.as_bytes());
    let secret = if password.is_empty() { String::new() } else { format!(":{password}") };
    format!("postgres://{role}{secret}@{host}:{port}/{database}")
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::socket_url;

    #[test]
    fn the_folder_is_the_encoded_host() {
        let url = socket_url(Path::new("/run/a b"), 5432, "postgres", "00ff", "kw");
        assert_eq!(url, "postgres://postgres:00ff@%2Frun%2Fa%20b:5432/kw");
        let url = socket_url(Path::new("/r"), 5432, "r@le", "", "kw");
        assert_eq!(url, "postgres://r%40le@%2Fr:5432/kw");
    }
}
