//! What a sample is to be like.

use clap::ValueEnum;

/// The settings of a sample; equal settings give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleOptions {
    /// How many orders; each has two to five events.
    pub(crate) orders: u64,
    /// Number of the first order. Samples of one seed whose numbers do not overlap have no order
    /// and no object name in common.
    pub(crate) first_order: u64,
    /// What all choices follow from.
    pub(crate) seed: u64,
    /// Stop after this many events, whatever the orders.
    pub(crate) max_events: Option<u64>,
    /// Events in one object; the last object may have fewer. 0 counts as 1.
    pub(crate) events_per_object: usize,
    /// How events stand in an object.
    pub(crate) form: SampleForm,
    /// How objects are compressed.
    pub(crate) compression: Option<SampleCompression>,
    /// Over how many days from 2024-01-01 on the orders are spread. 0 counts as 1.
    pub(crate) days: u32,
    /// Of 1,000 states that are followed by another one, how many are emitted after it.
    pub(crate) late_per_mille: u16,
    /// Of 1,000 states that follow another one, how many carry its instant.
    pub(crate) tied_per_mille: u16,
    /// Of 1,000 orders, how many never have an item.
    pub(crate) without_items_per_mille: u16,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            orders: 1_000,
            first_order: 1,
            seed: 1,
            max_events: None,
            events_per_object: 1,
            form: SampleForm::Json,
            compression: None,
            days: 30,
            late_per_mille: 50,
            tied_per_mille: 50,
            without_items_per_mille: 60,
        }
    }
}

/// How events stand in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SampleForm {
    /// Compact; several in one object stand one after another with nothing between them.
    Json,
    /// Over many lines each.
    Pretty,
    /// As one array, each event on its own line.
    Array,
    /// One a line.
    Ndjson,
}

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SampleCompression {
    /// One gzip member.
    Gzip,
    /// One zstd frame.
    Zstd,
}
