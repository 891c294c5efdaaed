//! What a source file may hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::files::{files, shipped, text};
use crate::scan::{Token, members, tokens};

const LONGEST_FILE: usize = 500;
const LONGEST_MAIN: usize = 60;

/// Words that say nothing about a thing.
const EMPTY_WORDS: &[&str] = &[
    "manager", "managers", "helper", "helpers", "util", "utils", "handler", "handlers", "dto",
    "dtos",
];

/// The one file that turns our errors into gRPC's.
const STATUS: &str = "services/keyward/src/grpc/status.rs";

/// Files that read a code that `STATUS` gave, to count it or to say it in HTTP.
const CODE_READERS: &[&str] = &[
    "services/gateway/src/refusal.rs",
    "services/keyward/src/counts.rs",
    "services/keyward/src/grpc/batch_verify_keys.rs",
    "services/keyward/src/grpc/call.rs",
    "services/keyward/src/grpc/ext_authz.rs",
    "services/keyward/src/grpc/verify_key.rs",
];

/// The constructors of `tonic::Status`.
const STATUS_CONSTRUCTORS: &[&str] = &[
    "new",
    "with_details",
    "with_metadata",
    "with_details_and_metadata",
    "with_error_details",
    "with_error_details_and_metadata",
    "with_error_details_vec",
    "from_error",
    "ok",
    "cancelled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal",
    "unavailable",
    "data_loss",
    "unauthenticated",
];

/// Roots of modules with more in them than documentation and re-exports, each with its reason.
const FULL_ROOTS: &[(&str, &str)] = &[
    ("crates/api/src/lib.rs", "generated code and its descriptors are included"),
    (
        "services/keyward/src/grpc/mod.rs",
        "a macro implements the service traits, a line for each RPC",
    ),
];

fn at(file: &Path, token: &Token) -> String {
    format!("{}:{}: {}", file.display(), token.line, token.text)
}

#[test]
fn no_source_file_is_longer_than_five_hundred_lines() {
    let lines = |file: &PathBuf| text(file).lines().count();
    let long: Vec<_> = files("rs")
        .into_iter()
        .map(|file| (lines(&file), file))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "split these: {long:#?}");
}

#[test]
fn main_only_starts_what_the_library_is() {
    let mains: Vec<_> = files("rs")
        .into_iter()
        .filter(|file| file.starts_with("services") && file.ends_with("src/main.rs"))
        .collect();
    assert!(!mains.is_empty(), "no service has a main.rs");
    for file in mains {
        let lines = text(&file).lines().count();
        assert!(lines <= LONGEST_MAIN, "{}: {lines} lines", file.display());
    }
}

#[test]
fn module_roots_hold_documentation_and_re_exports() {
    let code = [
        "fn",
        "struct",
        "enum",
        "union",
        "trait",
        "impl",
        "type",
        "const",
        "static",
        "macro_rules",
    ];
    let mut broken = Vec::new();
    let mut roots = files("rs");
    roots.retain(|file| shipped(file) && (file.ends_with("lib.rs") || file.ends_with("mod.rs")));
    for file in &roots {
        if FULL_ROOTS.iter().any(|(root, _)| file == Path::new(root)) {
            continue;
        }
        let found = tokens(file);
        let found = found.iter().find(|token| code.contains(&token.text.as_str()));
        broken.extend(found.map(|token| at(file, token)));
    }
    assert!(broken.is_empty(), "these belong into a file with a name: {broken:#?}");
    let gone =
        FULL_ROOTS.iter().find(|(root, _)| !roots.iter().any(|file| file == Path::new(root)));
    assert_eq!(gone, None, "an exception for a file that is not there");
}

#[test]
fn grpc_codes_are_chosen_in_one_file() {
    let mut broken = Vec::new();
    for file in files("rs").iter().filter(|file| shipped(file)) {
        if file == Path::new(STATUS) {
            continue;
        }
        let tokens = tokens(file);
        let made = members(&tokens, "Status");
        let made = made.filter(|token| STATUS_CONSTRUCTORS.contains(&token.text.as_str()));
        broken.extend(made.map(|token| at(file, token)));
        if !CODE_READERS.iter().any(|reader| file == Path::new(reader)) {
            broken.extend(members(&tokens, "Code").map(|token| at(file, token)));
        }
    }
    assert!(broken.is_empty(), "this belongs into {STATUS}: {broken:#?}");
}

#[test]
fn no_type_module_or_file_has_a_name_that_says_nothing() {
    let named = ["struct", "enum", "union", "trait", "type", "mod"];
    let mut broken = Vec::new();
    for file in files("rs") {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if says_nothing(stem) {
            broken.push(file.display().to_string());
        }
        for pair in tokens(&file).windows(2) {
            if named.contains(&pair[0].text.as_str()) && says_nothing(&pair[1].text) {
                broken.push(at(&file, &pair[1]));
            }
        }
    }
    assert!(broken.is_empty(), "name these for what they are: {broken:#?}");
}

/// Whether one of the words in a `CamelCase` or `snake_case` name is empty.
fn says_nothing(name: &str) -> bool {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.iter().any(|word| EMPTY_WORDS.contains(&word.trim_start_matches('_')))
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    let mut sets: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for file in files("sql") {
        let folder = file.parent().unwrap();
        if folder.ends_with("migrations") {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            sets.entry(folder.to_owned()).or_default().push(name);
        }
    }
    assert!(!sets.is_empty(), "no package has migrations");
    for (folder, names) in sets {
        for (name, number) in names.iter().zip(1..) {
            let words = name.strip_prefix(&format!("{number:04}_"));
            let words = words.and_then(|name| name.strip_suffix(".sql")).unwrap_or_default();
            let spelt = words.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(
                spelt && !words.is_empty(),
                "{}/{name}: expected {number:04}_<what_it_does>.sql",
                folder.display()
            );
        }
    }
}
