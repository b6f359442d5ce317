package davserver_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// timesIn are what random events consist of: forms of time, rules, exceptions,
// people, and the properties that say whose time it is.
var timesIn = struct{ zones, rules, busy, lengths []string }{
	zones: []string{";TZID=America/New_York:", ";TZID=Europe/Berlin:", ";TZID=Europe/Berlin:", ";TZID=Europe/Berlin:", ";TZID=Pacific/Apia:", ";TZID=W. Europe Standard Time:", ";TZID=Own/Zone:", ";TZID=Unheard of:"},
	rules: []string{
		"FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "FREQ=DAILY", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "FREQ=DAILY;INTERVAL=17", "FREQ=WEEKLY;INTERVAL=3;WKST=SU",
		"FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=WEEKLY;COUNT=7", "FREQ=DAILY;UNTIL=20260401T090000Z",
		"FREQ=WEEKLY;UNTIL=20260501", "FREQ=WEEKLY;BYMONTH=1,2", "FREQ=HOURLY;INTERVAL=7;COUNT=40", "FREQ=DAILY;BYHOUR=2,9;BYMINUTE=30", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
	},
	busy: []string{
		"TRANSP:TRANSPARENT", "TRANSP:OPAQUE", "STATUS:TENTATIVE", "STATUS:CANCELLED", "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
		"ATTENDEE;PARTSTAT=DECLINED:mailto:alice@example.test", "ATTENDEE;PARTSTAT=TENTATIVE;CN=\"A, B\":MAILTO:Alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test", "ATTENDEE:mailto:bob@elsewhere.test",
	},
	lengths: []string{"", "", "DURATION:PT1H", "DURATION:P1D", "DURATION:P2DT3H", "DURATION:PT0S"},
}

// ownZone is a VTIMEZONE of rules that no name stands for.
const ownZone = "BEGIN:VTIMEZONE\r\nTZID:Own/Zone\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\nTZOFFSETFROM:+0345\r\nTZOFFSETTO:+0345\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"

// berlinMoved says of Europe/Berlin what is not so: then the VTIMEZONE counts (TZ-04).
const berlinMoved = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\nRRULE:FREQ=YEARLY\r\nTZOFFSETFROM:+0800\r\nTZOFFSETTO:+0800\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"

// randomEvent is an object of one event, at times with changed occurrences.
func randomEvent(r *rand.Rand, uid string) string {
	at := time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(300*24*4)) * 15 * time.Minute)
	zone := timesIn.zones[r.IntN(len(timesIn.zones))]
	write := func(form int, name string, t time.Time) string {
		switch form {
		case 0, 1:
			return name + t.Format(":20060102T150405Z")
		case 2, 3:
			return name + zone + t.Format("20060102T150405")
		case 4:
			return name + t.Format(":20060102T150405")
		}
		return name + t.Format(";VALUE=DATE:20060102")
	}
	form := r.IntN(6)
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	if strings.Contains(zone, "Own/") {
		b.WriteString(ownZone)
	} else if strings.Contains(zone, "Berlin") && r.IntN(2) == 0 {
		b.WriteString(berlinMoved)
	}
	event := func(at time.Time, lines ...string) {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:An event\r\n%s\r\n", uid, write(form, "DTSTART", at))
		if length := timesIn.lengths[r.IntN(len(timesIn.lengths))]; length != "" && !(form == 5 && strings.Contains(length, "T")) {
			b.WriteString(length + "\r\n")
		} else if r.IntN(3) > 0 {
			end := form
			if r.IntN(8) == 0 {
				end = r.IntN(5)
			}
			if form == 5 {
				end = 5
			}
			b.WriteString(write(end, "DTEND", at.Add(time.Duration(r.IntN(200)-8)*30*time.Minute)) + "\r\n")
		}
		for range r.IntN(3) {
			b.WriteString(timesIn.busy[r.IntN(len(timesIn.busy))] + "\r\n")
		}
		for _, l := range lines {
			b.WriteString(l + "\r\n")
		}
		b.WriteString("X-NOTE:words\r\nEND:VEVENT\r\n")
	}
	var series []string
	if r.IntN(2) == 0 {
		series = append(series, "RRULE:"+timesIn.rules[r.IntN(len(timesIn.rules))])
	}
	if r.IntN(6) == 0 {
		series = append(series, write(form, "RDATE", at.AddDate(0, 0, 1+r.IntN(60))))
	}
	if r.IntN(4) == 0 {
		series = append(series, write(form, "EXDATE", at.AddDate(0, 0, 7*r.IntN(3))))
	}
	event(at, series...)
	if len(series) > 0 && r.IntN(4) == 0 {
		event(at.AddDate(0, 0, r.IntN(30)), write(form, "RECURRENCE-ID", at.AddDate(0, 0, 7)))
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

// What the time index knows for certain is what reading every object gives:
// who takes place in a range, in whatever zone its reader is, and when its owner
// is busy; also where objects are changed, and for what was never derived.
func TestCertaintiesAgainstTheTexts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "alice")
		alice, by := h.people["alice"].ID, h.actor("alice")
		r := rand.New(rand.NewPCG(7, 41))
		stored, sure := map[string]bool{}, 0
		for step := range 4 {
			for i := range 150 {
				name := fmt.Sprintf("%d.ics", i)
				if step > 0 && r.IntN(3) > 0 {
					continue
				}
				body := randomEvent(r, fmt.Sprintf("%d@random", i))
				stored[name] = stored[name] || h.as("alice", "PUT", "/dav/calendars/alice/default/"+name, calendarHead, body).status < 300
			}
			if step == 3 { // as it is after an upgrade
				forget(t, s, alice)
			}
			texts := map[string][]byte{}
			if err := h.svc.List(t.Context(), by, alice, "default", func(o store.Object) error {
				_, body, err := h.svc.Get(t.Context(), by, calendar.Ref{Owner: alice, Collection: "default", Name: o.Name})
				texts[o.Name] = body
				return err
			}); err != nil {
				t.Fatal(err)
			}
			before := sure
			for range 40 {
				sure += compareSearch(t, h, r, texts)
			}
			if step < 3 {
				continue
			}
			if before != sure {
				t.Errorf("%d were found surely by an index that knows nothing", sure-before)
			}
			if err := h.svc.Maintain(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 40 {
				sure += compareSearch(t, h, r, texts)
			}
			if before == sure {
				t.Error("the time index was not derived anew")
			}
		}
		if len(stored) < 60 || sure < 500 {
			t.Errorf("%d objects, %d times one was found without its text: too few to tell anything", len(stored), sure)
		}
	})
}

// compareSearch asks for one random range and says how many were found surely.
func compareSearch(t *testing.T, h *house, r *rand.Rand, texts map[string][]byte) (sure int) {
	t.Helper()
	alice, by := h.people["alice"].ID, h.actor("alice")
	from := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(400*48)) * 30 * time.Minute)
	to := from.Add([]time.Duration{time.Second, 30 * time.Minute, 24 * time.Hour, 7 * 24 * time.Hour, 31 * 24 * time.Hour, 100 * 24 * time.Hour}[r.IntN(6)])
	open := r.IntN(10)
	want := calendar.Search{Owner: alice, Collection: "default", Component: "VEVENT", From: from, To: to, Max: 1 << 20}
	switch open {
	case 0:
		want.From = time.Time{}
	case 1:
		want.To = time.Time{}
	}
	zone, err := tz.Load([]string{"UTC", "Asia/Tokyo", "America/New_York", "Pacific/Apia"}[r.IntN(4)])
	if err != nil {
		t.Fatal(err)
	}
	want.Floating = zone
	filter := caldav.Filter{Root: caldav.CompFilter{Name: "VCALENDAR", Comps: []caldav.CompFilter{{Name: "VEVENT", Range: &caldav.TimeRange{Start: want.From, End: want.To}}}}}
	if !filter.OnlyTime() {
		t.Fatal("the filter asks for more than time")
	}
	matching := map[string]bool{}
	for name, body := range texts {
		cal, err := ical.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := filter.Match(cal, tz.NewResolver(cal, zone)); ok && err == nil {
			matching[name] = true
		}
	}
	found := map[string]bool{}
	if err := h.svc.Search(t.Context(), by, want, func(o store.Object, body []byte, surely bool) error {
		if found[o.Name] {
			t.Errorf("%s came twice", o.Name)
		}
		if string(body) != string(texts[o.Name]) {
			t.Errorf("%s came with another text", o.Name)
		}
		if found[o.Name] = true; surely {
			if sure++; !matching[o.Name] {
				t.Errorf("not from %s to %s in %s:\n%s", want.From, want.To, zone.Name(), body)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for name := range matching {
		if !found[name] {
			t.Errorf("missing from %s to %s in %s:\n%s", want.From, want.To, zone.Name(), texts[name])
		}
	}
	var busy []freebusy.Period
	mine := func(a ical.Address) bool { return a.Equal(ical.Mailto("alice@example.test")) }
	for name, body := range texts {
		cal, _ := ical.Parse(body)
		p, err := freebusy.Busy(cal, tz.NewResolver(cal, tz.UTC), mine, from, to)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		busy = append(busy, p...)
	}
	told, err := h.svc.CalendarBusy(t.Context(), by, alice, []string{"default"}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(freebusy.Merge(busy), told); diff != "" {
		t.Errorf("busy from %s to %s: %s", from, to, diff)
	}
	return sure
}

// forget makes of an index one that knows nothing for certain.
func forget(t *testing.T, s *store.Store, account store.AccountID) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *store.Tx) error {
		c, err := tx.CollectionByName(account, "default")
		if err != nil {
			return err
		}
		var ids []int64
		for o, err := range tx.ListObjects(account, c.ID) {
			if err != nil {
				return err
			}
			ids = append(ids, o.ID)
		}
		for _, id := range slices.Clip(ids) {
			if err := tx.SetIndex(account, id, store.Index{Timeless: true}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
