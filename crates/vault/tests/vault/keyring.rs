//! The key ring's file: who may read it, what may stand in it, how it comes to be.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;
use vault::{KeyPurpose, KeyRing, KeyRingFault};

use crate::fixture::{ANOTHER_KEY, KEYS, entry, fixed_text, load, ring_file};

#[test]
fn a_ring_that_others_may_read_is_refused_with_the_command_that_helps() {
    for mode in [0o644, 0o640, 0o660, 0o604, 0o620, 0o601, 0o700, 0o4600] {
        let (_folder, path) = ring_file(&fixed_text(), mode);
        let error = KeyRing::load(&path).unwrap_err();
        assert!(matches!(*error.fault(), KeyRingFault::Exposed { mode: found } if found == mode));
        let help = format!("chmod 600 {}", path.display());
        assert!(error.to_string().ends_with(&help), "{error}");
    }
    for mode in [0o600, 0o400] {
        let (_folder, path) = ring_file(&fixed_text(), mode);
        assert!(KeyRing::load(&path).is_ok(), "{mode:o} was refused");
    }
}

#[test]
fn a_new_ring_is_the_owners_alone_and_loads() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys.toml");
    KeyRing::generate_file(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let ring = KeyRing::load(&path).unwrap();
    let purposes: Vec<_> = ring.key_check_values().iter().map(|c| c.purpose).collect();
    assert_eq!(purposes, KeyPurpose::ALL);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left");
}

#[test]
fn two_new_rings_have_no_key_in_common() {
    let folder = TempDir::new().unwrap();
    let [one, other] = ["one", "other"].map(|name| {
        let path = folder.path().join(name);
        KeyRing::generate_file(&path).unwrap();
        let text = fs::read_to_string(path).unwrap();
        let keys = text.lines().filter(|line| line.starts_with("key = "));
        keys.map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!((one.len(), other.len()), (4, 4));
    assert!(one.iter().all(|key| !other.contains(key)));
}

#[test]
fn a_ring_that_is_there_is_never_overwritten() {
    let (folder, path) = ring_file("precious", 0o600);
    let error = KeyRing::generate_file(&path).unwrap_err();
    assert!(matches!(error.fault(), KeyRingFault::AlreadyThere), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left");
    // Nor is a broken one replaced by a new one.
    assert!(KeyRing::load_or_generate(&path).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn all_that_start_at_once_get_the_same_ring() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys.toml");
    let rings: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..8).map(|_| scope.spawn(|| KeyRing::load_or_generate(&path).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    for ring in &rings {
        assert_eq!(ring.key_check_values(), rings[0].key_check_values());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left");
}

#[test]
fn a_missing_ring_is_said_to_be_missing_with_the_cause() {
    let folder = TempDir::new().unwrap();
    let error = KeyRing::load(&folder.path().join("none.toml")).unwrap_err();
    assert!(error.fault().is_missing());
    assert!(error.to_string().contains("none.toml"), "{error}");
    assert!(error.source().unwrap().is::<std::io::Error>());
    let error = KeyRing::load(folder.path()).unwrap_err();
    assert!(matches!(error.fault(), KeyRingFault::NotAFile), "{error}");
    let error = KeyRing::generate_file(&folder.path().join("no/keys.toml")).unwrap_err();
    assert!(matches!(error.fault(), KeyRingFault::Unwritable(_)), "{error}");
}

/// What is wrong with the ring of this text, in words, after the path.
fn fault(text: &str) -> String {
    load(text).unwrap_err().fault().to_string()
}

#[test]
fn a_ring_has_exactly_one_active_key_for_each_purpose() {
    for (table, key) in ["pepper", "kek", "chain", "page_token"].into_iter().zip(KEYS) {
        let active = entry(table, 1, key, true);
        let retired = fixed_text().replace(&active, &entry(table, 1, key, false));
        assert_eq!(
            fault(&retired),
            format!("has 0 active [[{table}]] where it must have exactly one")
        );
        assert_eq!(
            fault(&fixed_text().replace(&active, "")),
            format!("has 0 active [[{table}]] where it must have exactly one")
        );
        let two = format!("{}{}", fixed_text(), entry(table, 2, ANOTHER_KEY, true));
        assert_eq!(fault(&two), format!("has 2 active [[{table}]] where it must have exactly one"));
    }
}

#[test]
fn doubles_are_refused() {
    let with = |more: String| fault(&format!("{}{more}", fixed_text()));
    assert_eq!(with(entry("kek", 1, ANOTHER_KEY, false)), "has [[kek]] 1 twice");
    for (table, key) in [("kek", KEYS[1]), ("chain", KEYS[0])] {
        let said = with(entry(table, 2, key, false));
        assert!(said.contains("stands in it elsewhere too"), "{said}");
    }
}

#[test]
fn ids_and_keys_have_their_one_form() {
    let with = |id, key: &str| fault(&format!("{}{}", fixed_text(), entry("kek", id, key, false)));
    assert!(with(0, ANOTHER_KEY).contains("[[kek]] with the id 0"));
    assert!(with(65_536, ANOTHER_KEY).starts_with("is not as it must be at line 1"));
    let short = &ANOTHER_KEY[4..];
    let long = format!("BQUF{ANOTHER_KEY}");
    let bare = ANOTHER_KEY.trim_end_matches('=');
    let loose = ANOTHER_KEY.replace("QU=", "QV=");
    let url_safe = ANOTHER_KEY.replacen("BQUF", "-_-_", 1);
    for key in ["", short, &long, bare, &loose, &url_safe, "no base64 at all"] {
        let said = with(2, key);
        assert_eq!(said, "has in [[kek]] 2 a key that is not base64 of exactly 32 bytes");
    }
}

#[test]
fn unknown_and_missing_members_are_refused_at_their_line() {
    let after = fixed_text().lines().count();
    let extra = format!("[[sauce]]\nid = 1\nkey = \"{ANOTHER_KEY}\"\nactive = true\n");
    let member = format!("{}comment = \"x\"\n", entry("kek", 2, ANOTHER_KEY, false));
    let missing = "[[kek]]\nid = 2\nactive = false\n".to_owned();
    let broken = "[[kek]]\nid = = 2\n".to_owned();
    for (more, line) in [(extra, 1), (member, 5), (missing, 1), (broken, 2)] {
        let said = fault(&format!("{}{more}", fixed_text()));
        let expected = format!("is not as it must be at line {}", after + line);
        assert!(said.starts_with(&expected), "{said}, not {expected}");
    }
}

#[test]
fn an_overlong_file_is_refused() {
    let text = format!("{}{}", fixed_text(), "#".repeat(64 * 1024));
    let error = load(&text).unwrap_err();
    assert!(matches!(error.fault(), KeyRingFault::TooLarge), "{error}");
}
