//! The pipelines that are part of the program, so that it runs without any folder.

/// A file of a pipeline: its path in the folder and its text.
pub(super) type File = (&'static str, &'static str);

macro_rules! file {
    ($pipeline:literal, $path:literal) => {
        (
            $path,
            include_str!(concat!("../../../../pipelines/", $pipeline, "/", $path)),
        )
    };
}

const MARKETING_PLACE: &[File] = &[
    file!("marketing_place", "pipeline.toml"),
    file!("marketing_place", "schema.sql"),
    file!("marketing_place", "models/orders.sql"),
    file!("marketing_place", "models/products.sql"),
    file!("marketing_place", "models/sellers.sql"),
    file!("marketing_place", "models/shipments.sql"),
];

/// The names of all built-in pipelines.
pub(super) const NAMES: [&str; 1] = ["marketing_place"];

/// The files of a built-in pipeline.
pub(super) fn files(name: &str) -> Option<&'static [File]> {
    (name == NAMES[0]).then_some(MARKETING_PLACE)
}
