//! How rough the weather is: the seed, and the rates of each fault by profile.
//!
//! The table here is the one of docs/reliability.md; a test holds the two together.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Kind;

/// What is asked of a simulator that is to make trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chaos {
    /// The same seed meets the same requests with the same faults.
    pub seed: u64,
    /// How often, and how hard.
    pub profile: Profile,
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chaos {}, seed {}", self.profile, self.seed)
    }
}

/// How often faults happen, and how hard they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// A bad day of a good service: some 3 of 100 requests.
    Light,
    /// What a pipeline has to live with: some 12 of 100 requests.
    #[default]
    Rough,
    /// What no service should do: a third of the requests.
    Storm,
}

impl Profile {
    /// Its name, as the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Rough => "rough",
            Self::Storm => "storm",
        }
    }

    pub(crate) fn weights(self) -> Weights {
        let (rates, hang, pause, skew_seconds) = match self {
            Self::Light => (
                [100, 50, 50, 50, 25, 10, 50, 100, 100, 500, 100],
                200..=400,
                5..=20,
                2,
            ),
            Self::Rough => (
                [300, 200, 200, 200, 100, 50, 200, 300, 400, 2_000, 500],
                300..=1_000,
                10..=40,
                30,
            ),
            Self::Storm => (
                [800, 500, 500, 600, 400, 150, 400, 600, 1_000, 4_000, 1_000],
                500..=2_000,
                20..=80,
                300,
            ),
        };
        Weights {
            rates,
            hang,
            pause,
            skew_seconds,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        [Self::Light, Self::Rough, Self::Storm]
            .into_iter()
            .find(|profile| profile.name() == text)
            .ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}

/// No profile has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a profile: there are `light`, `rough` and `storm`")]
pub struct UnknownProfile(String);

/// A profile in numbers.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// Of 10,000 requests that a kind can happen to, how many it happens to; in the order of [`Kind::ALL`].
    pub(crate) rates: [u64; Kind::ALL.len()],
    /// How long a request hangs before its connection is dropped, in milliseconds.
    pub(crate) hang: RangeInclusive<u64>,
    /// Between two pieces of a slow body, in milliseconds.
    pub(crate) pause: RangeInclusive<u64>,
    /// How far an object's time may be off, either way, in seconds.
    pub(crate) skew_seconds: u64,
}
