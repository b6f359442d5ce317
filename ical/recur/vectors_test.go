package recur_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
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

// calendar writes the vector as an event.
func (v *vector) calendar(t testing.TB) *ical.Calendar {
	t.Helper()
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\nBEGIN:VEVENT\r\nUID:u\r\n")
	times := func(name string, values ...string) {
		for _, value := range values {
			switch {
			case len(value) == len("20060102"):
				name += ";VALUE=DATE"
			case v.TZID != nil && *v.TZID == "UTC":
				value += "Z"
			case v.TZID != nil:
				name += ";TZID=" + *v.TZID
			}
			fmt.Fprintf(&b, "%s:%s\r\n", name, value)
			name, _, _ = strings.Cut(name, ";")
		}
	}
	times("DTSTART", v.DTStart)
	times("RDATE", v.RDate...)
	times("EXDATE", v.ExDate...)
	for _, r := range v.RRule {
		fmt.Fprintf(&b, "RRULE:%s\r\n", r)
	}
	for _, r := range v.ExRule {
		fmt.Fprintf(&b, "EXRULE:%s\r\n", r)
	}
	b.WriteString("END:VEVENT\r\nEND:VCALENDAR\r\n")
	cal, err := ical.Parse([]byte(b.String()))
	if err != nil {
		t.Fatalf("%s: %v\n%s", v.ID, err, b.String())
	}
	return cal
}

// TestVectors runs every vector: ids against the expected readings, instants
// where the vector has them.
func TestVectors(t *testing.T) {
	known := argued(t)
	vectors := append(readVectors(t, "recurrence.jsonl"), readVectors(t, "dst.jsonl")...)
	for _, v := range vectors {
		cal := v.calendar(t)
		s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{StrictStart: true})
		if err != nil {
			t.Errorf("%s: %v", v.ID, err)
			continue
		}
		var got, utc []string
		bare := func(o recur.Occurrence) string { return strings.TrimSuffix(o.ID.String(), "Z") }
		for o := range s.All() {
			if !v.Complete && len(got) == len(v.Expected) || len(got) > len(v.Expected) {
				break
			}
			if w := v.Window; w != nil && w[1] != nil && bare(o) >= *w[1] || v.WindowIncl != nil && bare(o) > *v.WindowIncl[1] {
				break
			}
			got = append(got, bare(o))
			utc = append(utc, ical.UTCTime(o.From).String())
		}
		same := slices.Equal(got, v.Expected) && (v.ExpectedUTC == nil || slices.Equal(utc, v.ExpectedUTC))
		if _, ok := known[v.ID]; ok {
			if same {
				t.Errorf("%s is in argued.txt but passes", v.ID)
			}
			continue
		}
		if !same {
			t.Errorf("%s: DTSTART %s %s %v\n got %v\n     %v\nwant %v\n     %v", v.ID, v.DTStart, v.RRule, v.Tags, got, utc, v.Expected, v.ExpectedUTC)
			continue
		}
		if len(got) > 3 {
			v.checkWindows(t, s, got, utc)
		}
	}
	for id := range known {
		if !slices.ContainsFunc(vectors, func(v vector) bool { return v.ID == id }) {
			t.Errorf("argued.txt: there is no vector %s", id)
		}
	}
}

// checkWindows asks for parts of a set that is known to be right.
func (v *vector) checkWindows(t *testing.T, s *recur.Set, ids, utc []string) {
	n := len(ids)
	for _, c := range [][2]int{{1, n - 1}, {n / 2, n/2 + 1}, {n - 2, n - 1}} {
		from, _ := ical.ParseTime(utc[c[0]], "", false)
		to, _ := ical.ParseTime(utc[c[1]], "", false)
		var got []string
		for o := range s.Between(from.Wall, to.Wall) {
			if len(got) > n {
				break
			}
			got = append(got, strings.TrimSuffix(o.ID.String(), "Z"))
		}
		if want := ids[c[0]:c[1]]; !slices.Equal(got, want) {
			t.Errorf("%s: DTSTART %s %s from %s to %s\n got %v\nwant %v", v.ID, v.DTStart, v.RRule, utc[c[0]], utc[c[1]], got, want)
		}
	}
	for _, i := range []int{0, n / 2, n - 1} {
		id, _ := ical.ParseTime(utc[i], "", false)
		if len(ids[i]) == len("20060102") {
			id, _ = ical.ParseTime(ids[i], "", true)
		}
		if o, ok := s.Find(id); !ok || strings.TrimSuffix(o.ID.String(), "Z") != ids[i] {
			t.Errorf("%s: DTSTART %s %s: Find(%s) = %v, %v, want %s", v.ID, v.DTStart, v.RRule, id, o.ID, ok, ids[i])
		}
	}
}
