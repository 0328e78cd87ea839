//! The one place every request passes before it is served: who may come in, and who only asks how we are.
//!
//! Comes in: the verified credentials, the operation and the path of a request. Goes out: let through, or
//! an S3 error. Faults on request belong to `chaos`; what an operation does belongs to `protocol`.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
    s3_error,
    validation::{AwsNameValidation, NameValidation},
};
use serde::{Deserialize, Serialize};

use crate::{Chaos, chaos::Weather};

/// Path of the health answer on the simulator's endpoint; needs no credentials.
pub const HEALTH_PATH: &str = "/_esteira/health";

pub(crate) const HEALTH_BUCKET: &str = "_esteira";
pub(crate) const HEALTH_KEY: &str = "health";

/// What `GET /_esteira/health` answers, as JSON: enough to tell our simulator from any other program that
/// may hold the port, and which folder it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Always `esteira-s3`.
    pub service: String,
    /// Absolute path of the folder that holds the buckets.
    pub dir: PathBuf,
    /// Process id of the simulator.
    pub pid: u32,
    /// Which faults it makes on request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chaos: Option<Chaos>,
    /// How many faults it has made so far, by kind; only with chaos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<BTreeMap<String, u64>>,
}

/// Where the health answer comes from.
pub(crate) struct Pulse {
    pub(crate) dir: PathBuf,
    pub(crate) weather: Option<Arc<Weather>>,
}

impl Pulse {
    pub(crate) fn health(&self) -> Health {
        Health {
            service: "esteira-s3".to_owned(),
            dir: self.dir.clone(),
            pid: std::process::id(),
            chaos: self.weather.as_ref().map(|weather| weather.chaos),
            faults: self.weather.as_ref().map(|weather| weather.faults()),
        }
    }
}

/// Knows one pair of keys.
pub(crate) struct OneUser {
    access_key: String,
    secret_key: SecretKey,
}

impl OneUser {
    pub(crate) fn new(access_key: &str, secret_key: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret_key: SecretKey::from(secret_key),
        }
    }
}

#[async_trait::async_trait]
impl S3Auth for OneUser {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.access_key {
            Ok(self.secret_key.clone())
        } else {
            Err(s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            ))
        }
    }
}

/// Lets every signed request in, and unsigned ones only to the health answer.
pub(crate) struct Gate;

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_some() || asks_health(request) {
            return Ok(());
        }
        Err(s3_error!(AccessDenied, "Access Denied"))
    }
}

fn asks_health(request: &S3AccessContext<'_>) -> bool {
    request.s3_op().name() == "GetObject"
        && request.s3_path().as_object() == Some((HEALTH_BUCKET, HEALTH_KEY))
}

/// AWS's bucket names, and the one name under which the health answer is reached. That name can never be a
/// bucket: creating one checks AWS's rules again.
pub(crate) struct BucketNames;

impl NameValidation for BucketNames {
    fn validate_bucket_name(&self, name: &str) -> bool {
        name == HEALTH_BUCKET || AwsNameValidation::new().validate_bucket_name(name)
    }
}
