//! Schemas, events and short ways to decode and to look at what came out.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use esteira_events::{
    DecodeLimits, EventDecoder, EventSchema, ObjectReport, Reason, Rejected, Source,
};

/// The event of a marketplace, as a schema file declares it.
pub(crate) const MARKETPLACE: &str = "
-- an order's state
CREATE TABLE event (
  txt_detl_idt_pedi_pgto STRING NOT NULL CHECK (txt_detl_idt_pedi_pgto <> ''),
  cod_idef_clie STRING,
  dat_hor_tran TIMESTAMP,
  stat_pgto STRING,
  stat_pedi STRING,
  dat_atui TIMESTAMP NOT NULL COMMENT 'last update',
  list_item_pedi ARRAY<STRUCT<
    nom_item: STRING, cod_ofrt_ineo_requ: STRING, idt_venr: STRING, nom_venr: STRING,
    idt_vrne_venr: STRING, cod_vrne_prod: STRING,
    vlr_oril: DECIMAL(18,2), vlr_prod: DECIMAL(18,2), vlr_prod_ofrt_desc: DECIMAL(18,2),
    qtd_item_pedi: BIGINT>>,
  list_envo ARRAY<STRUCT<
    cod_tipo_entg: STRING, cod_venr: STRING, nom_stat_entg: STRING, dat_emis_cpvt: STRING,
    list_item_envo: ARRAY<STRUCT<
      cod_prod: STRING, cod_prod_venr: STRING, stat_entg: STRING, qtd_prod: BIGINT>>>>
)";

/// The smallest event worth deciding about.
pub(crate) const SMALL: &str = "CREATE TABLE event (id STRING NOT NULL, n BIGINT)";

/// Where every object of the tests comes from.
pub(crate) const SOURCE: Source<'static> = Source {
    key: "input/a.json",
    modified_micros: 1_000_000,
};

/// What one object became.
pub(crate) struct Decoded {
    pub(crate) report: ObjectReport,
    pub(crate) batch: RecordBatch,
}

impl Decoded {
    /// The values of a column as text, `null` where there is none.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let options = FormatOptions::default().with_null("null");
        let mut column = Arc::clone(self.batch.column_by_name(name).unwrap());
        if let Some(instants) = column.as_primitive_opt::<TimestampMicrosecondType>() {
            // showing a named time zone needs a database of them
            column = Arc::new(instants.clone().with_timezone("+00:00"));
        }
        let formatter = ArrayFormatter::try_new(&column, &options).unwrap();
        (0..column.len())
            .map(|row| formatter.value(row).to_string())
            .collect()
    }

    /// The one rejected entry of an object that has no other entry.
    #[track_caller]
    pub(crate) fn only_rejected(self) -> Rejected {
        assert_eq!(self.report.events, 0);
        assert_eq!(self.report.rejected.len(), 1, "{:?}", self.report.rejected);
        self.report.rejected.into_iter().next().unwrap()
    }

    /// The rejected entries: position, reason, original as text.
    pub(crate) fn rejected(&self) -> Vec<(u64, Reason, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.report
            .rejected
            .iter()
            .map(|entry| (entry.position, entry.reason, text(original_of(entry))))
            .collect()
    }
}

/// The bytes that a rejected entry carries.
#[track_caller]
pub(crate) fn original_of(entry: &Rejected) -> &[u8] {
    entry.original.as_deref().unwrap()
}

pub(crate) fn decoder(ddl: &str) -> EventDecoder {
    let schema = EventSchema::parse(ddl, "schema.sql").unwrap();
    EventDecoder::new(Arc::new(schema), DecodeLimits::default())
}

/// Decodes one object and checks that its account adds up.
#[track_caller]
pub(crate) fn decode(ddl: &str, object: impl AsRef<[u8]>) -> Decoded {
    decode_by(&mut decoder(ddl), object.as_ref())
}

/// The same with a decoder that is used again.
#[track_caller]
pub(crate) fn decode_by(decoder: &mut EventDecoder, object: &[u8]) -> Decoded {
    let report = decoder.decode_object(&SOURCE, object);
    let batches = decoder.finish().unwrap();
    let batch = concat_batches(&batches[0].schema(), &batches).unwrap();
    assert_eq!(report.events, batch.num_rows() as u64);
    assert!(
        report.events + report.rejected.len() as u64 >= 1,
        "an object was silently nothing"
    );
    let decoded = Decoded { report, batch };
    let rows = decoded
        .column("_source_position")
        .into_iter()
        .map(|p| p.parse::<u64>().unwrap());
    let rejected = decoded.report.rejected.iter().map(|entry| entry.position);
    let mut positions: Vec<u64> = rows.chain(rejected).collect();
    positions.sort_unstable();
    assert!(
        positions.iter().copied().eq(0..positions.len() as u64),
        "{positions:?}"
    );
    decoded
}

/// Decodes objects of the small event.
#[track_caller]
pub(crate) fn decode_small(object: impl AsRef<[u8]>) -> Decoded {
    decode(SMALL, object)
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}
