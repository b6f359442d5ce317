package cip

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every demand of the draft, every gap that was filled and every exchange has a
// row in docs/cip.md with tests that there are.
func TestEachRuleHasItsTest(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "cip.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "## Where each rule is tested")
	if !ok {
		t.Fatal("docs/cip.md has no table of tests")
	}
	var code strings.Builder
	for _, dir := range []string{"cip", "internal/transport/cip", "e2e"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(b)
		}
	}
	for _, name := range regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(table, -1) {
		if !strings.Contains(code.String(), "\nfunc "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile(`\b(R|D|CP)-(\d+)(?: to (?:R|D|CP)-(\d+))?`).FindAllStringSubmatch(table, -1) {
		from, _ := strconv.Atoi(m[2]) // digits
		to := from
		if m[3] != "" {
			to, _ = strconv.Atoi(m[3])
		}
		for n := from; n <= to; n++ {
			told[fmt.Sprintf("%s-%d", m[1], n)] = true
		}
	}
	for kind, last := range map[string]int{"R": 36, "D": 50, "CP": 32} {
		for n := 1; n <= last; n++ {
			if id := fmt.Sprintf("%s-%d", kind, n); !told[id] {
				t.Errorf("%s has no row", id)
			}
		}
	}
}
