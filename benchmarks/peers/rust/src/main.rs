//! The Tokio column of `benchmarks/compare`. Speaks the same small protocol as every other column:
//!
//! * `list` prints the names of the workloads, one per line;
//! * `run NAME OPERATIONS WARM_UP_MILLIS MEASURE_MILLIS ITERATIONS` prints one `workload,column,value` line for each
//!   measured iteration;
//! * `http` serves a fixed answer on a loopback port until standard input ends.
//! * `proxy PORT` passes connections to a loopback port on to another one, until standard input ends.
//!
//! The runtime is `multi_thread` with as many workers as the environment variable `WORKERS` says. Each workload runs in
//! a spawned root task, not on the thread inside `block_on`: a worker owns a task's queue and its LIFO slot, and the
//! other columns measure from inside their runtime as well.

mod http;
mod parked;
mod proxy;
mod waiting;
mod workloads;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["list"] => {
            for name in workloads::NAMES.iter().chain(waiting::NAMES) {
                println!("{name}");
            }
            println!("parked_heap\nhttp_hello\nproxy");
            ExitCode::SUCCESS
        }
        ["http"] => {
            runtime().block_on(async { tokio::spawn(http::serve()).await.expect("server task") });
            ExitCode::SUCCESS
        }
        ["proxy", target] => {
            let target = number(target) as u16;
            runtime().block_on(async move {
                tokio::spawn(proxy::serve(target))
                    .await
                    .expect("proxy task")
            });
            ExitCode::SUCCESS
        }
        ["run", "parked_heap", operations, ..] => {
            let tasks = number(operations);
            runtime().block_on(async move {
                tokio::spawn(parked::measure(tasks))
                    .await
                    .expect("root task")
            });
            ExitCode::SUCCESS
        }
        ["run", name, operations, warm_up, measure, iterations]
            if workloads::NAMES.contains(name) || waiting::NAMES.contains(name) =>
        {
            let plan = Plan {
                name: name.to_string(),
                operations: number(operations),
                warm_up: Duration::from_millis(number(warm_up) as u64),
                measure: Duration::from_millis(number(measure) as u64),
                iterations: number(iterations),
            };
            let waits = waiting::NAMES.contains(name);
            runtime().block_on(async move {
                let root = if waits {
                    tokio::spawn(plan.carry_out_waiting())
                } else {
                    tokio::spawn(plan.carry_out())
                };
                root.await.expect("root task")
            });
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!(
                "usage: list | http | proxy PORT | run NAME OPERATIONS WARM_UP_MILLIS MEASURE_MILLIS ITERATIONS"
            );
            ExitCode::from(64)
        }
    }
}

struct Plan {
    name: String,
    operations: usize,
    warm_up: Duration,
    measure: Duration,
    iterations: usize,
}

impl Plan {
    /// Warms up for the given time, at least once, then measures for the given time, at least `iterations` times.
    async fn carry_out(self) {
        let start = Instant::now();
        loop {
            workloads::run(&self.name, self.operations).await;
            if start.elapsed() >= self.warm_up {
                break;
            }
        }
        let start = Instant::now();
        let mut done = 0;
        while done < self.iterations || start.elapsed() < self.measure {
            let iteration = Instant::now();
            workloads::run(&self.name, self.operations).await;
            let nanos = iteration.elapsed().as_nanos() as f64;
            println!("{},tokio,{:.2}", self.name, nanos / self.operations as f64);
            done += 1;
        }
    }

    /// As `carry_out`, but prints one figure, since the processor time is counted in steps of 10 ms.
    async fn carry_out_waiting(self) {
        let start = Instant::now();
        loop {
            waiting::run(&self.name, self.operations).await;
            if start.elapsed() >= self.warm_up {
                break;
            }
        }
        let start = Instant::now();
        let before = http::cpu_nanos();
        let mut done = 0;
        while done < self.iterations || start.elapsed() < self.measure {
            for (figure, value) in waiting::run(&self.name, self.operations).await {
                println!("{figure},tokio,{value:.2}");
            }
            done += 1;
        }
        let nanos = (http::cpu_nanos() - before) as f64 / (done * self.operations) as f64;
        println!("{},tokio,{nanos:.2}", self.name);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let workers = env::var("WORKERS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("runtime")
}

fn number(text: &str) -> usize {
    text.parse()
        .unwrap_or_else(|_| panic!("not a number: {text}"))
}
