package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// Everything under the corpus that is a calendar goes in or is refused with
// file, line and reason; what went in comes out by export with nothing lost.
func TestCorpusThroughImportAndExport(t *testing.T) {
	corpus := filepath.Join(shared.Dir(t), "corpus")
	data := filepath.Join(t.TempDir(), "data")
	must(t, "alice", "account", "add", "alice@example.test", "--password-stdin", "--data", data)
	out, errs, status := run(t, "", "import", "--account", "alice@example.test", "--calendar", "corpus", "--json", "--data", data, corpus)
	if status > 1 {
		t.Fatalf("import: status %d: %.2000s", status, errs)
	}
	type outcome struct {
		File, UID, Outcome, Reason string
		Line                       int
	}
	seen := map[string]bool{}
	counts := map[string]int{}
	stored := map[string]bool{}
	for l := range strings.Lines(out) {
		var o outcome
		if err := json.Unmarshal([]byte(l), &o); err != nil {
			t.Fatalf("%v in %.300s", err, l)
		}
		seen[o.File] = true
		counts[o.Outcome]++
		switch o.Outcome {
		case "refused":
			if o.Reason == "" || o.File == "" {
				t.Errorf("refused without file or reason: %s", l)
			}
		case "created", "updated", "unchanged", "skipped":
			stored[o.UID] = true
		case "applied", "held", "ignored", "rejected": // a mail's
			if o.Reason == "" {
				t.Errorf("a mail without a sentence: %s", l)
			}
		default:
			t.Errorf("unknown outcome: %s", l)
		}
	}
	t.Logf("outcomes: %v", counts)
	if counts["created"] < 1000 {
		t.Errorf("only %d objects were created", counts["created"])
	}
	filepath.WalkDir(corpus, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(path), ".ics") && !seen[path] {
			t.Errorf("no outcome for %s", path)
		}
		return nil
	})
	exported := must(t, "", "export", "--account", "alice@example.test", "--calendar", "corpus", "--data", data)
	cals, err := ical.ParseAll([]byte(exported))
	if err != nil {
		t.Fatalf("the export cannot be read: %v", err)
	}
	got := map[string]bool{}
	for _, cal := range cals {
		for _, c := range cal.Main() {
			got[c.Text("UID")] = true
		}
	}
	for uid := range stored {
		if uid != "" && !got[uid] {
			t.Errorf("UID %q went in and does not come out", uid)
		}
	}
}

// The mails of the corpus: each is accepted to the journal and gets an outcome
// with a sentence.
func TestCorpusMailsThroughLMTP(t *testing.T) {
	corpus := filepath.Join(shared.Dir(t), "corpus")
	s := newService(t, "example.test", []string{"alice"}).start()
	n := 0
	filepath.WalkDir(corpus, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(corpus, path)
		isMail := strings.HasSuffix(rel, ".eml") || strings.HasSuffix(rel, ".mime") ||
			strings.HasPrefix(rel, "nextcloud-mail/") && strings.HasSuffix(rel, ".txt") ||
			strings.HasPrefix(rel, "zimbra-ical/") && strings.Contains(strings.ToLower(string(text[:min(len(text), 4000)])), "content-type:")
		if !isMail {
			return nil
		}
		n++
		if a := s.deliver("sender@outside.test", "alice@example.test", string(text)); !strings.HasPrefix(a, "250") {
			t.Errorf("%s: %s", rel, a)
		}
		return nil
	})
	if n < 20 {
		t.Fatalf("found only %d mails", n)
	}
	eventually(t, "each mail has an outcome", func() (bool, string) {
		waiting := s.messages("--account", "alice@example.test", "--state", "received")
		return len(waiting) == 0, "still received"
	})
	out := s.cli("", "message", "list", "--json", "--account", "alice@example.test")
	rows := 0
	for l := range strings.Lines(out) {
		var m struct{ ID, State, Sentence, Reason string }
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatal(err)
		}
		rows++
		if m.Sentence == "" {
			t.Errorf("no sentence: %s", l)
		}
	}
	if rows < n {
		t.Errorf("%d mails, %d rows in the journal", n, rows)
	}
}
