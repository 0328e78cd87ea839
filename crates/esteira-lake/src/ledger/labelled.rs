//! Whether a file of the ledger is what its name says: a copy under another name, a file of another process
//! or one of a later version of the program is not read as if it were the right one.

use serde::de::DeserializeOwned;

use super::{Plan, Record};

/// The only format there is.
const FORMAT: u32 = 1;

/// A file that says of which process and batch it is.
pub(super) trait Labelled: DeserializeOwned {
    /// Its format, process and batch.
    fn label(&self) -> (u32, &str, u64);

    /// What is wrong with it as the file of this batch.
    fn contradicts(&self, process: &str, batch: u64) -> Option<String> {
        let label = self.label();
        if label.0 != FORMAT {
            return Some(format!(
                "it has format {}, and this version of the program knows format {FORMAT}",
                label.0
            ));
        }
        if label != (FORMAT, process, batch) {
            return Some(format!(
                "it is of batch {} of process `{}`, not of batch {batch} of `{process}`",
                label.2, label.1
            ));
        }
        self.contradicts_itself()
    }

    /// What is wrong within it.
    fn contradicts_itself(&self) -> Option<String> {
        None
    }
}

impl Labelled for Plan {
    fn label(&self) -> (u32, &str, u64) {
        (self.format, &self.process, self.batch)
    }

    fn contradicts_itself(&self) -> Option<String> {
        let taken = self.retry.as_ref()?.objects.len();
        let planned = self.objects.len();
        (taken != planned)
            .then(|| format!("it has {planned} objects, and says of {taken} what is taken of them"))
    }
}

impl Labelled for Record {
    fn label(&self) -> (u32, &str, u64) {
        (self.format, &self.process, self.batch)
    }
}
