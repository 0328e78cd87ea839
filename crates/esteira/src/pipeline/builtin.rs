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

const PRODUCT_REVIEWS: &[File] = &[
    file!("product_reviews", "pipeline.toml"),
    file!("product_reviews", "schema.sql"),
    file!("product_reviews", "models/reviews.sql"),
    file!("product_reviews", "models/review_history.sql"),
    file!("product_reviews", "models/review_log.sql"),
];

/// The names of all built-in pipelines.
pub(super) const NAMES: [&str; 2] = ["marketing_place", "product_reviews"];

/// The files of a built-in pipeline.
pub(super) fn files(name: &str) -> Option<&'static [File]> {
    match name {
        "marketing_place" => Some(MARKETING_PLACE),
        "product_reviews" => Some(PRODUCT_REVIEWS),
        _ => None,
    }
}
