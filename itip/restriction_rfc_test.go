package itip_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// rfcRow is a row of a restriction table in the text of RFC 5546 section 3.
type rfcRow struct{ component, name, presence string }

var (
	constraints = regexp.MustCompile(`Constraints for (?:a|the) METHOD:\s*(\w+) (?:of|in) a (V\w+)`)
	tableRow    = regexp.MustCompile(`^\s*\| ( *)([A-Z][A-Z-]*) +\| ([0-9](?: or 1|\+)?) +\|`)
)

// rfcTables reads the restriction tables as the RFC prints them.
func rfcTables(t *testing.T) map[string][]rfcRow {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(shared.Dir(t), "specs", "rfc5546.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]rfcRow{}
	key, component := "", ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if m := constraints.FindStringSubmatch(line); m != nil {
			key, component = strings.ToUpper(m[1])+" "+m[2], ""
			continue
		}
		if regexp.MustCompile(`^3\.6\.`).MatchString(line) {
			key = ""
		}
		m := tableRow.FindStringSubmatch(line)
		if m == nil || key == "" {
			continue
		}
		if m[1] == "" {
			component = m[2]
		}
		out[key] = append(out[key], rfcRow{component: component, name: m[2], presence: m[3]})
	}
	return out
}

// wider are the rows in which our tables ask less than the RFC prints, because
// it contradicts itself elsewhere; see ical's table of restrictions.
var wider = map[string]string{
	"REPLY VEVENT ATTENDEE":   "delegation needs two (3.2.2.3)",
	"REPLY VTODO ATTENDEE":    "delegation needs two (3.4.2.3)",
	"COUNTER VEVENT SEQUENCE": "its own comment lets it be absent when 0",
	"REFRESH VTODO ORGANIZER": "nobody would know whom to ask",
}

// The tables that the engine checks by say what the RFC prints.
func TestRestrictionTablesAreTheRFCs(t *testing.T) {
	tables := rfcTables(t)
	if len(tables) != 22 {
		t.Errorf("found %d tables in the RFC, which has 22", len(tables))
	}
	rows, used := 0, map[string]bool{}
	for key, list := range tables {
		method, component, _ := strings.Cut(key, " ")
		r, ok := ical.RestrictionsOf(method, component)
		if !ok {
			t.Errorf("%s: the RFC has a table, we have none", key)
			continue
		}
		for _, row := range list {
			if row.component != component || row.name == component {
				if row.component == component && row.name == component && (row.presence == "1") != r.Single && method != "ADD" {
					t.Errorf("%s: the RFC has %s %s, we have one only: %v", key, row.name, row.presence, r.Single)
				}
				continue
			}
			rows++
			want := map[string]bool{"1": slices.Contains(r.One, row.name), "1+": slices.Contains(r.Some, row.name),
				"0": slices.Contains(r.Forbidden, row.name) || len(r.Only) > 0 && !slices.Contains(r.Only, row.name) && !slices.Contains(r.One, row.name)}
			has, known := want[row.presence]
			if !known { // 0+ or 0 or 1
				has = !want["1"] && !want["1+"] && !slices.Contains(r.Forbidden, row.name)
			}
			if id := key + " " + row.name; !has && wider[id] != "" {
				used[id] = true
			} else if !has {
				t.Errorf("%s: the RFC has %s %s (%s), we do not", key, row.name, row.presence, r.Section)
			}
		}
		for _, name := range append(slices.Clone(r.One), r.Some...) {
			if !slices.ContainsFunc(list, func(row rfcRow) bool {
				return row.component == component && row.name == name && strings.HasPrefix(row.presence, "1")
			}) && wider[key+" "+name] == "" {
				t.Errorf("%s: we ask for %s, the RFC does not", key, name)
			}
		}
	}
	if rows < 500 {
		t.Errorf("only %d rows were compared", rows)
	}
	for id, why := range wider {
		if why != "" && !used[id] {
			t.Errorf("%s is no difference any more", id)
		}
	}
}
