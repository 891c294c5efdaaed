//! The package table of the architecture, as data. It has a row for every package of the workspace,
//! and may have one for a package that is still to come.

/// A package and its wall.
pub(crate) struct Wall {
    pub(crate) package: &'static str,
    /// Packages of ours that it may name in its manifest.
    pub(crate) may_use: &'static [&'static str],
    /// Crates of others that its code must never see: neither named in its manifest, for whatever
    /// purpose, nor brought in behind another dependency. A family stands for all its crates.
    pub(crate) never_sees: &'static [&'static [&'static str]],
}

/// Sockets, tasks and timers.
const ASYNC: &[&str] = &["tokio", "tokio-util", "tokio-stream", "futures-util", "hyper", "tower"];
const CHANCE: &[&str] = &["rand", "rand_core", "getrandom"];
const POSTGRES: &[&str] =
    &["tokio-postgres", "postgres-types", "postgres-protocol", "deadpool-postgres"];
const TRACING: &[&str] =
    &["tracing", "tracing-subscriber", "tracing-opentelemetry", "opentelemetry", "metrics"];
/// gRPC and its messages.
const WIRE: &[&str] = &["tonic", "tonic-prost", "tonic-types", "prost", "prost-types"];

/// Every package, in the order of the architecture's table.
pub(crate) const WALLS: &[Wall] = &[
    Wall {
        package: "domain",
        may_use: &[],
        never_sees: &[ASYNC, CHANCE, POSTGRES, TRACING, WIRE, &["ring", "rustls"]],
    },
    Wall { package: "eventlog", may_use: &["testkit"], never_sees: &[WIRE] },
    Wall { package: "readmodel", may_use: &["domain", "eventlog", "testkit"], never_sees: &[WIRE] },
    Wall {
        package: "verifier",
        may_use: &["domain", "testkit"],
        never_sees: &[ASYNC, POSTGRES, WIRE],
    },
    Wall { package: "vault", may_use: &["domain"], never_sees: &[ASYNC, POSTGRES, WIRE] },
    Wall { package: "api", may_use: &[], never_sees: &[POSTGRES] },
    Wall { package: "telemetry", may_use: &[], never_sees: &[POSTGRES] },
    Wall { package: "settings", may_use: &["telemetry"], never_sees: &[POSTGRES] },
    Wall { package: "serving", may_use: &[], never_sees: &[POSTGRES, WIRE] },
    Wall { package: "pgserver", may_use: &[], never_sees: &[WIRE] },
    Wall { package: "testkit", may_use: &["pgserver"], never_sees: &[WIRE] },
    Wall {
        package: "keyward",
        may_use: &[
            "api",
            "domain",
            "eventlog",
            // Served beside the service by the one-command default; it reaches it by gRPC like any other.
            "gateway",
            "pgserver",
            "readmodel",
            "serving",
            "settings",
            "telemetry",
            "testkit",
            "vault",
            "verifier",
        ],
        never_sees: &[],
    },
    Wall {
        package: "gateway",
        may_use: &["api", "serving", "settings", "telemetry"],
        never_sees: &[POSTGRES],
    },
    Wall {
        package: "e2e",
        // The log, to write into it what only a newer build would.
        may_use: &["api", "eventlog", "gateway", "keyward", "telemetry", "testkit"],
        never_sees: &[],
    },
];

/// For tests alone: others may have it among their dev-dependencies only.
pub(crate) const FOR_TESTS: &str = "testkit";

/// The package of nothing but tests. Nobody may use it, and it alone uses `FOR_TESTS` as it likes.
pub(crate) const TESTS: &str = "e2e";

/// Crates that exactly these packages may name in their manifests.
pub(crate) const RESERVED: &[(&str, &[&str])] = &[
    // Cryptography of our own is in one place; TLS reaches ring through rustls.
    ("ring", &["vault"]),
    // It has no cryptography but what the vault gives it.
    ("jsonwebtoken", &["vault"]),
    // Generated code is made in one place.
    ("protox", &["api"]),
    ("tonic-prost-build", &["api"]),
];
