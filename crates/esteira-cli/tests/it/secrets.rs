//! No secret in an output, a log or the bucket, whether a command succeeds or fails.

use std::path::Path;

use esteira_s3::{Simulator, SimulatorConfig};

use crate::objects::event;
use crate::place::Place;
use crate::simulator::free_port;

const SECRET: &str = "SEGREDO-123";
const TOKEN: &str = "FICHA-456";

/// A simulator that knows the secret, in this process.
struct Vault {
    runtime: tokio::runtime::Runtime,
    simulator: Simulator,
}

impl Vault {
    fn new(dir: &Path) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let config = SimulatorConfig {
            dir: dir.to_owned(),
            port: 0,
            access_key: "chave".to_owned(),
            secret_key: SECRET.to_owned(),
            ..SimulatorConfig::default()
        };
        let simulator = runtime.block_on(Simulator::start(config)).unwrap();
        Self { runtime, simulator }
    }

    fn stop(self) {
        self.runtime.block_on(self.simulator.shutdown());
    }
}

fn place(endpoint: &str) -> Place {
    Place::at(endpoint)
        .with("AWS_ACCESS_KEY_ID", "chave")
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        .with("AWS_SESSION_TOKEN", TOKEN)
}

/// Runs the command with all its logging; gives its exit code.
fn run(place: &Place, arguments: &[&str]) -> Option<i32> {
    let answer = place.run(&[&["-vv"][..], arguments].concat());
    for text in [&answer.out, &answer.err] {
        for secret in [SECRET, TOKEN] {
            assert!(!text.contains(secret), "{arguments:?}: {answer:?}");
        }
    }
    answer.code
}

fn no_file_holds_a_secret(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += no_file_holds_a_secret(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for secret in [SECRET, TOKEN] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{}", path.display());
        }
        files += 1;
    }
    files
}

#[test]
fn commands_that_succeed_tell_no_secret() {
    let data = Place::new();
    let vault = Vault::new(&data.path("s3"));
    let place = place(&vault.simulator.endpoint());
    place.write("amostra/a.json", event("pedido-1"));
    place.write("amostra/b.json", "lixo");
    for arguments in [
        &["bucket", "create", "itau-shop"][..],
        &["bucket", "put", "itau-shop", "amostra", "--to", "input"],
        &["bucket", "list"],
        &["bucket", "list", "itau-shop"],
        &["run", "--once"],
        &["status", "--format", "json"],
        &["history", "--format", "json"],
        &["sql", "SELECT * FROM orders"],
        &["sql", "SELECT * FROM information_schema.df_settings"],
    ] {
        assert_eq!(run(&place, arguments), Some(0), "{arguments:?}");
    }
    vault.stop();
    let files = no_file_holds_a_secret(&data.path("s3"));
    assert!(files > 10, "{files} files");
}

#[test]
fn commands_that_fail_tell_no_secret() {
    let data = Place::new();
    let vault = Vault::new(&data.path("s3"));
    let endpoint = vault.simulator.endpoint();
    let place = place(&endpoint);
    assert_eq!(run(&place, &["run", "--once"]), Some(4));
    assert_eq!(
        run(&place, &["run", "--once", "--bucket", "gs://x"]),
        Some(4)
    );
    assert_eq!(run(&place, &["run", "nada", "--once"]), Some(3));
    assert_eq!(run(&place, &["bucket", "create", "itau-shop"]), Some(0));
    assert_eq!(run(&place, &["sql", "SELEC"]), Some(7));
    assert_eq!(
        run(&place, &["bucket", "list", "itau-shop", "nada"]),
        Some(1)
    );

    let unknown = place.with("AWS_ACCESS_KEY_ID", "outra");
    assert_eq!(run(&unknown, &["run", "--once"]), Some(4));
    let half = unknown.without("AWS_ACCESS_KEY_ID");
    assert_eq!(run(&half, &["run", "--once"]), Some(4));
    let down = half.with("AWS_ACCESS_KEY_ID", "chave").with(
        "AWS_ENDPOINT_URL",
        &format!("http://127.0.0.1:{}", free_port()),
    );
    assert_eq!(run(&down, &["run", "--once"]), Some(4));
    vault.stop();
}

#[test]
fn secret_that_the_service_refuses_is_not_told() {
    let (_simulator, place) = crate::simulator::shop();
    let place = place
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        .with("AWS_SESSION_TOKEN", TOKEN);
    assert_eq!(run(&place, &["run", "--once"]), Some(4));
    assert_eq!(run(&place, &["bucket", "create", "outro"]), Some(4));
}

#[test]
fn secret_of_a_profile_is_not_told() {
    let data = Place::new();
    let vault = Vault::new(&data.path("s3"));
    let place = Place::at(&vault.simulator.endpoint())
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY");
    place.write(
        ".aws/credentials",
        format!("[default]\naws_access_key_id = chave\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"),
    );
    assert_eq!(run(&place, &["bucket", "create", "itau-shop"]), Some(0));
    assert_eq!(run(&place, &["run", "--once"]), Some(0));
    assert_eq!(run(&place, &["run", "--once", "--bucket", "nada"]), Some(4));
    vault.stop();
}

#[test]
fn questions_change_nothing_and_read_no_files() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.write("senha.csv", format!("{SECRET}\n1\n"));
    let file = place.path("senha.csv").display().to_string();
    let copy = place.path("copy.csv").display().to_string();
    for question in [
        format!("COPY (SELECT 1) TO '{copy}'"),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}'"),
        format!("SELECT * FROM '{file}'"),
        "DELETE FROM orders".to_owned(),
        "DROP TABLE orders".to_owned(),
        "INSERT INTO orders SELECT * FROM orders".to_owned(),
    ] {
        let answer = place.run(&["sql", &question, "--bucket", &bucket]);
        assert_eq!(answer.code, Some(7), "{question}: {answer:?}");
        assert!(answer.out.is_empty(), "{question}: {answer:?}");
    }
    assert!(!place.path("copy.csv").exists());
}
