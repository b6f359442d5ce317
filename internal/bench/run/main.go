// Run measures the built binary from outside, beside bare baselines of the
// same machine and the same minute, and prints a table for docs/benchmarks.md.
//
//	go run ./internal/bench/run [-only put,sync] [-events 10000]
//
// The load is deterministic: event n always has the same octets. Absolute
// figures move with the machine; the ratios to the baselines are what counts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// measure is one row of the table.
type measure struct {
	name string
	run  func(b *bench) ([]figure, error)
}

// figure is one number with its unit and what it is compared with.
type figure struct {
	what     string
	value    float64
	unit     string
	baseline string // "" or the ratio, in words
}

var measures = []measure{
	{"baseline", baselines},
	{"start", startToReady},
	{"put", putNew},
	{"sync", syncAfterOneChange},
	{"month", monthQuery},
	{"invite", inviteColleagues},
	{"cip", scheduleByCIP},
	{"memory", memoryAndDisk},
}

type bench struct {
	ctx    context.Context
	binary string
	dir    string
	events int
	base   struct{ httpPerSecond, commitsPerSecond, fdatasync float64 }
	server *service
	next   int // number of the next imported event: a UID is used once
}

func main() {
	only := flag.String("only", "", "comma-separated names of measures to run")
	events := flag.Int("events", 10_000, "events in the month query's calendar")
	flag.Parse()
	if err := run(*only, *events); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(only string, events int) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "convene-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{ctx: ctx, dir: dir, binary: filepath.Join(dir, "convene"), events: events}
	build := exec.CommandContext(ctx, "go", "build", "-o", b.binary, "./cmd/convene")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	commit, _ := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	fmt.Printf("commit %s, %s, %d cores, %s\n\n", strings.TrimSpace(string(commit)), runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format("2006-01-02"))
	fmt.Println("| what | figure | beside the baseline |\n|---|---|---|")
	defer func() {
		if b.server != nil {
			b.server.stop()
		}
	}()
	for _, m := range measures {
		if only != "" && m.name != "baseline" && !strings.Contains(","+only+",", ","+m.name+",") {
			continue
		}
		figures, err := m.run(b)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		for _, f := range figures {
			fmt.Printf("| %s | %s %s | %s |\n", f.what, number(f.value), f.unit, f.baseline)
		}
	}
	return nil
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// percentile of sorted durations.
func percentile(sorted []time.Duration, p float64) time.Duration {
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
