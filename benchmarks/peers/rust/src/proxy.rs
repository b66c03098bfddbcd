//! A proxy that joins each connection to one to a given port, and copies in both directions.

use std::io::BufRead;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};

use crate::http::cpu_nanos;

/// As in the other columns.
const BUFFER_SIZE: usize = 64 * 1024;

/// Prints `listening PORT`, then for each line of standard input `cpu NANOSECONDS` used so far; ends with the input.
pub async fn serve(target: u16) {
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
        let (client, _) = listener.accept().await.expect("accept");
        tokio::spawn(async move {
            let _ = relay(client, target).await; // one of them went away
        });
    }
}

async fn relay(mut client: TcpStream, target: u16) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", target)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER_SIZE, BUFFER_SIZE).await?;
    Ok(())
}
