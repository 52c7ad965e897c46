//! Files with the keys that JWTs are verified with: public keys as PEM, a set of them as JWKS, or a secret that is shared.
//!
//! What a key is decides which algorithm it is good for, and each is good for one: RSA for RS256, P-256 for ES256, Ed25519 for
//! EdDSA, a secret for HS256. A token's own word about it opens nothing (RFC 8725, section 3.1).

use std::fmt;
use std::path::{Path, PathBuf};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;

/// Shortest secret for HS256, in bytes (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;
/// Shortest key of RSA, in bits (RFC 7518, section 3.3).
const SHORTEST_RSA: usize = 2_048;

/// Why a file has no keys.
#[derive(Debug, thiserror::Error)]
#[error("the keys in {} cannot be used: {why}", .file.display())]
pub struct KeyError {
    file: PathBuf,
    why: String,
}

/// A key, the one algorithm it is good for, and its name.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) id: Option<String>,
    pub(super) decoding: DecodingKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| error.to_string())
}

/// The public keys in `file`, PEM or JWKS.
pub(super) fn public_keys(file: &Path) -> Result<Vec<Key>, KeyError> {
    let keys = read(file).and_then(|bytes| {
        if bytes.trim_ascii_start().starts_with(b"{") {
            of_set(&bytes)
        } else {
            of_pem(&bytes)
        }
    });
    keys.map_err(|why| KeyError {
        file: file.to_owned(),
        why,
    })
}

/// The secret in `file`; the end of a line behind it is none of it.
pub(super) fn secret(file: &Path) -> Result<Key, KeyError> {
    let key = read(file).and_then(|bytes| {
        let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
        let begins = secret.trim_ascii_start();
        if begins.starts_with(b"{") || begins.starts_with(b"-----BEGIN") {
            // Everybody may know a public key: it would let everybody in.
            return Err("this is no secret but a file of keys; it belongs to jwt_key_file".to_owned());
        }
        if secret.len() < SHORTEST_SECRET {
            return Err(format!(
                "the secret has {} bytes; HS256 wants {SHORTEST_SECRET} or more (openssl rand -hex 32)",
                secret.len()
            ));
        }
        Ok(Key {
            algorithm: Algorithm::HS256,
            id: None,
            decoding: DecodingKey::from_secret(secret),
        })
    });
    key.map_err(|why| KeyError {
        file: file.to_owned(),
        why,
    })
}

fn of_pem(bytes: &[u8]) -> Result<Vec<Key>, String> {
    let text = String::from_utf8_lossy(bytes);
    let has = |what: &str| text.contains(&format!("-----BEGIN {what}-----"));
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "there is a private key in it, which has no business here; `openssl pkey -in FILE -pubout` gives the public one"
                .to_owned(),
        );
    }
    let mut keys = Vec::new();
    for key in SubjectPublicKeyInfoDer::pem_slice_iter(bytes) {
        let key = key.map_err(|error| format!("it is no PEM: {error}"))?;
        keys.push(of_public_key_info(&key)?);
    }
    if !keys.is_empty() {
        return Ok(keys);
    }
    Err(if has("CERTIFICATE") {
        "it is a certificate; `openssl x509 -in FILE -pubkey -noout` gives its public key"
    } else if has("RSA PUBLIC KEY") {
        "it is in an older form; `openssl rsa -RSAPublicKey_in -in FILE -pubout` gives the one that is expected"
    } else {
        "there is none in it; PEM (-----BEGIN PUBLIC KEY-----) or a JWKS ({\"keys\":[…]}) is expected"
    }
    .to_owned())
}

/// The content of an element of DER with the tag `tag`, and what follows it (X.690, sections 8.1 and 10.1).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let bytes = [*rest.first()?, *rest.get(1)?];
            (usize::from(u16::from_be_bytes(bytes)), rest.get(2..)?)
        }
        _ => return None,
    };
    (found == tag)
        .then(|| rest.split_at_checked(length))
        .flatten()
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OBJECT: u8 = 0x06;
/// rsaEncryption (RFC 8017, appendix C).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-ecPublicKey and secp256r1 (RFC 5480, section 2.1.1).
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// id-Ed25519 (RFC 8410, section 3).
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const SUPPORTED: &str = "RSA of 2048 bits or more, P-256 and Ed25519 are supported";

/// The key of a SubjectPublicKeyInfo (RFC 5280, section 4.1).
fn of_public_key_info(der: &[u8]) -> Result<Key, String> {
    let parts = || {
        let (info, _) = element(der, SEQUENCE)?;
        let (algorithm, rest) = element(info, SEQUENCE)?;
        let (object, parameters) = element(algorithm, OBJECT)?;
        let (bits, _) = element(rest, BITS)?;
        Some((object, parameters, bits.strip_prefix(&[0])?))
    };
    let (object, parameters, key) = parts().ok_or("a key in it is damaged")?;
    let key = match object {
        RSA => {
            let modulus = || {
                let (numbers, _) = element(key, SEQUENCE)?;
                Some(element(numbers, INTEGER)?.0)
            };
            rsa_is_long_enough(modulus().ok_or("a key in it is damaged")?)?;
            (Algorithm::RS256, DecodingKey::from_rsa_der(key))
        }
        EC if element(parameters, OBJECT).is_some_and(|(curve, _)| curve == P256) => {
            is_point(key)?;
            (Algorithm::ES256, DecodingKey::from_ec_der(key))
        }
        ED25519 if key.len() == 32 => (Algorithm::EdDSA, DecodingKey::from_ed_der(key)),
        _ => return Err(format!("a key in it is of another kind; {SUPPORTED}")),
    };
    Ok(Key {
        algorithm: key.0,
        id: None,
        decoding: key.1,
    })
}

fn rsa_is_long_enough(modulus: &[u8]) -> Result<(), String> {
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let bits = 8 * (modulus.len() - zeros);
    if bits >= SHORTEST_RSA {
        Ok(())
    } else {
        Err(format!("a key in it has {bits} bits; {SUPPORTED}"))
    }
}

/// An uncompressed point of P-256.
fn is_point(key: &[u8]) -> Result<(), String> {
    if key.len() == 65 && key.first() == Some(&4) {
        Ok(())
    } else {
        Err("a key in it is no uncompressed point of P-256".to_owned())
    }
}

/// The keys of a JWKS (RFC 7517) that are good for signatures that are supported; others in it are left out.
fn of_set(bytes: &[u8]) -> Result<Vec<Key>, String> {
    let set: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
    let members = set.get("keys").and_then(serde_json::Value::as_array);
    let members = members.ok_or("it has no list 'keys'")?;
    let mut keys = Vec::new();
    for member in members {
        if member.get("d").is_some() {
            return Err("there is a private key in it, which has no business here".to_owned());
        }
        if member.get("k").is_some() {
            return Err(
                "there is a secret in it; a secret of HS256 belongs to jwt_secret_file".to_owned(),
            );
        }
        let Ok(jwk) = serde_json::from_value::<Jwk>(member.clone()) else {
            continue;
        };
        keys.extend(of_member(&jwk)?);
    }
    if keys.is_empty() {
        return Err(format!("none of its keys can be used; {SUPPORTED}"));
    }
    Ok(keys)
}

fn of_member(jwk: &Jwk) -> Result<Option<Key>, String> {
    let named = jwk.common.key_algorithm;
    let algorithm = match (&jwk.algorithm, named) {
        (AlgorithmParameters::RSA(_), None | Some(KeyAlgorithm::RS256)) => Algorithm::RS256,
        (AlgorithmParameters::EllipticCurve(key), None | Some(KeyAlgorithm::ES256))
            if key.curve == EllipticCurve::P256 =>
        {
            Algorithm::ES256
        }
        (AlgorithmParameters::OctetKeyPair(key), None | Some(KeyAlgorithm::EdDSA))
            if key.curve == EllipticCurve::Ed25519 =>
        {
            Algorithm::EdDSA
        }
        _ => return Ok(None),
    };
    if !matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    ) {
        return Ok(None);
    }
    let key = DecodingKey::from_jwk(jwk).map_err(|error| format!("a key in it: {error}"))?;
    match (algorithm, key.kind()) {
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, .. }) => rsa_is_long_enough(n)?,
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => is_point(point)?,
        (_, DecodingKeyKind::SecretOrDer(key)) if key.len() == 32 => {}
        _ => return Err("a key in it is damaged".to_owned()),
    }
    Ok(Some(Key {
        algorithm,
        id: jwk.common.key_id.clone(),
        decoding: key,
    }))
}
