package vcal1_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/ical/vcal1"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// starts are the first occurrences of a component, as instants.
func starts(cal *ical.Calendar, c *ical.Component) (list []string) {
	alone := ical.New("x")
	for _, z := range cal.Components {
		if z.Name == "VTIMEZONE" {
			alone.Components = append(alone.Components, z)
		}
	}
	alone.Components = append(alone.Components, c)
	set, err := recur.New(alone, tz.NewResolver(alone, nil), recur.Options{})
	if err != nil {
		return nil
	}
	for o := range set.All() {
		if list = append(list, o.From.Format(time.RFC3339)); len(list) == 20 {
			break
		}
	}
	return list
}

// Events of every kind that the format knows come back with the same meaning.
func TestRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1996, 918))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	texts := []string{"plain", "a;b,c\\d", "zwei\nZeilen", "größer = besser", " leading", "trailing\\", `C:\;x`, strings.Repeat("long and longer ", 20), "BEGIN:VEVENT\nEND:VEVENT", "é" + strings.Repeat("ü", 60), "=3D="}
	for i := range 400 {
		at := time.Date(2020+random.IntN(10), time.Month(1+random.IntN(12)), 1+random.IntN(28), random.IntN(24), random.IntN(60), 0, 0, time.UTC)
		start := ical.Time{Wall: at}
		switch random.IntN(4) {
		case 0:
			start.Kind = ical.UTC
		case 1:
			start.Kind, start.TZID = ical.Zoned, pick("Europe/Berlin", "Asia/Kolkata", "America/Sao_Paulo", "Australia/Sydney", "America/New_York")
		case 2:
			start = ical.DateOf(at.Date())
		}
		e := ical.NewComponent("VEVENT")
		e.Add(ical.NewText("UID", fmt.Sprintf("%d@x.test", i)), ical.NewProperty("DTSTAMP", "20200101T000000Z"), ical.NewProperty("DTSTART", ""),
			ical.NewText("SUMMARY", pick(texts...)), ical.NewText("DESCRIPTION", pick(texts...)), ical.NewText("LOCATION", pick(texts...)))
		e.Prop("DTSTART").SetTime(start)
		a := ical.NewProperty("ATTENDEE", "mailto:b@x.test")
		a.SetParam("CN", pick("Bob", "Ünal; B", "B, \"x\""))
		a.SetParam("PARTSTAT", pick("NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED"))
		e.Add(ical.NewProperty("ORGANIZER", "mailto:o@x.test"), a)
		rule := pick("", "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;COUNT=9", "FREQ=WEEKLY;COUNT=5;BYDAY=MO,WE", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "FREQ=MONTHLY;BYDAY=2TU,-1FR;COUNT=7",
			"FREQ=MONTHLY;BYMONTHDAY=-1,15", "FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=3,4", "FREQ=YEARLY;BYYEARDAY=7,300", "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2", "FREQ=DAILY;BYHOUR=9,17;COUNT=6", "FREQ=YEARLY;BYWEEKNO=20;COUNT=4")
		if random.IntN(2) == 0 && rule != "" && !strings.Contains(rule, "COUNT") {
			until := ical.UTCTime(at.AddDate(3, 0, 0))
			if until.Kind = start.Kind; until.Kind == ical.Zoned {
				until.Kind = ical.UTC
			}
			rule += ";UNTIL=" + until.String()
		}
		if start.Kind == ical.Date && strings.Contains(rule, "BYHOUR") {
			rule = ""
		}
		if rule != "" {
			e.Add(ical.NewProperty("RRULE", rule))
		}
		cal := ical.New("-//x//EN")
		cal.Components = append(cal.Components, e)
		tz.Complete(cal, tz.NewResolver(cal, nil))
		data, losses, err := vcal1.Marshal(cal)
		if err != nil {
			t.Fatal(err)
		}
		back, more, err := vcal1.Parse(data)
		if err != nil || len(more) > 0 && !strings.Contains(more[0].What, "DTSTART does not match") {
			t.Fatalf("%v %v\n%s", err, more, data)
		}
		errorsOf(t, back[0])
		m := back[0].Master()
		for _, name := range []string{"UID", "DTSTAMP", "DTSTART", "SUMMARY", "DESCRIPTION", "LOCATION"} {
			got, want := m.Text(name), e.Text(name)
			if strings.TrimSpace(got) != strings.TrimSpace(want) || name == "DTSTART" && m.Prop(name).Param("TZID") != e.Prop(name).Param("TZID") {
				t.Errorf("%s: %q became %q\n%s", name, want, got, data)
			}
		}
		b := m.Prop("ATTENDEE")
		if b == nil || b.Param("PARTSTAT") != a.Param("PARTSTAT") || b.Value() != a.Value() || b.Param("CN") != a.Param("CN") {
			t.Errorf("attendee %s\n%s", m.Bytes(), data)
		}
		if got, want := strings.Join(starts(back[0], m), " "), strings.Join(starts(cal, e), " "); got != want || (rule != "") != (m.Prop("RRULE") != nil) {
			t.Errorf("%s from %v in %v:\ngot  %s %s\nwant %s\nlosses %v\n%s", rule, start, start.TZID, m.Value("RRULE"), got, want, losses, data)
		}
	}
}

// Every calendar of the corpus goes into the old format and back: no panic,
// what comes out is strictly valid, and the events are the same.
func TestCorpusRoundTrip(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	calendars, events, old := 0, 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) > 4<<20 {
			return err
		}
		if filepath.Ext(path) == ".vcs" {
			cals, losses, err := vcal1.Parse(data)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return nil
			}
			old++
			for _, l := range losses {
				t.Logf("%s: %v", filepath.Base(path), l)
			}
			for _, c := range cals {
				valid(t, path, c)
				if !strings.Contains(string(data), "\nRRULE") != (c.Master().Prop("RRULE") == nil) {
					t.Errorf("%s: no rule in\n%s", path, c.Bytes())
				}
			}
			return nil
		}
		all, err := ical.ParseAll(data)
		if err != nil {
			return nil
		}
		for _, cal := range all {
			calendars++
			begin := time.Now()
			text, _, err := vcal1.Marshal(cal)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			back, losses, err := vcal1.Parse(text)
			if err != nil || len(back) != 1 {
				t.Errorf("%s: %v\n%s", path, err, text)
				continue
			}
			valid(t, path, back[0])
			found := map[string]*ical.Component{}
			for _, c := range back[0].Main() {
				found[c.Name+c.Text("UID")+c.Text("RECURRENCE-ID")] = c
			}
			for _, c := range cal.Main() {
				if c.Name != "VEVENT" || c.Prop("RECURRENCE-ID") != nil || c.Text("UID") == "" || strings.TrimSpace(c.Text("UID")) != c.Text("UID") {
					continue
				}
				before, err := c.Prop("DTSTART"), error(nil)
				if before == nil {
					continue
				}
				if _, err = before.Time(); err != nil {
					continue
				}
				m := found[c.Name+c.Text("UID")]
				if m == nil {
					t.Errorf("%s: the event %s is lost: %v\n%s", path, c.Text("UID"), losses, text)
					continue
				}
				events++
				if got, want := m.Text("SUMMARY"), c.Text("SUMMARY"); strings.TrimSpace(got) != strings.TrimSpace(want) && len(found) == len(cal.Main()) && plain(want) {
					t.Errorf("%s: %s: SUMMARY %q became %q", path, c.Text("UID"), want, got)
				}
			}
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("%s took %v", path, took)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d iCalendars with %d events, %d vCalendars", calendars, events, old)
	if events < 1000 || old < 13 {
		t.Errorf("only %d events and %d vCalendars", events, old)
	}
}

// plain: texts with controls come back without them.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f })
}

func valid(t *testing.T, path string, cal *ical.Calendar) {
	t.Helper()
	if len(cal.Main()) == 0 { // RFC 5545 wants a component, and none was given
		return
	}
	for _, f := range check.Bytes(cal.Bytes(), check.Options{}) {
		// Two events of one UID, attendees without an organizer and a RECURRENCE-ID
		// in another form are the writer's.
		if f.Severity == check.Error && f.Rule != "uid-twice" && f.Rule != "organizer-missing" && f.Rule != "recurrence-id-type" {
			t.Errorf("%s: %v", path, f)
		}
	}
}
