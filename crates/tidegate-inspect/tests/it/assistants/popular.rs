//! Manifests and lists of tools as widely used extensions and servers have them, in our own words: nothing is told of them.
