package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages are what people read about Convene.
func pages(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, pattern := range []string{"*.md", filepath.Join("docs", "*.md")} {
		found, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no page matches %s: %v", pattern, err)
		}
		list = append(list, found...)
	}
	return list
}

func TestLinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}

// The program in docs/library.md is the one that runs as imip's Example.
func TestProgramOfTheLibraryPageRuns(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "library.md"))
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(filepath.Join("..", "..", "imip", "example_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(page), "```go\n")
	program, _, ok := strings.Cut(program, "}\n```")
	if !ok || !strings.Contains(string(example), program) {
		t.Errorf("imip/example_test.go does not have this:\n%s", program)
	}
}

// Whoever looks for a package finds its sentence in ARCHITECTURE.md.
func TestEveryPackageHasItsRoom(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rooms, _ := strings.Cut(string(text), "\n## The rooms\n")
	rooms, _, _ = strings.Cut(rooms, "\n## ")
	names := []string{}
	for line := range strings.Lines(strings.TrimSpace(policy)) {
		names = append(names, strings.TrimSuffix(strings.Fields(line)[0], "/..."))
	}
	shared, err := os.ReadDir(filepath.Join("..", "harness"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range shared {
		names = append(names, d.Name())
	}
	for _, name := range names {
		if !strings.Contains(rooms, "`"+name+"`") {
			t.Errorf("ARCHITECTURE.md has no room for %s", name)
		}
	}
}
