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
    ] {
        let (code, line) = refused(flags, variables);
        assert_eq!(code, Some(1), "{flags:?}: {line}");
        assert!(line.starts_with("keyward-gateway: ") && line.contains(named), "{flags:?}: {line}");
    }
    assert_eq!(refused(&["--trusted-proxy", "proxy"], &[]).0, Some(2));
    assert_eq!(refused(&["--without", "nothing"], &[]).0, Some(2));
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
fn a_surface_that_is_switched_off_is_not_there() {
    let (_running, address) = start(&["--without", "operations,canonical"], &[]);
    assert_eq!(status(&address, "/healthz"), 404);
    assert_eq!(status(&address, "/v1/log/head"), 404);
    let (_running, address) = start(&[], &[("KEYWARD_GATEWAY_WITHOUT", "velt")]);
    assert_eq!(status(&address, "/healthz"), 200);
}
