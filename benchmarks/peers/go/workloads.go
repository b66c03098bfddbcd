package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	yieldingTasks  = 200   // tasks in the yield workload
	pingPongPairs  = 1_000 // pairs at the same time in the spawn_ping_pong workload
	semaphoreTasks = 8     // tasks that share the two permits in the semaphore workloads
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
	{"channel_8x1_cap128", func(n int) { transfer(8, 128, n) }},
	{"rendezvous", func(n int) { transfer(1, 0, n) }},
	{"select2", select2},
	{"semaphore_uncontended", func(n int) { semaphore(n, false) }},
	{"semaphore_yield", func(n int) { semaphore(n, true) }},
	{"timeout", timeouts},
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

func select2(n int) {
	left := make(chan int, 16)
	right := make(chan int, 16)
	each := n / 2
	var all sync.WaitGroup
	all.Add(3)
	go func() {
		defer all.Done()
		for i := 0; i < each*2; i++ {
			select {
			case <-left:
			case <-right:
			}
		}
	}()
	for _, items := range []chan int{left, right} {
		go func(items chan<- int) {
			defer all.Done()
			for i := 0; i < each; i++ {
				items <- i
			}
		}(items)
	}
	all.Wait()
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
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; i < n; i++ {
			_, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			runtime.Gosched()
			cancel()
		}
	}()
	<-done
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
