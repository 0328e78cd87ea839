//! The standard AWS settings, from the environment and the shared profile files.
//!
//! The environment, web identity, container and instance roles are read by `object_store`. What it
//! does not read are profiles: this room adds them, in the format of the AWS CLI's *Configuration
//! and credential file settings*. Single sign-on and `credential_process` are not supported.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

/// The process environment, handed in so that tests can bring their own.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// Names alone: values are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars().collect()
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn aws_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The settings of the profile in force, `AWS_PROFILE` or `default`, from both shared files.
    /// Missing files are no error, they are the usual case.
    pub(super) fn profile(&self) -> BTreeMap<String, String> {
        let profile = self.get("AWS_PROFILE").unwrap_or("default");
        let home = self.get("HOME").map(PathBuf::from).unwrap_or_default();
        let file = |variable: &str, name: &str| {
            let path = self
                .get(variable)
                .map_or_else(|| home.join(".aws").join(name), PathBuf::from);
            std::fs::read_to_string(path).unwrap_or_default()
        };
        let config = file("AWS_CONFIG_FILE", "config");
        let section = if profile == "default" {
            "default".to_owned()
        } else {
            format!("profile {profile}")
        };
        let mut settings = ini_section(&config, &section);
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        settings.extend(ini_section(&credentials, profile));
        settings
    }
}

/// The keys of a profile, read again while they are used: whoever renews them writes the file again.
#[derive(Debug)]
pub(super) struct ProfileCredentials {
    environment: Environment,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    credential: Arc<AwsCredential>,
    read: Instant,
}

/// How long keys are used before they are read again.
const FRESH: Duration = Duration::from_secs(2);

impl ProfileCredentials {
    /// Those of the profile in force, if it has keys.
    pub(super) fn of(environment: &Environment) -> Option<Self> {
        let known = Known {
            credential: Arc::new(keys_of(&environment.profile())?),
            read: Instant::now(),
        };
        Some(Self {
            environment: environment.clone(),
            known: Mutex::new(known),
        })
    }
}

#[async_trait]
impl CredentialProvider for ProfileCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.read.elapsed() >= FRESH {
            // A file that is being written has no keys for a moment: the known ones stay.
            if let Some(keys) = keys_of(&self.environment.profile()) {
                known.credential = Arc::new(keys);
            }
            known.read = Instant::now();
        }
        Ok(Arc::clone(&known.credential))
    }
}

fn keys_of(profile: &BTreeMap<String, String>) -> Option<AwsCredential> {
    Some(AwsCredential {
        key_id: profile.get("aws_access_key_id")?.clone(),
        secret_key: profile.get("aws_secret_access_key")?.clone(),
        token: profile.get("aws_session_token").cloned(),
    })
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(variables: T) -> Self {
        Self {
            variables: variables.into_iter().collect(),
        }
    }
}

fn ini_section(text: &str, wanted: &str) -> BTreeMap<String, String> {
    let mut inside = false;
    let mut settings = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            inside = name.split_whitespace().eq(wanted.split_whitespace());
        } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_settings_come_from_both_shared_files() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        let credentials = folder.path().join("credentials");
        std::fs::write(
            &config,
            "[default]\nregion = us-east-1\n[profile  bank]\n# comment\nregion = sa-east-1\nendpoint_url=http://x:1\n",
        )
        .unwrap();
        std::fs::write(
            &credentials,
            "[bank]\naws_access_key_id = AK\naws_secret_access_key=a=b\n",
        )
        .unwrap();
        let env: Environment = [
            ("AWS_PROFILE", "bank"),
            ("AWS_CONFIG_FILE", config.to_str().unwrap()),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap()),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into_iter()
        .collect();
        let profile = env.profile();
        assert_eq!(profile["region"], "sa-east-1");
        assert_eq!(profile["endpoint_url"], "http://x:1");
        assert_eq!(profile["aws_access_key_id"], "AK");
        assert_eq!(profile["aws_secret_access_key"], "a=b");
    }
}
