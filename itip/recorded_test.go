package itip_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
	"github.com/convene-cal/convene/itip"
)

// SC-264: what other programs have sent, recorded in the test data of their
// projects: each message about one event is understood or refused with a
// sentence, no line of an invitation is lost, and a second copy changes nothing.
func TestRecordedMessages(t *testing.T) {
	root := filepath.Join(shared.Dir(t), "corpus")
	counts := map[itip.Decision]int{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".ics" && filepath.Ext(path) != ".ical" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) > 1<<20 || !bytes.Contains(data, []byte("METHOD:")) {
			return err
		}
		cal, err := ical.Parse(data)
		if err != nil || len(cal.Main()) == 0 {
			return nil // package ical says what is wrong with it
		}
		rel, _ := filepath.Rel(root, path)
		counts[recorded(t, rel, cal)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if counts[itip.Applied] < 20 {
		t.Errorf("too few recorded messages are applied: %v", counts)
	}
	t.Logf("%v", counts)
}

// recorded receives one message as the first guest it names.
func recorded(t *testing.T, name string, cal *ical.Calendar) itip.Decision {
	t.Helper()
	a := itip.Arrival{Message: cal, AutoAdd: true, Received: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, c := range cal.Main() {
		for line := range c.Props("ATTENDEE") {
			if org := c.Prop("ORGANIZER"); len(a.User) == 0 && (org == nil || !org.Address().Equal(line.Address())) {
				a.User = []ical.Address{line.Address()}
			}
		}
	}
	before := cal.Bytes()
	r, err := itip.Apply(a)
	if err != nil || r.Sentence == "" || r.Reason == "" {
		t.Errorf("%s: %v, no sentence: %+v", name, err, r)
		return ""
	}
	if !bytes.Equal(before, cal.Bytes()) {
		t.Errorf("%s: the message was changed", name)
	}
	if r.Decision != itip.Applied {
		return r.Decision
	}
	for i, c := range cal.Main() {
		stored := r.Object.Main()
		if i >= len(stored) {
			t.Errorf("%s: %d components of %d are stored", name, len(stored), len(cal.Main()))
			break
		}
		for _, p := range c.Properties {
			switch p.Name() {
			case "ATTENDEE", "ORGANIZER", "DTEND", "DURATION", "DUE", "REQUEST-STATUS", "X-LIC-ERROR":
				continue // repaired, merged, or not of the event
			}
			if c.Prop("RECURRENCE-ID") != nil && (p.Name() == "RRULE" || p.Name() == "RDATE" || p.Name() == "EXDATE") {
				continue // LEN-07
			}
			if stored[i].Prop(p.Name()) == nil && strings.TrimSpace(p.Value()) != "" {
				t.Errorf("%s: %s is lost\n%s\n%s", name, p.Name(), before, r.Object.Bytes())
			}
		}
	}
	again := a
	again.Stored, again.Memory = r.Object, r.Memory
	if s, err := itip.Apply(again); err != nil || s.Decision == itip.Applied && !bytes.Equal(s.Object.Bytes(), r.Object.Bytes()) {
		t.Errorf("%s: the second copy changes it (%v)", name, err)
	}
	return r.Decision
}
