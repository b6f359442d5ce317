package jscal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jscal"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// occurrences are the first of each object in a calendar, by UID.
func occurrences(cal *ical.Calendar) map[string]string {
	all := map[string]string{}
	for _, one := range cal.SplitByUID() {
		if k := one.Kind(); k != "VEVENT" && k != "VTODO" || one.UID() == "" {
			continue
		}
		set, err := recur.New(one, tz.NewResolver(one, nil), recur.Options{MaxIterations: 10000})
		if err != nil {
			continue
		}
		n, text := 0, ""
		for o := range set.All() {
			text += o.From.Format("20060102T150405 ") + o.To.Format("20060102T150405 ") + strings.TrimSpace(o.Component.Text("SUMMARY")) + "\n"
			if n++; n == 15 {
				break
			}
		}
		all[one.UID()] = text
	}
	return all
}

// Every calendar of the corpus becomes JSCalendar and comes back; what is not in
// the losses has the same objects at the same times, and as many attendees,
// alarms and other properties.
func TestCorpus(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	calendars, objects, different, lossy := 0, 0, 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) > 2<<20 {
			return err
		}
		all, err := ical.ParseAll(data)
		if err != nil {
			return nil
		}
		for _, cal := range all {
			calendars++
			begin := time.Now()
			text, losses, err := jscal.Marshal(cal)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			back, more, err := jscal.Parse(text)
			if err != nil || len(back) != 1 {
				t.Errorf("%s: %v\n%s", path, err, text)
				continue
			}
			if len(losses)+len(more) > 0 {
				lossy++
				continue
			}
			was, is := occurrences(cal), occurrences(back[0])
			for uid, want := range was {
				objects++
				if got := is[uid]; got != want {
					if different++; different <= 20 {
						t.Logf("%s: %s\ngot\n%swant\n%s", path, uid, got, want)
					}
				}
			}
			if a, b := count(cal), count(back[0]); a != b && len(is) == len(was) {
				if different++; different <= 20 {
					t.Logf("%s: %v became %v", path, a, b)
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
	t.Logf("%d calendars, %d objects, %d differ, %d calendars with losses", calendars, objects, different, lossy)
	if objects < 5000 || different > 0 {
		t.Errorf("%d of %d objects differ", different, objects)
	}
}

// count tells how many there are of what must not get lost.
func count(cal *ical.Calendar) (n [4]int) {
	for _, c := range cal.Main() {
		for p := range c.Props("ATTENDEE") {
			if p.Value() != "" {
				n[0]++
			}
		}
		for range c.Children("VALARM") {
			n[1]++
		}
		for _, p := range c.Properties {
			switch name := p.Name(); {
			case strings.HasPrefix(name, "X-"):
				n[2]++
			case name == "URL" || name == "ATTACH" || name == "COMMENT":
				n[3]++
			}
		}
	}
	return n
}
