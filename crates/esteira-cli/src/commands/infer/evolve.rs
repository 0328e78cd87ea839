//! `esteira infer --evolve`: what a pipeline's schema could name by now.

use esteira::{Evolution, Lake, OfferedField, Pipeline, PipelineFiles};
use esteira_lake::bucket::{Bucket, Environment};

use crate::arguments::InferArguments;
use crate::commands::drafted;
use crate::failure::Failure;
use crate::output;

pub(super) async fn run(arguments: &InferArguments) -> anyhow::Result<()> {
    let pipeline = match arguments.paths.as_slice() {
        [] => "marketing_place",
        [pipeline] => pipeline,
        _ => {
            return Err(Failure::new("`--evolve` is for one pipeline alone")
                .hint("name its folder")
                .code(2)
                .into());
        }
    };
    let files = Pipeline::files(pipeline).map_err(esteira::Error::from)?;
    let loaded = files.load().await.map_err(esteira::Error::from)?;
    let bucket = Bucket::open(&arguments.place.bucket, &Environment::of_process())
        .map_err(esteira::Error::from)?;
    let lake = Lake::open(loaded, bucket).await?;
    let found = esteira::evolution(&lake, &files, arguments.most).await?;
    output::note(&format!(
        "looked at {} objects of {} batches: {} events have fields that the schema does not name",
        found.objects, found.batches, found.events
    ));
    tell(&found);
    if found.offered.is_empty() {
        return Ok(());
    }
    if !arguments.write {
        let next = match files {
            PipelineFiles::Folder(_) => format!("esteira infer --evolve {pipeline} --write"),
            PipelineFiles::BuiltIn(_) => {
                "copy the folder of this built-in pipeline, and add them there".to_owned()
            }
        };
        output::line(&format!("next: {next}"));
        return Ok(());
    }
    found.write().map_err(|error| drafted(&error))?;
    output::line(&format!(
        "{} has {} fields more; next: select them in models, then esteira check {pipeline}",
        output::inline(&found.file().display().to_string()),
        found.offered.len()
    ));
    Ok(())
}

fn tell(found: &Evolution) {
    let file = output::inline(&found.file().display().to_string());
    let mut places: Vec<&[String]> = Vec::new();
    for field in &found.offered {
        if !places.contains(&field.within.as_slice()) {
            places.push(&field.within);
        }
    }
    for within in places {
        let place = match within {
            [] => "behind the last column".to_owned(),
            names => format!("in `{}`, behind its last field", names.join(".")),
        };
        output::line(&format!("{file}, {}:", output::inline(&place)));
        let of_place = found.offered.iter().filter(|field| field.within == within);
        for OfferedField {
            declared, comment, ..
        } in of_place
        {
            for line in format!("{declared}  -- {comment}").lines() {
                output::line(&format!("  {}", output::inline(line)));
            }
        }
    }
    if !found.offered.is_empty() {
        output::line("in models:");
    }
    for field in &found.offered {
        let of_list = if field.within.is_empty() {
            String::new()
        } else {
            format!("  -- `item` being what is in `{}`", field.within.join("."))
        };
        output::line(&output::inline(&format!("  {}{of_list}", field.selected)));
    }
    if !found.left_out.is_empty() {
        output::line("left out, and kept in `_rescued_data`:");
    }
    for left_out in &found.left_out {
        let line = format!("  {}: {}", left_out.path, left_out.reason);
        output::line(&output::inline(&line));
    }
    if !found.not_met.is_empty() {
        output::line(&output::inline(&format!(
            "not in the objects that were looked at, `--most` lets more be: {}",
            found.not_met.join(", ")
        )));
    }
    if found.offered.is_empty() && found.left_out.is_empty() && found.not_met.is_empty() {
        output::line("the schema names every field that was counted");
    }
}
