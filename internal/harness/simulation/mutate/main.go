// Command mutate breaks the scheduling engine in one way after the other and
// has the simulation find each: a promise that no script can break is no check.
//
//	go run ./internal/harness/simulation/mutate [-only words] [-write]
//
// The sources stay as they are: the compiler reads the broken file in place of
// the real one. The table it prints is that of the package's README. With
// -write the small script that shows each fault is kept in testdata, where
// TestScripts plays it on the engine as it should be.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const simulation = "./internal/harness/simulation"

var (
	seedOf   = regexp.MustCompile(`seed (\d+): ([^\n]*)`)
	scriptOf = regexp.MustCompile(`(?s)script:\n(.*?)\n\s*\n`)
)

func main() {
	only := flag.String("only", "", "break only what has these words in its name")
	write := flag.Bool("write", false, "keep the scripts that show the faults")
	seeds := flag.Int("seeds", 4000, "how many scripts may be needed")
	flag.Parse()
	fmt.Println("| what is broken | where | found by | seed | seconds | first broken promise |\n|---|---|---|---|---|---|")
	failed := false
	for _, m := range mutations {
		if !strings.Contains(m.name, *only) {
			continue
		}
		if err := try(m, *seeds, *write); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func try(m mutation, seeds int, write bool) error {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source, err := os.ReadFile(m.file)
	if err != nil {
		return err
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return fmt.Errorf("%s has %d places like %q, not one", m.file, n, m.old)
	}
	broken, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		return err
	}
	real, err := filepath.Abs(m.file)
	if err != nil {
		return err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {real: broken}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		return err
	}
	binary := filepath.Join(dir, "simulation.test")
	if out, err := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", binary, simulation).CombinedOutput(); err != nil {
		return fmt.Errorf("does not compile: %s", out)
	}
	began := time.Now()
	run := exec.Command(binary, "-test.run", "^"+m.test+"$", "-seeds", fmt.Sprint(seeds), "-offices", fmt.Sprint(seeds/8))
	run.Dir = filepath.Join(strings.Split(simulation, "/")...)
	out, err := run.CombinedOutput()
	took := time.Since(began)
	found := seedOf.FindSubmatch(out)
	if err == nil || found == nil {
		return fmt.Errorf("no script finds it (%s): %.300s", took.Round(time.Second), out)
	}
	fmt.Printf("| %s | %s | %s | %s | %.1f | %s |\n", m.name, m.file, m.test, found[1], took.Seconds(), found[2])
	if !write {
		return nil
	}
	script := scriptOf.FindSubmatch(out)
	if script == nil {
		return fmt.Errorf("no script in %s", out)
	}
	text := "# " + strings.ToUpper(m.name[:1]) + m.name[1:] + ".\n# Were that so: " + string(found[2]) + "\n" + regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(string(script[1]), "") + "\n"
	if err := os.MkdirAll(filepath.Join("internal", "harness", "simulation", "testdata"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("internal", "harness", "simulation", "testdata", strings.ReplaceAll(m.name, " ", "-")+".script"), []byte(text), 0o644)
}
