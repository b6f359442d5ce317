package check_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/jscal"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/ical/vcal1"
	"github.com/convene-cal/convene/ical/xcal"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/harness/shared"
	"github.com/convene-cal/convene/itip"
)

// errorsIn are the errors of a calendar as it would be written.
func errorsIn(cal *ical.Calendar) (list []check.Finding) {
	cal = cal.Clone()
	cal.Normalize()
	for _, f := range check.Bytes(cal.Bytes(), check.Options{}) {
		if f.Severity == check.Error {
			list = append(list, f)
		}
	}
	return list
}

// emitters make calendars of a calendar in all the ways we do.
var emitters = map[string]func(cal *ical.Calendar) ([]*ical.Calendar, error){
	"jcal": func(cal *ical.Calendar) ([]*ical.Calendar, error) {
		data, err := jcal.Marshal(cal)
		if err != nil {
			return nil, err
		}
		return jcal.ParseAll(data)
	},
	"xcal": func(cal *ical.Calendar) ([]*ical.Calendar, error) {
		data, err := xcal.Marshal(cal)
		if err != nil {
			return nil, err
		}
		return xcal.ParseAll(data)
	},
	"jscal": func(cal *ical.Calendar) ([]*ical.Calendar, error) {
		data, _, err := jscal.Marshal(cal)
		if err != nil {
			return nil, err
		}
		list, _, err := jscal.Parse(data)
		return list, err
	},
	"vcal1": func(cal *ical.Calendar) ([]*ical.Calendar, error) {
		data, _, err := vcal1.Marshal(cal)
		if err != nil {
			return nil, err
		}
		list, _, err := vcal1.Parse(data)
		return list, err
	},
	"split": func(cal *ical.Calendar) ([]*ical.Calendar, error) {
		list := cal.SplitByUID()
		for _, c := range list {
			tz.Complete(c, tz.NewResolver(c, nil))
		}
		return list, nil
	},
	"series": func(cal *ical.Calendar) (list []*ical.Calendar, err error) {
		for _, c := range cal.SplitByUID() {
			z := tz.NewResolver(c, nil)
			set, err := recur.New(c, z, recur.Options{MaxIterations: 1000})
			if err != nil || !set.Recurring() {
				continue
			}
			n := 0
			for o := range set.All() {
				if n++; n < 3 {
					continue
				}
				if head, tail, err := recur.SplitAt(c, o.ID, z); err == nil {
					list = append(list, head, tail)
				}
				break
			}
		}
		return list, nil
	},
	"itip": func(cal *ical.Calendar) (list []*ical.Calendar, err error) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, c := range cal.SplitByUID() {
			if c.Kind() != "VEVENT" && c.Kind() != "VTODO" || c.Main()[0].Prop("ORGANIZER") == nil {
				continue
			}
			users := []ical.Address{c.Main()[0].Prop("ORGANIZER").Address()}
			for p := range c.Main()[0].Props("ATTENDEE") {
				users = append(users, p.Address())
				break
			}
			for _, user := range users {
				for _, change := range []itip.Change{{New: c}, {Old: c}} {
					change.User, change.Now = []ical.Address{user}, now
					out, err := itip.Plan(change)
					if err != nil {
						continue // a refusal
					}
					if out.Object != nil {
						list = append(list, out.Object)
					}
					for _, m := range out.Send {
						mail, err := imip.Compose(m, imip.Options{From: imip.Mailbox{Address: "a@b.test"}, To: imip.Mailbox{Address: "c@d.test"}, Now: now, Host: "b.test"})
						if err != nil {
							continue
						}
						arrived, err := imip.Parse(mail.Raw, imip.Limits{})
						if err != nil {
							return nil, err
						}
						for _, f := range arrived.Found {
							list = append(list, f.Calendar)
						}
					}
				}
			}
		}
		return list, nil
	},
}

// What is made of a calendar without an error has none either.
func TestWhatIsEmittedPasses(t *testing.T) {
	clean, made := 0, map[string]int{}
	seen := map[string]int{}
	walk(t, func(path string, data []byte) {
		all, err := ical.ParseAll(data)
		if err != nil {
			return
		}
		for _, cal := range all {
			if len(errorsIn(cal)) > 0 {
				continue
			}
			clean++
			for name, emit := range emitters {
				if cal.Method() != "" && (name == "split" || name == "series" || name == "itip") {
					continue // these take what people store, not messages
				}
				list, err := emit(cal)
				if err != nil {
					t.Errorf("%s: %s: %v", path, name, err)
				}
				for _, c := range list {
					made[name]++
					if len(c.Components) == 0 {
						continue // the other syntax has no words for what is in it
					}
					if bad := errorsIn(c); len(bad) > 0 {
						key := name + " " + bad[0].Rule
						if seen[key]++; seen[key] <= 3 {
							t.Errorf("%s: %s gives %v", path, name, bad[0])
						}
					}
				}
			}
		}
	})
	t.Logf("%d calendars without an error; made of them: %v; with errors: %v", clean, made, seen)
	if clean < 500 {
		t.Errorf("only %d calendars", clean)
	}
}

// What is read of other syntaxes has no fault that its source does not have.
func TestWhatIsReadOfOtherSyntaxesPasses(t *testing.T) {
	read := map[string]int{}
	walk(t, func(path string, data []byte) {
		var list []*ical.Calendar
		name := ""
		switch {
		case vcal1.Detect(data):
			name = "vcal1"
			list, _, _ = vcal1.Parse(data)
		case strings.HasSuffix(path, ".json"):
			name = "jscal"
			list, _, _ = jscal.Parse(data)
		}
		for _, c := range list {
			read[name]++
			for _, f := range errorsIn(c) {
				t.Errorf("%s: %v", path, f)
				break
			}
		}
	})
	t.Logf("read: %v", read)
}

// walk reads the files of the corpus that are not too long for a test.
func walk(t *testing.T, do func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(shared.Dir(t), "corpus"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && len(data) < 1<<18 {
			do(path, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
