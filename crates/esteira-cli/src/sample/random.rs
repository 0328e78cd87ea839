//! Pseudo-random numbers that are the same everywhere: SplitMix64 (Steele, Lea, Flood, 2014).

/// A sequence of pseudo-random numbers, not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.state)
    }

    /// A number below `limit`; 0 when `limit` is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.bits() % limit.max(1)
    }

    /// True in `per_mille` of 1,000 cases.
    pub(super) fn chance(&mut self, per_mille: u16) -> bool {
        self.below(1_000) < u64::from(per_mille)
    }
}

/// 64 bits that look unlike `value`, another one for each value.
pub(super) fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The text that `bits` fall on; `choices` must not be empty.
pub(super) fn chosen(choices: &[&'static str], bits: u64) -> &'static str {
    let count = u64::try_from(choices.len()).unwrap_or(u64::MAX).max(1);
    choices[usize::try_from(bits % count).unwrap_or(0)]
}
