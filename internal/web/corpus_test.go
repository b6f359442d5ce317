package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// Whatever calendar programs have written can be shown, or is refused with a
// sentence; and changing its title changes its title.
func TestCorpusIsShownAndEdited(t *testing.T) {
	root := filepath.Join(shared.Dir(t), "corpus")
	z := zoneNamed(t, "Europe/Stockholm")
	shown, edited, refused := 0, 0, 0
	var slowest time.Duration
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".ics" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		calendars, err := ical.ParseAll(data)
		if err != nil {
			return nil // not a calendar; the parser's own tests tell of these
		}
		for _, stream := range calendars {
			for _, cal := range stream.SplitByUID() {
				if cal.Kind() != "VEVENT" {
					continue
				}
				text := cal.Bytes()
				start := time.Now()
				e, err := openEvent(text, z)
				if err != nil {
					refused++
					continue
				}
				from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
				if first, ok := e.first(); ok {
					from = first.From.AddDate(0, 0, -7)
				}
				n := 0
				for occ := range e.set.Between(from, from.AddDate(0, 1, 0)) {
					if a, b, _ := e.span(occ); a == "" || b < a {
						t.Errorf("%s: %s takes place from %q to %q", name, cal.UID(), a, b)
					}
					if _, err := e.find(e.occurrenceID(occ)); err != nil {
						t.Errorf("%s: %s: the occurrence %s is not found by its own name", name, cal.UID(), e.occurrenceID(occ))
					}
					if n++; n > 50 {
						break
					}
				}
				shown++
				if took := time.Since(start); took > slowest {
					slowest = took
				}
				m := e.cal.Master()
				if m == nil {
					continue
				}
				f, err := e.fieldsOf(m)
				if err != nil {
					refused++
					continue
				}
				kept(m)
				before := lines(t, e.cal)
				f.Summary += " (edited)"
				if err := testEditor.series(e, f); err != nil {
					refused++
					continue
				}
				edited++
				for _, l := range difference(before, lines(t, e.cal)) {
					switch l = l[1:]; {
					case strings.HasPrefix(l, "SUMMARY"), strings.HasPrefix(l, "LAST-MODIFIED"):
					default:
						t.Errorf("%s: editing the title of %s changed %q", name, cal.UID(), l)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d objects shown, %d edited, %d refused; the slowest took %v", shown, edited, refused, slowest)
	if shown < 1000 || edited < 1000 {
		t.Errorf("only %d shown and %d edited: the corpus is larger", shown, edited)
	}
}
