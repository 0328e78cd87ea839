//! A process that is written in Rust, as the sections of `pipeline.toml`: from here on it is checked, and
//! runs, as a folder is.

use super::file::{
    AfterName, EventSection, KindName, LimitsSection, MaintenanceSection, NotificationsSection,
    OutputSection, PipelineFile, RuleSection, SourceSection, TableSection,
};
use super::places::of_process;
use super::{After, PipelineError};
use crate::interface::{Declared, Rows, Said, SchemaText, Table};

impl Declared {
    /// The same with what was said from outside.
    pub(super) fn with(mut self, said: &Said) -> Self {
        let given = [
            (&mut self.name, &said.name),
            (&mut self.output, &said.output),
            (&mut self.revision, &said.revision),
        ];
        for (own, said) in given {
            if let Some(said) = said {
                said.clone_into(own);
            }
        }
        if !said.input.is_empty() {
            self.inputs.clone_from(&said.input);
        }
        if let Some(schema) = &said.schema {
            self.schema = schema.clone();
        }
        self.functions.extend(said.functions.iter().cloned());
        self
    }

    /// As it would be written in a file.
    pub(super) fn sections(&self) -> PipelineFile {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        PipelineFile {
            name: self.name.clone(),
            source: self.source_section(),
            output: OutputSection {
                tables: given(&self.output),
                raw: given(&self.raw),
                quarantine: given(&self.quarantine),
            },
            event: EventSection {
                schema: String::new(),
                version: self.version.clone(),
            },
            limits: LimitsSection::default(),
            maintenance: MaintenanceSection::default(),
            tables: self.tables.iter().map(section).collect(),
        }
    }

    /// Durations as a file has them, for the checks: longer rather than shorter.
    fn source_section(&self) -> SourceSection {
        let rules = &self.source;
        let archive = match &rules.after {
            After::Archive { folder } => Some(folder.clone()),
            After::Keep | After::Delete => None,
        };
        SourceSection {
            path: match self.inputs.as_slice() {
                [path] => Some(path.clone()),
                _ => None,
            },
            paths: (self.inputs.len() > 1).then(|| self.inputs.clone()),
            min_age_seconds: Some(rules.min_age.as_secs()),
            max_age_hours: rules.max_age.map(|age| age.as_secs().div_ceil(3600)),
            after: match rules.after {
                After::Keep => AfterName::Keep,
                After::Delete => AfterName::Delete,
                After::Archive { .. } => AfterName::Archive,
            },
            archive,
            notifications: rules
                .notifications
                .as_ref()
                .map(|given| NotificationsSection {
                    queue: given.queue.clone(),
                    list_every_seconds: Some(given.list_every.as_secs()),
                }),
        }
    }

    /// What nobody said, neither the process nor whoever submits it.
    pub(super) fn missing(&self) -> Vec<PipelineError> {
        let has_schema = !matches!(self.schema.0, SchemaText::NotSaid);
        let all = [
            (
                !self.name.is_empty(),
                "nothing says what it is called",
                "`Process::name` or `Submit::process_name`: its ledger and its originals are kept under it",
            ),
            (
                !self.inputs.is_empty(),
                "nothing says which objects it takes",
                "`Process::input` or `Submit::input`, for instance `input/*.json`",
            ),
            (
                has_schema,
                "nothing says what an event is",
                "`Process::schema` or `Submit::schema`, for instance `CREATE TABLE …`",
            ),
            (
                !self.version.is_empty(),
                "nothing says which of two events is newer",
                "`Process::version`: a TIMESTAMP NOT NULL of the schema",
            ),
            (
                !self.tables.is_empty(),
                "there is no table",
                "`Process::tables` gives them",
            ),
        ];
        let missing = all.into_iter().filter(|(is_there, _, _)| !is_there);
        missing
            .map(|(_, message, hint)| PipelineError::Declared {
                place: of_process(&self.name),
                message: message.to_owned(),
                hint: Some(hint.to_owned()),
            })
            .collect()
    }
}

fn section(table: &Table) -> TableSection {
    let (kind, key, head) = match &table.rows {
        Rows::Latest(key) => (Some(KindName::Latest), Some(key), None),
        Rows::History(key) => (Some(KindName::History), Some(key), None),
        Rows::Append => (Some(KindName::Append), None, None),
        Rows::Child(head) => (None, None, Some(head)),
    };
    let rules = table
        .rules
        .iter()
        .map(|(name, condition, action)| RuleSection {
            name: name.clone(),
            condition: condition.clone(),
            action: *action,
        });
    TableSection {
        name: table.name.clone(),
        model: Some(String::new()),
        kind,
        key: key.cloned(),
        head: head.cloned(),
        delete_when: table.delete_when.clone(),
        copy_on_write: table.copy_on_write,
        rules: rules.collect(),
    }
}
