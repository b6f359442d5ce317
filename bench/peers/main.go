package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// peer is a library: what it gives for the input, or nil for what it cannot.
type peer struct {
	name      string
	parse     func(data []byte) (parsed any, err error)
	serialize func(parsed any) (octets int, err error)
	change    func(parsed any) // touches every property of every event; nil for those that keep no octets and always write anew
	expand    func(r rule) (once func() (occurrences int), err error)
}

func main() {
	log.SetFlags(0)
	size := flag.Int("mb", 50, "size of the input in MB")
	rounds := flag.Int("rounds", 3, "rounds, of which the best counts")
	flag.Parse()
	runtime.GOMAXPROCS(1)

	data, events := calendar(*size * 1e6)
	fmt.Printf("%d events, %d octets; %s, %s/%s\n\n", events, len(data), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	external, err := libical(data, *rounds)
	if err != nil {
		fmt.Fprintf(os.Stderr, "SKIP libical: %v: nothing is compared with libical\n", err)
	}

	var t table
	for _, name := range []string{"parse", "serialize, unchanged", "serialize, changed"} {
		t.row(name, "MB/s")
	}
	const memory = "memory a parsed calendar holds"
	t.row(memory, "× input")
	for _, p := range peers {
		for range *rounds {
			before := inUse()
			begin := processorTime()
			parsed, err := p.parse(data)
			if err != nil {
				log.Fatalf("%s: parse: %v", p.name, err)
			}
			t.best("parse", p.name, float64(len(data))/1e6/(processorTime()-begin).Seconds())
			t.best(memory, p.name, held(before, data))
			for _, what := range []string{"serialize, unchanged", "serialize, changed"} {
				if what == "serialize, changed" && p.change != nil {
					p.change(parsed)
				}
				runtime.GC()
				begin := processorTime()
				n, err := p.serialize(parsed)
				if err != nil {
					log.Fatalf("%s: %s: %v", p.name, what, err)
				}
				if n < len(data)*9/10 {
					log.Fatalf("%s: %s: %d octets of %d", p.name, what, n, len(data))
				}
				t.best(what, p.name, float64(n)/1e6/(processorTime()-begin).Seconds())
			}
			runtime.KeepAlive(parsed)
		}
	}
	measureFormats(&t, data, *rounds)
	counts := map[string]int{}
	for _, r := range rules {
		t.row(r.name, "µs")
		for _, p := range append(peers, expanders...) {
			if p.expand == nil {
				continue
			}
			once, err := p.expand(r)
			if err != nil {
				log.Fatalf("%s: %s: %v", p.name, r.name, err)
			}
			if n, ok := counts[r.name]; ok && n != once() {
				log.Fatalf("%s: %s: %d occurrences, %d expected", p.name, r.name, once(), n)
			}
			counts[r.name] = once()
			for range *rounds {
				t.best(r.name, p.name, microseconds(once))
			}
		}
	}
	for _, e := range external {
		if n, ok := counts[e.what]; ok && n != e.n {
			log.Fatalf("libical: %s: %d occurrences, %d expected", e.what, e.n, n)
		}
		t.best(e.what, "libical", e.value)
		if e.what == "serialize, changed" {
			t.best("serialize, unchanged", "libical", e.value)
		}
	}
	t.print(os.Stdout)
}

// processorTime is the processor time this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// microseconds is the time of one call, from enough calls to be measured.
func microseconds(once func() int) float64 {
	runtime.GC()
	n := 0
	begin := processorTime()
	for batch := 1; processorTime()-begin < 200*time.Millisecond; batch *= 2 {
		for range batch {
			once()
		}
		n += batch
	}
	return float64((processorTime() - begin).Nanoseconds()) / 1e3 / float64(n)
}

// table holds the best value of each library for each row.
type table struct {
	rows  []string
	units map[string]string
	value map[[2]string]float64
}

func (t *table) row(name, unit string) {
	if t.units == nil {
		t.units, t.value = map[string]string{}, map[[2]string]float64{}
	}
	t.rows = append(t.rows, name)
	t.units[name] = unit
}

func (t *table) best(row, peer string, v float64) {
	key := [2]string{row, peer}
	old, ok := t.value[key]
	if !ok || lessIsBetter(t.units[row]) == (v < old) {
		t.value[key] = v
	}
}

// print writes the table in Markdown: each value and how many times as fast
// Convene is.
func (t *table) print(w *os.File) {
	names := []string{"convene", "go-ical", "golang-ical", "rrule-go", "libical"}
	var b bytes.Buffer
	fmt.Fprintf(&b, "| | unit | %s |\n|---|---%s|\n", strings.Join(names, " | "), strings.Repeat("|---:", len(names)))
	for _, row := range t.rows {
		fmt.Fprintf(&b, "| %s | %s ", row, t.units[row])
		ours := t.value[[2]string{row, "convene"}]
		for _, name := range names {
			v, ok := t.value[[2]string{row, name}]
			ratio := ours / v
			if lessIsBetter(t.units[row]) {
				ratio = v / ours
			}
			switch {
			case !ok:
				b.WriteString("| – ")
			case name == "convene":
				fmt.Fprintf(&b, "| %s ", short(v))
			default:
				fmt.Fprintf(&b, "| %s (%s×) ", short(v), short(ratio))
			}
		}
		b.WriteString("|\n")
	}
	w.Write(b.Bytes())
}

func short(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}
