package cip

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// Section 1.8: where the count of versions ends the event is cancelled and goes
// on as a new one.
func TestVersionsRunOut(t *testing.T) {
	a, b := start(t, "a.test", []string{"ann"}, nil), start(t, "b.test", []string{"ben"}, nil)
	join(a, b, cip.VCal10)
	a.courier()
	b.courier()
	text := meetingText("1@a.test", "ann@a.test", "SUMMARY:first\n", "ben@b.test")
	a.put("ann", "1.ics", text)
	b.has("ben", "1@a.test", "SUMMARY:first")
	err := a.Store.Update(t.Context(), func(tx *store.Tx) error {
		e, err := tx.CIPEvent(a.people["ann"].ID, "1@a.test")
		if err != nil {
			return err
		}
		e.Version = cip.MaxVersion
		return tx.PutCIPEvent(e)
	})
	if err != nil {
		t.Fatal(err)
	}
	a.put("ann", "1.ics", strings.Replace(text, "first", "second", 1))
	b.has("ben", "1@a.test", "STATUS:CANCELLED")
	b.has("ben", "1.2@a.test", "SUMMARY:second")
	b.respond("ben", "1.2@a.test", "ACCEPTED")
	a.has("ann", "1@a.test", "PARTSTAT=ACCEPTED", "ben@b.test")

	// Who answers the former id is told the new one.
	l, err := b.cip.connect(t.Context(), "a.test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	r, err := l.Answer([]byte("UID:1@a.test\r\nATTENDEE;STATUS=DECLINED:ben@b.test\r\n"))
	if err != nil || r.OK || len(r.Infos) != 1 || r.Infos[0].String() != "* REDIRECT EVENT 1@a.test IS NOW 1.2@a.test" {
		t.Errorf("%+v, %v", r, err)
	}
}

// An answer to a version before the last is refused, the present one sent.
func TestStaleAnswer(t *testing.T) {
	a, b := start(t, "a.test", []string{"ann"}, nil), start(t, "b.test", []string{"ben"}, nil)
	join(a, b, cip.VCal10)
	a.courier()
	text := meetingText("1@a.test", "ann@a.test", "SUMMARY:first\n", "ben@b.test")
	a.put("ann", "1.ics", text)
	b.has("ben", "1@a.test", "SUMMARY:first")
	a.put("ann", "1.ics", strings.ReplaceAll(strings.Replace(text, "first", "second", 1), "20290601", "20290608"))
	b.has("ben", "1@a.test", "SUMMARY:second")
	l, err := b.cip.connect(t.Context(), "a.test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	r, err := l.Answer([]byte("UID:1@a.test\r\nSEQUENCE:1\r\nATTENDEE;STATUS=ACCEPTED:ben@b.test\r\n"))
	if err != nil || r.OK || r.Code != cip.CodePartial {
		t.Errorf("%+v, %v", r, err)
	}
	if n := len(a.rows(store.EntryFilter{UID: "1@a.test", Direction: journal.Out})); n != 3 {
		t.Errorf("%d messages went out, want 3", n)
	}
	if text := a.object("ann", "1@a.test"); strings.Count(text, "PARTSTAT=ACCEPTED") != 1 {
		t.Errorf("the stale answer counts:\n%s", text)
	}
}
