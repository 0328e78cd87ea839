//! Numbers from a seed and a name: the same ones on every machine and in every version.
//!
//! The name is hashed by FNV-1a, the sequence is SplitMix64 (Steele, Lea, Flood: "Fast splittable
//! pseudorandom number generators", 2014). Neither is for secrets.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of pseudo-random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// The sequence of the `turn`-th time that `name` is met under `seed`.
    pub(crate) fn of(seed: u64, name: &str, turn: u64) -> Self {
        // The seed is mixed first: the sequences of neighbouring seeds must not be shifted copies.
        let mut state = mix(seed.wrapping_add(GOLDEN));
        state = mix(state ^ hash(name));
        Self {
            state: mix(state ^ turn.wrapping_mul(GOLDEN)),
        }
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = high.saturating_sub(low).saturating_add(1);
        low + self.bits() % span
    }
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
