package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"syscall"
)

var (
	answer    = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nHi, world!")
	blankLine = []byte("\r\n\r\n")
)

// serve prints "listening PORT", then for each line of standard input "cpu NANOSECONDS" used so far, and ends with it.
func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Println("cpu", cpuNanos())
		}
		os.Exit(0)
	}()
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go answerAll(connection)
	}
}

// answerAll answers each request of a connection, which reads up to a blank line, until the peer goes away.
func answerAll(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 2048)
	filled := 0
	for {
		count, err := connection.Read(buffer[filled:])
		if err != nil {
			return
		}
		filled += count
		for {
			start := bytes.Index(buffer[:filled], blankLine)
			if start < 0 {
				break
			}
			if _, err := connection.Write(answer); err != nil {
				return
			}
			end := start + len(blankLine)
			copy(buffer, buffer[end:filled])
			filled -= end
		}
	}
}

func cpuNanos() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
