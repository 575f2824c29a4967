// SPDX-License-Identifier: LGPL-2.1-or-later

// What a look-up among 64 runtimes costs in Go, with the standard library alone: the same names and the same kind of
// rounds as `rtreg-bench read`, printed in the same JSON. Its own raw pointer is the reference: what is compared between
// languages is the ratio, not the time. atomic.Pointer and a map is what an engine in Go has.
//
//	peer-go [ROUNDS [SLICE-MS]]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	runtimes = 64
	batch    = 1024
)

type oci struct{ shim, binary string }
type table map[string]*oci

var (
	names   []string
	plain   *table
	current atomic.Pointer[table]
	value   atomic.Value
	mutex   sync.Mutex
	rwlock  sync.RWMutex
)

//go:noinline
func load() *table { return plain }

func eachName(one func(name string) *oci) (found int) {
	for i := 0; i < batch/runtimes; i++ {
		for _, name := range names {
			if one(name) != nil {
				found++
			}
		}
	}
	return found
}

type way struct {
	name string
	run  func() int
}

var ways = []way{
	{"raw", func() (found int) {
		for i := 0; i < batch/runtimes; i++ {
			for _, name := range names {
				if (*load())[name] != nil {
					found++
				}
			}
		}
		return found
	}},
	{"atomic.Pointer", func() (found int) {
		for i := 0; i < batch/runtimes; i++ {
			for _, name := range names {
				if (*current.Load())[name] != nil {
					found++
				}
			}
		}
		return found
	}},
	{"atomic.Value", func() int {
		return eachName(func(name string) *oci { return (*value.Load().(*table))[name] })
	}},
	{"sync.RWMutex", func() int {
		return eachName(func(name string) *oci {
			rwlock.RLock()
			found := (*plain)[name]
			rwlock.RUnlock()
			return found
		})
	}},
	{"sync.Mutex", func() int {
		return eachName(func(name string) *oci {
			mutex.Lock()
			found := (*plain)[name]
			mutex.Unlock()
			return found
		})
	}},
}

// Letters that differ and the number, 12 to 20 bytes.
func makeNames() {
	state := uint64(7)
	for i := 0; i < runtimes; i++ {
		letters := make([]byte, 6+i%9)
		for at := range letters {
			state = state*6364136223846793005 + 1442695040888963407
			letters[at] = byte('a' + (state>>33)%26)
		}
		names = append(names, fmt.Sprintf("%s-%05x", letters, i))
	}
}

func makeTables() {
	made := table{}
	for _, name := range names {
		made[name] = &oci{shim: "io.containerd." + name + ".v2", binary: "/usr/bin/" + name}
	}
	plain = &made
	current.Store(&made)
	value.Store(&made)
}

// To a processor of its own: else two threads may share one, and never meet.
func pinTo(processor int) {
	runtime.LockOSThread()
	mask := uint64(1) << (processor % 64)
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, 8, uintptr(unsafe.Pointer(&mask)))
}

func quantile(sorted []float64, share float64) float64 {
	return sorted[int(share*float64(len(sorted)-1))]
}

// The median batch of each thread, and the mean of the threads.
func measure(run func() int, threads int, slice time.Duration) float64 {
	var done sync.WaitGroup
	begin := make(chan struct{})
	figures := make([]float64, threads)
	for thread := 0; thread < threads; thread++ {
		done.Add(1)
		go func(thread int) {
			defer done.Done()
			pinTo(thread) // never unlocked: the thread goes with it
			<-begin
			var batches []float64
			for began := time.Now(); time.Since(began) < slice; {
				before := time.Now()
				run()
				batches = append(batches, float64(time.Since(before).Nanoseconds())/batch)
			}
			sort.Float64s(batches)
			figures[thread] = quantile(batches, 0.5)
		}(thread)
	}
	close(begin)
	done.Wait()
	sum := 0.0
	for _, figure := range figures {
		sum += figure
	}
	return sum / float64(threads)
}

func spread(figures []float64) map[string]any {
	sorted := append([]float64{}, figures...)
	sort.Float64s(sorted)
	return map[string]any{"min": sorted[0], "lower": quantile(sorted, 0.25), "median": quantile(sorted, 0.5),
		"upper": quantile(sorted, 0.75), "max": sorted[len(sorted)-1]}
}

func argument(at, standard int) int {
	if len(os.Args) > at {
		if number, err := strconv.Atoi(os.Args[at]); err == nil {
			return number
		}
	}
	return standard
}

func main() {
	rounds, slice := argument(1, 51), time.Duration(argument(2, 2))*time.Millisecond
	makeNames()
	makeTables()
	cases := []map[string]any{}
	for threads := 1; threads <= 2; threads++ {
		figures := make([][]float64, len(ways))
		for round := 0; round < rounds; round++ {
			for at := range ways {
				figures[at] = append(figures[at], measure(ways[at].run, threads, slice))
			}
		}
		readers := ""
		if threads > 1 {
			readers = ", 2 readers"
		}
		for at := range ways {
			ratios := []float64{}
			for round := range figures[at] {
				ratios = append(ratios, figures[at][round]/figures[0][round])
			}
			one := spread(figures[at])
			one["name"], one["series"], one["unit"] = ways[at].name+readers, ways[at].name, "ns"
			one["x"], one["threads"] = threads, threads
			one["reference"], one["ratio"] = "raw"+readers, spread(ratios)
			cases = append(cases, one)
		}
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"peer": "go", "subcommand": "read", "rounds": rounds, "runtimes": runtimes, "cases": cases})
}
