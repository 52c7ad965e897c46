//! Where spans and metrics are sent, by OpenTelemetry's own variables beside our setting.
//!
//! Owns which of them are understood (OpenTelemetry specification, "Environment Variable Specification" and "OpenTelemetry
//! Protocol Exporter"), and what they may be.

use super::error::ConfigError;
use super::settings::{Key, Settings};
use super::sources::Sources;
use super::upstream::{Secret, parse_url};

/// Names the collector, for exporters of every program.
pub(super) const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const SERVICE: &str = "OTEL_SERVICE_NAME";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// Where spans and metrics are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpOptions {
    /// The collector's address, to which `/v1/traces` and `/v1/metrics` are added; without a slash at the end.
    pub endpoint: String,
    /// Sent with everything: names and values.
    pub headers: Vec<(String, Secret)>,
    /// What this program is called there.
    pub service_name: String,
    /// What else is said of it: names and values.
    pub resource: Vec<(String, String)>,
}

impl Settings {
    /// Where spans and metrics are sent; `None` where nothing says so.
    pub(super) fn otlp(&self, sources: &Sources) -> Result<Option<OtlpOptions>, ConfigError> {
        let endpoint = self.checked(Key::OtlpEndpoint, |text| {
            let endpoint = parse_url(text)?;
            // A server of MCP is given a path where it has none; a collector has none.
            let bare = endpoint
                .strip_suffix("/mcp")
                .filter(|_| !text.ends_with("/mcp"));
            if endpoint.contains('?') {
                return Err((
                    "a query is not understood: paths are added to the address".to_owned(),
                    None,
                ));
            }
            Ok(bare.unwrap_or(&endpoint).trim_end_matches('/').to_owned())
        })?;
        let disabled =
            text(sources, DISABLED)?.is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let Some(endpoint) = endpoint.filter(|_| !disabled) else {
            return Ok(None);
        };
        if let Some(protocol) = text(sources, PROTOCOL)?
            && protocol != "http/protobuf"
        {
            return Err(invalid(
                PROTOCOL,
                format!("'{protocol}' is not spoken here; http/protobuf is"),
                Some("most collectors take it at port 4318"),
            ));
        }
        let mut resource = pairs(sources, RESOURCE)?;
        let named = resource.iter().position(|(name, _)| name == "service.name");
        let named = named.map(|place| resource.remove(place).1);
        let service = text(sources, SERVICE)?;
        let headers = pairs(sources, HEADERS)?;
        for (name, value) in &headers {
            let sound = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                && http::HeaderValue::from_str(value).is_ok();
            if !sound {
                // The value is a secret, and the name may be a part of one.
                return Err(invalid(
                    HEADERS,
                    "one of them is no header".to_owned(),
                    None,
                ));
            }
        }
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name, Secret(value)));
        Ok(Some(OtlpOptions {
            endpoint,
            headers: headers.collect(),
            service_name: service.or(named).unwrap_or_else(|| "archonctl".to_owned()),
            resource,
        }))
    }
}

fn invalid(variable: &'static str, reason: String, hint: Option<&str>) -> ConfigError {
    ConfigError::Invalid {
        key: Key::OtlpEndpoint.name(),
        origin: variable.to_owned(),
        reason,
        hint: hint.map(str::to_owned),
    }
}

fn text(sources: &Sources, variable: &'static str) -> Result<Option<String>, ConfigError> {
    let value = sources
        .variable(variable)
        .map(std::ffi::OsString::into_string);
    value
        .transpose()
        .map_err(|_| invalid(variable, "the value is not UTF-8".to_owned(), None))
}

/// `name=value` with commas between them, the values percent-encoded (W3C Baggage).
fn pairs(sources: &Sources, variable: &'static str) -> Result<Vec<(String, String)>, ConfigError> {
    let text = text(sources, variable)?.unwrap_or_default();
    let mut pairs = Vec::new();
    for pair in text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let decoded = pair
            .split_once('=')
            .and_then(|(name, value)| Some((name.trim(), decoded(value.trim())?)))
            .filter(|(name, _)| !name.is_empty());
        let Some((name, value)) = decoded else {
            return Err(invalid(
                variable,
                "name=value is expected, with commas between several".to_owned(),
                None,
            ));
        };
        pairs.push((name.to_owned(), value));
    }
    Ok(pairs)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first == b'%' {
            let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = behind.get(2..)?;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::settings::Flags;
    use super::*;

    fn otlp(variables: &[(&str, &str)], flag: Option<&str>) -> Result<Option<OtlpOptions>, String> {
        let sources = Sources::made_up(variables, Path::new("/nowhere"));
        let flags = Flags::default().with(Key::OtlpEndpoint, flag.map(str::to_owned));
        let settings = Settings::resolve(&sources, flags).map_err(|error| error.to_string())?;
        settings.otlp(&sources).map_err(|error| error.to_string())
    }

    #[test]
    fn the_usual_variables_are_understood_and_a_flag_goes_before_them() {
        assert_eq!(otlp(&[], None), Ok(None));
        let options = otlp(
            &[
                (ENDPOINT, "https://collector.example/otlp/"),
                (HEADERS, "Authorization=Bearer%20geheim, x-team = tools"),
                (
                    RESOURCE,
                    "service.name=other,deployment.environment=caf%C3%A9",
                ),
                (SERVICE, "tracker"),
            ],
            None,
        );
        let options = options.expect("understood").expect("on");
        assert_eq!(options.endpoint, "https://collector.example/otlp");
        assert_eq!(options.service_name, "tracker");
        let resource = [("deployment.environment".to_owned(), "caf\u{e9}".to_owned())];
        assert_eq!(options.resource, resource);
        let headers: Vec<_> = options
            .headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.0.as_str()))
            .collect();
        assert_eq!(
            headers,
            [("Authorization", "Bearer geheim"), ("x-team", "tools")]
        );
        assert!(!format!("{options:?}").contains("geheim"));
        let flagged = otlp(&[(ENDPOINT, "http://a:1")], Some("http://127.0.0.1:4318"));
        assert_eq!(
            flagged.expect("understood").expect("on").endpoint,
            "http://127.0.0.1:4318"
        );
        let off = otlp(&[(ENDPOINT, "http://a:1"), (DISABLED, "true")], None);
        assert_eq!(off, Ok(None));
    }

    #[test]
    fn what_is_not_understood_is_refused_without_secrets() {
        for (variables, said) in [
            (&[(ENDPOINT, "collector:4317")][..], "is expected"),
            (
                &[(ENDPOINT, "http://me:geheim@a")],
                "credentials in the URL are refused",
            ),
            (
                &[(ENDPOINT, "http://a/?key=geheim")],
                "a query is not understood",
            ),
            (
                &[(ENDPOINT, "http://a"), (PROTOCOL, "grpc")],
                "'grpc' is not spoken here",
            ),
            (
                &[(ENDPOINT, "http://a"), (HEADERS, "geheim")],
                "name=value is expected",
            ),
            (
                &[(ENDPOINT, "http://a"), (HEADERS, "a=geheim%0A")],
                "one of them is no header",
            ),
            (
                &[(ENDPOINT, "http://a"), (RESOURCE, "a=%zz")],
                "name=value is expected",
            ),
        ] {
            let error = otlp(variables, None).expect_err(said);
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}
