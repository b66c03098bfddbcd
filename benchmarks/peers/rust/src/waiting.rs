//! Workloads that mostly wait: what they cost is the processor time that the process uses, not the time that passes. Each
//! performs `n` operations and returns further figures by name.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Number of tasks in the `sleep` workload.
const SLEEPING_TASKS: usize = 10_000;

pub const NAMES: &[&str] = &["sleep"];

pub type Figures = Vec<(&'static str, f64)>;

pub async fn run(name: &str, n: usize) -> Figures {
    match name {
        "sleep" => sleeps(n).await,
        _ => unreachable!("checked against NAMES"),
    }
}

/// Many tasks, each of which sleeps from 10 to 100 ms a few times. Also tells how late those are that end late: the one of a
/// hundred. The times look random, and are the same in every column and every run.
async fn sleeps(n: usize) -> Figures {
    let tasks = usize::min(SLEEPING_TASKS, n);
    let each = n / tasks;
    let all: Vec<_> = (0..tasks)
        .map(|task| {
            tokio::spawn(async move {
                let mut late = Vec::with_capacity(each);
                for number in task * each..(task + 1) * each {
                    let duration = Duration::from_micros(10_000 + number as u64 * 7_919 % 90_001);
                    let start = Instant::now();
                    sleep(duration).await;
                    let over = start.elapsed().checked_sub(duration);
                    late.push(over.expect("no sleep ends early"));
                }
                late
            })
        })
        .collect();
    let mut late = Vec::with_capacity(tasks * each);
    for task in all {
        late.extend(task.await.expect("task"));
    }
    assert_eq!(late.len(), tasks * each, "a sleep has not ended");
    late.sort_unstable();
    let hundredth = late[(late.len() * 99).div_ceil(100) - 1];
    vec![("sleep_late", hundredth.as_nanos() as f64 / 1e6)]
}
