//! The real binary: what it refuses to start with, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

fn gateway(flags: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward-gateway"));
    command.env_clear().args(flags).envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Exit code and the last line on standard error.
fn refused(flags: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let ended = gateway(flags, variables).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    (ended.status.code(), said.lines().last().unwrap_or_default().to_owned())
}

#[test]
fn what_can_not_be_is_refused_with_one_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\ntrusted-proxies = []\n").unwrap();
    let file = file.to_str().unwrap();
    for (flags, variables, named) in [
        (&["--config", file][..], &[][..], "trusted-proxies"),
        (
            &[],
            &[("KEYWARD_GATEWAY_TRUSTED_PROXIES", "10.0.0.0/8")],
            "KEYWARD_GATEWAY_TRUSTED_PROXIES",
        ),
        (&["--listen", "0.0.0.0:0"], &[], "--listen"),
        (&["--tls-cert", file], &[], "--tls-key"),
        (&["--service", "no host"], &[], "--service"),
        (&["--service", "keyward"], &[], "a port"),
        (&["--verify-timeout-ms", "0"], &[], "--verify-timeout-ms"),
        (&["--service-name", "x"], &[], "--service-ca"),
        (&["--timeout-ms", "0"], &[], "--timeout-ms"),
        (&["--gateway-secret-file", "/none"], &[], "/none"),
        (&["--gateway-secret-file", "/etc/passwd"], &[], "--gateway-secret-file"),
        (
            &["--listen", "127.0.0.1:0", "--no-metrics", "--tls-cert", file, "--tls-key", file],
            &[],
            file,
        ),
        (&["--metrics-listen", "0.0.0.0:1"], &[], "--metrics-listen"),
        (&["--velt-workspaces-per-hour", "0"], &[], "--velt-workspaces-per-hour"),
        (&["--velt-workspace-credential-file", file], &[], "--velt-workspace-credential-file"),
        (&["--cors-origin", "https://a.example,*"], &[], "--cors-origin"),
        (&["--max-connection-age-ms", "1"], &[], "--max-connection-age-ms"),
    ] {
        let (code, line) = refused(flags, variables);
        assert_eq!(code, Some(1), "{flags:?}: {line}");
        assert!(line.starts_with("keyward-gateway: ") && line.contains(named), "{flags:?}: {line}");
    }
    assert_eq!(refused(&["--trusted-proxy", "proxy"], &[]).0, Some(2));
    assert_eq!(refused(&["--without", "nothing"], &[]).0, Some(2));
    assert_eq!(refused(&["--verify-fail-mode", "ajar"], &[]).0, Some(2));
}

/// A running gateway. Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the gateway and waits until it says where it is.
fn start(flags: &[&str], variables: &[(&str, &str)]) -> (Running, String) {
    let flags = [&["--listen", "127.0.0.1:0", "--no-metrics"], flags].concat();
    let mut child = gateway(&flags, variables).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    let running = Running(child);
    let line = said.lines().map_while(Result::ok).find(|line| line.contains("serves HTTP on"));
    let line = line.expect("it says where it is");
    let address = line.split("serves HTTP on ").nth(1).unwrap().split(',').next().unwrap();
    (running, address.to_owned())
}

fn status(address: &str, path: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn it_serves_until_a_signal_and_ends_with_0() {
    // Kubernetes sets these beside a service of the same name.
    let links = [
        ("KEYWARD_GATEWAY_PORT", "tcp://10.0.0.1:80"),
        ("KEYWARD_GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("KEYWARD_GATEWAY_PORT_80_TCP_ADDR", "10.0.0.1"),
    ];
    let (mut running, address) = start(&[], &links);
    assert_eq!(status(&address, "/healthz"), 200);
    let pid = rustix::process::Pid::from_child(&running.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn it_says_where_its_parts_are_and_what_is_not_on() {
    let (_running, address) = start(&["--trusted-proxy", "127.0.0.1,10.0.0.0/8"], &[]);
    let flags = ["--listen", "127.0.0.1:0", "--without", "operations", "--no-metrics"];
    let mut child = gateway(&flags, &[]).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    let _running_too = Running(child);
    let lines = said.lines().map_while(Result::ok).take_while(|line| !line.starts_with("Ctrl-C"));
    let said: String = lines.collect();
    assert!(said.contains("without --verify-credential-file"), "{said}");
    assert!(!said.contains("/docs"), "{said}");
    assert_eq!(status(&address, "/docs/"), 200);
}

#[test]
fn a_surface_that_is_switched_off_is_not_there() {
    let (_running, address) = start(&["--without", "operations,canonical"], &[]);
    assert_eq!(status(&address, "/healthz"), 404);
    assert_eq!(status(&address, "/v1/log/head"), 404);
    let (_running, address) = start(&[], &[("KEYWARD_GATEWAY_WITHOUT", "velt")]);
    assert_eq!(status(&address, "/healthz"), 200);
}

/// Waits for a line of the log that has all of these; it ends with the program at the latest.
fn logged(log: &mut impl BufRead, parts: &[&str]) -> String {
    let mut lines = log.lines().map_while(Result::ok);
    let found = lines.find(|line| parts.iter().all(|part| line.contains(part)));
    found.unwrap_or_else(|| panic!("no line with {parts:?}"))
}

#[test]
fn the_log_has_what_a_proxy_s_client_asked_for_and_sighup_reads_the_files_again() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let canary = "canary-canary-canary-canary-canary-canary";
    std::fs::write(&secret, canary).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let secret = secret.to_str().unwrap();
    let flags = ["--log-format", "json", "--log", "debug", "--gateway-secret-file", secret];
    let (mut running, address) = start(&flags, &[]);
    let mut log = BufReader::new(running.0.stderr.take().unwrap());
    let headers = "x-forwarded-method: POST\r\nx-forwarded-host: api.example.com\r\n\
                   x-forwarded-uri: /orders/7?key=canary-of-the-query\r\nx-api-key: canary-key";
    // It has no credential of its own, so there is no verdict; what was asked is logged all the same.
    assert_eq!(status(&address, &format!("/verify HTTP/1.1\r\n{headers}\r\nx-rest:")), 503);
    let line = logged(&mut log, &["\"answered\"", "forward_auth"]);
    for part in ["\"POST\"", "\"api.example.com\"", "\"/orders/7\""] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains("canary"), "{line}");
    let pid = rustix::process::Pid::from_child(&running.0);
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    logged(&mut log, &["the secret of the gateway was read again"]);
    assert_eq!(status(&address, "/healthz"), 200, "it goes on");
    std::fs::write(secret, "short").unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    let refused = logged(&mut log, &["a file was refused"]);
    assert!(refused.contains("--gateway-secret-file") && !refused.contains("short\""), "{refused}");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("canary"), "{rest}");
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_key_that_somebody_puts_into_the_path_of_verify_is_not_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let credential = folder.path().join("credential");
    std::fs::write(&credential, "kws_live_of_the_gateway").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&credential, private).unwrap();
    let flags = ["--log-format", "json", "--service", "127.0.0.1:1", "--verify-credential-file"];
    let (mut running, address) =
        start(&[&flags[..], &[credential.to_str().unwrap()]].concat(), &[]);
    let mut log = BufReader::new(running.0.stderr.take().unwrap());
    let asked =
        |path: &str| status(&address, &format!("{path} HTTP/1.1\r\nx-api-key: k\r\nx-rest:"));
    assert_eq!(asked("/verify/kwk_live_canary"), 503);
    let line = logged(&mut log, &["can't be asked so"]);
    assert!(line.contains("/verify/***") && !line.contains("canary"), "{line}");
    assert_eq!(asked("/verify/scope/kwk%5Flive_canary"), 503);
    let line = logged(&mut log, &["no verdict"]);
    assert!(line.contains("/verify/scope/***") && !line.contains("canary"), "{line}");
}
