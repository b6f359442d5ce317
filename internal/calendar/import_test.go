package calendar_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/shared"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func (o *office) importInto(name, coll string, data []byte) []calendar.Imported {
	o.t.Helper()
	var out []calendar.Imported
	for r, err := range o.svc.Import(o.t.Context(), calendar.ImportRequest{By: o.actor(name), Owner: o.people[name].ID, Collection: coll, Data: data, Source: "test.ics"}) {
		if err != nil {
			o.t.Errorf("import: %v", err)
		}
		out = append(out, r)
	}
	return out
}

func (o *office) export(name, coll string) string {
	o.t.Helper()
	var b bytes.Buffer
	if err := o.svc.Export(o.t.Context(), o.actor(name), o.people[name].ID, coll, &b); err != nil {
		o.t.Fatalf("export: %v", err)
	}
	return b.String()
}

func (o *office) makeCalendar(name, coll string) {
	o.t.Helper()
	_, err := o.svc.MakeCalendar(o.t.Context(), calendar.MakeCalendarRequest{By: o.actor(name), Owner: o.people[name].ID, Collection: store.Collection{Name: coll}})
	if err != nil {
		o.t.Fatal(err)
	}
}

func outcomes(list []calendar.Imported) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.State+" "+r.Component)
	}
	return out
}

func TestImportSplitsAndRepeatsWithoutEffect(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice")
		const when = "DTSTART:20260302T090000Z"
		data := vcalendar(
			component("VEVENT", "1@x", when), component("VTODO", "2@x", "SUMMARY:Do"),
			component("VEVENT", "3@x", when, "RRULE:FREQ=DAILY"), component("VEVENT", "3@x", "RECURRENCE-ID:20260303T090000Z", "DTSTART:20260303T100000Z"),
			component("VEVENT", "4@x", "DTSTART:nonsense"), component("VJOURNAL", "5@x", when)) +
			strings.Replace(vevent("6@x", when), "VERSION", "METHOD:PUBLISH\r\nVERSION", 1) +
			strings.Replace(vevent("7@x", when), "VERSION", "METHOD:REPLY\r\nVERSION", 1) +
			strings.Replace(vevent("8@x", when), "UID:8@x\r\n", "", 1)
		first := o.importInto("alice", "default", []byte(data))
		want := []string{"created VEVENT", "created VTODO", "created VEVENT", "refused VEVENT", "refused VJOURNAL", "created VEVENT", "refused VEVENT", "created VEVENT"}
		if got := outcomes(first); !slices.Equal(got, want) {
			t.Errorf("first import: %q\nwant %q", got, want)
		}
		for _, r := range first {
			if r.State == calendar.ImportRefused && (r.Reason == "" || r.Line == 0) {
				t.Errorf("refused without line or reason: %+v", r)
			}
			if r.Component == "VTODO" && r.Collection != "tasks" {
				t.Errorf("the task went to %s", r.Collection)
			}
		}
		before := o.list("alice", "default")
		for _, r := range o.importInto("alice", "default", []byte(data)) {
			if r.State != calendar.ImportUnchanged && r.State != calendar.ImportRefused {
				t.Errorf("again: %+v", r)
			}
		}
		if after := o.list("alice", "default"); !slices.EqualFunc(before, after, func(a, b store.Object) bool { return a.ETag == b.ETag && a.Seq == b.Seq }) {
			t.Error("importing the same again changed objects")
		}
		// What lies in another calendar stays there, and the outcome says where.
		o.makeCalendar("alice", "other")
		for _, r := range o.importInto("alice", "other", []byte(vevent("1@x", when))) {
			if r.State != calendar.ImportUnchanged || r.Collection != "default" || !strings.Contains(r.Reason, "stays there") {
				t.Errorf("into another calendar: %+v", r)
			}
		}
		newer := strings.Replace(vevent("1@x", when, "SEQUENCE:2", "SUMMARY:New"), "\r\n", "\r\n", 1)
		if got := outcomes(o.importInto("alice", "default", []byte(newer))); !slices.Equal(got, []string{"updated VEVENT"}) {
			t.Errorf("a newer version: %q", got)
		}
		if got := outcomes(o.importInto("alice", "default", []byte(vevent("1@x", when)))); !slices.Equal(got, []string{"skipped VEVENT"}) {
			t.Errorf("an older version: %q", got)
		}
	})
}

func TestExportMergesEqualZonesOnly(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	zone := func(offset string) string {
		return "BEGIN:VTIMEZONE\r\nTZID:Home\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:" + offset + "\r\nTZOFFSETTO:" + offset + "\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
	}
	for i, offset := range []string{"+0100", "+0100", "+0200"} {
		uid := fmt.Sprintf("%d@x", i)
		o.put("alice", "default/"+uid+".ics", strings.Replace(vcalendar(zone(offset), component("VEVENT", uid, "DTSTART;TZID=Home:20260302T090000")), "PRODID", "X-MINE:"+offset+"\r\nPRODID", 1))
	}
	text := o.export("alice", "default")
	cals, err := ical.ParseAll([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(cals) != 2 || len(cals[0].Main()) != 2 || len(cals[1].Main()) != 1 || strings.Count(text, "BEGIN:VTIMEZONE") != 2 {
		t.Errorf("want two equal zones in one VCALENDAR and the other apart:\n%s", text)
	}
	o.expect("export", text, "X-MINE:+0100")
	o.expect("export", text, "X-MINE:+0200")
	if empty := o.export("alice", "tasks"); strings.Count(empty, "BEGIN:VCALENDAR") != 1 || strings.Count(empty, "END:VCALENDAR") != 1 {
		t.Errorf("an empty calendar: %q", empty)
	}
}

// components lists every component of every object, by its own octets.
func components(t *testing.T, data []byte) map[string]int {
	t.Helper()
	out := map[string]int{}
	cals, err := ical.ParseAll(data)
	if err != nil {
		t.Fatalf("read back: %v", err)
	}
	for _, cal := range cals {
		for _, c := range cal.Main() {
			one := ical.New("")
			one.Properties, one.Components = nil, []*ical.Component{c}
			out[strings.ReplaceAll(string(one.Bytes()), "\r\n", "\n")]++
		}
	}
	return out
}

// Everything in the corpus that is a calendar goes in or is refused with line
// and reason, comes out with nothing lost, and goes in again without effect.
func TestCorpusSurvivesImportAndExport(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(path), ".ics") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("only %d .ics files under %s", len(files), dir)
	}
	o := open(t, storetest.SQLite(t))
	counts := map[string]int{}
	reasons := map[string]int{}
	for i, path := range files {
		rel, _ := filepath.Rel(dir, path)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const coll = "all"
		alice := fmt.Sprintf("alice%d", i)
		o.hire(alice)
		o.makeCalendar(alice, coll)
		list := o.importInto(alice, coll, data)
		if t.Failed() {
			t.Fatalf("at %s", rel)
		}
		if len(list) == 0 {
			t.Errorf("%s: no outcome", rel)
		}
		for _, r := range list {
			counts[r.State]++
			if r.State == calendar.ImportRefused {
				if r.Reason == "" {
					t.Errorf("%s: refused without a reason: %+v", rel, r)
				}
				reasons[r.Reason]++
			}
		}
		text := o.export(alice, coll)
		stored := map[string]int{}
		for _, ob := range o.list(alice, coll) {
			_, body := o.get(alice, coll+"/"+ob.Name)
			for k, n := range components(t, []byte(body)) {
				stored[k] += n
			}
		}
		exported := components(t, []byte(text))
		for k, n := range stored {
			if exported[k] != n {
				t.Errorf("%s: stored %d times, exported %d times:\n%s", rel, n, exported[k], k)
				break
			}
		}
		if len(exported) != len(stored) {
			t.Errorf("%s: %d components stored, %d exported", rel, len(stored), len(exported))
		}
		for _, r := range o.importInto(alice, coll, data) {
			if r.State == calendar.ImportCreated || r.State == calendar.ImportUpdated {
				t.Errorf("%s: importing again: %+v", rel, r)
				break
			}
		}
	}
	t.Logf("%d files: %v", len(files), counts)
	for r, n := range reasons {
		t.Logf("%4d %s", n, r)
	}
}
