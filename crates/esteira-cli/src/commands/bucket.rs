//! `esteira bucket`: create, put, list.

use std::path::{Path, PathBuf};

use esteira_lake::bucket::{Bucket, Environment, Listed};
use futures::{StreamExt as _, TryStreamExt as _};

use crate::arguments::{BucketCommand, ListFormat};
use crate::failure::Failure;
use crate::output;

const UPLOADS_AT_ONCE: usize = 32;

pub(super) async fn run(command: BucketCommand) -> anyhow::Result<()> {
    let environment = Environment::of_process();
    match command {
        BucketCommand::Create { bucket } => {
            Bucket::create(&bucket, &environment).await?;
            output::line(&format!("created bucket {bucket}"));
            Ok(())
        }
        BucketCommand::Put { bucket, source, to } => put(&bucket, &source, &to).await,
        BucketCommand::List {
            bucket: None,
            format,
            ..
        } => {
            for name in Bucket::names(&environment).await? {
                output::line(&match format {
                    ListFormat::Text => name,
                    ListFormat::Json => serde_json::json!({ "bucket": name }).to_string(),
                });
            }
            Ok(())
        }
        BucketCommand::List {
            bucket: Some(bucket),
            path,
            format,
        } => list(&bucket, path.as_deref().unwrap_or(""), format).await,
    }
}

async fn put(location: &str, source: &Path, to: &str) -> anyhow::Result<()> {
    let bucket = Bucket::open(location, &Environment::of_process())?;
    bucket.check().await?;
    let files = files(source).map_err(|error| {
        Failure::new(format!("`{}` cannot be read: {error}", source.display()))
            .hint("make sample events with `esteira generate --out input`")
    })?;
    let to = to.trim_matches('/');
    let uploads = files.iter().map(|(path, name)| {
        let bucket = &bucket;
        async move {
            let key = if to.is_empty() {
                name.clone()
            } else {
                format!("{to}/{name}")
            };
            let bytes = tokio::fs::read(path).await?;
            let size = bytes.len();
            bucket.put(&key, bytes.into()).await?;
            anyhow::Ok(size)
        }
    });
    let progress = output::Bar::new("uploading", files.len() as u64);
    let sizes: Vec<usize> = futures::stream::iter(uploads)
        .buffer_unordered(UPLOADS_AT_ONCE)
        .inspect_ok(|_| progress.step())
        .try_collect()
        .await?;
    progress.end();
    output::line(&format!(
        "uploaded {} objects, {}, to {}/{to}",
        sizes.len(),
        output::bytes(sizes.iter().sum::<usize>() as u64),
        bucket.location()
    ));
    Ok(())
}

/// The files below `source` and their names in the bucket, in order.
fn files(source: &Path) -> std::io::Result<Vec<(PathBuf, String)>> {
    if source.is_file() {
        let name = source.file_name().unwrap_or_default();
        return Ok(vec![(
            source.to_owned(),
            name.to_string_lossy().into_owned(),
        )]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(source.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else {
                found.push((entry.path(), name));
            }
        }
    }
    found.sort();
    Ok(found)
}

async fn list(location: &str, path: &str, format: ListFormat) -> anyhow::Result<()> {
    let bucket = Bucket::open(location, &Environment::of_process())?;
    bucket.check().await?;
    let path = path.trim_matches('/');
    let mut objects = bucket.list(path).await?;
    let below = |object: &Listed| {
        path.is_empty()
            || object.key == path
            || object
                .key
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    objects.retain(below);
    if objects.is_empty() && !path.is_empty() {
        return Err(
            Failure::new(format!("Path does not exist: {}/{path}", bucket.location())).into(),
        );
    }
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    for object in &objects {
        output::line(&match format {
            ListFormat::Text => format!(
                "{}  {:>12}  {}",
                output::instant(object.modified_micros),
                object.size,
                output::inline(&object.key)
            ),
            ListFormat::Json => serde_json::json!({
                "key": object.key,
                "size": object.size,
                "etag": object.etag,
                "modified": output::instant(object.modified_micros),
            })
            .to_string(),
        });
    }
    if format == ListFormat::Text {
        let total = objects.iter().map(|object| object.size).sum();
        output::line(&format!(
            "{} objects, {}",
            objects.len(),
            output::bytes(total)
        ));
    }
    Ok(())
}
