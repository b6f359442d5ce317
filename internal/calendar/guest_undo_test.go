package calendar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// A guest sees what was sent to them: a change that may be taken back is none yet.
func TestGuestSeesWhatWasSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := patient(t, s)
		dave := ical.Mailto("dave@elsewhere.test")
		sees := func(when, want string) {
			t.Helper()
			g, err := o.svc.Guest(t.Context(), o.people["alice"].ID, "1", dave)
			got := strings.TrimSpace(g.Summary.Title + " " + g.Summary.Where + " " + g.Attendee.PartStat)
			switch {
			case problem.Has(err, problem.NotFound):
				got = "gone"
			case err != nil:
				t.Fatalf("%s: %v", when, err)
			case g.Cancelled:
				got += " cancelled"
			case !strings.Contains(g.For(itip.Reader{}).When, "2026") || !strings.Contains(string(g.File()), "SUMMARY:"+g.Summary.Title):
				t.Errorf("%s: the page and the file tell different things: %+v", when, g.Summary)
			}
			if got != want {
				t.Errorf("%s: dave sees %q, want %q", when, got, want)
			}
		}
		leave := func() { o.later(3 * time.Minute); o.courier() }
		o.put("alice", "default/1.ics", strings.Replace(meeting("1", 3, 9, "dave@elsewhere.test"), "SUMMARY", "LOCATION:Blue\r\nSUMMARY", 1))
		leave()
		sees("invited", "Planning Blue NEEDS-ACTION")
		o.edit("default/1.ics", "LOCATION:Blue", "LOCATION:Green")
		o.later(10 * time.Second)
		o.edit("default/1.ics", "LOCATION:Green", "LOCATION:Red")
		sees("while the change waits", "Planning Blue NEEDS-ACTION")
		if err := o.svc.GuestAnswer(t.Context(), o.people["alice"].ID, "1", "", dave, "ACCEPTED", "", nil); err != nil {
			t.Fatal(err)
		}
		sees("having answered what was sent", "Planning Blue ACCEPTED")
		leave()
		sees("told of the change", "Planning Red ACCEPTED")
		o.edit("default/1.ics", "LOCATION:Red", "LOCATION:Yellow")
		o.undo("1")
		sees("after a change that was taken back", "Planning Red ACCEPTED")
		if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/1.ics")}); err != nil {
			t.Fatal(err)
		}
		sees("while the cancellation waits", "Planning Red ACCEPTED")
		leave()
		sees("called off", "gone")
	})
}
