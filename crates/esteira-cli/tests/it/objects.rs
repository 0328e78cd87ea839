//! What is in a bucket, and putting it there as producers do: whole, or not at all.

use std::path::Path;
use std::time::UNIX_EPOCH;

use esteira_lake::bucket::{Bucket, Copied, Environment, Fetched, Listed, Removed};
use esteira_testkit::oracle::InputObject;

use crate::place::Place;

/// An opened bucket, for what a file system cannot hold.
pub(crate) struct Library {
    bucket: Bucket,
    runtime: tokio::runtime::Runtime,
}

impl Library {
    /// Opens a bucket with the settings of the place.
    pub(crate) fn open(place: &Place, bucket: &str) -> Self {
        let environment: Environment = place.settings().collect();
        Self {
            bucket: Bucket::open(bucket, &environment).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        let put = self.bucket.put(key, bytes.to_vec().into());
        self.runtime.block_on(put).unwrap();
    }

    /// Copies an object without reading it, going by what is known of it.
    pub(crate) fn copy_new(&self, known: &Listed, to: &str) -> Copied {
        let copy = self
            .bucket
            .copy_new(&known.key, &known.etag, known.size, to);
        self.runtime.block_on(copy).unwrap()
    }

    /// What is known of an object, asked for alone.
    pub(crate) fn find(&self, key: &str) -> Option<Listed> {
        self.runtime.block_on(self.bucket.find(key)).unwrap()
    }

    /// Removes an object if it is still this content.
    pub(crate) fn remove(&self, key: &str, etag: &str) -> Removed {
        self.runtime
            .block_on(self.bucket.remove(key, etag))
            .unwrap()
    }

    /// What a listing shows of an object.
    pub(crate) fn known(&self, key: &str) -> Listed {
        let listed = self.runtime.block_on(self.bucket.list(key)).unwrap();
        listed.into_iter().find(|object| object.key == key).unwrap()
    }

    /// All objects whose key starts with `prefix`, by key.
    pub(crate) fn objects(&self, prefix: &str) -> Vec<InputObject> {
        let mut objects: Vec<InputObject> = self.runtime.block_on(async {
            let mut objects = Vec::new();
            for listed in self.bucket.list(prefix).await.unwrap() {
                let read = self
                    .bucket
                    .get(&listed.key, Some(&listed.etag))
                    .await
                    .unwrap();
                let Fetched::Bytes(bytes) = read else {
                    panic!("{}: {read:?}", listed.key);
                };
                objects.push(InputObject {
                    key: listed.key,
                    modified_micros: listed.modified_micros,
                    bytes: bytes.to_vec(),
                });
            }
            objects
        });
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        objects
    }
}

/// Puts an object into a local folder that plays a bucket, in one step: nobody sees half of it. Gives the
/// object as it is there.
pub(crate) fn drop_into(bucket: &Path, key: &str, bytes: &[u8]) -> InputObject {
    let draft = bucket.with_extension("draft");
    let path = bucket.join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&draft, bytes).unwrap();
    let modified = std::fs::metadata(&draft).unwrap().modified().unwrap();
    std::fs::rename(&draft, &path).unwrap();
    let modified = modified.duration_since(UNIX_EPOCH).unwrap();
    InputObject {
        key: key.to_owned(),
        modified_micros: i64::try_from(modified.as_micros()).unwrap(),
        bytes: bytes.to_vec(),
    }
}

/// All objects below `prefix` in a local folder that plays a bucket.
pub(crate) fn in_folder(bucket: &Path, prefix: &str) -> Vec<InputObject> {
    let mut objects = Vec::new();
    let mut folders = vec![prefix.trim_end_matches('/').to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(bucket.join(&folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.unwrap();
            let key = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                folders.push(key);
                continue;
            }
            let modified = metadata
                .modified()
                .unwrap()
                .duration_since(UNIX_EPOCH)
                .unwrap();
            objects.push(InputObject {
                key,
                modified_micros: i64::try_from(modified.as_micros()).unwrap(),
                bytes: std::fs::read(entry.path()).unwrap(),
            });
        }
    }
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    objects
}

/// A small event of the order `id`.
pub(crate) fn event(id: &str) -> String {
    serde_json::json!({
        "txt_detl_idt_pedi_pgto": id,
        "stat_pedi": "CRIADO",
        "dat_atui": "2024-03-10T12:00:00Z",
        "list_item_pedi": [{ "nom_item": "Café", "vlr_prod": 12.5, "idt_venr": "v1", "nom_venr": "Loja" }],
    })
    .to_string()
}
