//! A model reads what a person does not see: tags that spell a second text, selectors that carry bytes, letters out of sight or in another order.
//!
//! A person approves a tool or a rule by what an editor shows of it. Characters that show nothing have no use in a description but to tell the model something
//! else.
//!
//! **What to do:** do not use it; look at the bytes, and treat what assistants did meanwhile as an outsider's orders.
//!
//! **Limits:** single joiners of emoji and scripts, flags of regions and marks of encoding are left alone. What only adds a few such characters is told as medium.
//!
//! **Example:** a description that ends in forty tag characters.

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/hidden-text",
    title: "what a model reads holds text that nobody sees",
    severity: Critical,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::HiddenText(hidden) = &remark.what else { return None };
    let grade = match hidden {
        Hidden::Tags | Hidden::Selectors => (Critical, Sure),
        Hidden::ZeroWidth | Hidden::Reordered | Hidden::Terminal => (High, Likely),
        Hidden::Private => (Medium, Likely),
    };
    judged(grade, format!("{} holds {}", of(remark), hidden.what()))
}
