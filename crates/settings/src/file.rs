//! The configuration file.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::ConfigError;

/// The settings in a TOML file. `called` is what the file is called before its path if it can't be read.
///
/// # Errors
/// It can't be read, or holds something else; no value of it is repeated.
pub fn read_toml<S: DeserializeOwned>(path: &Path, called: &str) -> Result<S, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File {
        what: format!("{called}{}", path.display()),
        source,
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::Toml {
        path: path.to_owned(),
        reason: error.message().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct One {
        count: u32,
    }

    #[test]
    fn a_file_that_can_not_be_used_is_named_and_nothing_in_it_is_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.toml");
        let read = || read_toml::<One>(&path, "the file ").map(|one| one.count);
        let missing = read().unwrap_err().to_string();
        assert_eq!(missing, format!("can't read the file {}", path.display()));
        std::fs::write(&path, "count = \"canary\"").unwrap();
        let wrong = read().unwrap_err().to_string();
        let begins = format!("the configuration file {} is wrong: ", path.display());
        assert!(wrong.starts_with(&begins) && !wrong.contains("count = "), "{wrong}");
        std::fs::write(&path, "count = 1\ncounts = 2").unwrap();
        assert!(read().unwrap_err().to_string().contains("counts"));
        std::fs::write(&path, "count = 1").unwrap();
        assert_eq!(read().unwrap(), 1);
    }
}
