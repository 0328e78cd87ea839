//! Connecting to the services of an AWS account with the standard settings.
//!
//! Comes in: the process environment. Goes out: a client, credentials, a region and an endpoint, for the bucket
//! and for whatever else of the account is asked.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpConnector as _, ReqwestConnector};
use object_store::{ClientOptions, Error as StoreError, ObjectStore, RetryConfig};

use super::BucketError;
use super::credentials::{Environment, ProfileCredentials};
use super::s3_api::{S3Api, innermost};
use super::s3_store::S3Store;

/// What it takes to ask other services of the same account.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) client: HttpClient,
    pub(crate) credentials: AwsCredentialProvider,
    pub(crate) region: String,
    /// Where the service answers, if a setting says so.
    pub(crate) endpoint: Option<String>,
}

/// The settings of `environment` for the service whose own endpoint is in `endpoint_variable`, and that
/// answers at `endpoint` unless told otherwise.
pub(crate) fn access(
    environment: &Environment,
    endpoint_variable: &str,
    endpoint: &str,
) -> Result<Access, BucketError> {
    let own = environment
        .get(endpoint_variable)
        .or_else(|| environment.get("AWS_ENDPOINT_URL"))
        .map(str::to_owned)
        .or_else(|| environment.profile().get("endpoint_url").cloned());
    // The credentials are those of any bucket.
    let (_, api) = open_s3("none", environment)?;
    let options = client_options(own.as_deref().unwrap_or(endpoint));
    let client = ReqwestConnector::default()
        .connect(&options)
        .map_err(|error| BucketError::Credentials {
            bucket: endpoint.to_owned(),
            reason: innermost(&error),
        })?;
    Ok(Access {
        client,
        credentials: api.credentials,
        region: api.region,
        endpoint: own,
    })
}

fn client_options(endpoint: &str) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_mins(5))
        .with_pool_max_idle_per_host(64)
        .with_allow_http(endpoint.starts_with("http://"))
}

/// The store under the tables of a bucket, and what reaches its objects one by one.
pub(super) fn open_s3(
    name: &str,
    environment: &Environment,
) -> Result<(Arc<dyn ObjectStore>, S3Api), BucketError> {
    let unusable = |error: &StoreError| BucketError::Credentials {
        bucket: format!("s3://{name}"),
        reason: innermost(error),
    };
    let profile = environment.profile();
    let setting = |variables: &[&str], in_profile: &str| {
        variables
            .iter()
            .find_map(|variable| environment.get(variable))
            .map(str::to_owned)
            .or_else(|| profile.get(in_profile).cloned())
    };
    let region = setting(&["AWS_REGION", "AWS_DEFAULT_REGION"], "region")
        .unwrap_or_else(|| "us-east-1".to_owned());
    let own_endpoint = setting(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], "endpoint_url");
    let endpoint = own_endpoint
        .clone()
        .unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));

    let options = client_options(&endpoint);
    let mut builder = AmazonS3Builder::new();
    if environment.get("AWS_ACCESS_KEY_ID").is_none()
        && let Some(keys) = ProfileCredentials::of(environment)
    {
        builder = builder.with_credentials(Arc::new(keys));
    }
    for (variable, value) in environment.aws_variables() {
        if let Ok(key) = variable.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(endpoint) = own_endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let store = builder
        .with_region(&region)
        .with_bucket_name(name)
        .with_client_options(options.clone())
        .with_unsigned_payload(true)
        .with_retry(RetryConfig {
            max_retries: 6,
            retry_timeout: Duration::from_mins(1),
            ..RetryConfig::default()
        })
        .build()
        .map_err(|error| unusable(&error))?;
    let api = S3Api {
        client: ReqwestConnector::default()
            .connect(&options)
            .map_err(|error| unusable(&error))?,
        credentials: Arc::clone(store.credentials()),
        endpoint,
        region,
        bucket: name.to_owned(),
    };
    Ok((Arc::new(S3Store::new(store)), api))
}
