//! Programs of others that tests hold the gateway against. `.ci/run` brings them; elsewhere a test without
//! them is passed over, loudly.

use std::path::{Path, PathBuf};

use crate::proxy::{found, setting};

/// The folder in which `.ci/run` keeps playwright-core; `tests/browser/package.json` has the same number.
const PLAYWRIGHT: &str = "playwright-core-1.65.1";
/// The folder of the Python programs of `tests/openapi/requirements.txt`.
const PYTHON: &str = "openapi-4.32.5";

/// What drives a browser.
#[derive(Debug)]
pub struct Browser {
    /// Node.js.
    pub node: PathBuf,
    /// Chromium.
    pub chromium: PathBuf,
    /// The folder that has playwright-core.
    pub modules: PathBuf,
}

/// A browser, and what drives it.
///
/// # Panics
/// It is not there, and this is CI, which has not said that it can't be had.
#[must_use]
pub fn browser() -> Option<Browser> {
    let modules =
        brought(PLAYWRIGHT).filter(|folder| folder.join("node_modules/playwright-core").exists());
    let node = there("node", found("node"), "apt-get install nodejs");
    let chromium = there("chromium", found("chromium"), "apt-get install chromium");
    let modules = there("playwright-core", modules, "bash .ci/run brings it");
    Some(Browser { node: node?, chromium: chromium?, modules: modules? })
}

/// A program of `tests/openapi/requirements.txt`.
///
/// # Panics
/// As [`browser`].
#[must_use]
pub fn python_program(name: &str) -> Option<PathBuf> {
    let path = brought(PYTHON).map(|folder| folder.join("bin").join(name));
    there(name, path.filter(|path| path.exists()), "bash .ci/run brings it")
}

/// A program's place, if it has one.
///
/// # Panics
/// It has none, and this is CI, which has not said that it can't be had.
pub(crate) fn there(name: &str, place: Option<PathBuf>, how: &str) -> Option<PathBuf> {
    if place.is_none() {
        let without = setting("TESTS_WITHOUT").unwrap_or_default();
        let must = setting("CI").is_some_and(|is| is == "true")
            && !without.split_whitespace().any(|known| known == name);
        assert!(!must, "{name} is not installed, and CI must not pass it over");
        eprintln!("\nNOT TESTED: {name} is not installed ({how})\n");
    }
    place
}

/// A folder in which `.ci/run` keeps what it brought.
pub(crate) fn brought(folder: &str) -> Option<PathBuf> {
    let cache = setting("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&setting("HOME")?).join(".cache")));
    cache.map(|cache| cache.join("keyward-ci").join(folder))
}
