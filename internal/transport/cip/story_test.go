package cip

import (
	"fmt"
	"strings"
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// A meeting from the first invitation to its end, in each form.
func TestStory(t *testing.T) {
	for _, form := range []cip.Form{cip.VCal10, cip.Bare, cip.ICal20} {
		t.Run(string(form), func(t *testing.T) { story(t, form, storetest.SQLite(t), storetest.SQLite(t)) })
	}
	t.Run("PostgreSQL", func(t *testing.T) { story(t, cip.VCal10, storetest.Postgres(t), storetest.Postgres(t)) })
}

func story(t *testing.T, form cip.Form, here, there *store.Store) {
	a, b := startOn(t, here, "a.test", []string{"ann"}, nil), startOn(t, there, "b.test", []string{"ben", "bea"}, nil)
	join(a, b, form)
	a.courier()
	b.courier()
	const uid = "a UID/of some client"
	guests := []string{"ben@b.test", "bea@b.test"}
	a.put("ann", "1.ics", meetingText(uid, "ann@a.test", "SUMMARY:Ωne\n", guests...))
	b.has("ben", uid, "SUMMARY:Ωne")
	b.has("bea", uid, "SUMMARY:Ωne")
	b.respond("ben", uid, "ACCEPTED")
	a.has("ann", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "ben@b.test")
	b.respond("bea", uid, "TENTATIVE")
	a.has("ann", uid, "ATTENDEE", "PARTSTAT=TENTATIVE", "bea@b.test")
	b.respond("bea", uid, "DECLINED")
	a.has("ann", uid, "ATTENDEE", "PARTSTAT=DECLINED", "bea@b.test")

	moved := strings.ReplaceAll(a.object("ann", uid), "20290601T1", "20290602T1")
	a.put("ann", "1.ics", strings.ReplaceAll(moved, "\r\n", "\n"))
	b.has("ben", uid, "DTSTART", "20290602T100000Z")
	b.has("ben", uid, "ATTENDEE", "PARTSTAT=NEEDS-ACTION", "ben@b.test")
	b.respond("ben", uid, "ACCEPTED")
	a.has("ann", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "ben@b.test")
	a.has("ann", uid, "SCHEDULE-STATUS", "ben@b.test")

	// One of the guests is taken off, then all is called off.
	without := strings.ReplaceAll(a.object("ann", uid), "\r\n", "\n")
	kept := ""
	for line := range strings.Lines(without) {
		if !strings.Contains(line, "bea@b.test") {
			kept += line
		}
	}
	a.put("ann", "1.ics", kept)
	b.has("bea", uid, "STATUS:CANCELLED")
	if err := a.Calendar.Delete(t.Context(), calendar.DeleteRequest{By: a.actor("ann"), Ref: calendar.Ref{Owner: a.people["ann"].ID, Collection: "default", Name: "1.ics"}}); err != nil {
		t.Fatal(err)
	}
	b.has("ben", uid, "STATUS:CANCELLED")
	for _, s := range []*side{a, b} {
		eventually(t, "all outcomes are written", func() (bool, string) {
			due := s.rows(store.EntryFilter{States: []string{journal.Due}})
			return len(due) == 0, fmt.Sprint(len(due))
		})
		for _, r := range s.rows(store.EntryFilter{}) {
			if r.Transport != Name && r.Transport != journal.Local || r.State == journal.Failed || r.State == calendar.StateHeld || r.State == calendar.StateRejected {
				t.Errorf("%s: %s %s %s->%s: %s: %s", s.domain, r.Direction, r.Method, r.From, r.To, r.State, r.Sentence)
			}
		}
	}
}
