// Gotest runs `go test` and tells at the end what a person wants to know: what
// failed, what was skipped and why, and how many tests there were. Its last
// line is "N passed, N failed, N skipped".
//
//	go run ./internal/harness/gotest [flags of go test] ./...
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strings"
	"time"
)

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

// tally is what the run came to.
type tally struct {
	passed, failed, skipped int
	output                  map[string][]string // by package and test, kept until it is known whether it is wanted
	failures                []string
	skips                   map[string]int // reason → how many
}

func main() {
	start := time.Now()
	t := &tally{output: map[string][]string{}, skips: map[string]int{}}
	cmd := exec.Command("go", append([]string{"test", "-json"}, os.Args[1:]...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // a compiler's message
			continue
		}
		t.take(e)
	}
	status := cmd.Wait()
	t.report(time.Since(start))
	if status != nil || t.failed > 0 {
		os.Exit(1)
	}
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		t.output[key] = append(t.output[key], e.Output)
		return
	case "pass", "fail", "skip":
	case "build-fail":
		fmt.Print(strings.Join(t.output[key], ""))
		return
	default:
		return
	}
	text := strings.Join(t.output[key], "")
	delete(t.output, key)
	if e.Test == "" {
		t.packageDone(e, text)
		return
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		t.failures = append(t.failures, key)
		fmt.Print(text)
	case "skip":
		t.skipped++
		t.skips[reason(text)]++
	}
}

func (t *tally) packageDone(e event, text string) {
	switch e.Action {
	case "fail":
		fmt.Print(text)
		fmt.Printf("FAIL  %s  %.1fs\n", e.Package, e.Elapsed)
		if !strings.Contains(strings.Join(t.failures, "\n"), e.Package+" ") {
			t.failed++ // it did not build, or its process died
			t.failures = append(t.failures, e.Package)
		}
	case "pass":
		fmt.Printf("ok    %s  %.1fs\n", e.Package, e.Elapsed)
	}
}

// reason is the last thing a skipped test said, without file and line.
func reason(text string) string {
	for _, line := range strings.Split(text, "\n") {
		s := strings.TrimSpace(line)
		if i := strings.Index(s, ".go:"); i >= 0 {
			if _, after, ok := strings.Cut(s[i+4:], ": "); ok {
				return after
			}
		}
	}
	return "no reason given"
}

func (t *tally) report(took time.Duration) {
	if len(t.skips) > 0 {
		fmt.Println("\nNOT TESTED on this machine:")
		reasons := make([]string, 0, len(t.skips))
		for r := range t.skips {
			reasons = append(reasons, r)
		}
		sort.Strings(reasons)
		for _, r := range reasons {
			fmt.Printf("  %3d  %s\n", t.skips[r], r)
		}
	}
	if len(t.failures) > 0 {
		fmt.Println("\nFAILED:")
		for _, f := range t.failures {
			fmt.Println("  " + f)
		}
	}
	fmt.Printf("\nin %s:\n%d passed, %d failed, %d skipped\n", took.Round(time.Second), t.passed, t.failed, t.skipped)
}
