package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	yieldingTasks  = 200    // tasks in the yield workload
	pingPongPairs  = 1_000  // pairs at the same time in the spawn_ping_pong workload
	many           = 10_000 // channels in a chain, and pairs of goroutines side by side
	semaphoreTasks = 8      // tasks that share the two permits in the semaphore workloads
	timeoutTasks   = 1_000  // tasks with a timeout each in the timeout_1000 workload
)

// Each workload performs n operations and returns when all of them are done. Go has no JoinSet, so that row stays empty.
var workloads = []struct {
	name string
	run  func(n int)
}{
	{"spawn_many", spawnMany},
	{"yield", yields},
	{"chained_spawn", chainedSpawn},
	{"spawn_ping_pong", spawnPingPong},
	{"park_ping_pong", parkPingPong},
	{"channel_1x1_cap1", func(n int) { transfer(1, 1, n) }},
	{"channel_1x1_cap16", func(n int) { transfer(1, 16, n) }},
	{"channel_1x1_cap128", func(n int) { transfer(1, 128, n) }},
	{"channel_1x1_cap1024", func(n int) { transfer(1, 1024, n) }},
	{"channel_1x1_cap100", func(n int) { transfer(1, 100, n) }},
	{"channel_8x1_cap128", func(n int) { transfer(8, 128, n) }},
	{"rendezvous", func(n int) { transfer(1, 0, n) }},
	{"select1_cap0", func(n int) { selectOf(1, 0, n) }},
	{"select2_cap0", func(n int) { selectOf(2, 0, n) }},
	{"select2", func(n int) { selectOf(2, 16, n) }},
	{"chained_10000_cap0", func(n int) { chained(0, n) }},
	{"chained_10000_cap16", func(n int) { chained(16, n) }},
	{"chained_10000_cap100", func(n int) { chained(100, n) }},
	{"parallel_10000_cap0", func(n int) { parallel(0, n) }},
	{"parallel_10000_cap16", func(n int) { parallel(16, n) }},
	{"parallel_10000_cap100", func(n int) { parallel(100, n) }},
	{"semaphore_uncontended", func(n int) { semaphore(n, false) }},
	{"semaphore_yield", func(n int) { semaphore(n, true) }},
	{"timeout", func(n int) { together(1, func() { timeouts(n) }) }},
	{"timeout_1000", func(n int) { together(timeoutTasks, func() { timeouts(n / timeoutTasks) }) }},
}

func spawnMany(n int) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go all.Done()
	}
	all.Wait()
}

func yields(n int) {
	together(yieldingTasks, func() {
		for i := 0; i < n/yieldingTasks; i++ {
			runtime.Gosched()
		}
	})
}

func chainedSpawn(n int) {
	done := make(chan struct{}, 1)
	go link(n-1, done)
	<-done
}

func link(depth int, done chan<- struct{}) {
	if depth == 0 {
		done <- struct{}{}
	} else {
		go link(depth-1, done)
	}
}

// Each goroutine starts a partner and exchanges a ping and a pong with it; a thousand such pairs at the same time.
func spawnPingPong(n int) {
	for batch := 0; batch < n/pingPongPairs; batch++ {
		together(pingPongPairs, func() {
			ping := make(chan struct{}, 1)
			pong := make(chan struct{}, 1)
			go func() {
				<-ping
				pong <- struct{}{}
			}()
			ping <- struct{}{}
			<-pong
		})
	}
}

func parkPingPong(n int) {
	ping := make(chan int, 1)
	pong := make(chan int, 1)
	var both sync.WaitGroup
	both.Add(2)
	go func() {
		defer both.Done()
		for i := 0; i < n; i++ {
			ping <- i
			<-pong
		}
	}()
	go func() {
		defer both.Done()
		for i := 0; i < n; i++ {
			pong <- <-ping
		}
	}()
	both.Wait()
}

func transfer(producers, capacity, n int) {
	items := make(chan int, capacity)
	each := n / producers
	var all sync.WaitGroup
	all.Add(1 + producers)
	go func() {
		defer all.Done()
		for i := 0; i < each*producers; i++ {
			<-items
		}
	}()
	for p := 0; p < producers; p++ {
		go func() {
			defer all.Done()
			for i := 0; i < each; i++ {
				items <- i
			}
		}()
	}
	all.Wait()
}

func selectOf(clauses, capacity, n int) {
	left := make(chan int, capacity)
	right := make(chan int, capacity)
	each := n / clauses
	var all sync.WaitGroup
	all.Add(1 + clauses)
	go func() {
		defer all.Done()
		for i := 0; i < each*clauses; i++ {
			if clauses == 1 {
				<-left // what the compiler makes of a select with one case
				continue
			}
			select {
			case <-left:
			case <-right:
			}
		}
	}()
	for _, items := range []chan int{left, right}[:clauses] {
		go func(items chan<- int) {
			defer all.Done()
			for i := 0; i < each; i++ {
				items <- i
			}
		}(items)
	}
	all.Wait()
}

// Each item passes through every channel, from goroutine to goroutine: an operation is one such passage.
func chained(capacity, n int) {
	items := max(1, n/many)
	chain := make([]chan int, many)
	for i := range chain {
		chain[i] = make(chan int, capacity)
	}
	var all sync.WaitGroup
	all.Add(many + 1)
	go send(chain[0], items, &all)
	for i := 1; i < many; i++ {
		go func(from <-chan int, to chan<- int) {
			defer all.Done()
			for item := 0; item < items; item++ {
				to <- <-from
			}
		}(chain[i-1], chain[i])
	}
	go receive(chain[many-1], items, &all)
	all.Wait()
}

// As many pairs of a producer and a consumer, each with a channel of its own.
func parallel(capacity, n int) {
	items := max(1, n/many)
	var all sync.WaitGroup
	all.Add(2 * many)
	for i := 0; i < many; i++ {
		channel := make(chan int, capacity)
		go send(channel, items, &all)
		go receive(channel, items, &all)
	}
	all.Wait()
}

func send(channel chan<- int, items int, all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; i < items; i++ {
		channel <- i
	}
}

func receive(channel <-chan int, items int, all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; i < items; i++ {
		<-channel
	}
}

// A buffered channel is the usual semaphore in Go.
func semaphore(n int, yielding bool) {
	permits := make(chan struct{}, 2)
	together(semaphoreTasks, func() {
		for i := 0; i < n/semaphoreTasks; i++ {
			permits <- struct{}{}
			if yielding {
				runtime.Gosched()
			}
			<-permits
		}
	})
}

func timeouts(n int) {
	for i := 0; i < n; i++ {
		limited, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		runtime.Gosched()
		cancel()
		if limited.Err() != context.Canceled {
			panic("a timeout has struck early")
		}
	}
}

func together(tasks int, body func()) {
	var all sync.WaitGroup
	all.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func() {
			defer all.Done()
			body()
		}()
	}
	all.Wait()
}
