//! Reading what a pipeline made: its tables by name, the quarantine, the originals, the batches.
//!
//! All tables are opened at the versions of one record, so that a question over several of them sees
//! one state of the world.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use datafusion::datasource::MemTable;
use datafusion::execution::context::{SessionConfig, SessionContext};
use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Ledger, Plan, Record};
use esteira_lake::tables::{LakeTable, TableError, TableSpec};

use crate::process::{QUARANTINE, quarantine_spec, specs};
use crate::{Error, Pipeline};

/// The tables of a pipeline in a bucket.
#[derive(Debug)]
pub struct Lake {
    pipeline: Pipeline,
    bucket: Bucket,
    ledger: Ledger,
}

impl Lake {
    /// Opens the ledger of `pipeline` in `bucket`.
    ///
    /// # Errors
    /// [`Error`] when the bucket or the ledger cannot be read.
    pub async fn open(pipeline: Pipeline, bucket: Bucket) -> Result<Self, Error> {
        bucket.check().await?;
        let ledger = Ledger::open(bucket.clone(), &pipeline.name).await?;
        Ok(Self {
            pipeline,
            bucket,
            ledger,
        })
    }

    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The ledger as it was when this was opened.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The names a question may use.
    #[must_use]
    pub fn table_names(&self) -> Vec<String> {
        let tables = self.pipeline.tables.iter().map(|t| t.name.clone());
        let others = [QUARANTINE, "raw_objects", "batches"].map(str::to_owned);
        tables.chain(others).collect()
    }

    /// A session with the tables of the newest record, the `quarantine`, the planned objects as
    /// `raw_objects` and the records as `batches`.
    ///
    /// # Errors
    /// [`Error`] when a table or the ledger cannot be read.
    pub async fn session(&self) -> Result<SessionContext, Error> {
        let config = SessionConfig::new().with_information_schema(true);
        let session = SessionContext::new_with_config(config);
        let mut all: Vec<TableSpec> = specs(&self.pipeline).collect();
        all.push(quarantine_spec(&self.pipeline));
        for spec in all {
            self.register(&session, spec).await?;
        }
        let failed = |error: &dyn std::error::Error| Error::Query {
            what: "reading the ledger".to_owned(),
            reason: error.to_string(),
        };
        let batches = batches(&self.ledger.records(0).await?).map_err(|e| failed(&e))?;
        let objects = raw_objects(&self.ledger.plans(0).await?).map_err(|e| failed(&e))?;
        for (name, rows) in [("batches", batches), ("raw_objects", objects)] {
            let table = MemTable::try_new(rows.schema(), vec![vec![rows]]);
            table
                .and_then(|table| session.register_table(name, Arc::new(table)))
                .map_err(|e| failed(&e))?;
        }
        Ok(session)
    }

    async fn register(&self, session: &SessionContext, spec: TableSpec) -> Result<(), Error> {
        let name = spec.name.clone();
        let schema = spec.schema.clone();
        let version = self
            .ledger
            .last_record()
            .and_then(|record| record.tables.get(&name))
            .map(|table| table.version);
        let failed = |error: &dyn std::error::Error| Error::Query {
            what: format!("opening table `{name}`"),
            reason: error.to_string(),
        };
        let provider: Arc<dyn datafusion::catalog::TableProvider> =
            match LakeTable::open_as_it_is(&self.bucket, spec, version).await {
                Ok(table) => {
                    let delta = table.inner();
                    delta
                        .update_datafusion_session(&session.state())
                        .map_err(|e| failed(&e))?;
                    delta.table_provider().await.map_err(|e| failed(&e))?
                }
                // Before the first batch every table is there, and empty.
                Err(TableError::Missing { .. }) => {
                    Arc::new(MemTable::try_new(schema, vec![vec![]]).map_err(|e| failed(&e))?)
                }
                Err(error) => return Err(error.into()),
            };
        session
            .register_table(name.as_str(), provider)
            .map_err(|e| failed(&e))?;
        Ok(())
    }
}

fn instants(values: impl Iterator<Item = i64>) -> ArrayRef {
    let all: TimestampMicrosecondArray = values.map(Some).collect();
    Arc::new(all.with_timezone("UTC"))
}

fn numbers(values: impl Iterator<Item = u64>) -> ArrayRef {
    let signed = values.map(|value| Some(i64::try_from(value).unwrap_or(i64::MAX)));
    Arc::new(signed.collect::<Int64Array>())
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

fn relation(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, ArrowError> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn raw_objects(plans: &[Plan]) -> Result<RecordBatch, ArrowError> {
    let all = || {
        plans
            .iter()
            .flat_map(|plan| plan.objects.iter().map(move |object| (plan, object)))
    };
    relation(vec![
        ("key", texts(all().map(|(_, object)| object.key.as_str()))),
        ("etag", texts(all().map(|(_, object)| object.etag.as_str()))),
        ("size", numbers(all().map(|(_, object)| object.size))),
        (
            "modified",
            instants(all().map(|(_, object)| object.modified)),
        ),
        ("batch", numbers(all().map(|(plan, _)| plan.batch))),
        (
            "dt_processamento",
            texts(all().map(|(plan, _)| plan.processing_date.as_str())),
        ),
    ])
}

fn batches(records: &[Record]) -> Result<RecordBatch, ArrowError> {
    let all = || records.iter();
    relation(vec![
        ("batch", numbers(all().map(|r| r.batch))),
        ("planned_at", instants(all().map(|r| r.planned_at))),
        ("recorded_at", instants(all().map(|r| r.recorded_at))),
        (
            "objects",
            numbers(all().map(|r| r.accounts.objects.discovered)),
        ),
        ("bytes", numbers(all().map(|r| r.bytes))),
        (
            "events",
            numbers(all().map(|r| r.accounts.events.discovered)),
        ),
        ("applied", numbers(all().map(|r| r.accounts.events.applied))),
        (
            "superseded",
            numbers(all().map(|r| r.accounts.events.superseded)),
        ),
        (
            "quarantined",
            numbers(all().map(|r| r.accounts.events.quarantined)),
        ),
        (
            "duplicate",
            numbers(all().map(|r| r.accounts.events.duplicate)),
        ),
        (
            "freshness_p99_ms",
            numbers(all().map(|r| u64::try_from(r.freshness_ms.p99).unwrap_or_default())),
        ),
        ("pipeline", texts(all().map(|r| r.pipeline.as_str()))),
    ])
}
