// The Go column of benchmarks/compare. It speaks the same small protocol as every other column:
//
//	list   prints the names of the workloads, one per line
//	run NAME OPERATIONS WARM_UP_MILLIS MEASURE_MILLIS ITERATIONS
//	       prints one "workload,column,value" line for each measured iteration
//	http   serves a fixed answer on a loopback port until standard input ends
//
// GOMAXPROCS is set from the environment variable WORKERS.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

func main() {
	if workers, err := strconv.Atoi(os.Getenv("WORKERS")); err == nil {
		runtime.GOMAXPROCS(workers)
	}
	arguments := os.Args[1:]
	switch {
	case len(arguments) == 1 && arguments[0] == "list":
		for _, w := range workloads {
			fmt.Println(w.name)
		}
		for _, w := range waitingWorkloads {
			fmt.Println(w.name)
		}
		fmt.Println("parked_heap")
		fmt.Println("http_hello")
	case len(arguments) == 1 && arguments[0] == "http":
		serve()
	case len(arguments) == 6 && arguments[0] == "run" && arguments[1] == "parked_heap":
		measureParked(number(arguments[2]))
	case len(arguments) == 6 && arguments[0] == "run":
		measure(arguments[1], number(arguments[2]), number(arguments[3]), number(arguments[4]), number(arguments[5]))
	default:
		fmt.Fprintln(os.Stderr, "usage: list | http | run NAME OPERATIONS WARM_UP_MILLIS MEASURE_MILLIS ITERATIONS")
		os.Exit(64)
	}
}

// measure warms up for the given time, at least once, then measures for the given time, at least iterations times.
func measure(name string, operations, warmUpMillis, measureMillis, iterations int) {
	for _, w := range waitingWorkloads {
		if w.name == name {
			measureWaiting(name, w.run, operations, warmUpMillis, measureMillis, iterations)
			return
		}
	}
	run := find(name)
	start := time.Now()
	for {
		run(operations)
		if time.Since(start) >= time.Duration(warmUpMillis)*time.Millisecond {
			break
		}
	}
	start = time.Now()
	for done := 0; done < iterations || time.Since(start) < time.Duration(measureMillis)*time.Millisecond; done++ {
		iteration := time.Now()
		run(operations)
		nanos := float64(time.Since(iteration).Nanoseconds())
		fmt.Printf("%s,go,%.2f\n", name, nanos/float64(operations))
	}
}

// measureWaiting does as measure, but prints one figure, the processor time, besides those that an iteration returns.
func measureWaiting(name string, run func(n int) map[string]float64, operations, warmUpMillis, measureMillis, iterations int) {
	start := time.Now()
	for {
		run(operations)
		if time.Since(start) >= time.Duration(warmUpMillis)*time.Millisecond {
			break
		}
	}
	start = time.Now()
	before := cpuNanos()
	done := 0
	for ; done < iterations || time.Since(start) < time.Duration(measureMillis)*time.Millisecond; done++ {
		for figure, value := range run(operations) {
			fmt.Printf("%s,go,%.2f\n", figure, value)
		}
	}
	fmt.Printf("%s,go,%.2f\n", name, float64(cpuNanos()-before)/float64(done*operations))
}

func find(name string) func(n int) {
	for _, w := range workloads {
		if w.name == name {
			return w.run
		}
	}
	fmt.Fprintln(os.Stderr, "no such workload:", name)
	os.Exit(64)
	return nil
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, "not a number:", text)
		os.Exit(64)
	}
	return value
}
