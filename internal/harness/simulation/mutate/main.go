// Command mutate breaks the scheduling engine in one way after the other and
// has the simulation find each: a promise that no script can break is no check.
//
//	go run ./internal/harness/simulation/mutate [-only words] [-write]
//	go run ./internal/harness/simulation/mutate -services [-only words]
//	go run ./internal/harness/simulation/mutate -rules [-only words] [-write]
//
// The sources stay as they are: the compiler reads the broken file in place of
// the real one. The table it prints is that of the package's README. With
// -write the small script that shows each fault is kept in testdata, where
// TestScripts plays it on the engine as it should be. -rules takes single rules of
// the design out for the stories of package itip to find; with -write the table in
// their README is made anew.
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
	services := flag.Bool("services", false, "break the services around the engine instead, for their own tests to find")
	singly := flag.Bool("rules", false, "take single rules out of the engine instead, for its stories to find")
	flag.Parse()
	if *singly {
		if err := breakRules(*only, *write); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if *services {
		breakServices(*only)
		return
	}
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

// breakServices is the same for the services: each fault has to be found by a
// test of its package.
func breakServices(only string) {
	fmt.Println("| what is broken | where | found by | seconds |\n|---|---|---|---|")
	missed := false
	for _, f := range faults {
		if !strings.Contains(f.name, only) {
			continue
		}
		if err := f.try(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", f.name, err)
			missed = true
		}
	}
	if missed {
		os.Exit(1)
	}
}

func try(m mutation, seeds int, write bool) error {
	overlay, drop, err := broken(m.file, m.old, m.new)
	if err != nil {
		return err
	}
	defer drop()
	binary := overlay + ".test"
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

// broken writes a source file with one place replaced, and the list that makes
// the compiler read it instead of the real one; drop removes both.
func broken(file, old, with string) (overlay string, drop func(), err error) {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return "", nil, err
	}
	drop = func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	source, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	if n := strings.Count(string(source), old); n != 1 {
		return "", nil, fmt.Errorf("%s has %d places like %q, not one", file, n, old)
	}
	changed := filepath.Join(dir, "broken.go")
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), old, with, 1)), 0o600); err != nil {
		return "", nil, err
	}
	real, err := filepath.Abs(file)
	if err != nil {
		return "", nil, err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {real: changed}})
	if err != nil {
		return "", nil, err
	}
	return overlay, drop, os.WriteFile(overlay, list, 0o600)
}
