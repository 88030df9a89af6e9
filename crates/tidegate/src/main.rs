//! The `tidegate` program.

use clap::Parser as _;

/// Indexes of megabytes come and go on many threads; the system's allocator keeps a heap for each and gives little back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    tidegate::cli::run(tidegate::cli::Cli::parse())
}
