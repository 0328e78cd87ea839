//! The ledger as tables: `batches` and `raw_objects`, read only when a question names them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::{MemTable, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Ledger, LedgerError, Plan, Record};

/// Which part of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LedgerKind {
    /// A row a record.
    Batches,
    /// A row a planned object.
    RawObjects,
}

impl LedgerKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Batches => "batches",
            Self::RawObjects => "raw_objects",
        }
    }
}

/// A part of the ledger, for questions.
#[derive(Debug)]
pub(crate) struct LedgerTable {
    bucket: Bucket,
    process: String,
    kind: LedgerKind,
    schema: SchemaRef,
}

impl LedgerTable {
    pub(crate) fn new(bucket: Bucket, process: &str, kind: LedgerKind) -> Self {
        let empty = match kind {
            LedgerKind::Batches => batches(&[]),
            LedgerKind::RawObjects => raw_objects(&[]),
        };
        Self {
            bucket,
            process: process.to_owned(),
            kind,
            schema: empty.map_or_else(|_| Arc::new(Schema::empty()), |rows| rows.schema()),
        }
    }

    async fn rows(&self) -> Result<RecordBatch> {
        let failed = |error: LedgerError| DataFusionError::External(Box::new(error));
        let ledger = Ledger::glance(self.bucket.clone(), &self.process)
            .await
            .map_err(failed)?;
        Ok(match self.kind {
            LedgerKind::Batches => batches(&ledger.records(0).await.map_err(failed)?)?,
            LedgerKind::RawObjects => raw_objects(&ledger.taken(0).await.map_err(failed)?)?,
        })
    }
}

#[async_trait]
impl TableProvider for LedgerTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.rows().await?;
        MemTable::try_new(self.schema(), vec![vec![rows]])?
            .scan(state, projection, filters, limit)
            .await
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
        let bringing = plans.iter().filter(|plan| plan.brings_objects());
        bringing.flat_map(|plan| plan.objects.iter().map(move |object| (plan, object)))
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

/// What a batch is: others than the first kind count again what earlier ones brought.
fn kind(record: &Record) -> &'static str {
    match (record.retry_of, &record.switch) {
        (_, Some(_)) => "switch",
        (Some(_), None) => "retry",
        (None, None) => "input",
    }
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
        ("kind", texts(all().map(kind))),
    ])
}
