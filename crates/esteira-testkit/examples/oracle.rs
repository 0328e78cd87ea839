//! `oracle FOLDER [--prefix input/] [--modified-from FILE]`: what the tables must hold once the
//! files of a folder are ingested, as one JSON document for checks by other programs.
//!
//! Keys are the files' paths below the folder behind the prefix. The time of writing is taken from
//! FILE, a JSON object of key to microseconds UTC, and from the file itself where it is not named.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::UNIX_EPOCH;

use esteira_testkit::oracle::{InputObject, expected};

fn main() -> Result<(), Box<dyn Error>> {
    let mut folder = None;
    let mut prefix = "input/".to_owned();
    let mut modified = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--prefix" => prefix = arguments.next().ok_or("`--prefix` needs a value")?,
            "--modified-from" => {
                let file = arguments.next().ok_or("`--modified-from` needs a file")?;
                modified = serde_json::from_slice(&fs::read(file)?)?;
            }
            option if option.starts_with("--") => {
                return Err(format!("unknown option `{option}`").into());
            }
            _ => folder = Some(argument),
        }
    }
    let folder = folder.ok_or("usage: oracle FOLDER [--prefix input/] [--modified-from FILE]")?;
    let mut objects = Vec::new();
    collect(Path::new(&folder), &prefix, &modified, &mut objects)?;
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &expected(&objects).to_json())?;
    writeln!(out)?;
    Ok(())
}

fn collect(
    folder: &Path,
    prefix: &str,
    modified: &HashMap<String, i64>,
    objects: &mut Vec<InputObject>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name
            .to_str()
            .ok_or_else(|| format!("{} is not UTF-8", name.display()))?;
        let key = format!("{prefix}{name}");
        let metadata = fs::metadata(entry.path())?;
        if metadata.is_dir() {
            collect(&entry.path(), &format!("{key}/"), modified, objects)?;
            continue;
        }
        let modified_micros = match modified.get(&key) {
            Some(micros) => *micros,
            None => i64::try_from(metadata.modified()?.duration_since(UNIX_EPOCH)?.as_micros())?,
        };
        let bytes = fs::read(entry.path())?;
        objects.push(InputObject {
            key,
            modified_micros,
            bytes,
        });
    }
    Ok(())
}
