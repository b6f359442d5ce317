package ical_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
)

var update = flag.Bool("update", false, "write testdata/corpus-repairs.txt anew")

// shapes reduce the sentence of a repair to its kind, so that nothing of the
// files it was found in is in the report.
var shapes = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(?s) "[^"]*.*" read as .*`), ` "…" read as …`},
	{regexp.MustCompile(`(?s)^END:.* taken for END:.*`), "END:… taken for END:…"},
	{regexp.MustCompile(`(?s)^END:.* missing before END:.*`), "END:… missing before END:…"},
	{regexp.MustCompile(`(?s)^END:.* closes nothing`), "END:… closes nothing"},
	{regexp.MustCompile(`(?s)^.* has no value$`), "… has no value"},
	{regexp.MustCompile(`(?s) used for its .*`), " used for its components"},
}

// TestCorpusRepairs counts what lenient reading puts right in the corpus, by
// rule and kind. A difference is a change of what is repaired: look at the
// numbers before the report is written anew with -update.
func TestCorpusRepairs(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	files, mended := map[string]int{}, map[string]int{} // by kind: files, repairs
	read, with := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !begins.Match(data) {
			return nil
		}
		all, err := ical.ParseAll(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		read++
		seen := map[string]bool{}
		for _, c := range all {
			for _, r := range c.Repairs {
				kind := r.What
				for _, s := range shapes {
					kind = s.pattern.ReplaceAllString(kind, s.with)
				}
				kind = r.Rule + "\t" + kind
				mended[kind]++
				if !seen[kind] {
					seen[kind] = true
					files[kind]++
				}
			}
		}
		if len(seen) > 0 {
			with++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d files with calendars, %d with repairs\nrepairs\tin files\trule\tkind\n", read, with)
	kinds := make([]string, 0, len(mended))
	for kind := range mended {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		fmt.Fprintf(&b, "%d\t%d\t%s\n", mended[kind], files[kind], kind)
	}
	const golden = "testdata/corpus-repairs.txt"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("%s differs (go test ./ical -run CorpusRepairs -update):\n%s", golden, lineDifference(string(want), got))
	}
}

// lineDifference are the lines that are in one text only.
func lineDifference(want, got string) string {
	var b strings.Builder
	for _, side := range []struct{ mark, a, b string }{{"-", want, got}, {"+", got, want}} {
		other := strings.Split(side.b, "\n")
		for line := range strings.Lines(side.a) {
			if !slices.Contains(other, strings.TrimSuffix(line, "\n")) {
				b.WriteString(side.mark + " " + line)
			}
		}
	}
	return b.String()
}
