//! Memory of a parked task with its handle, and the time to wake and join it.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

pub async fn measure(tasks: usize) {
    let before = resident_bytes();
    let gate = Arc::new(Semaphore::new(0));
    let handles = park(&gate, tasks).await;
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        println!(
            "parked_heap,tokio,{:.1}",
            after.saturating_sub(before) as f64 / tasks as f64
        );
    }
    let start = Instant::now();
    gate.add_permits(tasks);
    for handle in handles {
        handle.await.expect("task");
    }
    println!(
        "parked_wake,tokio,{:.2}",
        start.elapsed().as_nanos() as f64 / tasks as f64
    );
}

async fn park(gate: &Arc<Semaphore>, tasks: usize) -> Vec<JoinHandle<()>> {
    let started = Arc::new(AtomicUsize::new(0));
    let mut handles = Vec::with_capacity(tasks);
    for _ in 0..tasks {
        let gate = Arc::clone(gate);
        let started = Arc::clone(&started);
        handles.push(tokio::spawn(async move {
            started.fetch_add(1, Ordering::Relaxed);
            gate.acquire().await.expect("open").forget();
        }));
    }
    while started.load(Ordering::Relaxed) < tasks {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    handles
}

/// Resident memory of this process, where the system tells it. Tokio has no heap of its own to ask.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
