package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// IDs of the rows with their levels, "A1 M", in the order of the page.
func IDs() []string {
	var out []string
	for _, s := range sections {
		for _, r := range s.rows {
			out = append(out, r.id+" "+r.level)
		}
	}
	return out
}

// Proofs lists what is claimed without proof: rows that are answered with yes
// or part and have none, and tests that are named and do not exist below root.
func Proofs(root string) []error {
	var out []error
	sources := map[string]string{} // of the tests of a folder
	for _, s := range sections {
		for _, r := range s.rows {
			if r.answer == yes && len(r.proof.steps)+len(r.proof.tests) == 0 {
				out = append(out, fmt.Errorf("%s is answered with %s, and nothing shows it", r.id, r.answer))
			}
			if r.answer != yes && r.why == "" {
				out = append(out, fmt.Errorf("%s is answered with %s, and not why", r.id, r.answer))
			}
			for _, name := range r.proof.tests {
				dir, test, _ := strings.Cut(name, " ")
				if _, ok := sources[dir]; !ok {
					sources[dir] = testsOf(filepath.Join(root, filepath.FromSlash(dir)))
				}
				if !strings.Contains(sources[dir], "func "+test+"(") {
					out = append(out, fmt.Errorf("%s names the test %s, and there is none", r.id, name))
				}
			}
		}
	}
	return out
}

func testsOf(dir string) string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil {
			b.Write(text)
		}
	}
	return b.String()
}
