//! Which of two events is the newer one.
//!
//! Comes in: an event's own instant and where it was found. Goes out: a total order. Invariant:
//! the order depends on nothing but these four values, so every arrival order, batch split and
//! repetition elects the same winner. Electing winners per key belongs to the transform.

/// The version of an event; the greatest one wins.
///
/// The derived order is lexicographic over the fields as declared, which is the contract's order:
/// the instant of the last update, then the object key compared byte-wise, then the time the
/// object was last written, then the position of the event in its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventVersion<'a> {
    /// The event's last update, in microseconds since 1970-01-01T00:00:00Z (further digits cut).
    pub instant_micros: i64,
    /// The key of the object that holds the event; `str` compares byte-wise.
    pub source_file: &'a str,
    /// When the object was last written, in microseconds since 1970-01-01T00:00:00Z.
    pub modified_micros: i64,
    /// The 0-based position of the event in its object.
    pub position: i64,
}

#[cfg(test)]
mod tests {
    use super::EventVersion;
    use proptest::prelude::*;

    fn version(
        instant_micros: i64,
        source_file: &str,
        modified_micros: i64,
        position: i64,
    ) -> EventVersion<'_> {
        EventVersion {
            instant_micros,
            source_file,
            modified_micros,
            position,
        }
    }

    #[test]
    fn version_with_later_instant_wins_over_everything_else() {
        assert!(version(2, "a", 0, 0) > version(1, "z", 9, 9));
    }

    #[test]
    fn version_with_equal_instant_is_decided_by_key_then_time_then_position() {
        assert!(version(1, "b", 0, 0) > version(1, "a", 9, 9));
        assert!(version(1, "a", 2, 0) > version(1, "a", 1, 9));
        assert!(version(1, "a", 1, 2) > version(1, "a", 1, 1));
    }

    #[test]
    fn version_keys_compare_bytewise_not_by_locale_length_or_number() {
        assert!(version(1, "a", 0, 0) > version(1, "Z", 0, 0));
        assert!(version(1, "input/9.json", 0, 0) > version(1, "input/10.json", 0, 0));
        assert!(version(1, "é", 0, 0) > version(1, "z", 0, 0));
        // UTF-16 order would put the astral character before the private-use one
        assert!(version(1, "\u{1F600}", 0, 0) > version(1, "\u{E000}", 0, 0));
    }

    proptest! {
        #[test]
        fn version_order_equals_the_order_of_its_tuple(
            a in (0i64..3, "[ab]{0,2}", 0i64..3, 0i64..3),
            b in (0i64..3, "[ab]{0,2}", 0i64..3, 0i64..3),
        ) {
            let left = version(a.0, &a.1, a.2, a.3);
            let right = version(b.0, &b.1, b.2, b.3);
            let tuple = |v: &(i64, String, i64, i64)| (v.0, v.1.clone().into_bytes(), v.2, v.3);
            prop_assert_eq!(left.cmp(&right), tuple(&a).cmp(&tuple(&b)));
        }
    }
}
