//! Production and sandbox: each has its own keys and its own host.

use crate::api::BaseUrl;
use crate::error::ConfigError;
use crate::secret::ApiKey;

/// Where a key is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Environment {
    Production,
    Sandbox,
}

impl Environment {
    pub(super) fn of_key(key: &ApiKey) -> Option<Self> {
        match () {
            () if key.starts_with("cae_live_") => Some(Self::Production),
            () if key.starts_with("cae_test_") => Some(Self::Sandbox),
            () => None,
        }
    }

    pub(super) fn base_url(self) -> &'static str {
        match self {
            Self::Production => "https://api.curaeai.com",
            Self::Sandbox => "https://sandbox.curaeai.com",
        }
    }

    /// Errors: `wrong_environment`; `invalid_api_key` if the host is the vendor's, and the key
    /// belongs to neither environment.
    pub(super) fn check(of_key: Option<Self>, base_url: &BaseUrl) -> Result<(), ConfigError> {
        match (of_key, Self::of_host(base_url.host())) {
            (Some(key), Some(url)) if key != url => Err(ConfigError::WrongEnvironment {
                key: key.name(),
                url: url.name(),
            }),
            (None, Some(_)) => Err(ConfigError::InvalidApiKey {
                reason: "it must start with cae_live_ (production) or cae_test_ (sandbox)".into(),
            }),
            _ => Ok(()),
        }
    }

    fn of_host(host: &str) -> Option<Self> {
        // To a resolver, `host.` is `host`.
        let host = host.strip_suffix('.').unwrap_or(host);
        [Self::Production, Self::Sandbox]
            .into_iter()
            .find(|environment| {
                let url = environment.base_url();
                url.strip_prefix("https://")
                    .is_some_and(|vendors| vendors.eq_ignore_ascii_case(host))
            })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }
}
