use std::os::unix::fs::PermissionsExt;

use super::*;

const ONE: &str = "one-one-one-one-one-one-one-one-one";
const TWO: &str = "two-two-two-two-two-two-two-two-two";

fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
    file
}

fn gateways(trust: GatewayTrust) -> Gateways {
    let telemetry = telemetry::Telemetry::for_tests();
    Gateways::new(trust, telemetry.metrics()).unwrap()
}

#[test]
fn a_gateway_is_who_has_a_secret_of_the_file_or_the_one_drawn() {
    let file = file(&format!("{ONE}\n{TWO}\n"), 0o600);
    let secret_file = Some(file.path().to_owned());
    let own_secret = Some("own".to_owned().into());
    let gateways = gateways(GatewayTrust { secret_file, own_secret, ..GatewayTrust::default() });
    for known in [ONE, TWO, "own"] {
        assert!(gateways.has_secret(known.as_bytes()), "{known}");
    }
    for wrong in ["", "one", &format!("{ONE} "), &ONE.to_uppercase(), &format!("{ONE}\n{TWO}")] {
        assert!(!gateways.has_secret(wrong.as_bytes()), "{wrong}");
    }
}

#[test]
fn without_a_secret_nobody_has_it() {
    let gateways = gateways(GatewayTrust::default());
    for presented in ["", ONE] {
        assert!(!gateways.has_secret(presented.as_bytes()));
    }
}

#[test]
fn a_file_that_can_not_be_used_is_refused_by_its_name_and_without_what_is_in_it() {
    for (text, mode, told) in [
        (ONE, 0o644, "chmod 600"),
        ("", 0o600, "32 visible"),
        ("too-short-secret", 0o600, "32 visible"),
        (&format!("{ONE}\nshort"), 0o600, "32 visible"),
        (&format!("{ONE}\n{TWO}\n{ONE}"), 0o600, "32 visible"),
        ("with a space in it, and long enough", 0o600, "32 visible"),
    ] {
        let file = file(text, mode);
        let error = load(file.path()).unwrap_err().to_string();
        assert!(error.starts_with("--gateway-secret-file: "), "{error}");
        assert!(error.contains(told), "{error}");
        assert!(text.is_empty() || !error.contains(text), "{error}");
    }
    let error = load(Path::new("/none")).unwrap_err().to_string();
    assert!(error.contains("/none can't be read"), "{error}");
}
