package recur

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/shared"
)

// vector is a line of ../shared/vectors; its README tells the fields.
type vector struct {
	ID, Source, DTStart string
	TZID                *string
	RRule, ExRule       []string
	RDate, ExDate       []string
	Expected            []string
	ExpectedUTC         []string `json:"expected_utc"`
	Complete            bool
	Window              []*string
	WindowIncl          []*string `json:"window_incl"`
	Tags                []string
}

func readVectors(t testing.TB, name string) []vector {
	t.Helper()
	f, err := os.Open(filepath.Join(shared.Dir(t), "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []vector
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var v vector
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		t.Fatalf("%s has no vectors", name)
	}
	return list
}

func (v *vector) tagged(tag string) bool {
	return slices.ContainsFunc(v.Tags, func(s string) bool { return strings.HasPrefix(s, tag) })
}

const layoutDate, layoutTime = "20060102", "20060102T150405"

func readingOf(t testing.TB, s string) time.Time {
	t.Helper()
	layout := layoutTime
	if len(s) == len(layoutDate) {
		layout = layoutDate
	}
	r, err := time.Parse(layout, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// argued reads the list of vectors where we differ, each with the reason.
func argued(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "argued.txt"))
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" {
			t.Fatalf("argued.txt: %s has no reason", id)
		}
		list[id] = reason
	}
	return list
}

// TestVectorRules runs the vectors that are one rule and nothing else, on
// clock readings.
func TestVectorRules(t *testing.T) {
	known := argued(t)
	ran := 0
	for _, v := range append(readVectors(t, "recurrence.jsonl"), readVectors(t, "dst.jsonl")...) {
		if len(v.RRule) != 1 || len(v.ExRule)+len(v.RDate)+len(v.ExDate) > 0 {
			continue
		}
		r, err := ParseRule(v.RRule[0])
		if err != nil {
			t.Errorf("%s: %v", v.ID, err)
			continue
		}
		start := readingOf(t, v.DTStart)
		if r.HasUntil && !r.Until.IsDate() && strings.HasSuffix(r.Until.String(), "Z") && v.TZID != nil && *v.TZID != "UTC" {
			loc, err := time.LoadLocation(*v.TZID)
			if err != nil {
				t.Fatal(err)
			}
			u := r.Until.Wall.In(loc)
			r.Until.Wall = time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), 0, time.UTC)
		}
		ran++
		isDate := len(v.DTStart) == len(layoutDate)
		seq := compile(r, start.Unix(), isDate).seq(0, false)
		var got []string
		for o := range seq {
			if !v.Complete && len(got) == len(v.Expected) || len(got) > len(v.Expected) {
				break
			}
			if w := v.Window; w != nil && w[1] != nil && !o.Before(readingOf(t, *w[1])) {
				break
			}
			if w := v.WindowIncl; w != nil && w[1] != nil && o.After(readingOf(t, *w[1])) {
				break
			}
			layout := layoutTime
			if isDate {
				layout = layoutDate
			}
			got = append(got, o.Format(layout))
		}
		if _, ok := known[v.ID]; ok {
			if slices.Equal(got, v.Expected) {
				t.Errorf("%s is in argued.txt but passes", v.ID)
			}
			continue
		}
		if !slices.Equal(got, v.Expected) {
			t.Errorf("%s: DTSTART %s %s %v\n got %v\nwant %v", v.ID, v.DTStart, v.RRule[0], v.Tags, got, v.Expected)
		}
	}
	if ran < 2500 {
		t.Errorf("only %d vectors ran", ran)
	}
}
