//! Deletion vectors: the rows of a data file that are no rows of the table any more.
//!
//! Formats: Delta protocol, *Deletion Vector Format*, *Deletion Vector Files* and *Deletion Vector
//! Descriptor Schema*. All vectors of one commit share a file.

use std::sync::Arc;

use bytes::Bytes;
use delta_kernel::actions::deletion_vector::DeletionVectorDescriptor as KernelDescriptor;
use delta_kernel::actions::deletion_vector_writer::{
    DeletionVector, StreamingDeletionVectorWriter,
};
use delta_kernel::{DeltaResult, Error as KernelError};
use deltalake::kernel::{DeletionVectorDescriptor, StorageType};
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use roaring::RoaringTreemap;
use uuid::Uuid;

use super::TableFile;
use crate::tables::{LakeTable, TableError, is_of_service};

/// Numbers of rows, from 0.
pub(crate) type Marks = RoaringTreemap;

/// The z85 text of a UUID's 16 bytes.
const UUID_TEXT: usize = 20;

/// The rows of `file` that are deleted; none when it has no deletion vector.
pub(crate) async fn marks(
    table: &LakeTable,
    file: &TableFile,
) -> Result<Option<Arc<Marks>>, TableError> {
    let Some(descriptor) = file.vector() else {
        return Ok(None);
    };
    let (cache, id) = (table.cache(), unique_id(descriptor));
    if let Some(marks) = cache.marks(&table.spec().path, &id) {
        return Ok(Some(marks));
    }
    let unreadable = |reason: String, transient: bool| TableError::Data {
        table: table.name().to_owned(),
        reason: format!("the deletion vector of `{}`: {reason}", file.path()),
        transient,
    };
    let descriptor = KernelDescriptor::try_from(descriptor.clone())
        .map_err(|error| unreadable(error.to_string(), false))?;
    let log_store = table.inner().log_store();
    let storage = log_store.engine(None).storage_handler();
    let mut root = log_store.root_url().clone();
    if !root.path().ends_with('/') {
        root.set_path(&format!("{}/", root.path()));
    }
    let read = tokio::task::spawn_blocking(move || descriptor.read(storage, &root)).await;
    let marks = Arc::new(
        read.map_err(|error| unreadable(error.to_string(), false))?
            .map_err(|error| unreadable(error.to_string(), is_of_service(&error)))?,
    );
    cache.keep_marks(&table.spec().path, &id, &marks);
    Ok(Some(marks))
}

/// The rows of `file` that are deleted once `gone` are too.
pub(crate) async fn marks_and(
    table: &LakeTable,
    file: &TableFile,
    gone: &[u64],
) -> Result<Marks, TableError> {
    let mut marks = match marks(table, file).await? {
        Some(marks) => Marks::clone(&marks),
        None => Marks::new(),
    };
    marks.extend(gone.iter().copied());
    Ok(marks)
}

/// Writes all of `vectors` into one new file and gives their descriptors, in the same order.
pub(crate) async fn write_marks(
    table: &LakeTable,
    vectors: Vec<Marks>,
) -> Result<Vec<DeletionVectorDescriptor>, TableError> {
    if vectors.is_empty() {
        return Ok(Vec::new());
    }
    let uuid = Uuid::new_v4();
    let mut bytes = Vec::new();
    let mut writer = StreamingDeletionVectorWriter::new(&mut bytes);
    let mut descriptors = Vec::with_capacity(vectors.len());
    for marks in vectors {
        let marks = Arc::new(marks);
        let written = writer
            .write_deletion_vector(Serialized(Arc::clone(&marks)))
            .map_err(|e| table.data(&e))?;
        let descriptor = DeletionVectorDescriptor {
            storage_type: StorageType::UuidRelativePath,
            path_or_inline_dv: z85::encode(uuid.as_bytes()),
            offset: Some(written.offset),
            size_in_bytes: written.size_in_bytes,
            cardinality: written.cardinality,
        };
        let id = unique_id(&descriptor);
        table.cache().keep_marks(&table.spec().path, &id, &marks);
        descriptors.push(descriptor);
    }
    writer.finalize().map_err(|e| table.data(&e))?;
    let store = table.inner().log_store().object_store(None);
    store
        .put(&Path::from(file_name("", uuid)), Bytes::from(bytes).into())
        .await
        .map_err(|error| table.delta(error.into()))?;
    Ok(descriptors)
}

/// The vector's file, under the table's folder; none when it is in the log or somewhere else.
pub(crate) fn path_in_table(storage_type: &str, path_or_inline: &str) -> Option<String> {
    if storage_type != "u" {
        return None;
    }
    let (prefix, uuid) =
        path_or_inline.split_at_checked(path_or_inline.len().checked_sub(UUID_TEXT)?)?;
    let uuid = Uuid::from_slice(&z85::decode(uuid).ok()?).ok()?;
    Some(file_name(prefix, uuid))
}

/// What tells one vector of a table from all others.
pub(crate) fn unique_id(vector: &DeletionVectorDescriptor) -> String {
    let kind = vector.storage_type.as_ref();
    let path = &vector.path_or_inline_dv;
    match vector.offset {
        Some(offset) => format!("{kind}{path}@{offset}"),
        None => format!("{kind}{path}"),
    }
}

fn file_name(prefix: &str, uuid: Uuid) -> String {
    let name = format!("deletion_vector_{uuid}.bin");
    if prefix.is_empty() {
        name
    } else {
        format!("{prefix}/{name}")
    }
}

/// Row numbers on their way into the library's writer.
struct Serialized(Arc<Marks>);

impl DeletionVector for Serialized {
    type IndexIterator = roaring::treemap::IntoIter;

    fn into_iter(self) -> Self::IndexIterator {
        Arc::unwrap_or_clone(self.0).into_iter()
    }

    fn cardinality(&self) -> u64 {
        self.0.len()
    }

    fn serialize(self) -> DeltaResult<Bytes> {
        let mut bytes = Vec::with_capacity(self.0.serialized_size());
        self.0
            .serialize_into(&mut bytes)
            .map_err(|error| KernelError::generic(error.to_string()))?;
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delta protocol, *Deletion Vector Files* and *Deletion Vector Format*, read byte by byte.
    #[test]
    fn vectors_of_a_file_are_laid_out_as_the_protocol_says() {
        let all = [vec![3u64, 7, 200_000], vec![0, 1, (1 << 32) + 5]];
        let mut file = Vec::new();
        let mut writer = StreamingDeletionVectorWriter::new(&mut file);
        let written: Vec<_> = all
            .iter()
            .map(|rows| {
                let marks: Marks = rows.iter().copied().collect();
                writer
                    .write_deletion_vector(Serialized(Arc::new(marks)))
                    .unwrap()
            })
            .collect();
        writer.finalize().unwrap();
        assert_eq!(file[0], 1, "the version of the format");
        let word = |at: usize| <[u8; 4]>::try_from(&file[at..at + 4]).unwrap();
        for (rows, written) in all.iter().zip(written) {
            let start = usize::try_from(written.offset).unwrap();
            let size = usize::try_from(written.size_in_bytes).unwrap();
            assert_eq!(u32::from_be_bytes(word(start)) as usize, size);
            assert_eq!(u32::from_le_bytes(word(start + 4)), 1_681_511_377);
            let data = &file[start + 4..start + 4 + size];
            let checksum = u32::from_be_bytes(word(start + 4 + size));
            assert_eq!(checksum, crc32(data));
            let marks = Marks::deserialize_from(&data[4..]).unwrap();
            assert_eq!(marks.into_iter().collect::<Vec<_>>(), *rows);
            assert_eq!(usize::try_from(written.cardinality).unwrap(), rows.len());
        }
    }

    /// CRC-32 as in RFC 1952, bit by bit.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(crc & 1))
            })
        })
    }

    #[test]
    fn vectors_file_follows_from_its_descriptor() {
        // The examples of the protocol, *Derived Fields*.
        assert_eq!(
            path_in_table("u", "ab^-aqEH.-t@S}K{vb[*k^").unwrap(),
            "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"
        );
        assert_eq!(
            path_in_table("u", "vBn[lx{q8@P<9BNH/isA").unwrap(),
            "deletion_vector_61d16c75-6994-46b7-a15b-8b538852e50e.bin"
        );
        assert_eq!(path_in_table("i", "vBn[lx{q8@P<9BNH/isA"), None);
        assert_eq!(path_in_table("u", "short"), None);
        assert_eq!(path_in_table("p", "s3://elsewhere/a.bin"), None);
    }
}
