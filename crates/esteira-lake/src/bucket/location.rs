//! How a bucket is written: `s3://name`, the field's `s3a://name`, or `file:///folder`.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::BucketError;

/// Where a bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketLocation {
    /// A bucket behind the S3 protocol.
    S3 {
        /// The bucket's name.
        name: String,
    },
    /// A folder of the local file system that plays the bucket.
    File {
        /// Its absolute path.
        folder: PathBuf,
    },
    /// A store that was handed in.
    Store {
        /// What it calls itself.
        name: String,
    },
}

impl BucketLocation {
    /// Reads a location: `s3://name`, `s3a://name`, a bare bucket `name`, or `file:///folder`.
    ///
    /// # Errors
    /// [`BucketError::Location`] when the scheme is another one, the bucket is missing or a path
    /// follows the bucket's name.
    pub fn parse(text: &str) -> Result<Self, BucketError> {
        let fail = |reason: &'static str| BucketError::Location {
            text: text.to_owned(),
            reason,
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            if text.is_empty() || text.contains(['/', ':', ' ']) {
                return Err(fail("a bucket is written `s3://name` or `file:///folder`"));
            }
            return Ok(Self::S3 {
                name: text.to_owned(),
            });
        };
        match scheme {
            "s3" | "s3a" => {
                let name = rest.strip_suffix('/').unwrap_or(rest);
                if name.is_empty() {
                    return Err(fail("the bucket's name is missing"));
                }
                if name.contains('/') {
                    return Err(fail(
                        "only the bucket's name is expected, paths inside it come from the pipeline",
                    ));
                }
                Ok(Self::S3 {
                    name: name.to_owned(),
                })
            }
            "file" => {
                let url = Url::parse(text).map_err(|_| fail("the path cannot be read"))?;
                let folder = url
                    .to_file_path()
                    .map_err(|()| fail("a local folder is written `file:///absolute/folder`"))?;
                Ok(Self::File { folder })
            }
            _ => Err(fail("only `s3://`, `s3a://` and `file://` are known")),
        }
    }

    /// The URL of the bucket's root, with a closing slash.
    pub(super) fn root_url(&self) -> Result<Url, BucketError> {
        let fail = || BucketError::Location {
            text: self.to_string(),
            reason: "it cannot be written as a URL",
        };
        match self {
            Self::S3 { name } => Url::parse(&format!("s3://{name}/")).map_err(|_| fail()),
            Self::File { folder } => Url::from_directory_path(folder).map_err(|()| fail()),
            Self::Store { .. } => Url::parse("memory:///").map_err(|_| fail()),
        }
    }
}

impl fmt::Display for BucketLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { name } => write!(f, "s3://{name}"),
            Self::File { folder } => write!(f, "file://{}", folder.display()),
            Self::Store { name } => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_in_every_accepted_form_names_the_same_bucket() {
        for text in [
            "s3://itau-shop",
            "s3a://itau-shop",
            "s3://itau-shop/",
            "itau-shop",
        ] {
            assert_eq!(
                BucketLocation::parse(text).unwrap().to_string(),
                "s3://itau-shop"
            );
        }
        assert_eq!(
            BucketLocation::parse("file:///tmp/a%20b").unwrap(),
            BucketLocation::File {
                folder: "/tmp/a b".into()
            }
        );
    }

    #[test]
    fn location_that_is_wrong_says_what_is_expected() {
        for (text, expected) in [
            ("gs://b", "only `s3://`, `s3a://` and `file://` are known"),
            ("s3://", "the bucket's name is missing"),
            ("s3://b/input", "only the bucket's name is expected"),
            ("./folder", "a bucket is written `s3://name`"),
        ] {
            let error = BucketLocation::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
