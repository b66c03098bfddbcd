package main

import (
	"fmt"
	"sort"
	"sync"
	"time"
)

const (
	sleepingTasks = 10_000 // tasks in the sleep workload
	queuedItems   = 10_000 // items in the queue of the delay_queue workload
)

// Workloads that mostly wait: what they cost is the processor time that the process uses, not the time that passes. Each
// performs n operations and returns further figures by name.
var waitingWorkloads = []struct {
	name string
	run  func(n int) map[string]float64
}{
	{"sleep", sleeps},
	{"delay_queue", delayQueues},
}

// Many goroutines, each of which sleeps from 10 to 100 ms a few times. Also tells how late those are that end late: the one
// of a hundred. The times look random, and are the same in every column and every run.
func sleeps(n int) map[string]float64 {
	tasks := min(sleepingTasks, n)
	each := n / tasks
	late := make([]time.Duration, tasks*each)
	var all sync.WaitGroup
	all.Add(tasks)
	for task := 0; task < tasks; task++ {
		go func(first int) {
			defer all.Done()
			for number := first; number < first+each; number++ {
				duration := time.Duration(10_000+number*7_919%90_001) * time.Microsecond
				start := time.Now()
				time.Sleep(duration)
				over := time.Since(start) - duration
				if over < 0 {
					panic(fmt.Sprint("a sleep has ended early by ", -over))
				}
				late[number] = over + 1
			}
		}(task * each)
	}
	all.Wait()
	sort.Slice(late, func(i, j int) bool { return late[i] < late[j] })
	if late[0] == 0 {
		panic("a sleep has not ended")
	}
	return map[string]float64{"sleep_late": float64(late[(len(late)*99+99)/100-1].Nanoseconds()) / 1e6}
}

// One goroutine fills a queue with items that come due after 20 to 40 ms, removes every other one, sets the delay of the
// others anew, and takes them as they come due. The queue is made of what Go has for it: a timer for each item, which sends
// it into a channel.
func delayQueues(n int) map[string]float64 {
	for batch := 0; batch < max(1, n/(queuedItems/2*5)); batch++ {
		together(1, func() { delayQueue(min(queuedItems, n/5*2)) })
	}
	return nil
}

func delayQueue(items int) {
	ready := make(chan int, items)
	timers := make([]*time.Timer, items)
	due := make([]time.Time, items)
	out := make([]bool, items)
	for i := 0; i < items; i++ {
		duration := delay(i)
		due[i] = time.Now().Add(duration)
		timers[i] = time.AfterFunc(duration, func() { ready <- i })
	}
	left := items
	for i := 0; i < items; i += 2 {
		if timers[i].Stop() {
			out[i] = true
			left--
		}
		duration := delay(items + i)
		reset := time.Now().Add(duration)
		if timers[i+1].Stop() {
			timers[i+1].Reset(duration)
			due[i+1] = reset
		}
	}
	for ; left > 0; left-- {
		item := <-ready
		if out[item] || time.Now().Before(due[item]) {
			panic("an item has come out twice, after its removal, or early")
		}
		out[item] = true
	}
}

func delay(number int) time.Duration {
	return time.Duration(20_000+number*7_919%20_011) * time.Microsecond
}
