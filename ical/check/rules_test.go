package check_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical/check"
)

var update = flag.Bool("update", false, "write docs/check-rules.md")

// Every rule that the sources report is in the table, with the severities they
// give it, and nothing else is; docs/check-rules.md is the table.
func TestRulesAreListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	// k.at(Error, l, 0, "rule", …), k.add(Warning, line, 1, "rule", …), Severity: Error, Rule: "rule"
	call := regexp.MustCompile(`k\.(?:at|add)\((Error|Warning), .*?"([a-z0-9-]+)", |Severity: (Error|severity), Rule: "([a-z0-9-]+)"`)
	found := map[string]map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			severity, rule := m[1]+m[3], m[2]+m[4]
			if found[rule] == nil {
				found[rule] = map[string]bool{}
			}
			if severity == "severity" {
				found[rule]["error"], found[rule]["warning"] = true, true
			} else {
				found[rule][strings.ToLower(severity)] = true
			}
		}
	}
	var doc strings.Builder
	doc.WriteString("# Rules of `convene ical check`\n\nWhat the strict validator reports, by the name that `--json` gives as `rule`. An error breaks a MUST or the\n" +
		"grammar, a warning a SHOULD, or is something that a reader may not know. `section` of a finding is the\nexact place.\n\n" +
		"The table is written by `go test ./ical/check -run Rules -update`.\n\n| rule | severity | section | what |\n|---|---|---|---|\n")
	listed := map[string]bool{}
	for _, r := range check.Rules() {
		if listed[r.Name] {
			t.Errorf("%s is listed twice", r.Name)
		}
		listed[r.Name] = true
		var want []string
		for _, s := range []string{"error", "warning"} {
			if found[r.Name][s] {
				want = append(want, s)
			}
		}
		if r.Severity != strings.Join(want, ", ") {
			t.Errorf("%s is listed as %q, the sources say %q", r.Name, r.Severity, want)
		}
		fmt.Fprintf(&doc, "| `%s` | %s | %s | %s |\n", r.Name, r.Severity, r.Sections, r.What)
	}
	for name := range found {
		if !listed[name] {
			t.Errorf("%s is not listed", name)
		}
	}
	path := filepath.Join("..", "..", "docs", "check-rules.md")
	if *update {
		if err := os.WriteFile(path, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != doc.String() {
		t.Errorf("docs/check-rules.md is not the table (%v); run go test ./ical/check -run Rules -update", err)
	}
}
