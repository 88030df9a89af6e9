//! Routes, manifests, lists and refusals of image registries.

mod manifests;
mod routes;

use tidegate_model::{Ecosystem, PackageName};

fn app() -> PackageName {
    PackageName::parse(Ecosystem::Oci, "org/app").expect("a valid name")
}
