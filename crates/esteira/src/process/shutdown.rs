//! Stopping a run gracefully: the batch in hand is finished, nothing new is begun.

use tokio::sync::watch;

/// A switch that stops a run. Clones share it.
#[derive(Debug, Clone)]
pub struct Shutdown {
    switch: std::sync::Arc<watch::Sender<bool>>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            switch: std::sync::Arc::new(watch::Sender::new(false)),
        }
    }
}

impl Shutdown {
    /// Asks the run to stop.
    pub fn stop(&self) {
        self.switch.send_replace(true);
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.switch.borrow()
    }

    /// Waits until it is asked to stop, at most `time`; tells whether it was.
    pub(super) async fn within(&self, time: std::time::Duration) -> bool {
        let mut receiver = self.switch.subscribe();
        let asked = receiver.wait_for(|stopping| *stopping);
        tokio::time::timeout(time, asked).await.is_ok()
    }
}
