// Package program finds other people's programs that tests compare ours with.
package program

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Need gives the path of a program. Where it is not installed the test is
// skipped with the reason, and fails when CONVENE_REQUIRE lists group.
func Need(t testing.TB, group, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv("CONVENE_REQUIRE"), ","), group) {
		t.Fatalf("%s is required (CONVENE_REQUIRE names %s) and not installed: %v", name, group, err)
	}
	t.Skipf("SKIP %s: %s is not installed", group, name)
	return ""
}
