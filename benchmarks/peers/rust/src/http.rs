//! A server that reads up to a blank line and answers with fixed bytes, over kept-alive connections.

use std::fs;
use std::io::BufRead;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8; 75] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nHi, world!";

/// Prints `listening PORT`, then for each line of standard input `cpu NANOSECONDS` used so far; ends with the input.
pub async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    println!(
        "listening {}",
        listener.local_addr().expect("address").port()
    );
    std::thread::spawn(|| {
        for _ in std::io::stdin().lock().lines() {
            println!("cpu {}", cpu_nanos());
        }
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await.expect("accept");
        tokio::spawn(async move {
            let _ = answer_all(stream).await; // the peer went away
        });
    }
}

async fn answer_all(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 2048];
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..]).await?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        while let Some(end) = end_of_request(&buffer[..filled]) {
            stream.write_all(ANSWER).await?;
            buffer.copy_within(end..filled, 0);
            filled -= end;
        }
    }
}

/// Index behind the first blank line.
fn end_of_request(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|start| start + 4)
}

/// User and system time of this process; 0 where the system does not tell. Its clock ticks 100 times a second.
pub fn cpu_nanos() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    ticks * 10_000_000
}
