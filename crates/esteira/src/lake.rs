//! Reading what a pipeline made: its tables by name, the quarantine, the originals, the batches.
//!
//! All tables are opened at the versions of one record, so that a question over several of them sees
//! one state of the world.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SessionConfig, SessionContext};
use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::Ledger;
use esteira_lake::tables::{LakeTable, TableError, TableSpec};
use esteira_lake::upsert::VALID_FROM;

use crate::ledger_table::{LedgerKind, LedgerTable};
use crate::process::{QUARANTINE, quarantine_spec, specs};
use crate::{Error, Pipeline, TableKind};

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
        let ledger = Ledger::glance(bucket.clone(), &pipeline.name).await?;
        Ok(Self {
            pipeline,
            bucket,
            ledger,
        })
    }

    /// Every table with the columns that tell its rows apart; none for those that only grow.
    pub(crate) fn keys(&self) -> Vec<(String, Vec<String>)> {
        let tables = specs(&self.pipeline).chain([quarantine_spec(&self.pipeline)]);
        let keys = tables.map(|spec| {
            let mut key = spec.key;
            let rules = self.pipeline.table(&spec.name);
            if rules.is_some_and(|rules| rules.kind == TableKind::History) {
                key.push(VALID_FROM.to_owned());
            }
            (spec.name, key)
        });
        keys.collect()
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

    /// The ledger as it was when this was opened, without what has been seen.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The names a question may use.
    #[must_use]
    pub fn table_names(&self) -> Vec<String> {
        let tables = self.pipeline.tables.iter().map(|t| t.name.clone());
        let others = [
            QUARANTINE,
            LedgerKind::RawObjects.name(),
            LedgerKind::Batches.name(),
        ]
        .map(str::to_owned);
        tables.chain(others).collect()
    }

    /// A session with the tables of the newest record, the `quarantine`, the planned objects as
    /// `raw_objects` and the records as `batches`. Questions may call the pipeline's functions.
    ///
    /// # Errors
    /// [`Error`] when a table or the ledger cannot be read.
    pub async fn session(&self) -> Result<SessionContext, Error> {
        let config = SessionConfig::new().with_information_schema(true);
        let session = SessionContext::new_with_config(config);
        self.pipeline.functions.register(&session);
        let mut all: Vec<TableSpec> = specs(&self.pipeline).collect();
        all.push(quarantine_spec(&self.pipeline));
        for spec in all {
            self.register(&session, spec).await?;
        }
        for kind in [LedgerKind::Batches, LedgerKind::RawObjects] {
            let table = LedgerTable::new(self.bucket.clone(), &self.pipeline.name, kind);
            session
                .register_table(kind.name(), Arc::new(table))
                .map_err(|error| Error::Query {
                    what: "opening the ledger".to_owned(),
                    reason: error.strip_backtrace(),
                })?;
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
        // A table that no batch has is there with the switch that brings it, not before.
        let is_coming = version.is_none()
            && self.ledger.last_record().is_some()
            && self.ledger.unfinished().iter().any(|p| p.switch.is_some());
        let failed = |error: &dyn std::error::Error| Error::Query {
            what: format!("opening table `{name}`"),
            reason: error.to_string(),
        };
        let provider: Arc<dyn TableProvider> =
            match LakeTable::open_as_it_is(&self.bucket, spec, version).await {
                // Before its first batch every table is there, and empty.
                Err(TableError::Missing { .. }) => empty(schema).map_err(|e| failed(&e))?,
                Ok(_) if is_coming => empty(schema).map_err(|e| failed(&e))?,
                Ok(table) => {
                    let delta = table.inner();
                    delta
                        .update_datafusion_session(&session.state())
                        .map_err(|e| failed(&e))?;
                    delta.table_provider().await.map_err(|e| failed(&e))?
                }
                Err(error) => return Err(error.into()),
            };
        session
            .register_table(name.as_str(), provider)
            .map_err(|e| failed(&e))?;
        Ok(())
    }
}

fn empty(schema: SchemaRef) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![]])?))
}
