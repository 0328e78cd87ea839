//! `esteira init`: a new pipeline's folder, with everything in it explained.

use std::path::Path;

use esteira::Draft;

use super::drafted;
use crate::arguments::InitArguments;
use crate::output;

pub(super) fn run(arguments: &InitArguments) -> anyhow::Result<()> {
    let folder = Path::new(&arguments.name);
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    let name = name.to_string_lossy();
    let draft = Draft::example(&name).map_err(|error| drafted(&error))?;
    draft.write(folder).map_err(|error| drafted(&error))?;
    let shown = folder.display();
    for (path, _) in draft.files() {
        output::line(&format!("{shown}/{path}"));
    }
    output::line("");
    output::line("next, with the sample in a local folder as the bucket:");
    for step in [
        format!("esteira check {shown}"),
        "export ESTEIRA_BUCKET=file://$PWD/bucket".to_owned(),
        "esteira bucket create $ESTEIRA_BUCKET".to_owned(),
        format!("esteira bucket put $ESTEIRA_BUCKET {shown}/sample --to input/{name}"),
        format!("esteira run {shown} --once"),
        format!(
            "esteira sql --pipeline {shown} \"SELECT * FROM {}\"",
            table(&draft)
        ),
    ] {
        output::line(&format!("  {step}"));
    }
    Ok(())
}

fn table(draft: &Draft) -> String {
    draft.table_names().next().unwrap_or_default().to_owned()
}
