# What a change must pass, piece by piece; `just ci` is all of it.

default:
    @just --list

# format and lint
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# every test, offline
test:
    cargo test --workspace

# documentation, with warnings denied
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# licences, advisories, banned crates
deny:
    cargo deny check

# every example and the lab, offline
examples:
    for example in lab-examples/examples/*.rs; do cargo run -q -p lab-examples --example "$(basename "$example" .rs)" || exit 1; done
    cargo run -q -p lab-examples

# Azure CLI, the Python and the JavaScript SDKs on the double; needs the package registries
real-clients:
    tests/real-clients/run

# the figures of BENCHMARKS.md
bench:
    cargo bench --workspace

# the gate
ci:
    .ci/run
