// Package proof looks up what a list of rules or scenarios names as their
// proof: stories of the engine, and tests of any package. Whether they prove
// it is for readers; that they are there is for tests.
package proof

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Proofs finds stories and tests below the root of the project.
type Proofs struct {
	t       *testing.T
	root    string
	sources map[string]string // of the tests of a directory, once read
}

// Below is for a test whose working directory is below root.
func Below(t *testing.T, root string) *Proofs {
	return &Proofs{t: t, root: root, sources: map[string]string{}}
}

// Story tells whether the engine plays a story of this name.
func (p *Proofs) Story(name string) bool {
	_, err := os.Stat(filepath.Join(p.root, "itip", "testdata", "stories", name+".txt"))
	return err == nil
}

// Test tells whether the package in dir, slash-separated from the root, has a
// test or fuzz target of this name.
func (p *Proofs) Test(dir, name string) bool {
	return strings.Contains(p.Source(dir), "func "+name+"(")
}

// Source is the text of all test files of a directory.
func (p *Proofs) Source(dir string) string {
	if text, read := p.sources[dir]; read {
		return text
	}
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(p.root, filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			p.t.Fatal(err)
		}
		all.Write(text)
	}
	p.sources[dir] = all.String()
	return p.sources[dir]
}
