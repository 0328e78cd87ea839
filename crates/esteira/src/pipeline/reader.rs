//! The files of a pipeline, wherever they are, and their fingerprint.

use sha2::{Digest as _, Sha256};

use super::{PipelineError, PipelineFiles};

/// Reads files, and remembers what was read.
pub(super) struct Reader<'a> {
    files: &'a PipelineFiles,
    digest: Sha256,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a PipelineFiles) -> Self {
        Self {
            files,
            digest: Sha256::new(),
        }
    }

    /// A file's name for messages, and its text.
    pub(super) fn read(&mut self, path: &str) -> Result<(String, String), PipelineError> {
        let (name, text) = match self.files {
            PipelineFiles::Folder(folder) => {
                let file = folder.join(path);
                let name = file.display().to_string();
                let text =
                    std::fs::read_to_string(&file).map_err(|error| PipelineError::Unreadable {
                        file: name.clone(),
                        reason: error.to_string(),
                    })?;
                (name, text)
            }
            PipelineFiles::BuiltIn(files) => {
                let text = files.iter().find(|(name, _)| *name == path);
                let (name, text) = text.ok_or_else(|| PipelineError::Unreadable {
                    file: path.to_owned(),
                    reason: "it is not part of the built-in pipeline".to_owned(),
                })?;
                ((*name).to_owned(), (*text).to_owned())
            }
        };
        for part in [path, text.as_str()] {
            self.digest.update(part.as_bytes());
            self.digest.update([0]);
        }
        Ok((name, text))
    }

    /// SHA-256 over the files read, 16 hexadecimal digits.
    pub(super) fn fingerprint(self) -> String {
        use std::fmt::Write as _;
        let digest = self.digest.finalize();
        digest[..8].iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _: Result<(), std::fmt::Error> = write!(text, "{byte:02x}");
            text
        })
    }
}
