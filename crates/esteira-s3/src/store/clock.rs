//! What time it is for an object that is being written.
//!
//! Invariant: how far a clock is off depends on the object's name alone, so that of two versions of an
//! object the later one has the later time, whoever asks for it and however.

use std::time::{Duration, SystemTime};

use super::Moment;
use crate::chaos::Dice;

/// The machine's clock, or one that is off by an amount of its own for every object.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    skew: Option<Skew>,
}

#[derive(Debug, Clone, Copy)]
struct Skew {
    seed: u64,
    most: Duration,
}

impl Clock {
    /// A clock that is off by up to `most`, either way.
    pub(crate) fn skewed(seed: u64, most: Duration) -> Self {
        Self {
            skew: Some(Skew { seed, most }),
        }
    }

    pub(super) fn now(&self, key: &str) -> Moment {
        let now = SystemTime::now();
        let Some(skew) = self.skew else {
            return now.into();
        };
        let most = u64::try_from(skew.most.as_millis()).unwrap_or(u64::MAX / 4);
        let shift = Dice::of(skew.seed, key, 0).between(0, 2 * most);
        // Later by the whole, then earlier by the half of it: no sign to keep.
        let early = now.checked_sub(skew.most).unwrap_or(now);
        Moment::from(early + Duration::from_millis(shift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_the_objects_own_and_within_bounds() {
        let clock = Clock::skewed(7, Duration::from_secs(30));
        let now = SystemTime::now();
        let off = |key: &str| {
            let then = SystemTime::from(clock.now(key));
            match then.duration_since(now) {
                Ok(later) => later.as_secs_f64(),
                Err(earlier) => -earlier.duration().as_secs_f64(),
            }
        };
        let all: Vec<f64> = (0..200).map(|number| off(&format!("k{number}"))).collect();
        assert!(all.iter().all(|off| off.abs() < 31.0), "{all:?}");
        assert!(all.iter().any(|off| *off < -10.0), "{all:?}");
        assert!(all.iter().any(|off| *off > 10.0), "{all:?}");
        assert!((off("k1") - all[1]).abs() < 1.0);
        assert!(Clock::default().now("k1") >= Moment::from(now));
    }
}
