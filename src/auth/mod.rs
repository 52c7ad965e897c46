//! Who asks: a token of the API or a JWT, to a principal and what it may do.
//!
//! Owns how tokens are made and checked, which keys JWTs are verified with, and how often an address may try. Knows no HTTP:
//! what is asked of whom, and what a refusal looks like, is `api`'s.

mod crypto;
mod jwt;
mod keys;
mod limit;
mod login;
mod scope;
mod token;

#[cfg(test)]
mod tests;

pub use jwt::{JwtOptions, Jwts};
pub use keys::KeyError;
pub use login::{Login, Principal, Refused};
pub use scope::{Scope, Scopes};
pub use token::{Created, TokenError, TokenInfo, create, list, revoke, token_name, usable};
