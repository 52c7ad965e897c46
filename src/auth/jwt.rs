//! JWTs (RFC 7519): whose they are and what they allow, once signature, issuer, audience and times are right.

use std::path::PathBuf;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::crypto;
use super::keys::{self, Key, KeyError};
use super::login::Principal;
use super::scope::Scopes;

/// By how many seconds clocks may differ.
const LEEWAY: u64 = 30;
/// Longest token that is looked at.
const LONGEST: usize = 16 << 10;
/// What scopes may begin with where others share the claim: `archonctl:read`.
const OURS: &str = "archonctl:";

/// Where keys are, and who is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtOptions {
    /// A file of public keys, PEM or JWKS.
    pub key_file: Option<PathBuf>,
    /// A file with a shared secret, for HS256.
    pub secret_file: Option<PathBuf>,
    /// What `iss` has to be.
    pub issuer: String,
    /// What has to be in `aud`.
    pub audience: String,
}

/// Verifies JWTs.
#[derive(Debug)]
pub struct Jwts {
    keys: Vec<Key>,
    issuer: String,
    audience: String,
}

/// What of the claims is read beside those that are checked.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    /// One text with blanks in it (RFC 8693, section 4.2); some issuers write a list.
    scope: Option<Value>,
    /// The same under the name that other issuers use.
    scp: Option<Value>,
}

impl Claims {
    fn scopes(&self) -> Scopes {
        let texts = [&self.scope, &self.scp].into_iter().flatten();
        let texts = texts.flat_map(|claim| match claim {
            Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
            Value::String(text) => vec![text.as_str()],
            _ => Vec::new(),
        });
        let words = texts.flat_map(str::split_whitespace);
        Scopes::among(words.map(|word| word.strip_prefix(OURS).unwrap_or(word)))
    }
}

impl Jwts {
    /// Reads the keys.
    ///
    /// # Errors
    /// When a file has none that can be used.
    pub fn new(options: &JwtOptions) -> Result<Self, KeyError> {
        crypto::install();
        let mut all = Vec::new();
        if let Some(file) = &options.key_file {
            all.extend(keys::public_keys(file)?);
        }
        if let Some(file) = &options.secret_file {
            all.push(keys::secret(file)?);
        }
        Ok(Self {
            keys: all,
            issuer: options.issuer.clone(),
            audience: options.audience.clone(),
        })
    }

    /// Whose `token` is.
    ///
    /// # Errors
    /// Says why it lets nobody in.
    pub(super) fn principal(&self, token: &str) -> Result<Principal, &'static str> {
        if token.len() > LONGEST {
            return Err("the token is too long");
        }
        let header =
            decode_header(token).map_err(|_| "the token is neither of archonctl nor a JWT")?;
        if header.crit.is_some() {
            return Err("the token has critical headers that are not known here");
        }
        let mut why = "the token was signed with a key or an algorithm that is not known here";
        for key in &self.keys {
            // The algorithm is the key's: what the header says only has to agree.
            let named = key.id.is_none() || header.kid.is_none() || key.id == header.kid;
            if key.algorithm != header.alg || !named {
                continue;
            }
            match decode::<Claims>(token, &key.decoding, &self.validation(key)) {
                Ok(data) => {
                    return Ok(Principal {
                        scopes: data.claims.scopes(),
                        name: data.claims.sub.unwrap_or_else(|| "a JWT".to_owned()),
                    });
                }
                Err(error) => match error.kind() {
                    ErrorKind::InvalidSignature => why = "the token's signature is wrong",
                    kind => return Err(told(kind)),
                },
            }
        }
        Err(why)
    }

    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation
    }
}

fn told(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not good yet",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks one of the claims exp, iss and aud",
        _ => "the token cannot be read",
    }
}
