// Package shared finds the specifications, corpus and vectors that lie beside
// the project and are read by tests, never copied into it.
package shared

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Dir is the folder `shared` beside the repository. A test that needs it is
// skipped with the reason where it is absent, and fails there when
// CONVENE_REQUIRE lists "shared".
func Dir(t testing.TB) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..", "..")
	dir := filepath.Join(root, "..", "shared")
	if alt := os.Getenv("CONVENE_SHARED"); alt != "" {
		dir = alt
	}
	if _, err := os.Stat(filepath.Join(dir, "specs")); err != nil {
		if strings.Contains(os.Getenv("CONVENE_REQUIRE"), "shared") {
			t.Fatalf("the folder shared is required and is not at %s: %v", dir, err)
		}
		t.Skipf("SKIP shared: no folder shared at %s (or CONVENE_SHARED): corpus, vectors and specifications are not tested", dir)
	}
	return dir
}
