package itip_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/proof"
	"github.com/convene-cal/convene/internal/harness/shared"
)

var (
	scenarioRow  = regexp.MustCompile(`(?m)^\| ((?:SC-\d+ ?)+)\| ([^|]*) \| ([^|]*) \|$`)
	namedStory   = regexp.MustCompile(`\(stories/([a-z0-9-]+)\.txt\)`)
	namedTest    = regexp.MustCompile("`([a-z0-9/]+)` (Test[A-Za-z0-9]+)")
	scenarioHead = regexp.MustCompile(`(?m)^## ([A-Z])\. `)
	scenarioName = regexp.MustCompile(`(?m)^- \*\*(SC-\d+)\*\*`)
)

// toldHere are the parts of the list of scenarios that are the engine's.
const toldHere = "ABCDEFGHIJKMS"

// scenarios are where each scenario is told: the table of testdata/README.md.
func scenarios(t *testing.T) map[string]string {
	page, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, m := range scenarioRow.FindAllStringSubmatch(string(page), -1) {
		for _, id := range strings.Fields(m[1]) {
			if _, twice := out[id]; twice {
				t.Errorf("%s is in two rows", id)
			}
			out[id] = m[3]
		}
	}
	return out
}

// Every row of the table names a story, or a test that is there.
func TestScenariosHaveAPlace(t *testing.T) {
	there := proof.Below(t, "..")
	list := scenarios(t)
	if len(list) < 140 {
		t.Fatalf("only %d scenarios are listed", len(list))
	}
	for id, where := range list {
		found := 0
		for _, m := range namedStory.FindAllStringSubmatch(where, -1) {
			if !there.Story(m[1]) {
				t.Errorf("%s: there is no story %s", id, m[1])
			}
			found++
		}
		for _, m := range namedTest.FindAllStringSubmatch(where, -1) {
			if !there.Test(m[1], m[2]) {
				t.Errorf("%s: there is no %s in %s", id, m[2], m[1])
			}
			found++
		}
		if found == 0 {
			t.Errorf("%s is told by no story and no test: %q", id, where)
		}
	}
}

// Every scenario of the design's list, in the parts that are the engine's, is
// in the table.
func TestScenariosAreTold(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(shared.Dir(t), "design", "itip-scenarios.md"))
	if err != nil {
		t.Fatal(err)
	}
	list, text, n := scenarios(t), string(page), 0
	heads := scenarioHead.FindAllStringSubmatchIndex(text, -1)
	for i, h := range heads {
		if !strings.Contains(toldHere, text[h[2]:h[3]]) {
			continue
		}
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		for _, m := range scenarioName.FindAllStringSubmatch(text[h[0]:end], -1) {
			n++
			if list[m[1]] == "" {
				t.Errorf("%s is told nowhere", m[1])
			}
		}
	}
	if n < 90 {
		t.Fatalf("only %d scenarios were read", n)
	}
}
