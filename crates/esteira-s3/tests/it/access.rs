//! Who gets in, and what a start that fails says.

use esteira_s3::{HEALTH_PATH, Health, Simulator, SimulatorConfig, SimulatorError};
use object_store::ObjectStoreExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Running, client, config, exact};

/// Asks without a client and without credentials; the whole answer as text.
async fn ask(simulator: &Simulator, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", simulator.port()))
        .await
        .unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn health_is_told_without_credentials() {
    let running = Running::start().await;
    let answer = ask(&running.simulator, HEALTH_PATH).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let health: Health = serde_json::from_str(body).unwrap();
    assert_eq!(health.service, "esteira-s3");
    assert_eq!(health.dir, running.dir.path().canonicalize().unwrap());
    assert_eq!(health.pid, std::process::id());
}

#[tokio::test]
async fn anything_else_without_credentials_is_denied() {
    let running = Running::start().await;
    running.put("a", "secret text").await;
    for path in [
        "/",
        "/itau-shop/a",
        "/itau-shop",
        "/_esteira/other",
        "/_esteira",
    ] {
        let answer = ask(&running.simulator, path).await;
        assert!(
            answer.contains("AccessDenied") && !answer.contains("secret text"),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_with_their_reason() {
    let running = Running::start().await;
    for (access_key, secret_key, reason) in [
        ("nobody", "dummy", "InvalidAccessKeyId"),
        ("dummy", "wrong", "SignatureDoesNotMatch"),
    ] {
        let error = client(&running.simulator, access_key, secret_key)
            .get(&exact("a"))
            .await
            .unwrap_err();
        assert!(format!("{error:?}").contains(reason), "{error:?}");
    }
}

#[tokio::test]
async fn taken_port_is_named_with_a_way_out() {
    let running = Running::start().await;
    let dir = tempfile::tempdir().unwrap();
    let error = Simulator::start(SimulatorConfig {
        port: running.simulator.port(),
        ..config(dir.path())
    })
    .await
    .unwrap_err();
    assert!(matches!(error, SimulatorError::PortTaken { .. }));
    assert_eq!(
        error.to_string(),
        format!("port {} is already in use", running.simulator.port())
    );
    assert!(error.hint().unwrap().contains("--port"));
}

#[tokio::test]
async fn folder_of_a_running_simulator_is_refused_and_free_after_its_end() {
    let running = Running::start().await;
    let error = Simulator::start(config(running.dir.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, SimulatorError::FolderInUse { .. }),
        "{error}"
    );
    running.simulator.shutdown().await;
    let mut again = Simulator::start(config(running.dir.path())).await.unwrap();
    let waited = tokio::time::timeout(std::time::Duration::from_millis(20), again.join()).await;
    assert!(waited.is_err());
    again.shutdown().await;
}

#[tokio::test]
async fn folder_that_is_a_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "").unwrap();
    let error = Simulator::start(config(&path)).await.unwrap_err();
    assert!(matches!(error, SimulatorError::Folder { .. }));
    assert!(error.to_string().contains("file"));
}

#[test]
fn secret_is_not_shown_with_the_settings() {
    let config = SimulatorConfig {
        secret_key: "very-secret".to_owned(),
        ..SimulatorConfig::default()
    };
    assert!(!format!("{config:?}").contains("very-secret"));
}
