package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// measureParked prints the memory of a parked goroutine, and the time to wake and await it. A goroutine has no handle:
// a WaitGroup stands in for all of them.
func measureParked(tasks int) {
	gate := make(chan struct{})
	var started atomic.Int64
	var all sync.WaitGroup
	before := inUse()
	all.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func() {
			defer all.Done()
			started.Add(1)
			<-gate
		}()
	}
	for started.Load() < int64(tasks) {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	fmt.Printf("parked_heap,go,%.1f\n", float64(inUse()-before)/float64(tasks))
	start := time.Now()
	close(gate)
	all.Wait()
	fmt.Printf("parked_wake,go,%.2f\n", float64(time.Since(start).Nanoseconds())/float64(tasks))
}

// inUse is what the heap and the stacks hold after a collection.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapInuse + stats.StackInuse)
}
