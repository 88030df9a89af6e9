//! Three-valued logic: true, false, and "cannot be told", with the states that made it so.

use tidegate_model::facts::FactState;

/// The states of facts that left a condition untold. Never empty inside [`Tri::Unknown`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct States(u8);

impl States {
    /// One state.
    pub const fn one(state: FactState) -> Self {
        Self(1 << state as u8)
    }

    /// Both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `state` is among them.
    pub const fn contains(self, state: FactState) -> bool {
        self.0 & (1 << state as u8) != 0
    }

    /// The states, in the order of the schema.
    pub fn iter(self) -> impl Iterator<Item = FactState> {
        FactState::ALL.into_iter().filter(move |s| self.contains(*s))
    }
}

impl FromIterator<FactState> for States {
    fn from_iter<I: IntoIterator<Item = FactState>>(states: I) -> Self {
        states.into_iter().fold(Self::default(), |all, s| all.union(Self::one(s)))
    }
}

/// A truth value of Kleene's strong logic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tri {
    /// It does not hold.
    False,
    /// It cannot be told, because facts are in these states.
    Unknown(States),
    /// It holds.
    True,
}

impl Tri {
    /// Unknown because of one state.
    pub const fn unknown(state: FactState) -> Self {
        Self::Unknown(States::one(state))
    }

    /// False and anything is false; true and unknown is unknown.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, x) | (x, Self::True) => x,
            (Self::Unknown(a), Self::Unknown(b)) => Self::Unknown(a.union(b)),
        }
    }

    /// True or anything is true; false or unknown is unknown.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, x) | (x, Self::False) => x,
            (Self::Unknown(a), Self::Unknown(b)) => Self::Unknown(a.union(b)),
        }
    }

    /// The word used in explanations and case files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::False => "false",
            Self::Unknown(_) => "unknown",
            Self::True => "true",
        }
    }
}

impl std::ops::Not for Tri {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::True => Self::False,
            Self::Unknown(states) => Self::Unknown(states),
        }
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_tri() -> impl Strategy<Value = Tri> {
        prop_oneof![
            Just(Tri::False),
            Just(Tri::True),
            proptest::sample::subsequence(FactState::ALL.to_vec(), 1..4)
                .prop_map(|s| Tri::Unknown(s.into_iter().collect())),
        ]
    }

    proptest! {
        #[test]
        fn kleene_laws(a in any_tri(), b in any_tri(), c in any_tri()) {
            prop_assert_eq!(a.and(b), b.and(a));
            prop_assert_eq!(a.or(b), b.or(a));
            prop_assert_eq!(a.and(b).and(c), a.and(b.and(c)));
            prop_assert_eq!(a.or(b).or(c), a.or(b.or(c)));
            prop_assert_eq!(!(a.and(b)), (!a).or(!b));
            prop_assert_eq!(!!a, a);
            prop_assert_eq!(a.and(a), a);
            prop_assert_eq!(a.and(Tri::False), Tri::False);
            prop_assert_eq!(a.or(Tri::True), Tri::True);
            prop_assert_eq!(a.and(Tri::True), a);
            prop_assert_eq!(a.or(Tri::False), a);
            // Distribution holds for the truth; which states are named may differ where a branch is already decided.
            prop_assert_eq!(a.and(b.or(c)).as_str(), a.and(b).or(a.and(c)).as_str());
        }
    }
}
