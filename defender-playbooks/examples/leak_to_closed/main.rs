//! From twenty leaked secrets in a repository, and an attacker in the vault, to a resolved alert: reads the evidence,
//! contains the attack, rotates every secret at its issuer, waits until the readers have moved, checks that the old
//! credentials no longer work, and lists what is left to do.
//!
//! Runs offline, on a double of Azure: `world.rs` sets up the double, and `answer.rs` does what a program would do on
//! real Azure.
//!
//! ```sh
//! cargo run -p defender-playbooks --example leak_to_closed
//! ```

pub(crate) mod answer;
pub(crate) mod world;

use answer::Answer;
use world::World;

pub(crate) type Done<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done<()> {
    let world = World::build().await?;
    let answer = play(&world).await?;
    print(&answer);
    let rotated = answer.rotations.iter().filter(|rotation| rotation.result.is_ok()).count();
    print(&format!("{} secrets planned, {rotated} rotated", answer.plan.secrets.len()));
    let alive = world.planted.iter().filter(|planted| world.is_alive(planted)).count();
    print(&format!("{alive} of {} leaked credentials still work", world.planted.len()));
    Ok(())
}

/// The whole story: the attack and the response.
pub(crate) async fn play(world: &World) -> Done<Answer> {
    world.enumerate().await?;
    world.an_hour_passes();
    let answer = answer::answer(&world.case()?).await?;
    match world.stranger_reads().await {
        true => Err("the attacker still has access".into()),
        false => Ok(answer),
    }
}

#[allow(clippy::print_stdout, reason = "an example speaks to its reader")]
fn print(what: &dyn std::fmt::Display) {
    println!("{what}");
}
