package web

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// A guest proposes another time on their own clock; it is held for the
// organizer, in the event's zone, and the event stays as it is until then.
func TestGuestProposesAnotherTime(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.people["alice"]
	put := func(uid, start, end string, more ...string) {
		t.Helper()
		o.put("alice", uid+".ics", strings.Join(append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:" + uid, "DTSTAMP:20261116T080000Z",
			"DTSTART" + start, "DTEND" + end, "SUMMARY:Plan", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test",
			"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test"}, append(more, "END:VEVENT", "END:VCALENDAR", "")...), "\n"))
		o.invited[uid] = store.Entry{ID: 1, Account: alice.Account, UID: uid, To: "mailto:dave@elsewhere.test"}
	}
	const berlin = ";TZID=Europe/Berlin:"
	put("once", berlin+"20261120T180000", berlin+"20261120T193000")
	put("spring", berlin+"20270326T090000", berlin+"20270326T100000")
	put("days", ";VALUE=DATE:20261201", ";VALUE=DATE:20261203")
	put("weekly", berlin+"20261005T090000", berlin+"20261005T093000", "RRULE:FREQ=WEEKLY")
	put("fixed", berlin+"20261120T180000", berlin+"20261120T193000", "X-MICROSOFT-DISALLOW-COUNTER:TRUE")
	b := o.browser()
	held := func() []store.Entry {
		t.Helper()
		rows, err := o.journal.List(t.Context(), store.EntryFilter{Account: alice.Account, Direction: journal.In, States: []string{"held"}})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}

	for _, c := range []struct {
		uid, query string
		want       []string
	}{
		{"once", "", []string{`type="datetime-local" value="2026-11-20T18:00"`, "Begins (Europe/Berlin)"}},
		{"once", "?zone=America/New_York", []string{`value="2026-11-20T12:00"`, `value="2026-11-20T13:30"`, "Begins (America/New_York)"}},
		{"days", "?zone=America/New_York", []string{`type="date" value="2026-12-01"`, `value="2026-12-02"`, "First day"}},
		{"weekly", "?zone=Europe/Berlin", []string{`value="2026-11-16T09:00"`, `<option value="20261116T080000Z">`}},
	} {
		body := html.UnescapeString(text(t, b.get("/rsvp/"+c.uid+c.query+"")))
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s%s lacks %s", c.uid, c.query, want)
			}
		}
	}
	if body := text(t, b.get("/rsvp/fixed")); strings.Contains(body, "Propose another time") || !strings.Contains(body, `value="ACCEPTED"`) {
		t.Error("an event that takes no proposals offers one")
	}
	b.get("/rsvp/once?answer=PROPOSE&start=2026-11-21T12:00&zone=Europe/Berlin")
	if n := len(held()); n != 0 {
		t.Fatalf("%d proposals after mere looking", n)
	}

	for _, c := range []struct {
		what, uid, zone, start, end, occurrence, says string
	}{
		{"no start", "once", "", "", "", "", "Say when it should begin"},
		{"nonsense", "once", "", "tomorrow", "", "", "not a date with a time"},
		{"long nonsense", "once", "", strings.Repeat("9", 5000), "", "", "not a date with a time"},
		{"no such day", "once", "", "2026-02-30T10:00", "", "", "not a date with a time"},
		{"past", "once", "Europe/Berlin", "2026-11-16T08:59", "", "", "in the past"},
		{"as it is", "once", "America/New_York", "2026-11-20T12:00", "2026-11-20T13:30", "", "That is when it takes place now"},
		{"end before start", "once", "", "2026-11-21T12:00", "2026-11-21T11:00", "", "does not lie after the start"},
		{"a day for a time", "once", "", "2026-11-21", "", "", "Whole days can be proposed"},
		{"a time for a day", "days", "", "2026-12-05T10:00", "", "", "Whole days can be proposed"},
		{"unknown zone", "once", "Mars/Olympus", "2026-11-21T12:00", "", "", "Nothing was sent"},
		{"a whole series", "weekly", "", "2026-11-21T12:00", "", "", "for which occurrence"},
		{"not in the series", "weekly", "", "2026-11-21T12:00", "", "20261117T080000Z", "has no occurrence"},
		{"an occurrence of what is once", "once", "", "2026-11-21T12:00", "", "20261120T170000Z", "has no occurrence"},
		{"none taken", "fixed", "", "2026-11-21T12:00", "", "", "takes no proposals"},
		{"a wrong page", "other", "", "2026-11-21T12:00", "", "", "not that of an invitation"},
	} {
		r := b.form("/rsvp/"+c.uid, url.Values{"answer": {"PROPOSE"}, "zone": {c.zone}, "start": {c.start}, "end": {c.end}, "occurrence": {c.occurrence}, "comment": {"a word"}})
		body := html.UnescapeString(text(t, r))
		if r.StatusCode < 400 || !strings.Contains(body, c.says) {
			i := strings.Index(body, `role="alert"`)
			t.Errorf("%s: %s, %.300s", c.what, r.Status, body[max(i, 0):])
		}
		if c.uid != "other" && c.uid != "fixed" && !strings.Contains(body, ">a word</textarea>") {
			t.Errorf("%s: what was typed is lost", c.what)
		}
	}
	if n := len(held()); n != 0 {
		t.Fatalf("%d proposals after refused ones", n)
	}

	for _, c := range []struct {
		what, uid, zone, start, end, occurrence string
		want                                    []string // in the COUNTER
		taken                                   string   // in the event, once taken up
	}{
		{"the guest's clock", "once", "America/New_York", "2026-11-20T14:00", "2026-11-20T15:00", "", []string{"DTSTART;TZID=Europe/Berlin:20261120T200000", "DTEND;TZID=Europe/Berlin:20261120T210000"}, "DTSTART;TZID=Europe/Berlin:20261120T200000"},
		// Europe's clocks go forward on 28 March 2027, New York's on the 14th.
		{"the day the clocks go forward", "spring", "America/New_York", "2027-03-28T10:00", "", "", []string{"DTSTART;TZID=Europe/Berlin:20270328T160000", "DTEND;TZID=Europe/Berlin:20270328T170000"}, "20270328T160000"},
		{"whole days", "days", "Asia/Tokyo", "2026-12-08", "2026-12-09", "", []string{"DTSTART;VALUE=DATE:20261208", "DTEND;VALUE=DATE:20261210"}, "DTSTART;VALUE=DATE:20261208"},
		{"one occurrence, no zone", "weekly", "", "2026-11-24T10:00", "", "20261123T080000Z", []string{"RECURRENCE-ID", "DTSTART;TZID=Europe/Berlin:20261124T100000", "DTEND;TZID=Europe/Berlin:20261124T103000"}, "RECURRENCE-ID;TZID=Europe/Berlin:20261123T090000"},
	} {
		before := o.stored("alice", c.uid+".ics")
		r := b.form("/rsvp/"+c.uid, url.Values{"answer": {"PROPOSE"}, "zone": {c.zone}, "start": {c.start}, "end": {c.end}, "occurrence": {c.occurrence}, "comment": {"rather <then>"}})
		if body := text(t, r); r.StatusCode != http.StatusOK || !strings.Contains(body, "Your proposal was sent") {
			t.Errorf("%s: %s\n%.2000s", c.what, r.Status, body)
			continue
		}
		rows := held()
		if len(rows) != 1 || rows[0].Method != "COUNTER" || rows[0].UID != c.uid || rows[0].From != "mailto:dave@elsewhere.test" {
			t.Fatalf("%s: held %+v", c.what, rows)
		}
		message := strings.ReplaceAll(string(rows[0].Calendar), "\r\n ", "")
		for _, want := range append(c.want, "rather <then>", "ATTENDEE") {
			if !strings.Contains(message, want) {
				t.Errorf("%s: the proposal lacks %q:\n%s", c.what, want, message)
			}
		}
		if o.stored("alice", c.uid+".ics") != before {
			t.Errorf("%s: a mere proposal changed the event", c.what)
		}
		if _, err := o.calendar.Approve(t.Context(), alice, alice.Account, rows[0].ID); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := o.stored("alice", c.uid+".ics"); !strings.Contains(got, c.taken) {
			t.Errorf("%s: taken up:\n%s", c.what, got)
		}
	}

	if status, _ := o.signIn("alice").try("POST", "../rsvp/once", nil, "Origin", "https://evil.test"); status != http.StatusForbidden {
		t.Errorf("a form on another site: %d", status)
	}
	put("once", berlin+"20261120T180000", berlin+"20261120T193000", "STATUS:CANCELLED", "SEQUENCE:7")
	r := b.form("/rsvp/once", url.Values{"answer": {"PROPOSE"}, "start": {"2026-11-21T12:00"}})
	if body := text(t, r); r.StatusCode != http.StatusUnprocessableEntity || strings.Contains(body, "Propose another time") || len(held()) != 0 {
		t.Errorf("a cancelled event: %s\n%.1500s", r.Status, body)
	}
}

// What a guest proposed stands on the page until the organizer decides; it can
// be taken back, and a newer one for the same occurrence takes its place.
func TestGuestSeesAndTakesBackAProposal(t *testing.T) {
	o := newOffice(t, fixed)
	o.pageUntil = fixed().AddDate(0, 0, 400)
	alice := o.people["alice"]
	const berlin = ";TZID=Europe/Berlin:"
	o.put("alice", "weekly.ics", strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:weekly", "DTSTAMP:20261116T080000Z",
		"DTSTART" + berlin + "20261005T090000", "DTEND" + berlin + "20261005T093000", "RRULE:FREQ=WEEKLY", "SUMMARY:Plan", "ORGANIZER:mailto:alice@example.test",
		"ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:eve@elsewhere.test", "END:VEVENT", "END:VCALENDAR", ""}, "\n"))
	for token, who := range map[string]string{"dave": "dave@elsewhere.test", "eve": "eve@elsewhere.test"} {
		o.invited[token] = store.Entry{ID: 1, Account: alice.Account, UID: "weekly", To: "mailto:" + who}
	}
	b := o.browser()
	states := func() (out []string) {
		t.Helper()
		rows, err := o.journal.List(t.Context(), store.EntryFilter{Account: alice.Account, Direction: journal.In})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			out = append(out, strings.TrimSpace(r.Method+" "+r.State+" "+r.Reason))
		}
		return out
	}
	propose := func(start string) string {
		return html.UnescapeString(text(t, b.form("/rsvp/dave", url.Values{"answer": {"PROPOSE"}, "start": {start}, "occurrence": {"20261123T080000Z"}, "comment": {"rather <so>"}})))
	}
	for _, want := range []string{"What you proposed", "Tuesday, 24 November 2026, 10:00", "Monday, 23 November 2026, 09:00 (Europe/Berlin, UTC+01:00)", "rather <so>", `value="WITHDRAW"`} {
		if body := html.UnescapeString(propose("2026-11-24T10:00")); !strings.Contains(body, want) {
			t.Fatalf("lacks %q:\n%s", want, body)
		}
	}
	if body := propose("2026-11-25T11:00"); strings.Count(body, `value="WITHDRAW"`) != 1 || !strings.Contains(body, "25 November 2026, 11:00") {
		t.Errorf("two proposals for one occurrence: %v\n%s", states(), body)
	}
	if got := states(); got[0] != "COUNTER held counter" && !strings.HasPrefix(got[0], "COUNTER held") || strings.Count(strings.Join(got, ","), "held") != 1 {
		t.Errorf("%v", got)
	}
	page := text(t, b.get("/rsvp/dave"))
	if !strings.Contains(page, "This page can be used until 21 December 2027") {
		t.Errorf("no end of the page:\n%s", page)
	}
	_, id, _ := strings.Cut(page, `name="proposal" value="`)
	id, _, _ = strings.Cut(id, `"`)
	if body := text(t, b.get("/rsvp/eve")); strings.Contains(body, "WITHDRAW") {
		t.Error("another guest sees it")
	}
	b.get("/rsvp/dave?answer=WITHDRAW&proposal=" + id)
	for _, c := range []struct{ page, id, says string }{
		{"eve", id, "not open any more"}, {"dave", "nonsense", "Say which proposal"}, {"dave", "987654", "not open any more"},
		{"dave", id, "was taken back"}, {"dave", id, "not open any more"},
	} {
		if body := text(t, b.form("/rsvp/"+c.page, url.Values{"answer": {"WITHDRAW"}, "proposal": {c.id}})); !strings.Contains(body, c.says) {
			t.Errorf("%s takes back %s: lacks %q\n%.1500s", c.page, c.id, c.says, body)
		}
	}
	if got := strings.Join(states(), ","); strings.Contains(got, "held") || !strings.Contains(got, "withdrawn") {
		t.Errorf("%s", got)
	}
	// A word beside the answer to one occurrence goes with that one, and stays in its place where the answer is refused.
	if body := text(t, b.form("/rsvp/dave", url.Values{"answer": {"DECLINED"}, "occurrence": {"20261130T080000Z"}, "comment": {"in Rome that day"}})); !strings.Contains(body, "Your answer to the one occurrence was sent: declined.") {
		t.Errorf("%.1500s", body)
	}
	if got := strings.ReplaceAll(o.stored("alice", "weekly.ics"), "\r\n ", ""); !strings.Contains(got, "in Rome that day") {
		t.Errorf("the word is lost:\n%s", got)
	}
	if body := text(t, b.form("/rsvp/dave", url.Values{"answer": {"PERHAPS"}, "occurrence": {"20261207T080000Z"}, "comment": {"hm"}})); strings.Count(body, ">hm</textarea>") != 1 || !strings.Contains(body[strings.Index(body, "20261207T080000Z"):], ">hm</textarea>") {
		t.Errorf("what was typed is lost:\n%s", body)
	}
}
