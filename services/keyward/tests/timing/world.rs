//! A verifier with the real MAC and two keys, one of them revoked, and wrong texts for both.

use domain::api_key::{ApiKeyEvent, Created, Revoked, Settings};
use domain::verdict::Question;
use domain::workspace::{self, WorkspaceEvent};
use domain::{
    Binding, Brand, CredentialKind, CredentialRecord, Description, DigestAlgorithm, DomainRules,
    Env, Event, KeyId, Kid, Labels, Name, Owner, ReasonText, RevocationReason, SECRET_LENGTH,
    ScopeSet, Secret, WorkspaceId,
};
use jiff::Timestamp;
use uuid::Uuid;
use vault::KeyRing;
use verifier::{EnvSet, Query, Tenant, Verifier};

const WORKSPACE: WorkspaceId = WorkspaceId::new(Uuid::from_u128(1));

/// See the module.
pub(crate) struct World {
    pub(crate) verifier: Verifier,
    pub(crate) ring: KeyRing,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn kid(number: u8) -> Kid {
    Kid::from_entropy([number; 12])
}

/// As a verdict is asked for.
pub(crate) fn query(text: &str) -> Query<'_> {
    Query {
        key: text,
        tenant: Tenant::One(WORKSPACE),
        workspace_id: None,
        envs: EnvSet::BOTH,
        expected_key_id: None,
        question: Question {
            earliest: at(100).into(),
            latest: at(100).into(),
            client_ip: None,
            origin: None,
            all_of: &[],
            any_of: &[],
        },
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ring = KeyRing::load_or_generate(&folder.path().join("keyring.toml")).unwrap();
        let world = Self { verifier: Verifier::new(Brand::default()), ring };
        let token = world.record(CredentialKind::WorkspaceToken, 1, WORKSPACE.uuid());
        world.verifier.apply(&Event::Workspace(WorkspaceEvent::Created(workspace::Created {
            workspace_id: WORKSPACE,
            created_by: "tests".to_owned(),
            name: Name::new("a workspace").unwrap(),
            token,
            at: at(0),
        })));
        for number in [2, 3] {
            world.verifier.apply(&Event::ApiKey(world.created(number)));
        }
        world.verifier.apply(&Event::ApiKey(ApiKeyEvent::Revoked(Revoked {
            key_id: KeyId::new(Uuid::from_u128(3)),
            revoked_by: "tests".to_owned(),
            reason: RevocationReason::Compromised,
            text: ReasonText::new("").unwrap(),
            at: at(1),
        })));
        world
    }

    /// The secret of every key.
    pub(crate) fn secret(&self) -> [u8; SECRET_LENGTH] {
        *Secret::from_entropy(&[9; 32]).expose()
    }

    /// Keys that there are not, one of each kind.
    pub(crate) fn not_found(&self) -> Vec<String> {
        let (first, last) = (self.wrong_at(0), self.wrong_at(SECRET_LENGTH - 1));
        vec![
            text(kid(200), &self.secret()),
            text(kid(2), &first),
            text(kid(2), &last),
            text(kid(3), &first),
            text(kid(3), &last),
        ]
    }

    fn wrong_at(&self, place: usize) -> [u8; SECRET_LENGTH] {
        let mut secret = self.secret();
        secret[place] = if secret[place] == b'1' { b'2' } else { b'1' };
        secret
    }

    fn record(&self, kind: CredentialKind, number: u8, resource: Uuid) -> CredentialRecord {
        let (workspace, env, kid) = (Some(WORKSPACE), Env::Live, kid(number));
        let binding = Binding { workspace, resource, kid, env, kind };
        let (pepper, digest) = self.ring.peppers().digest(&binding, &self.secret());
        CredentialRecord { kid, pepper, algorithm: DigestAlgorithm::HmacSha256, digest }
    }

    fn created(&self, number: u8) -> ApiKeyEvent {
        let key_id = KeyId::new(Uuid::from_u128(number.into()));
        ApiKeyEvent::Created(Box::new(Created {
            key_id,
            workspace_id: WORKSPACE,
            created_by: "tests".to_owned(),
            settings: Settings {
                name: Name::new("a key").unwrap(),
                env: Env::Live,
                owner: Owner::default(),
                description: Description::new("").unwrap(),
                scopes: ScopeSet::default(),
                ip_allowlist: None,
                domains: DomainRules::default(),
                not_before: None,
                expires_at: None,
                metadata: Labels::default(),
            },
            credential: self.record(CredentialKind::ApiKey, number, key_id.uuid()),
            at: at(0),
        }))
    }
}

/// A well-formed key of these parts.
fn text(kid: Kid, secret: &[u8; SECRET_LENGTH]) -> String {
    let secret = std::str::from_utf8(secret).unwrap();
    let body = format!("kwk_live_{kid}_{secret}");
    format!("{body}{}", checksum(&body))
}

/// CRC-32/ISO-HDLC in six characters of base62.
fn checksum(body: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let crc = body.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    let mut rest = !crc;
    let mut text = [b'0'; 6];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[rest as usize % 62];
        rest /= 62;
    }
    text.map(char::from).iter().collect()
}
