//! Changing a ring's file: what each change makes of it, and which are refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use vault::KeyPurpose::{Chain, Kek, Pepper};
use vault::{KeyPurpose, KeyRing, KeyRingFault, RingEdit};

use crate::fixture::{ANOTHER_KEY, KEYS, entry, fixed_text, load, ring_file, workspace};

const HEAD: &str = "# Kept by the security team.\n\n# Since 2026.\n";

fn ids(path: &Path, purpose: KeyPurpose) -> Vec<(u16, bool)> {
    let ring = KeyRing::load(path).unwrap();
    let keys = ring.keys().iter().filter(|key| key.purpose == purpose);
    keys.map(|key| (key.id, key.active)).collect()
}

#[test]
fn a_key_is_added_activated_and_taken_out_and_the_rest_of_the_file_stays() {
    let (folder, path) = ring_file(&format!("{HEAD}{}", fixed_text()), 0o600);
    for (edit, keks) in [
        (RingEdit::Add(Kek, 2), &[(1, true), (2, false)][..]),
        (RingEdit::Activate(Kek, 2), &[(1, false), (2, true)]),
        (RingEdit::Remove(Kek, 1), &[(2, true)]),
    ] {
        KeyRing::edit_file(&path, edit).unwrap();
        assert_eq!(ids(&path, Kek), keks);
        assert_eq!(ids(&path, Pepper), [(1, true)]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(HEAD), "{edit:?}");
        for key in [KEYS[0], KEYS[2], KEYS[3]] {
            assert!(text.contains(key), "{edit:?}");
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left");
    }
    assert!(!fs::read_to_string(&path).unwrap().contains(KEYS[1]));
}

#[test]
fn a_change_that_is_refused_leaves_the_file_as_it_was() {
    let text = format!("{}{}", fixed_text(), entry("chain", 2, ANOTHER_KEY, false));
    let (_folder, path) = ring_file(&text, 0o600);
    let refused = |edit| KeyRing::edit_file(&path, edit).unwrap_err().to_string();
    for (edit, said) in [
        (RingEdit::Add(Kek, 1), "has [[kek]] 1 twice"),
        (RingEdit::Activate(Kek, 7), "has no [[kek]] 7"),
        (RingEdit::Remove(Pepper, 2), "has no [[pepper]] 2"),
        (RingEdit::Remove(Kek, 1), "makes new values under [[kek]] 1"),
    ] {
        assert!(refused(edit).contains(said), "{edit:?}: {}", refused(edit));
        assert!(KeyRing::may_edit(&path, edit).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    KeyRing::edit_file(&path, RingEdit::Activate(Chain, 2)).unwrap();
    assert!(refused(RingEdit::Remove(Chain, 1)).contains("first [[chain]] key, 1"));
}

#[test]
fn a_link_leads_to_the_file_that_is_replaced() {
    let (folder, path) = ring_file(&fixed_text(), 0o600);
    let link = folder.path().join("link.toml");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    KeyRing::edit_file(&link, RingEdit::Add(Pepper, 2)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(ids(&path, Pepper).len(), 2);
}

#[test]
fn ids_are_never_given_twice() {
    let ring = load(&fixed_text()).unwrap();
    assert_eq!(ring.next_id(Kek, 0).unwrap(), 2);
    // One that was taken out again still counts.
    assert_eq!(ring.next_id(Kek, 4).unwrap(), 5);
    assert!(matches!(ring.next_id(Kek, 65_535), Err(KeyRingFault::NoMoreIds(Kek))));
}

#[test]
fn what_must_last_is_under_the_first_chain_key_and_links_are_under_the_active_one() {
    let first = load(&fixed_text()).unwrap();
    let inactive = entry("chain", 1, KEYS[2], false);
    let text = fixed_text().replace(&entry("chain", 1, KEYS[2], true), &inactive);
    let second = load(&format!("{text}{}", entry("chain", 2, ANOTHER_KEY, true))).unwrap();
    let (before, after) = (first.chain(), second.chain());
    assert_eq!(before.lasting(b"import"), after.lasting(b"import"));
    assert_eq!(after.link(b"event").0, 2);
    assert_ne!(before.link(b"event").1, after.link(b"event").1);
    assert_eq!(after.under(Some(1), b"event"), Some(before.link(b"event").1));
    assert_eq!(after.under(None, b"event"), after.under(Some(1), b"event"));
    assert_eq!(before.under(Some(2), b"event"), None);
}

#[test]
fn a_data_key_that_is_wrapped_anew_is_the_same_under_another_kek() {
    let text = fixed_text().replace(&entry("kek", 1, KEYS[1], true), "");
    let (old, new) = (entry("kek", 1, KEYS[1], false), entry("kek", 2, ANOTHER_KEY, true));
    let (before, after) =
        (load(&fixed_text()).unwrap(), load(&format!("{text}{old}{new}")).unwrap());
    let id = uuid::Uuid::from_u128(7);
    let dek = before.keks().new_dek(workspace(), id).unwrap();
    let wrapped = before.keks().wrap(&dek).unwrap();
    let anew = after.keks().rewrap(workspace(), id, &wrapped).unwrap();
    assert_eq!(anew.kek, 2);
    let place = vault::Place {
        purpose: vault::SealPurpose::ConfigSecret,
        resource: id,
        field: "f",
        provider: None,
    };
    let sealed = dek.seal(&place, b"secret").unwrap();
    let opened = after.keks().unwrap(workspace(), id, &anew).unwrap().open(&place, &sealed);
    assert_eq!(secrecy::ExposeSecret::expose_secret(&opened.unwrap()), b"secret");
    assert!(after.keks().rewrap(uuid_workspace(), id, &wrapped).is_err(), "another workspace's");
}

fn uuid_workspace() -> domain::WorkspaceId {
    domain::WorkspaceId::new(uuid::Uuid::from_u128(0x99))
}
