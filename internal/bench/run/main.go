// Run measures the built binary from outside, beside bare baselines of the
// same machine and the same minute, and prints a table for docs/benchmarks.md.
//
//	go run ./internal/bench/run [-only put,sync] [-runs 3] [-profile dir]
//	go run ./internal/bench/run -only growth -data /somewhere -sizes 1000,1000000
//	go run ./internal/bench/run -peers
//
// The load is deterministic: event n always has the same octets. Absolute
// figures move with the machine; the ratios to the baselines are what counts,
// and on a machine that has other work the processor time of the server is.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// measure is one subject of the table.
type measure struct {
	name  string
	run   func(b *bench) ([]figure, error)
	peers bool // other servers can be measured by it too
	long  bool // only when it is asked for by name
}

var measures = []measure{
	{name: "baseline", run: baselines, peers: true},
	{name: "start", run: startToReady},
	{name: "put", run: putNew, peers: true},
	{name: "get", run: getOne, peers: true},
	{name: "poll", run: pollCtag, peers: true},
	{name: "multiget", run: multiget, peers: true},
	{name: "sync", run: syncAfterOneChange, peers: true},
	{name: "month", run: monthQuery, peers: true},
	{name: "freebusy", run: freeBusy, peers: true},
	{name: "invite", run: inviteColleagues},
	{name: "mixed", run: mixedLoad, peers: true},
	{name: "cip", run: scheduleByCIP},
	{name: "slow", run: slowReaders},
	{name: "memory", run: memoryAndDisk},
	{name: "growth", run: growth, long: true},
}

type bench struct {
	ctx     context.Context
	binary  string
	dir     string
	runs    int
	sizes   []int // of the growing calendar
	bare    *bare
	base    struct{ httpPerSecond, commitsPerSecond, fdatasync float64 }
	server  *service
	hired   int    // colleagues that have an account
	peer    string // name of the server that is measured, "" for ours
	profile string // directory for processor profiles of the server, "" for none
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "bare" {
		serveBare(os.Args[2])
		return
	}
	only := flag.String("only", "", "comma-separated names of measures to run")
	runs := flag.Int("runs", 3, "how often each is measured")
	data := flag.String("data", "", "keep the store of the growing calendar here, and go on with what is there")
	sizes := flag.String("sizes", "1000,10000,100000", "events in the growing calendar, ascending")
	profile := flag.String("profile", "", "directory for a processor profile of the server in each measure")
	peers := flag.Bool("peers", false, "measure Radicale and Cyrus beside it, where they are installed")
	flag.Parse()
	b := &bench{runs: *runs, profile: *profile}
	if err := b.main(*only, *data, *sizes, *peers); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) main(only, data, sizes string, peers bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "convene-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.ctx, b.dir, b.binary = ctx, dir, filepath.Join(dir, "convene")
	if data != "" {
		b.dir = data
	}
	for s := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("-sizes: %w", err)
		}
		b.sizes = append(b.sizes, n)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", b.binary, "./cmd/convene")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	if b.bare, err = startBare(ctx); err != nil {
		return err
	}
	defer b.bare.stop()
	commit, _ := exec.Command("git", "describe", "--always", "--dirty").Output()
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("commit %s, %s, %d cores, load before %.4s, %s, %d runs\n\n", strings.TrimSpace(string(commit)), runtime.Version(), runtime.NumCPU(), load, time.Now().UTC().Format("2006-01-02 15:04"), b.runs)
	defer func() {
		if b.server != nil {
			b.server.stop()
		}
	}()
	if peers {
		return b.beside(only)
	}
	fmt.Println(tableHead)
	return b.each(only, func(_ measure, f figure) { fmt.Println(f) })
}

// each runs the measures that are asked for.
func (b *bench) each(only string, tell func(measure, figure)) error {
	for _, m := range measures {
		asked := strings.Contains(","+only+",", ","+m.name+",")
		if m.name != "baseline" && (only != "" && !asked || m.long && !asked) || b.peer != "" && !m.peers {
			continue
		}
		done := b.profiled(m.name)
		figures, err := m.run(b)
		done()
		if err != nil {
			if b.peer == "" {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			fmt.Fprintf(os.Stderr, "bench: %s of %s: %v\n", m.name, b.peer, err)
		}
		for _, f := range figures {
			tell(m, f)
		}
	}
	return nil
}

// profiled begins to profile the server, where that is asked for.
func (b *bench) profiled(name string) (done func()) {
	if b.profile == "" || b.server == nil && b.ensure() != nil {
		return func() {}
	}
	return b.profileOf(b.server, name, 12)
}

// profileOf profiles a service for some seconds, if that is asked for; done
// waits for it.
func (b *bench) profileOf(s *service, name string, seconds int) (done func()) {
	if b.profile == "" || s.admin == "" {
		return func() {}
	}
	c := make(chan struct{})
	go func() {
		defer close(c)
		resp, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.admin, seconds))
		if err != nil {
			return
		}
		defer resp.Body.Close()
		f, err := os.Create(filepath.Join(b.profile, name+".pprof"))
		if err == nil {
			_, err = f.ReadFrom(resp.Body)
			f.Close()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: profile:", err)
		}
	}()
	return func() { <-c }
}
