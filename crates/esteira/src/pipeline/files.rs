//! A folder as a process: everything that its interface is asked for is in its files.

use esteira_events::EventSchema;

use super::file::{KindName, PipelineFile, TableSection};
use super::load::CONFIG;
use super::reader::text;
use super::{
    Limits, Maintenance, PipelineFiles, SourceRules, mend, outputs, settings, source, table,
};
use crate::interface::{
    Base, Declared, DeclaredSchema, Definition, ModelText, Process, Rows, Table,
};

/// Runs as the folder says: of mistakes it tells file and line. The other methods read the same files for
/// whoever passes some of them on, and leave out what cannot be read;
/// [`check`](PipelineFiles::check) tells why.
impl Process for PipelineFiles {
    fn name(&self) -> String {
        self.declared().name
    }

    /// Empty when there are several.
    fn input(&self) -> String {
        match self.inputs().as_slice() {
            [path] => path.clone(),
            _ => String::new(),
        }
    }

    fn inputs(&self) -> Vec<String> {
        self.declared().inputs
    }

    fn source(&self) -> SourceRules {
        self.declared().source
    }

    fn schema(&self) -> DeclaredSchema {
        self.declared().schema
    }

    fn version(&self) -> String {
        self.declared().version
    }

    fn tables(&self) -> Vec<Table> {
        self.declared().tables
    }

    fn output(&self) -> String {
        self.declared().output
    }

    fn raw(&self) -> String {
        self.declared().raw
    }

    fn quarantine(&self) -> String {
        self.declared().quarantine
    }

    fn limits(&self) -> Limits {
        self.declared().limits
    }

    fn maintenance(&self) -> Maintenance {
        self.declared().maintenance
    }

    fn definition(&self) -> Definition {
        Definition::of(Base::Files(self.clone()))
    }
}

impl PipelineFiles {
    fn declared(&self) -> Declared {
        let read = text(self, CONFIG).ok();
        let file = read.and_then(|(name, text)| mend::read(&name, &text).file);
        file.map(|file| self.as_declared(file)).unwrap_or_default()
    }

    fn as_declared(&self, file: PipelineFile) -> Declared {
        let schema = text(self, &file.event.schema).ok();
        Declared {
            limits: settings::limits(&file.limits),
            maintenance: settings::maintenance(&file.maintenance),
            source: source::of(&file.source, &outputs::of(&file)),
            name: file.name,
            inputs: (file.source.path.into_iter())
                .chain(file.source.paths.unwrap_or_default())
                .collect(),
            schema: schema
                .map(|(name, ddl)| EventSchema::parse(&ddl, &name).into())
                .unwrap_or_default(),
            version: file.event.version,
            tables: file.tables.into_iter().map(|s| self.table(s)).collect(),
            output: file.output.tables.unwrap_or_default(),
            raw: file.output.raw.unwrap_or_default(),
            quarantine: file.output.quarantine.unwrap_or_default(),
            ..Declared::default()
        }
    }

    fn table(&self, section: TableSection) -> Table {
        let model = text(self, &table::model_path(&section)).ok();
        let key = section.key.unwrap_or_default();
        let rows = match (section.head, section.kind) {
            (Some(head), _) => Rows::Child(head),
            (None, Some(KindName::Append)) => Rows::Append,
            (None, Some(KindName::History)) => Rows::History(key),
            (None, Some(KindName::Latest) | None) => Rows::Latest(key),
        };
        let rules = section.rules.into_iter();
        Table {
            name: section.name,
            rows,
            model: model.map(|(_, sql)| ModelText::Sql(sql)),
            delete_when: section.delete_when,
            copy_on_write: section.copy_on_write,
            rules: rules.map(|r| (r.name, r.condition, r.action)).collect(),
        }
    }
}
