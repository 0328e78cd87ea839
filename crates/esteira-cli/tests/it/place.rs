//! A folder of its own for each test, and the command run in it.
//!
//! The command sees nothing of the machine it is tested on: no home, no settings, no credentials but
//! those given here. The invariant: nothing that was started outlives the test, and nothing is waited
//! for without an end.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Long enough for any command on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(6);

/// A folder of its own, and the settings of the commands run in it.
pub(crate) struct Place {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

impl Place {
    /// A place without any settings.
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        }
    }

    /// A place whose commands go to this endpoint, with the simulator's credentials.
    pub(crate) fn at(endpoint: &str) -> Self {
        Self::new()
            .with("AWS_ENDPOINT_URL", endpoint)
            .with("AWS_ACCESS_KEY_ID", "dummy")
            .with("AWS_SECRET_ACCESS_KEY", "dummy")
            .with("AWS_REGION", "us-east-1")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.settings.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn settings(&self) -> impl Iterator<Item = (String, String)> {
        self.settings.iter().cloned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders it needs.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// A local folder that plays a bucket; its location.
    pub(crate) fn folder_bucket(&self, name: &str) -> String {
        std::fs::create_dir_all(self.path(name)).unwrap();
        format!("file://{}", self.path(name).display())
    }

    /// A copy of the built-in pipeline's folder with `change` made to one of its files.
    pub(crate) fn pipeline(&self, name: &str, file: &str, change: impl FnOnce(String) -> String) {
        self.copy_of("marketing_place", name, file, change);
    }

    /// A copy of any built-in pipeline's folder with `change` made to one of its files.
    pub(crate) fn copy_of(
        &self,
        pipeline: &str,
        name: &str,
        file: &str,
        change: impl FnOnce(String) -> String,
    ) {
        let pipelines = Path::new("../../pipelines");
        let source = pipelines.join(pipeline);
        for part in ["pipeline.toml", "schema.sql", "models"] {
            copy(&source.join(part), &self.path(name).join(part));
        }
        let text = std::fs::read_to_string(self.path(name).join(file)).unwrap();
        let changed = change(text.clone());
        assert_ne!(text, changed, "the change does not fit `{file}` any more");
        self.write(&format!("{name}/{file}"), changed);
    }

    /// The pipeline `name`, whose batches have at most so many objects and whose input is everything
    /// below `input/`.
    pub(crate) fn pipeline_with_batches_of(&self, name: &str, objects: usize) {
        self.pipeline(name, "pipeline.toml", |text| {
            let limits =
                format!("\n[limits]\nobjects_per_batch = {objects}\npoll_milliseconds = 50\n");
            text.replace("input/*.json", "input/**") + &limits
        });
    }

    /// The command, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_esteira"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        self.start(arguments).end()
    }

    /// Starts the command.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::new(self.command(arguments))
    }

    /// Runs the command, which has to succeed; gives what it said on standard output.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let answer = self.run(arguments);
        assert!(answer.code == Some(0), "{arguments:?}: {answer:?}");
        answer.out
    }

    /// What a failed command left in front of a person, with the machine taken out of it.
    pub(crate) fn failure(&self, arguments: &[&str]) -> String {
        let answer = self.run(arguments);
        assert_eq!(answer.out, "", "{answer:?}");
        self.shown(&answer)
    }

    /// The exit code and all that was said, with the machine taken out of it.
    pub(crate) fn shown(&self, answer: &Answer) -> String {
        let code = answer
            .code
            .map_or("none".to_owned(), |code| code.to_string());
        let mut text = format!("exit {code}\n{}{}", answer.out, answer.err);
        let real = self.folder.path().canonicalize().unwrap();
        for path in [real.as_path(), self.folder.path()] {
            text = text.replace(&path.display().to_string(), "<dir>");
        }
        numbers_after(&mut text, "(os error ", "<n>");
        numbers_after(&mut text, "127.0.0.1:", "<port>");
        numbers_after(&mut text, "port ", "<port>");
        numbers_after(&mut text, "pid ", "<pid>");
        text
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

/// Replaces every number that follows `before`.
pub(crate) fn numbers_after(text: &mut String, before: &str, by: &str) {
    let mut done = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(before) {
        let (head, tail) = rest.split_at(at + before.len());
        let number = tail.trim_start_matches(|c: char| c.is_ascii_digit());
        done.push_str(head);
        if number.len() < tail.len() {
            done.push_str(by);
        }
        rest = number;
    }
    done.push_str(rest);
    *text = done;
}

/// What a command that ended left behind.
#[derive(Debug)]
pub(crate) struct Answer {
    /// None when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A command that was started; killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    out: Reader,
    err: Reader,
}

impl Running {
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            out: Reader::new(child.stdout.take().unwrap()),
            err: Reader::new(child.stderr.take().unwrap()),
            child,
        }
    }

    /// What it has said on standard output so far, in whole lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.out.lines()
    }

    /// What it has said on standard error so far, in whole lines.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.err.lines()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for so many lines on standard output.
    pub(crate) fn wait_for_lines(&mut self, count: usize) -> Vec<String> {
        let enough = until(|| self.out.lines().len() >= count || self.has_ended());
        let lines = self.lines();
        assert!(
            enough && lines.len() >= count,
            "{count} lines were awaited: {lines:?} {:?}",
            self.err.lines()
        );
        lines
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Answer {
        let ended = until(|| self.has_ended());
        assert!(
            ended,
            "does not end: {:?} {:?}",
            self.lines(),
            self.err.lines()
        );
        let status = self.child.wait().unwrap();
        let answer = Answer {
            code: status.code(),
            status,
            out: self.out.end(),
            err: self.err.end(),
        };
        for text in [&answer.out, &answer.err] {
            assert!(
                !text.contains('\x1b'),
                "escape codes where no terminal is: {answer:?}"
            );
        }
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Collects an output while its writer goes on.
struct Reader {
    said: Arc<Mutex<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn new(output: impl Read + Send + 'static) -> Self {
        let said = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&said);
        let thread = std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).unwrap() > 0 {
                let text = std::str::from_utf8(&line).unwrap();
                shared.lock().unwrap().push_str(text);
                line.clear();
            }
        });
        Self {
            said,
            thread: Some(thread),
        }
    }

    fn lines(&self) -> Vec<String> {
        self.said
            .lock()
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn end(&mut self) -> String {
        self.thread.take().unwrap().join().unwrap();
        std::mem::take(&mut *self.said.lock().unwrap())
    }
}

/// Asks until it is so; false when it never was.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
