//! The principal class: what of the person asking a decision can depend on.
//!
//! Views of an index are kept per class. A policy that reads nothing of the principal or the request has one class, and
//! one view serves everybody.

use sha2::Digest as _;
use tidegate_model::Timestamp;
use tidegate_model::facts::{Facts, PrincipalFacts, RequestFacts};

use crate::file::Mode;
use crate::logic::Tri;
use crate::paths::GroupId;
use crate::policy::Policy;
use crate::tree::{Context, FactLeaf, Stage, Tree};
use crate::waivers::WaiverSet;

impl Policy {
    /// The class of a principal and a request: equal classes get equal decisions on equal other facts.
    ///
    /// It digests the truth vector of every selector that reads `principal` or `request`, and of every approved waiver
    /// that names principals. 0 where there is none.
    pub fn principal_class(
        &self,
        principal: &PrincipalFacts,
        request: &RequestFacts,
        waivers: &WaiverSet,
    ) -> u64 {
        let facts = Facts { principal: principal.clone(), request: request.clone(), ..Facts::default() };
        let context = Context::new(&facts, Timestamp::from_unix_seconds(0), Stage::of(&facts));
        let mut vector = Vec::new();
        self.visit_class_leaves(&mut |leaf| {
            vector.push(match context.tree(&Tree::Leaf(leaf.clone()), true) {
                Tri::False => 0,
                Tri::Unknown(_) => 1,
                Tri::True => 2,
            });
        });
        vector.extend(waivers.principal_bits(&principal.id).map(u8::from));
        if vector.is_empty() {
            return 0;
        }
        let digest = sha2::Sha256::digest(&vector);
        u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"))
    }

    /// How many selectors read the principal or the request: the number of classes is at most two to that power.
    pub fn principal_selectors(&self) -> usize {
        let mut count = 0;
        self.visit_class_leaves(&mut |_| count += 1);
        count
    }

    fn visit_class_leaves<'p>(&'p self, visit: &mut impl FnMut(&'p FactLeaf)) {
        for rule in self.rules.iter().filter(|r| r.mode != Mode::Off) {
            rule.condition.visit(true, &mut |leaf, _| {
                let stage = matches!(leaf, FactLeaf::Test(t) if t.path.name == "request.operation");
                if matches!(leaf.group(), GroupId::Principal | GroupId::Request) && !stage {
                    visit(leaf);
                }
            });
        }
    }
}
