package recur_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// TestCorpus makes sets of all real data at hand: none may crash or take long,
// and few are refused.
func TestCorpus(t *testing.T) {
	sets, refused := 0, 0
	month := [2]time.Time{time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	err := filepath.WalkDir(filepath.Join(shared.Dir(t), "corpus"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".ics", ".ical", ".ifb"}, filepath.Ext(file)) || filepath.Base(filepath.Dir(file)) == "libical-vtimezones" {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		cals, err := ical.ParseAll(data)
		if err != nil {
			return nil // the parser's tests say which
		}
		for _, cal := range cals {
			for _, object := range cal.SplitByUID() {
				begun := time.Now()
				z := tz.NewResolver(object, nil)
				s, err := recur.New(object, z, recur.Options{})
				if err != nil {
					if !errors.Is(err, recur.ErrNothing) {
						refused++
						t.Logf("%s: %v", filepath.Base(file), err)
					}
					continue
				}
				sets++
				s.Bounds()
				for range s.Between(month[0], month[1]) {
				}
				n := 0
				for o := range s.All() {
					if n++; n == 50 {
						break
					}
					if _, ok := s.Find(o.ID); !ok && !o.From.IsZero() {
						t.Errorf("%s: %s has no %v", file, object.UID(), o.ID)
					}
					if _, err := recur.Instance(object, o.ID, z); err != nil && n < 3 && !o.From.IsZero() {
						t.Errorf("%s: %s: %v", file, object.UID(), err)
					}
					if _, _, err := recur.SplitAt(object, o.ID, z); err != nil && n < 3 && object.Master() != nil && !o.From.IsZero() && s.Err() == nil {
						t.Errorf("%s: %s: %v", file, object.UID(), err)
					}
				}
				if _, err := freebusy.Busy(object, z, nil, month[0], month[1]); err != nil && s.Err() == nil {
					refused++ // the periods of a VFREEBUSY are not read by a Set
					t.Logf("%s: %v", filepath.Base(file), err)
				}
				copied := object.Clone()
				tz.Complete(copied, z)
				if took := time.Since(begun); took > 20*time.Second {
					t.Errorf("%s: %s took %v", file, object.UID(), took)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sets, %d refused", sets, refused)
	if sets < 2000 || refused > sets/50 {
		t.Errorf("%d sets, %d refused", sets, refused)
	}
}
