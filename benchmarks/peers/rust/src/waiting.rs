//! Workloads that mostly wait: what they cost is the processor time that the process uses, not the time that passes. Each
//! performs `n` operations and returns further figures by name.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::time::DelayQueue;

/// Number of tasks in the `sleep` workload.
const SLEEPING_TASKS: usize = 10_000;

/// Number of items in the queue of the `delay_queue` workload, and of operations on it.
const QUEUED_ITEMS: usize = 10_000;
const QUEUE_OPERATIONS: usize = QUEUED_ITEMS / 2 * 5;

pub const NAMES: &[&str] = &["sleep", "delay_queue"];

pub type Figures = Vec<(&'static str, f64)>;

pub async fn run(name: &str, n: usize) -> Figures {
    match name {
        "sleep" => sleeps(n).await,
        "delay_queue" => {
            for _ in 0..usize::max(1, n / QUEUE_OPERATIONS) {
                delay_queue(usize::min(QUEUED_ITEMS, n / 5 * 2)).await;
            }
            Vec::new()
        }
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

/// One task fills a queue with items that come due after 20 to 40 ms, removes every other one, sets the delay of the others
/// anew, and takes them as they come due.
async fn delay_queue(items: usize) {
    let mut queue = DelayQueue::new();
    let mut due = Vec::with_capacity(items);
    let mut keys = Vec::with_capacity(items);
    for i in 0..items {
        due.push(Some(Instant::now() + delay(i)));
        keys.push(queue.insert(i, delay(i)));
    }
    let mut left = items;
    for i in (0..items).step_by(2) {
        if queue.try_remove(&keys[i]).is_some() {
            due[i] = None;
            left -= 1;
        }
        due[i + 1] = Some(Instant::now() + delay(items + i));
        queue.reset(&keys[i + 1], delay(items + i));
    }
    for _ in 0..left {
        let expired = poll_fn(|context| queue.poll_expired(context)).await;
        let item = expired.expect("an item is left").into_inner();
        let when = due[item].take().expect("no item comes out twice");
        assert!(Instant::now() >= when, "an item has come out early");
    }
}

fn delay(number: usize) -> Duration {
    Duration::from_micros(20_000 + number as u64 * 7_919 % 20_011)
}
