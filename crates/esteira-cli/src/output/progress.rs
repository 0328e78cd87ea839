//! Live progress while a person waits.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use esteira::{Error, Observer, Progress};
use esteira_lake::ledger::Record;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{duration, format};

/// A bar with a known end. Hidden where nobody looks.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        let bar = ProgressBar::new(total).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Observer for Bar {
    fn recorded(&self, _: &Record) {
        self.step();
    }
}

/// The lines of runs side by side.
#[derive(Default)]
pub(crate) struct LiveLines(MultiProgress);

impl LiveLines {
    /// A line of its own for the run called `label`.
    pub(crate) fn line(&self, label: &str, bucket: &str) -> Live {
        Live::new(self.0.add(ProgressBar::new_spinner()), label, bucket)
    }
}

/// One line that says where a run is.
pub(crate) struct Live {
    spinner: ProgressBar,
    state: Mutex<State>,
}

struct State {
    start: Instant,
    objects: u64,
    events: u64,
    quarantined: u64,
    batches: u64,
    freshness: i64,
    now: Progress,
}

impl Live {
    fn new(spinner: ProgressBar, label: &str, bucket: &str) -> Self {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}{wide_msg}") {
            spinner.set_style(style);
        }
        if !label.is_empty() {
            spinner.set_prefix(format!("{}: ", format::safe(label)));
        }
        spinner.enable_steady_tick(Duration::from_millis(200));
        spinner.set_message(format!("looking into {}", format::safe(bucket)));
        Self {
            spinner,
            state: Mutex::new(State {
                start: Instant::now(),
                objects: 0,
                events: 0,
                quarantined: 0,
                batches: 0,
                freshness: 0,
                now: Progress::default(),
            }),
        }
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        // A panic elsewhere must not hide how far it got.
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut state);
        let seconds = state.start.elapsed().as_millis().max(1);
        let rate = u128::from(state.events) * 1000 / seconds;
        self.spinner.set_message(format!(
            "batch {}: {}/{} objects · {} objects, {} events ({rate}/s), {} quarantined in {} batches · p99 freshness {}",
            state.now.batch,
            state.now.landed,
            state.now.objects,
            state.objects,
            state.events,
            state.quarantined,
            state.batches,
            duration(state.freshness),
        ));
    }
}

impl Observer for Live {
    fn discovered(&self, objects: usize) {
        let idle = self.state.lock().is_ok_and(|state| state.batches == 0);
        if objects == 0 && idle {
            self.spinner.set_message("waiting for objects");
        }
    }

    fn progress(&self, progress: Progress) {
        self.update(|state| state.now = progress);
    }

    fn recorded(&self, record: &Record) {
        // What a switch accounts for was counted when it came.
        if record.switch.is_some() {
            return;
        }
        self.update(|state| {
            state.batches += 1;
            state.objects += record.accounts.objects.discovered;
            state.events += record.accounts.events.discovered;
            state.quarantined += record.accounts.events.quarantined;
            state.freshness = record.freshness_ms.p99;
        });
    }

    fn retrying(&self, error: &Error, seconds: u64) {
        self.spinner.println(format::safe(&format!(
            "{error}; trying again in {seconds} s"
        )));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
    }
}
