# The checks that a change must pass, one by one; `just ci` runs the main gate.

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

# Azure CLI and the Python and JavaScript SDKs on the double; needs the package registries
real-clients:
    tests/real-clients/run

# rotations on PostgreSQL, Redis and Azurite; needs their packages
real-services:
    tests/real-services/run

# every query that is sent, checked by Microsoft's own parser
kusto-truth:
    tests/kusto-truth/run

# what a program that exports to OpenTelemetry sees
telemetry:
    cargo test --locked --manifest-path tests/telemetry/Cargo.toml

# the figures of BENCHMARKS.md
bench:
    cargo run --profile bench -p benchmarks

# the public API of each crate, whose changes a review should see
api:
    for crate in arm-core resource-ops defender-pricing defender-alerts defender-automation keyvault-ops keyvault-issuers monitor-ops defender-playbooks mock-azure; do cargo +nightly public-api --all-features -sss -p $crate > $crate/public-api.txt || exit 1; done

# every library as for a release, up to the upload, and two crates outside the workspace that use them
package:
    tests/packages/run

# spelling
typos:
    typos

# oldest versions of the direct dependencies, and every combination of features
versions:
    cargo +nightly minimal-versions check --workspace --direct
    cargo hack check --workspace --feature-powerset --no-dev-deps

# the gate
ci:
    .ci/run
