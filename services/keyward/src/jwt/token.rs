//! A token read strictly, before anybody believes it: three parts of canonical base64url, a header with
//! nothing in it that could choose a key or a way to check (RFC 8725, 3.1, 3.9 and 3.10).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::json;

/// The most bytes that a token may have.
const LONGEST: usize = 8 * 1024;

/// The most characters of a key's id.
const LONGEST_KID: usize = 128;

/// Members of a header that name or bring a key, or change what is signed or how. Whatever they say, a
/// token with one is not taken. (`x5t`, a mere thumbprint that some providers always send, is not read.)
const REFUSED: [&str; 8] = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "enc", "zip"];

/// What a token says, as long as nobody has checked who says so.
#[derive(Debug)]
pub(super) struct Unverified {
    /// The algorithm that it claims.
    pub(super) algorithm: String,
    /// The id of the key, only ever to be compared.
    pub(super) kid: Option<String>,
    /// The claims.
    pub(super) claims: Map<String, Value>,
}

impl Unverified {
    /// Takes a token apart.
    pub(super) fn read(jwt: &str) -> Result<Self, Fault> {
        if jwt.len() > LONGEST {
            return Err(Fault::Size);
        }
        let mut parts = jwt.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::Form);
        };
        let header = json::object(&decoded(header)?).ok_or(Fault::Form)?;
        let claims = json::object(&decoded(claims)?).ok_or(Fault::Form)?;
        if decoded(signature)?.is_empty() {
            return Err(Fault::Form);
        }
        if REFUSED.iter().any(|&name| header.contains_key(name)) || !typ_is_ours(&header) {
            return Err(Fault::Header);
        }
        let Some(Value::String(algorithm)) = header.get("alg") else {
            return Err(Fault::Header);
        };
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) if is_visible(kid, LONGEST_KID) => Some(kid.clone()),
            Some(_) => return Err(Fault::Header),
        };
        Ok(Self { algorithm: algorithm.clone(), kid, claims })
    }
}

/// Base64url without padding, in its one canonical spelling.
pub(super) fn decoded(part: &str) -> Result<Vec<u8>, Fault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Form)
}

/// 1 to `most` visible ASCII characters.
pub(super) fn is_visible(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether `typ`, if it is there, says that this is a JWT, or the access token of RFC 9068.
fn typ_is_ours(header: &Map<String, Value>) -> bool {
    match header.get("typ") {
        None => true,
        Some(Value::String(typ)) => {
            let typ = typ.to_ascii_lowercase();
            ["jwt", "at+jwt"].contains(&typ.strip_prefix("application/").unwrap_or(&typ))
        }
        Some(_) => false,
    }
}
