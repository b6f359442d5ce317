package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/proof"
	"github.com/convene-cal/convene/internal/harness/shared"
)

var (
	ruleName   = regexp.MustCompile(`\b(?:OUT|IN|LEN|ADR|TRN|AUTH|POL|WEB|SEQ|REQ|REP|CAN|DEL|OTH|REC|TZ|SIG|CAL)-\d\d\b|\bSC-\d{3}\b|\bS-\d+\b|\bR(?:2447|6047)-\d+\b`)
	proofStory = regexp.MustCompile("story ([a-z0-9-]+)")
	proofTest  = regexp.MustCompile("`([a-z0-9/]+)` ((?:Test|Fuzz)[A-Za-z0-9_]+)(?:/([^,|]+))?")
)

// proofs are the rules of the list and what proves each.
func proofs(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "proofs.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| rule |") {
			continue
		}
		rules, proof := strings.TrimPrefix(cells[0], "| "), strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(cells[2]), "|"))
		names := ruleName.FindAllString(rules, -1)
		if len(names) == 0 {
			names = []string{rules} // a family of X- properties
		}
		for _, n := range names {
			if out[n] != "" {
				t.Errorf("two rows for %s", n)
			}
			out[n] = proof
		}
	}
	return out
}

// Each rule names a test that is there, with its case, or a story, or says why
// nothing is done.
func TestRulesHaveAProof(t *testing.T) {
	there := proof.Below(t, filepath.Join("..", ".."))
	list := proofs(t)
	if len(list) < 390 {
		t.Fatalf("only %d rules are listed", len(list))
	}
	none := 0
	for rule, named := range list {
		if why, ok := strings.CutPrefix(named, "none: "); ok {
			none++
			if len(why) < 10 {
				t.Errorf("%s: not done, and no reason", rule)
			}
			continue
		}
		found := 0
		for _, m := range proofStory.FindAllStringSubmatch(named, -1) {
			found++
			if !there.Story(m[1]) {
				t.Errorf("%s: there is no story %s", rule, m[1])
			}
		}
		for _, m := range proofTest.FindAllStringSubmatch(named, -1) {
			found++
			if !there.Test(m[1], m[2]) {
				t.Errorf("%s: there is no %s in %s", rule, m[2], m[1])
			}
			if name := strings.TrimSpace(m[3]); name != "" && !strings.Contains(there.Source(m[1]), fmt.Sprintf("%q", name)) {
				t.Errorf("%s: %s in %s has no case %q", rule, m[2], m[1], name)
			}
		}
		if found == 0 || found != strings.Count(named, ", ")+1 {
			t.Errorf("%s: %q names %d proofs that can be looked up", rule, named, found)
		}
	}
	if most := 7; none > most { // a proof that is lost is no gap that was known
		t.Errorf("%d rules are not done, %d were known", none, most)
	}
}

// No rule and no scenario of mail that the design lists is left out.
func TestEveryRuleIsListed(t *testing.T) {
	list := proofs(t)
	for file, head := range map[string]*regexp.Regexp{
		"imip-requirements.md": regexp.MustCompile(`(?m)^- \*\*([A-Z]+-\d\d) |^\| (S-\d+) \||^- (R6047-\d+) |(R2447-\d)\b`),
		"itip-scenarios.md":    regexp.MustCompile(`(?m)^- \*\*(SC-\d{3})\*\*`),
	} {
		page, err := os.ReadFile(filepath.Join(shared.Dir(t), "design", file))
		if err != nil {
			t.Fatal(err)
		}
		text, n := string(page), 0
		if strings.HasPrefix(file, "itip") {
			var mail strings.Builder // the other parts are the engine's own list
			for _, part := range regexp.MustCompile(`(?m)^## `).Split(text, -1) {
				if len(part) > 1 && part[1] == '.' && strings.ContainsRune("LOPQRT", rune(part[0])) {
					mail.WriteString(part)
				}
			}
			text = mail.String()
		}
		for _, m := range head.FindAllStringSubmatch(text, -1) {
			n++
			if rule := strings.Join(m[1:], ""); list[rule] == "" {
				t.Errorf("%s has no proof", rule)
			}
		}
		if n < 50 {
			t.Errorf("only %d rules were read from %s", n, file)
		}
	}
}
