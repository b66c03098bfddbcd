//! The timed workloads. Each performs `n` operations and returns when all of them are done.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, Notify, Semaphore};
use tokio::task::{yield_now, JoinHandle, JoinSet};
use tokio::time::timeout;

/// Number of tasks in the `yield` workload.
const YIELDING_TASKS: usize = 200;

/// Number of pairs at the same time in the `spawn_ping_pong` workload.
const PING_PONG_PAIRS: usize = 1_000;

/// Number of tasks that share the two permits in the semaphore workloads.
const SEMAPHORE_TASKS: usize = 8;

/// Number of tasks with a timeout each in the `timeout_1000` workload.
const TIMEOUT_TASKS: usize = 1_000;

/// Number of channels in a chain, and of pairs of tasks side by side. Tokio has no channel without a buffer.
const MANY: usize = 10_000;

pub const NAMES: &[&str] = &[
    "spawn_many",
    "joinset",
    "yield",
    "chained_spawn",
    "spawn_ping_pong",
    "park_ping_pong",
    "channel_1x1_cap1",
    "channel_1x1_cap16",
    "channel_1x1_cap128",
    "channel_1x1_cap1024",
    "channel_1x1_cap100",
    "channel_8x1_cap128",
    "unbounded_1x1",
    "select2",
    "chained_10000_cap16",
    "chained_10000_cap100",
    "parallel_10000_cap16",
    "parallel_10000_cap100",
    "semaphore_uncontended",
    "semaphore_yield",
    "timeout",
    "timeout_1000",
];

pub async fn run(name: &str, n: usize) {
    match name {
        "spawn_many" => spawn_many(n).await,
        "joinset" => joinset(n).await,
        "yield" => yields(n).await,
        "chained_spawn" => chained_spawn(n).await,
        "spawn_ping_pong" => spawn_ping_pong(n).await,
        "park_ping_pong" => park_ping_pong(n).await,
        "channel_1x1_cap1" => channel(1, 1, n).await,
        "channel_1x1_cap16" => channel(1, 16, n).await,
        "channel_1x1_cap128" => channel(1, 128, n).await,
        "channel_1x1_cap1024" => channel(1, 1024, n).await,
        "channel_1x1_cap100" => channel(1, 100, n).await,
        "channel_8x1_cap128" => channel(8, 128, n).await,
        "unbounded_1x1" => unbounded(n).await,
        "select2" => select2(n).await,
        "chained_10000_cap16" => chained(16, n).await,
        "chained_10000_cap100" => chained(100, n).await,
        "parallel_10000_cap16" => parallel(16, n).await,
        "parallel_10000_cap100" => parallel(100, n).await,
        "semaphore_uncontended" => semaphore(n, false).await,
        "semaphore_yield" => semaphore(n, true).await,
        "timeout" => timeouts(n).await,
        "timeout_1000" => {
            let tasks = (0..TIMEOUT_TASKS).map(|_| tokio::spawn(timeouts(n / TIMEOUT_TASKS)));
            join_all(tasks.collect()).await;
        }
        _ => unreachable!("checked against NAMES"),
    }
}

/// A static latch, so that spawning pays for no reference count that the other columns do not have.
struct Latch {
    remaining: AtomicUsize,
    zero: Notify,
}

impl Latch {
    const fn new() -> Latch {
        Latch {
            remaining: AtomicUsize::new(0),
            zero: Notify::const_new(),
        }
    }

    fn count_down(&self) {
        if self.remaining.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.zero.notify_one();
        }
    }
}

async fn spawn_many(n: usize) {
    static LATCH: Latch = Latch::new();
    LATCH.remaining.store(n, Ordering::Release);
    for _ in 0..n {
        tokio::spawn(async { LATCH.count_down() });
    }
    LATCH.zero.notified().await;
}

async fn joinset(n: usize) {
    let mut set = JoinSet::new();
    for i in 0..n {
        set.spawn(async move { i });
    }
    while let Some(result) = set.join_next().await {
        black_box(result.expect("task"));
    }
}

async fn yields(n: usize) {
    let each = n / YIELDING_TASKS;
    let tasks = (0..YIELDING_TASKS).map(|_| {
        tokio::spawn(async move {
            for _ in 0..each {
                yield_now().await;
            }
        })
    });
    join_all(tasks.collect()).await;
}

async fn chained_spawn(n: usize) {
    fn link(depth: usize, done: oneshot::Sender<()>) {
        if depth == 0 {
            done.send(()).expect("root waits");
        } else {
            tokio::spawn(async move { link(depth - 1, done) });
        }
    }
    let (done, finished) = oneshot::channel();
    link(n, done);
    finished.await.expect("chain");
}

/// Each task spawns a partner and exchanges a ping and a pong with it; a thousand such pairs at the same time.
async fn spawn_ping_pong(n: usize) {
    static LATCH: Latch = Latch::new();
    for _ in 0..n / PING_PONG_PAIRS {
        LATCH.remaining.store(PING_PONG_PAIRS, Ordering::Release);
        for _ in 0..PING_PONG_PAIRS {
            tokio::spawn(async {
                let (ping, pinged) = oneshot::channel();
                let (pong, ponged) = oneshot::channel();
                tokio::spawn(async move {
                    pinged.await.expect("ping");
                    pong.send(()).expect("partner waits");
                });
                ping.send(()).expect("partner waits");
                ponged.await.expect("pong");
                LATCH.count_down();
            });
        }
        LATCH.zero.notified().await;
    }
}

async fn park_ping_pong(n: usize) {
    let (ping, mut pings) = mpsc::channel::<usize>(1);
    let (pong, mut pongs) = mpsc::channel::<usize>(1);
    let left = tokio::spawn(async move {
        for i in 0..n {
            ping.send(i).await.expect("open");
            black_box(pongs.recv().await.expect("open"));
        }
    });
    let right = tokio::spawn(async move {
        for _ in 0..n {
            let i = pings.recv().await.expect("open");
            pong.send(i).await.expect("open");
        }
    });
    join_all(vec![left, right]).await;
}

async fn channel(producers: usize, capacity: usize, n: usize) {
    let (sender, mut receiver) = mpsc::channel::<usize>(capacity);
    let each = n / producers;
    let mut tasks = Vec::new();
    tasks.push(tokio::spawn(async move {
        for _ in 0..each * producers {
            black_box(receiver.recv().await.expect("open"));
        }
    }));
    for _ in 0..producers {
        let sender = sender.clone();
        tasks.push(tokio::spawn(async move {
            for i in 0..each {
                sender.send(i).await.expect("open");
            }
        }));
    }
    join_all(tasks).await;
}

async fn unbounded(n: usize) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<usize>();
    let consumer = tokio::spawn(async move {
        for _ in 0..n {
            black_box(receiver.recv().await.expect("open"));
        }
    });
    let producer = tokio::spawn(async move {
        for i in 0..n {
            sender.send(i).expect("open");
        }
    });
    join_all(vec![consumer, producer]).await;
}

async fn select2(n: usize) {
    let (left, mut lefts) = mpsc::channel::<usize>(16);
    let (right, mut rights) = mpsc::channel::<usize>(16);
    let each = n / 2;
    let consumer = tokio::spawn(async move {
        for _ in 0..each * 2 {
            let item = tokio::select! {
                Some(item) = lefts.recv() => item,
                Some(item) = rights.recv() => item,
                else => unreachable!("closed too early"),
            };
            black_box(item);
        }
    });
    let mut tasks = vec![consumer];
    for sender in [left, right] {
        tasks.push(tokio::spawn(async move {
            for i in 0..each {
                sender.send(i).await.expect("open");
            }
        }));
    }
    join_all(tasks).await;
}

/// Each item passes through every channel, from task to task: an operation is one such passage.
async fn chained(capacity: usize, n: usize) {
    let items = usize::max(1, n / MANY);
    let (first, mut from) = mpsc::channel::<usize>(capacity);
    let mut tasks = vec![tokio::spawn(send(first, items))];
    for _ in 1..MANY {
        let (to, next) = mpsc::channel::<usize>(capacity);
        tasks.push(tokio::spawn(async move {
            for _ in 0..items {
                let item = from.recv().await.expect("open");
                to.send(item).await.expect("open");
            }
        }));
        from = next;
    }
    tasks.push(tokio::spawn(receive(from, items)));
    join_all(tasks).await;
}

/// As many pairs of a producer and a consumer, each with a channel of its own.
async fn parallel(capacity: usize, n: usize) {
    let items = usize::max(1, n / MANY);
    let mut tasks = Vec::with_capacity(2 * MANY);
    for _ in 0..MANY {
        let (sender, receiver) = mpsc::channel::<usize>(capacity);
        tasks.push(tokio::spawn(send(sender, items)));
        tasks.push(tokio::spawn(receive(receiver, items)));
    }
    join_all(tasks).await;
}

async fn send(sender: mpsc::Sender<usize>, items: usize) {
    for i in 0..items {
        sender.send(i).await.expect("open");
    }
}

async fn receive(mut receiver: mpsc::Receiver<usize>, items: usize) {
    for _ in 0..items {
        black_box(receiver.recv().await.expect("open"));
    }
}

async fn semaphore(n: usize, yielding: bool) {
    let semaphore = Arc::new(Semaphore::new(2));
    let each = n / SEMAPHORE_TASKS;
    let tasks = (0..SEMAPHORE_TASKS).map(|_| {
        let semaphore = Arc::clone(&semaphore);
        tokio::spawn(async move {
            for _ in 0..each {
                let permit = semaphore.acquire().await.expect("open");
                if yielding {
                    yield_now().await;
                }
                drop(permit);
            }
        })
    });
    join_all(tasks.collect()).await;
}

async fn timeouts(n: usize) {
    for _ in 0..n {
        timeout(Duration::from_secs(30), yield_now())
            .await
            .expect("in time");
    }
}

async fn join_all(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        task.await.expect("task");
    }
}
