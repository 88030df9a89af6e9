//! Which facts and advisories made a rule come out as it did.

use tidegate_model::decision::BecauseFact;
use tidegate_model::facts::{FactState, Vulnerability};

use crate::logic::Tri;
use crate::policy::Rule;
use crate::tree::{Context, FactLeaf, FactTest, Quantifier, Tree};

/// The fact that names a person. Rules read it; what they say does not repeat it.
pub(crate) const NAMES_A_PERSON: &str = "principal.id";

/// The facts that carry the rule's truth, and the advisories that make it true or unknown.
pub(crate) fn evidence<'a>(rule: &Rule, context: &Context<'a>) -> (Vec<BecauseFact>, Vec<&'a Vulnerability>) {
    let mut found = Evidence { context, facts: Vec::new(), advisories: Vec::new() };
    found.walk(&rule.condition, true);
    found.facts.sort_by(|a, b| a.path.cmp(&b.path));
    found.facts.dedup();
    (found.facts, found.advisories)
}

struct Evidence<'c, 'a> {
    context: &'c Context<'a>,
    facts: Vec<BecauseFact>,
    advisories: Vec<&'a Vulnerability>,
}

impl Evidence<'_, '_> {
    fn walk(&mut self, tree: &Tree<FactLeaf>, positive: bool) {
        match tree {
            Tree::All(parts) | Tree::Any(parts) => {
                let whole = self.context.tree(tree, positive);
                for part in parts {
                    // Only parts that came out like the whole carry it: a true branch of a true `any`, an unknown
                    // part of an unknown `all`.
                    let one = self.context.tree(part, positive);
                    if one.as_str() == whole.as_str() {
                        self.walk(part, positive);
                    }
                }
            }
            Tree::Not(part) => self.walk(part, !positive),
            Tree::Leaf(FactLeaf::Test(test)) => self.test(test),
            Tree::Leaf(FactLeaf::State(group, _)) => self.group(group.as_str(), self.context.state(*group)),
            Tree::Leaf(FactLeaf::Advisories(quantifier, items)) => {
                let state = self.context.state(crate::paths::GroupId::Vulnerabilities);
                self.group("vulnerabilities", state);
                let truth = self.context.tree(tree, positive);
                let wanted = match (quantifier, truth) {
                    (_, Tri::Unknown(_)) => "unknown",
                    (Quantifier::Some | Quantifier::Every, Tri::True) | (Quantifier::None, Tri::False) => {
                        "true"
                    }
                    _ => "false",
                };
                for item in self.context.advisories() {
                    if self.context.item(items, item).as_str() == wanted
                        && !self.advisories.iter().any(|a| std::ptr::eq(*a, item))
                    {
                        self.advisories.push(item);
                    }
                }
            }
        }
    }

    fn group(&mut self, name: &str, state: FactState) {
        self.facts.push(BecauseFact { path: name.to_owned(), state, value: None });
    }

    fn test(&mut self, FactTest { path, .. }: &FactTest) {
        let value = (path.get)(self.context.facts);
        let state = match self.context.state(path.group) {
            FactState::Known if matches!(value, crate::paths::Value::Null) => match path.null {
                crate::paths::NullMeans::NotOffered => FactState::NotOffered,
                crate::paths::NullMeans::Pending => FactState::Pending,
                crate::paths::NullMeans::Nothing => FactState::Known,
            },
            state => state,
        };
        // A decision stands in the ledger for good, and people can be forgotten.
        let value = if path.name == NAMES_A_PERSON { None } else { value.to_json() };
        self.facts.push(BecauseFact { path: path.name.to_owned(), state, value });
    }
}
