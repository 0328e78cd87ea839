//! What a user is told whose bucket, endpoint or credentials are wrong.

use insta::assert_snapshot;

use crate::place::Place;
use crate::simulator::{free_port, shop};

#[test]
fn run_without_the_bucket_says_how_to_create_it() {
    let (_simulator, place) = shop();
    assert_snapshot!(place.failure(&["run", "--once", "--bucket", "s3://nada"]), @r"
    exit 4
    error: bucket `s3://nada` does not exist
    hint: create it with `esteira bucket create nada`, or name another one with `--bucket`
    ");
    assert_snapshot!(place.failure(&["bucket", "list", "nada"]), @r"
    exit 4
    error: bucket `s3://nada` does not exist
    hint: create it with `esteira bucket create nada`, or name another one with `--bucket`
    ");
}

#[test]
fn run_without_the_folder_that_plays_the_bucket_says_so() {
    let place = Place::new();
    let bucket = format!("file://{}", place.path("nada").display());
    assert_snapshot!(place.failure(&["run", "--once", "--bucket", &bucket]), @r"
    exit 4
    error: bucket `file://<dir>/nada` does not exist
    hint: create the folder, or name another one with `--bucket`
    ");
}

#[test]
fn create_of_a_bucket_that_is_there_fails() {
    let (_simulator, place) = shop();
    assert_snapshot!(place.failure(&["bucket", "create", "itau-shop"]), @r"
    exit 4
    error: bucket `s3://itau-shop` exists already
    ");
}

#[test]
fn endpoint_down_names_it_and_the_way_to_start_it() {
    let place = Place::at(&format!("http://127.0.0.1:{}", free_port()));
    for arguments in [
        &["run", "--once"][..],
        &["status"],
        &["sql", "SELECT 1"],
        &["bucket", "list"],
        &["bucket", "create", "itau-shop"],
    ] {
        let failure = place.failure(arguments);
        insta::allow_duplicates! {
            assert_snapshot!(failure, @r"
            exit 4
            error: cannot reach `http://127.0.0.1:<port>`: Connection refused (os error <n>)
            hint: start the simulator with `esteira up`, or set AWS_ENDPOINT_URL to where S3 answers
            ");
        }
    }
}

#[test]
fn unknown_access_key_is_refused_with_the_services_code() {
    let (_simulator, place) = shop();
    let place = place.with("AWS_ACCESS_KEY_ID", "outra");
    assert_snapshot!(place.failure(&["run", "--once"]), @r"
    exit 4
    error: access to bucket `s3://itau-shop` was refused (InvalidAccessKeyId)
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_PROFILE, and that they may read and write this bucket
    ");
}

#[test]
fn wrong_secret_is_refused_with_the_services_code() {
    let (_simulator, place) = shop();
    let place = place.with("AWS_SECRET_ACCESS_KEY", "outra");
    assert_snapshot!(place.failure(&["run", "--once"]), @r"
    exit 4
    error: access to bucket `s3://itau-shop` was refused (SignatureDoesNotMatch)
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_PROFILE, and that they may read and write this bucket
    ");
}

#[test]
fn no_credentials_anywhere_says_which_to_set() {
    // Where the role of a cloud machine would be asked, nobody answers.
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let place = Place::at(&nobody)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .with("AWS_METADATA_ENDPOINT", &nobody);
    assert_snapshot!(place.failure(&["run", "--once"]), @r"
    exit 4
    error: no usable credentials for bucket `s3://itau-shop`: Connection refused (os error <n>)
    hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (the simulator takes `dummy` and `dummy`), or AWS_PROFILE
    ");
}

#[test]
fn half_of_the_credentials_names_the_missing_half() {
    let place = Place::at("http://127.0.0.1:1").without("AWS_SECRET_ACCESS_KEY");
    assert_snapshot!(place.failure(&["run", "--once"]), @r"
    exit 4
    error: no usable credentials for bucket `s3://itau-shop`: Missing SecretAccessKey
    hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (the simulator takes `dummy` and `dummy`), or AWS_PROFILE
    ");
}

#[test]
fn profile_in_the_shared_files_is_used() {
    let (simulator, place) = shop();
    let place = place
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .without("AWS_ENDPOINT_URL")
        .with("AWS_PROFILE", "banco");
    place.write(
        ".aws/credentials",
        "[banco]\naws_access_key_id = dummy\naws_secret_access_key = dummy\n",
    );
    place.write(
        ".aws/config",
        format!("[profile banco]\nendpoint_url = {}\n", simulator.endpoint()),
    );
    assert_eq!(place.ask(&["bucket", "list"]), "itau-shop\n");
}

#[test]
fn location_that_is_no_bucket_says_what_is_expected() {
    let place = Place::new();
    let mut text = String::new();
    for bucket in [
        "gs://loja",
        "s3://",
        "s3://loja/input",
        "./loja",
        "file://loja",
    ] {
        text += &place.failure(&["run", "--once", "--bucket", bucket]);
    }
    assert_snapshot!(text, @r"
    exit 4
    error: `gs://loja` is not a bucket: only `s3://`, `s3a://` and `file://` are known
    exit 4
    error: `s3://` is not a bucket: the bucket's name is missing
    exit 4
    error: `s3://loja/input` is not a bucket: only the bucket's name is expected, paths inside it come from the pipeline
    exit 4
    error: `./loja` is not a bucket: a bucket is written `s3://name` or `file:///folder`
    exit 4
    error: `file://loja` is not a bucket: a local folder is written `file:///absolute/folder`
    ");
}

#[test]
fn list_of_a_folder_that_is_not_there_says_path_does_not_exist() {
    let (_simulator, place) = shop();
    assert_snapshot!(place.failure(&["bucket", "list", "itau-shop", "analytics/nada"]), @r"
    exit 1
    error: Path does not exist: s3://itau-shop/analytics/nada
    ");
    let bucket = place.folder_bucket("loja");
    place.write("loja/input/a.json", "{}");
    assert_snapshot!(place.failure(&["bucket", "list", &bucket, "inpu"]), @r"
    exit 1
    error: Path does not exist: file://<dir>/loja/inpu
    ");
}

#[test]
fn put_of_a_folder_that_is_not_there_says_how_to_get_samples() {
    let (_simulator, place) = shop();
    assert_snapshot!(place.failure(&["bucket", "put", "itau-shop", "nada", "--to", "input"]), @r"
    exit 1
    error: `nada` cannot be read: No such file or directory (os error <n>)
    hint: make sample events with `esteira generate --out input`
    ");
}
