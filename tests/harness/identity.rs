//! Identity providers that exist in a test only: their keys, their key sets, and tokens of any kind, good
//! and forged.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyward::clock::Clock;
use rcgen::{KeyPair, PublicKeyData, SigningKey as _};
use serde_json::{Value, json};

use crate::{Server, Tenant};

/// What tokens must be for.
pub const AUDIENCE: &str = "keyward";

/// A name with dots and slashes in it, as providers demand of claims of one's own.
pub const WORKSPACE_CLAIM: &str = "https://keyward.example/workspace";

/// An RSA key costs a second to draw. This one is good for nothing but tests.
const RSA: &str = include_str!("rsa.pem");

/// Base64url without padding.
#[must_use]
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key that signs tokens.
pub struct SigningKey {
    /// `EdDSA`, `ES256` or `RS256`.
    pub algorithm: &'static str,
    /// Its id.
    pub kid: String,
    pair: KeyPair,
}

impl SigningKey {
    /// A new key; of RSA always the same.
    #[must_use]
    pub fn new(algorithm: &'static str, kid: &str) -> Self {
        let pair = match algorithm {
            "EdDSA" => KeyPair::generate_for(&rcgen::PKCS_ED25519),
            "ES256" => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            "RS256" => KeyPair::from_pem_and_sign_algo(RSA, &rcgen::PKCS_RSA_SHA256),
            other => panic!("no keys for {other}"),
        };
        Self { algorithm, kid: kid.to_owned(), pair: pair.unwrap() }
    }

    /// The bytes of the public key: of a point, or of the modulus.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        let raw = self.pair.der_bytes();
        match self.algorithm {
            "EdDSA" => raw,
            "ES256" => &raw[1..],
            // RFC 8017, A.1.1: a sequence of two numbers, the first of 2048 bits.
            _ => &raw[9..265],
        }
    }

    /// Its entry in a key set.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let public = self.public();
        let mut jwk = match self.algorithm {
            "EdDSA" => json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(public)}),
            "ES256" => {
                let (x, y) = public.split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)})
            }
            _ => json!({"kty": "RSA", "n": base64url(public), "e": "AQAB"}),
        };
        jwk["kid"] = self.kid.clone().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The signature of a JWS. That of ES256 is of 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(message).unwrap();
        if self.algorithm == "ES256" { fixed(&signature) } else { signature }
    }

    /// The signature as X.509 has it: that of ES256 in DER.
    #[must_use]
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).unwrap()
    }

    /// A token of this header and these claims, whatever they are, signed.
    #[must_use]
    pub fn token_of(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", base64url(header), base64url(claims));
        let signature = base64url(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// The usual header of its tokens.
    #[must_use]
    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm, "typ": "JWT", "kid": self.kid})
    }

    /// A token of these claims, signed.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        self.token_of(self.header().to_string(), claims.to_string())
    }
}

/// Two numbers in DER as 64 bytes (RFC 7518, 3.4).
fn fixed(der: &[u8]) -> Vec<u8> {
    let (r_length, rest) = (usize::from(der[3]), &der[4..]);
    let (r, s) = (&rest[..r_length], &rest[r_length + 2..]);
    let padded = |number: &[u8]| {
        let digits = &number[number.len().saturating_sub(32)..];
        [vec![0; 32 - digits.len()], digits.to_vec()].concat()
    };
    [padded(r), padded(s)].concat()
}

/// The text of a key set.
#[must_use]
pub fn key_set(keys: &[Value]) -> String {
    json!({"keys": keys}).to_string()
}

/// An identity provider with one key.
pub struct IdentityProvider {
    /// Its short name, as the service has it.
    pub name: &'static str,
    /// Its `iss`.
    pub issuer: String,
    /// Its key.
    pub key: SigningKey,
}

impl IdentityProvider {
    /// A provider that signs with this algorithm.
    #[must_use]
    pub fn new(name: &'static str, algorithm: &'static str) -> Self {
        let issuer = format!("https://{name}.example");
        Self { name, issuer, key: SigningKey::new(algorithm, &format!("{name}-1")) }
    }

    /// Its row in the table of issuers; `keys` says where its keys are.
    #[must_use]
    pub fn row(&self, keys: &str) -> String {
        let Self { name, issuer, key } = self;
        let algorithm = key.algorithm;
        format!(
            "[[issuer]]\nname = \"{name}\"\nissuer = \"{issuer}\"\naudience = \"{AUDIENCE}\"\n\
             algorithm = \"{algorithm}\"\n{keys}\nworkspace_claim = \"{WORKSPACE_CLAIM}\"\n\
             role_claim = [\"access\", \"roles\"]\nowner_values = [\"owner\"]\n\
             member_values = [\"member\"]\nportal_claim = \"portal\"\n\
             partner_values = [\"partner\"]\n"
        )
    }

    /// Claims of a user with this role in a workspace, good for an hour.
    #[must_use]
    pub fn claims(&self, workspace: &str, role: &str) -> Value {
        let now = Clock::default().now().as_second();
        json!({
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "user-1",
            "iat": now,
            "exp": now + 3_600,
            WORKSPACE_CLAIM: workspace,
            "access": {"roles": [role, "something else"]},
        })
    }

    /// A token of a user with this role in the tenant's workspace.
    #[must_use]
    pub fn token(&self, tenant: &Tenant, role: &str) -> String {
        self.key.token(&self.claims(&tenant.id, role))
    }
}

/// The identity providers of a deployment: one for each algorithm, with their keys in files.
pub struct Identities {
    /// EdDSA.
    pub ed: IdentityProvider,
    /// ES256.
    pub ec: IdentityProvider,
    /// RS256.
    pub rsa: IdentityProvider,
}

impl Identities {
    /// New ones, whose keys and table are written into `folder`.
    #[must_use]
    pub(crate) fn write(folder: &Path) -> Self {
        let all = Self {
            ed: IdentityProvider::new("ed", "EdDSA"),
            ec: IdentityProvider::new("ec", "ES256"),
            rsa: IdentityProvider::new("rsa", "RS256"),
        };
        let mut table = String::new();
        for one in all.each() {
            let file = folder.join(format!("{}.json", one.name));
            std::fs::write(&file, key_set(&[one.key.jwk()])).unwrap();
            table.push_str(&one.row(&format!("jwks_file = {:?}", file.to_str().unwrap())));
        }
        std::fs::write(Self::table(folder), table).unwrap();
        all
    }

    /// All of them.
    #[must_use]
    pub const fn each(&self) -> [&IdentityProvider; 3] {
        [&self.ed, &self.ec, &self.rsa]
    }

    /// Where the table is.
    pub(crate) fn table(folder: &Path) -> std::path::PathBuf {
        folder.join("jwt-issuers.toml")
    }
}

impl Server {
    /// What a user with this role in the tenant's workspace presents.
    #[must_use]
    pub fn user_token(&self, tenant: &Tenant, role: &str) -> String {
        self.identities().ed.token(tenant, role)
    }
}
