//! A started simulator on a folder of its own, and an S3 client that speaks to it.

use std::path::Path;

use esteira_s3::{Simulator, SimulatorConfig};
use object_store::{
    ObjectStoreExt as _, PutPayload,
    aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut, S3CopyIfNotExists},
    path::Path as Key,
};
use tempfile::TempDir;

/// The bucket every test has.
pub(crate) const BUCKET: &str = "itau-shop";

pub(crate) struct Running {
    pub(crate) simulator: Simulator,
    pub(crate) client: AmazonS3,
    pub(crate) dir: TempDir,
}

impl Running {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(BUCKET)).unwrap();
        Self::start_in(dir).await
    }

    pub(crate) async fn start_in(dir: TempDir) -> Self {
        let simulator = Simulator::start(config(dir.path())).await.unwrap();
        let client = client(&simulator, "dummy", "dummy");
        Self {
            simulator,
            client,
            dir,
        }
    }

    /// Stops, lets `meanwhile` work on the bucket's folder and the simulator's own, and starts again.
    pub(crate) async fn restart(self, meanwhile: impl FnOnce(&Path, &Path)) -> Self {
        self.simulator.shutdown().await;
        meanwhile(
            &self.dir.path().join(BUCKET),
            &self.dir.path().join(".esteira"),
        );
        Self::start_in(self.dir).await
    }

    pub(crate) async fn put(&self, key: &str, bytes: impl Into<PutPayload>) -> String {
        let put = self.client.put(&exact(key), bytes.into()).await.unwrap();
        put.e_tag.unwrap()
    }

    pub(crate) async fn get(&self, key: &str) -> Vec<u8> {
        let got = self.client.get(&exact(key)).await.unwrap();
        got.bytes().await.unwrap().to_vec()
    }

    /// Where the bytes of an ordinary key lie.
    pub(crate) fn file(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(BUCKET).join(path)
    }
}

pub(crate) fn config(dir: &Path) -> SimulatorConfig {
    SimulatorConfig {
        dir: dir.to_owned(),
        port: 0,
        ..SimulatorConfig::default()
    }
}

pub(crate) fn client(simulator: &Simulator, access_key: &str, secret_key: &str) -> AmazonS3 {
    AmazonS3Builder::new()
        .with_endpoint(simulator.endpoint())
        .with_allow_http(true)
        .with_region("sa-east-1")
        .with_bucket_name(BUCKET)
        .with_access_key_id(access_key)
        .with_secret_access_key(secret_key)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_copy_if_not_exists(S3CopyIfNotExists::Header(
            "if-none-match".to_owned(),
            "*".to_owned(),
        ))
        .build()
        .unwrap()
}

/// The key just as it is written, without the client's own escapes.
pub(crate) fn exact(key: &str) -> Key {
    Key::parse(key).unwrap()
}
