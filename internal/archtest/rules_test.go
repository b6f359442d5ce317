package archtest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The rules that the sources cite by id are explained in
// docs/interoperability.md, and what that page explains is done somewhere.
func TestRulesAreExplained(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "interoperability.md"))
	if err != nil {
		t.Fatal(err)
	}
	cited := map[string]bool{} // the page's ids; true = by a source that is no test
	families := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z]+-\d\d) \|`).FindAllStringSubmatch(string(page), -1) {
		if _, twice := cited[m[1]]; twice {
			t.Errorf("two rows for %s", m[1])
		}
		cited[m[1]] = false
		family, _, _ := strings.Cut(m[1], "-")
		families[family] = true
	}
	id := regexp.MustCompile(`\b([A-Z]+)-\d\d\b`)
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "dist") {
			return fs.SkipDir
		}
		if path.Ext(file) != ".go" {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, m := range id.FindAllStringSubmatch(string(text), -1) {
			if !families[m[1]] {
				continue
			}
			if _, ok := cited[m[0]]; !ok {
				t.Errorf("%s cites %s, which docs/interoperability.md has no row for", file, m[0])
			} else if !strings.HasSuffix(file, "_test.go") {
				cited[m[0]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for rule, is := range cited {
		if !is {
			t.Errorf("docs/interoperability.md explains %s, which no source cites", rule)
		}
	}
}
