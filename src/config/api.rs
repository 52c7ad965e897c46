//! Who gets into the API, and the API of another machine that queries ask in place of a database.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::limits::{origin, words};
use super::settings::{Found, Key, Origin, Settings};
use super::sources::Sources;
use super::upstream::Secret;

/// The variable with the token for the API of another machine.
const API_TOKEN: &str = "ARCHONCTL_API_TOKEN";

/// Who gets into the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiAccess {
    /// Nobody is asked who they are, wherever it listens.
    pub no_auth: bool,
    /// Sites whose pages may use it, `scheme://host[:port]`.
    pub cors_origins: Vec<String>,
    /// JWTs that are believed.
    pub jwt: Option<JwtSettings>,
}

/// Which JWTs are believed. One of the two files is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtSettings {
    /// A file of public keys, PEM or JWKS.
    pub key_file: Option<PathBuf>,
    /// A file with a shared secret.
    pub secret_file: Option<PathBuf>,
    /// What `iss` has to be.
    pub issuer: String,
    /// What has to be in `aud`.
    pub audience: String,
}

/// The API of another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteApi {
    /// `http://` or `https://`, without a slash at the end.
    pub url: String,
    /// The token that is shown to it.
    pub token: Option<Secret>,
}

/// `true` or `false`.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("'{text}' is neither 'true' nor 'false'")),
    }
}

fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("the value is empty".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn site(text: &str) -> Result<String, String> {
    match origin(text)?.as_str() {
        "*" => Err("'*' names no site; name each one, such as https://app.example.com".to_owned()),
        site => Ok(site.to_owned()),
    }
}

/// How strong a layer is. What other programs name in `DATABASE_URL` is none of ours.
fn strength(found: &Found) -> u8 {
    match &found.origin {
        Origin::Default | Origin::LegacyEnvironment(_) => 0,
        Origin::Environment(variable) if variable == "DATABASE_URL" => 0,
        Origin::UserFile(_) => 1,
        Origin::ProjectFile(_) => 2,
        Origin::Environment(_) => 3,
        Origin::Flag(_) => 4,
    }
}

fn invalid(key: Key, found: &Found, reason: impl Into<String>, hint: &str) -> ConfigError {
    ConfigError::Invalid {
        key: key.name(),
        origin: found.origin.to_string(),
        reason: reason.into(),
        hint: Some(hint.to_owned()),
    }
}

impl Settings {
    pub(super) fn api_access(&self) -> Result<ApiAccess, ConfigError> {
        Ok(ApiAccess {
            no_auth: self.parsed(Key::NoAuth, flag)?.unwrap_or_default(),
            cors_origins: self
                .parsed(Key::ApiCorsOrigin, |text| words(text, site))?
                .unwrap_or_default(),
            jwt: self.jwt()?,
        })
    }

    fn jwt(&self) -> Result<Option<JwtSettings>, ConfigError> {
        let all = [
            Key::JwtKeyFile,
            Key::JwtSecretFile,
            Key::JwtIssuer,
            Key::JwtAudience,
        ];
        let Some((said, found)) = all.into_iter().find_map(|key| Some((key, self.get(key)?)))
        else {
            return Ok(None);
        };
        let missing = |what: &str, hint: &str| {
            invalid(
                said,
                found,
                format!("JWTs are not verified without {what}"),
                hint,
            )
        };
        let file = |key| self.parsed(key, |text| not_empty(text).map(PathBuf::from));
        let (key_file, secret_file) = (file(Key::JwtKeyFile)?, file(Key::JwtSecretFile)?);
        if key_file.is_none() && secret_file.is_none() {
            return Err(missing(
                "a key",
                "name a file of public keys with jwt_key_file (PEM or JWKS), or one with a secret with jwt_secret_file",
            ));
        }
        let text = |key| self.parsed(key, not_empty);
        let issuer = text(Key::JwtIssuer)?.ok_or_else(|| {
            missing(
                "an issuer",
                "say with jwt_issuer what the claim iss has to be",
            )
        })?;
        let audience = text(Key::JwtAudience)?.ok_or_else(|| {
            missing(
                "an audience",
                "say with jwt_audience what has to be in the claim aud, so that tokens for others let nobody in here",
            )
        })?;
        Ok(Some(JwtSettings {
            key_file,
            secret_file,
            issuer,
            audience,
        }))
    }

    /// The API that queries ask in place of a database, if they do.
    ///
    /// # Errors
    /// When the same layer names both, the URL is none, or the token cannot be read.
    pub fn remote_api(&self, sources: &Sources) -> Result<Option<RemoteApi>, ConfigError> {
        let Some(found) = self.get(Key::ApiUrl) else {
            return match self.get(Key::ApiTokenFile) {
                Some(found) if matches!(found.origin, Origin::Flag(_)) => Err(invalid(
                    Key::ApiTokenFile,
                    found,
                    "there is no API to show the token to",
                    "say where it is with --api-url or ARCHONCTL_API_URL",
                )),
                _ => Ok(None),
            };
        };
        let store = [
            Key::DataDir,
            Key::DatabaseUrl,
            Key::DatabaseUrlFile,
            Key::DatabaseSchema,
        ];
        let store = store
            .into_iter()
            .filter_map(|key| Some((key, self.get(key)?)));
        if let Some((key, said)) = store.max_by_key(|(_, found)| strength(found)) {
            if strength(said) > strength(found) {
                return Ok(None);
            }
            if strength(said) == strength(found) {
                let there = match said.origin {
                    Origin::Flag(_) => key.flag(),
                    Origin::Environment(_) => key.variable(),
                    _ => key.name().to_owned(),
                };
                return Err(invalid(
                    Key::ApiUrl,
                    found,
                    format!(
                        "{there} names a store in the same place; which of them is to be asked?"
                    ),
                    "leave one of them out: an API is asked in place of a store",
                ));
            }
        }
        let url = self.parsed(Key::ApiUrl, api_url)?.unwrap_or_default();
        let token = self.api_token(sources)?;
        Ok(Some(RemoteApi { url, token }))
    }

    /// The token: from the file of a flag, else from the environment, else from a file that is named elsewhere.
    fn api_token(&self, sources: &Sources) -> Result<Option<Secret>, ConfigError> {
        let file = self.get(Key::ApiTokenFile);
        let by_flag = file.is_some_and(|found| matches!(found.origin, Origin::Flag(_)));
        if let Some(value) = sources.variable(API_TOKEN).filter(|_| !by_flag) {
            let text = value.into_string().unwrap_or_default();
            return token(&text).map(Some).ok_or_else(|| ConfigError::Invalid {
                key: "api_token",
                origin: API_TOKEN.to_owned(),
                reason: "it is no token: one word is expected".to_owned(),
                hint: Some("`archonctl token create` prints tokens".to_owned()),
            });
        }
        let Some(found) = file else { return Ok(None) };
        let path = Path::new(&found.text);
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            file: path.to_owned(),
            reason: error.to_string(),
        })?;
        token(&text).map(Some).ok_or_else(|| {
            invalid(
                Key::ApiTokenFile,
                found,
                format!(
                    "{} does not hold one token and nothing else",
                    path.display()
                ),
                "`archonctl token create NAME --scope read -q > FILE` makes such a file",
            )
        })
    }
}

/// One word, as `Authorization: Bearer` takes it.
fn token(text: &str) -> Option<Secret> {
    let text = text.trim();
    let sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then(|| Secret(text.to_owned()))
}

/// `http://host[:port][/path]`, or the same with https; no user, no password, no query.
fn api_url(text: &str) -> Result<String, String> {
    let shown = super::upstream::without_secrets(text);
    let text = text.trim().trim_end_matches('/');
    let sound = text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri
                .authority()
                .is_some_and(|authority| !authority.host().is_empty())
            && uri.query().is_none()
    });
    if text.contains('@') {
        Err("a user or password in the URL is refused; the token belongs into ARCHONCTL_API_TOKEN or api_token_file".to_owned())
    } else if sound {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "'{shown}' is no URL of an API; http://127.0.0.1:8181 is one"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_apis_have_no_secrets_and_no_slash_at_the_end() {
        for (text, url) in [
            ("http://127.0.0.1:8181", "http://127.0.0.1:8181"),
            ("https://archon.example.com/", "https://archon.example.com"),
            ("https://example.com/archon/", "https://example.com/archon"),
        ] {
            assert_eq!(api_url(text).as_deref(), Ok(url));
        }
        for text in [
            "",
            "127.0.0.1:8181",
            "ftp://example.com",
            "http://me:hunter2@example.com",
            "http://example.com?token=hunter2",
            "http:///x",
        ] {
            let said = api_url(text).expect_err(text);
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn every_site_is_named() {
        assert_eq!(
            site("https://App.example.com/").as_deref(),
            Ok("https://app.example.com")
        );
        for text in ["*", "app.example.com", "https://x/y"] {
            assert!(site(text).is_err(), "{text}");
        }
    }
}
