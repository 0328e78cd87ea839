//! `esteira infer`: a pipeline drafted from samples.

mod evolve;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use esteira::{Draft, DraftError, PathPattern, schema_of};
use esteira_events::Samples;
use esteira_lake::bucket::{Bucket, Environment, Fetched};

use super::drafted;
use crate::arguments::InferArguments;
use crate::failure::Failure;
use crate::output;

/// So many entries that are no events are told one by one.
const MOST_TOLD: usize = 5;

pub(super) async fn run(arguments: InferArguments) -> anyhow::Result<()> {
    if arguments.evolve {
        return evolve::run(&arguments).await;
    }
    let out = arguments.out.as_deref();
    let of_folder = out
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned());
    let name = arguments.name.or(of_folder).unwrap_or("events".to_owned());
    let mut seen = Seen {
        samples: Samples::default(),
        objects: 0,
        most: arguments.most,
        rejected: 0,
    };
    for path in &arguments.paths {
        if path.contains("://") {
            seen.look_into_bucket(path).await?;
        } else {
            seen.look_into(Path::new(path))?;
        }
    }
    let suggestion = seen.samples.suggestion();
    output::note(&format!(
        "{} objects, {} events; {} entries are no events",
        seen.objects, suggestion.events, seen.rejected
    ));
    if suggestion.events == 0 {
        return Err(Failure::new("there is no event in the samples")
            .hint("name files or folders with JSON objects")
            .into());
    }
    match Draft::of_samples(&name, &suggestion) {
        Ok(draft) => told_or_written(&draft, out),
        Err(error) => {
            if !matches!(error, DraftError::Name(_)) {
                output::line(schema_of(&name, &suggestion).trim_end());
            }
            Err(drafted(&error))
        }
    }
}

fn told_or_written(draft: &Draft, out: Option<&Path>) -> anyhow::Result<()> {
    let Some(folder) = out else {
        for (path, text) in draft.files() {
            output::line(&format!("-- {path}\n{text}"));
        }
        return Ok(());
    };
    draft.write(folder).map_err(|error| drafted(&error))?;
    for (path, _) in draft.files() {
        output::line(&format!("{}/{path}", folder.display()));
    }
    output::line(&format!("next: esteira check {}", folder.display()));
    Ok(())
}

/// Samples as far as they have been looked at.
struct Seen {
    samples: Samples,
    objects: usize,
    most: usize,
    rejected: usize,
}

impl Seen {
    fn is_full(&self) -> bool {
        self.objects >= self.most
    }

    fn look_at(&mut self, name: &str, bytes: &[u8]) {
        self.objects += 1;
        for entry in self.samples.look_at(bytes).rejected {
            self.rejected += 1;
            if self.rejected <= MOST_TOLD {
                output::note(&format!(
                    "{name}:{}:{}: {}",
                    entry.line, entry.column, entry.message
                ));
            }
        }
    }

    /// A file, or all files of a folder and below it.
    fn look_into(&mut self, path: &Path) -> anyhow::Result<()> {
        let cannot = || format!("`{}` cannot be read", path.display());
        if path.is_dir() {
            let entries = std::fs::read_dir(path).with_context(cannot)?;
            let mut inside: Vec<PathBuf> = entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()
                .with_context(cannot)?;
            inside.sort();
            for path in inside {
                self.look_into(&path)?;
            }
        } else if !self.is_full() {
            let bytes = std::fs::read(path).with_context(cannot)?;
            self.look_at(&path.display().to_string(), &bytes);
        }
        Ok(())
    }

    /// `s3://bucket/path` or `file:///folder//path`, where the path is a glob.
    async fn look_into_bucket(&mut self, place: &str) -> anyhow::Result<()> {
        let (bucket, path) = parts(place).ok_or_else(|| {
            Failure::new(format!("`{place}` names no objects"))
                .hint("a bucket and a glob in it, as in `s3://itau-shop/input/*.json`")
                .code(2)
        })?;
        let pattern =
            PathPattern::parse(path).map_err(|error| Failure::new(error.to_string()).code(2))?;
        let bucket = Bucket::open(bucket, &Environment::of_process())?;
        bucket.check().await?;
        let mut objects = bucket.list(pattern.base()).await?;
        objects.sort_by(|one, other| one.key.cmp(&other.key));
        for object in objects {
            if self.is_full() {
                break;
            }
            if pattern.matches(&object.key)
                && let Fetched::Bytes(bytes) = bucket.get(&object.key, None).await?
            {
                self.look_at(&object.key, &bytes);
            }
        }
        Ok(())
    }
}

/// The bucket and the path in it.
fn parts(place: &str) -> Option<(&str, &str)> {
    let scheme = place.find("://")? + 3;
    let slash = match place[scheme..].strip_prefix('/') {
        // A local folder has slashes of its own: two in a row end it.
        Some(local) => scheme + 1 + local.find("//")?,
        None => scheme + place[scheme..].find('/')?,
    };
    let path = place[slash..].trim_start_matches('/');
    (!path.is_empty()).then(|| (&place[..slash], path))
}
