//! Finding `postgres` and `initdb`: 15 or later, from the places where they are installed, then from
//! the own cache, then by fetching the pinned pack.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cluster::cluster_major;
use crate::error::FindError;
use crate::fetch::fetch;
use crate::folders::path_folders;
use crate::pack;

/// The oldest major that is used.
const OLDEST: u32 = 15;

/// A version of Postgres. Ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Such as 17; a cluster belongs to one major.
    pub major: u32,
    /// Such as 4; 0 where the binaries are of a beta.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// Where to look.
#[derive(Debug, Clone)]
pub struct BinarySearch {
    /// The folder that the configuration names; then no other is looked at.
    pub configured: Option<PathBuf>,
    /// Never fetch.
    pub offline: bool,
    /// The folder of fetched packs.
    pub cache: PathBuf,
}

/// A folder with a usable `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    version: Version,
}

impl Binaries {
    /// Finds binaries of any version that is new enough, or fetches them once into the cache, with
    /// one line on standard error that shows the progress.
    ///
    /// # Errors
    /// [`FindError`], which says what to do.
    pub fn find(search: &BinarySearch) -> Result<Self, FindError> {
        Self::find_major(search, None)
    }

    /// As [`find`](Self::find), for a state folder: where it has a cluster, only binaries of the
    /// major that made it will do.
    ///
    /// # Errors
    /// [`FindError`], which says what to do.
    pub fn find_for(folder: &Path, search: &BinarySearch) -> Result<Self, FindError> {
        Self::find_major(search, cluster_major(folder))
    }

    fn find_major(search: &BinarySearch, major: Option<u32>) -> Result<Self, FindError> {
        if let Some(folder) = &search.configured {
            return Self::configured(folder);
        }
        let fits = |found: &Self| major.is_none_or(|major| found.version.major == major);
        let installed = installed_places().into_iter().chain(pack::places(&search.cache));
        if let Some(found) = installed.filter_map(|place| Self::newest_of(place, fits)).next() {
            return Ok(found);
        }
        let why = match fetch(search, major) {
            Ok(folder) => match Self::at(&folder) {
                Ok(found) => return Ok(found),
                Err(why) => crate::error::FetchError::Unusable(why),
            },
            Err(why) => why,
        };
        Err(FindError::NotFound {
            needed: major.map_or_else(|| format!("{OLDEST} or later"), |major| major.to_string()),
            pack: pack::wanted_words(major),
            cache: search.cache.clone(),
            fetch: Box::new(why),
        })
    }

    /// The binaries in this folder, of whatever major: a wrong one is refused at start, with reason.
    fn configured(folder: &Path) -> Result<Self, FindError> {
        let nested = folder.join("bin");
        let place = if nested.join("postgres").is_file() { nested } else { folder.to_owned() };
        Self::at(&place).map_err(|why| FindError::Configured { folder: folder.to_owned(), why })
    }

    fn newest_of(folders: Vec<PathBuf>, fits: impl Fn(&Self) -> bool) -> Option<Self> {
        let found = folders.iter().filter_map(|folder| Self::at(folder).ok()).filter(fits);
        found.max_by_key(|binaries| binaries.version)
    }

    /// Looks at one folder; says in words what is wrong with it.
    pub(crate) fn at(folder: &Path) -> Result<Self, String> {
        let folder = folder.canonicalize().map_err(|error| error.to_string())?;
        for name in ["postgres", "initdb"] {
            if !folder.join(name).is_file() {
                return Err(format!("there is no {name} in it"));
            }
        }
        let said = Command::new(folder.join("postgres"))
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("postgres does not run: {error}"))?;
        if !said.status.success() {
            let text = String::from_utf8_lossy(&said.stderr);
            return Err(format!("postgres does not run: {}", text.lines().next().unwrap_or("")));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let version = parse_version(&text)
            .ok_or_else(|| format!("postgres does not name its version: {}", text.trim()))?;
        if version.major < OLDEST {
            return Err(format!("it is Postgres {version}, {OLDEST} or later is needed"));
        }
        Ok(Self { folder, version })
    }

    /// The folder they are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Their version.
    pub fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }
}

/// The places in order; within one place the newest wins.
fn installed_places() -> Vec<Vec<PathBuf>> {
    let mut places: Vec<Vec<PathBuf>> = vec![pg_config_folder().into_iter().collect()];
    places.extend(path_folders().into_iter().map(|folder| vec![folder]));
    places.push(inside("/usr/lib/postgresql", "", "bin"));
    places.push(inside("/usr", "pgsql-", "bin"));
    for brew in ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
        places.push(inside(brew, "postgresql", "bin"));
    }
    places
}

/// The folders `PARENT/PREFIX*/BELOW` that exist.
pub(crate) fn inside(parent: impl AsRef<Path>, prefix: &str, below: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let named = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix)));
    named.map(|entry| entry.path().join(below)).filter(|folder| folder.is_dir()).collect()
}

fn pg_config_folder() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(said.stdout).ok()?;
    said.status.success().then(|| PathBuf::from(text.trim()))
}

fn parse_version(text: &str) -> Option<Version> {
    let number =
        text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits = |part: &str| -> Option<u32> {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().ok()
    };
    let mut parts = number.split('.');
    let major = digits(parts.next()?)?;
    Some(Version { major, minor: parts.next().and_then(digits).unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::{Version, parse_version};

    #[test]
    fn versions_are_read_as_distributions_write_them() {
        let cases = [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", Some((15, 14))),
            ("postgres (PostgreSQL) 18.4", Some((18, 4))),
            ("postgres (PostgreSQL) 19beta1", Some((19, 0))),
            ("postgres", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(major, minor)| Version { major, minor });
            assert_eq!(parse_version(text), expected, "{text}");
        }
    }
}
