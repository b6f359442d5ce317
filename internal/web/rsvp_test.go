package web

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// A guest without an account or a calendar program answers on a page; the
// organizer's copy has the answer.
func TestGuestAnswersOnAPage(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.people["alice"]
	put := func(text string) {
		t.Helper()
		if _, err := o.calendar.Put(t.Context(), calendar.PutRequest{By: alice, Ref: calendar.Ref{Owner: alice.Account, Collection: "default", Name: "party.ics"}, Data: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	event := func(lines ...string) string {
		return strings.Join(append(append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:party", "DTSTAMP:20261116T080000Z",
			"DTSTART:20261120T180000Z", "DTEND:20261120T200000Z", "SUMMARY:Party <script>", "LOCATION:Roof", "ORGANIZER;CN=Alice:mailto:alice@example.test",
			"ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test"}, lines...), "END:VEVENT", "END:VCALENDAR", ""), "\r\n")
	}
	dave := "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test"
	put(event(dave))
	o.invited["t1"] = store.Entry{ID: 1, Account: alice.Account, UID: "party", To: "mailto:dave@elsewhere.test"}
	b := o.browser()
	copy := func() string {
		t.Helper()
		g, err := o.calendar.Guest(t.Context(), alice.Account, "party", ical.Mailto("dave@elsewhere.test"))
		if err != nil {
			t.Fatal(err)
		}
		return g.Attendee.PartStat
	}

	r := b.get("/rsvp/t1")
	body := text(t, r)
	for _, want := range []string{"Party &lt;script&gt;", "Roof", "20 November 2026", "Alice", "dave@elsewhere.test", `value="ACCEPTED"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
	if r.StatusCode != http.StatusOK || r.Header.Get("Referrer-Policy") != "no-referrer" || copy() != "NEEDS-ACTION" {
		t.Errorf("%s, Referrer-Policy %q, answer %s after mere looking", r.Status, r.Header.Get("Referrer-Policy"), copy())
	}

	for _, answer := range []string{"ACCEPTED", "DECLINED", "TENTATIVE", "ACCEPTED"} {
		r := b.form("/rsvp/t1", url.Values{"answer": {answer}, "comment": {"see <you>"}})
		if body := text(t, r); r.StatusCode != http.StatusOK || !strings.Contains(body, "Your answer was sent: "+answerWords[answer]) || !strings.Contains(body, "Your answer so far") {
			t.Errorf("%s: %s\n%s", answer, r.Status, body)
		}
		if got := copy(); got != answer {
			t.Errorf("the organizer has %s, want %s", got, answer)
		}
	}
	for answer, status := range map[string]int{"": 422, "MAYBE": 422, "DELEGATED": 422} {
		if r := b.form("/rsvp/t1", url.Values{"answer": {answer}}); r.StatusCode != status || copy() != "ACCEPTED" {
			t.Errorf("answer %q: %s, answer on record %s", answer, r.Status, copy())
		}
	}
	if r := b.form("/rsvp/t1", url.Values{"answer": {"ACCEPTED"}, "comment": {strings.Repeat("x", 70<<10)}}); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a huge form: %s", r.Status)
	}
	if r := b.get("/rsvp/wrong"); r.StatusCode != http.StatusNotFound || !strings.Contains(text(t, r), "not that of an invitation") {
		t.Errorf("a wrong token: %s", r.Status)
	}
	if status, _ := o.signIn("alice").try("POST", "../rsvp/t1", nil, "Origin", "https://evil.test"); status != http.StatusForbidden {
		t.Errorf("a form on another site: %d", status)
	}

	put(event(dave, "STATUS:CANCELLED"))
	if body := text(t, b.get("/rsvp/t1")); !strings.Contains(body, "cancelled") || strings.Contains(body, `method="post"`) {
		t.Errorf("a cancelled event:\n%s", body)
	}
	put(event("SEQUENCE:5"))
	for _, r := range []*http.Response{b.get("/rsvp/t1"), b.form("/rsvp/t1", url.Values{"answer": {"ACCEPTED"}})} {
		if body := text(t, r); !strings.Contains(body, "not valid any more") {
			t.Errorf("taken off the list: %s\n%s", r.Status, body)
		}
	}
}

// A guest sees the event in their own time zone beside the event's, by the
// address alone; a zone that nobody knows leaves the page as it is.
func TestGuestSeesTheirOwnTime(t *testing.T) {
	o := newOffice(t, fixed)
	put := func(start, end string, more ...string) {
		t.Helper()
		o.put("alice", "party.ics", strings.Join(append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:party", "DTSTAMP:20261116T080000Z",
			"DTSTART" + start, "DTEND" + end, "SUMMARY:Party", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test",
			"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test"}, append(more, "END:VEVENT", "END:VCALENDAR", "")...), "\n"))
	}
	o.invited["t1"] = store.Entry{ID: 1, Account: o.people["alice"].Account, UID: "party", To: "mailto:dave@elsewhere.test"}
	b := o.browser()
	const berlin, utc = ";TZID=Europe/Berlin:", ":"
	for _, c := range []struct {
		name, start, end, query string
		want                    []string
		not                     string
	}{
		{"no zone", berlin + "20261120T180000", berlin + "20261120T200000", "", []string{"18:00 – 20:00 (Europe/Berlin, UTC+01:00)", "data-ask-zone"}, "For you"},
		{"the event's", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=", []string{"18:00 – 20:00 (Europe/Berlin"}, "data-ask-zone"},
		{"another", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=America/New_York", []string{"18:00 – 20:00 (Europe/Berlin", "For you", "12:00 – 14:00 (America/New_York, UTC-05:00)",
			"<option selected>America/New_York</option>", `name="zone" value="America/New_York"`}, "data-ask-zone"},
		{"the same clock", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=Europe/Stockholm", []string{"18:00 – 20:00 (Europe/Berlin", `value="Europe/Stockholm"`}, "For you"},
		{"the next day", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=Pacific/Kiritimati", []string{"Saturday, 21 November 2026, 07:00 – 09:00 (Pacific/Kiritimati, UTC+14:00)"}, ""},
		{"odd offset", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=asia/kathmandu", []string{"22:45 – Saturday, 21 November 2026, 00:45 (Asia/Kathmandu, UTC+05:45)"}, ""},
		{"an older name", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=Asia/Calcutta", []string{"22:30 – "}, "not known here"},
		// New York turns its clocks back on 1 November at 06:00 UTC.
		{"over the change of clocks", utc + "20261101T050000Z", utc + "20261101T080000Z", "?zone=America/New_York", []string{"01:00 – 03:00 (America/New_York, UTC-04:00), ending in UTC-05:00"}, ""},
		{"only the end differs", ";TZID=America/Chicago:20261101T000000", ";TZID=America/Chicago:20261101T013000", "?zone=America/Winnipeg", []string{"(America/Chicago"}, "For you"},
		{"a whole day", ";VALUE=DATE:20261120", ";VALUE=DATE:20261121", "?zone=Asia/Tokyo", []string{"20 November 2026 (all day)"}, "For you"},
		{"a floating time", ":20261120T180000", ":20261120T200000", "?zone=Europe/London", []string{"18:00 – 20:00 (Europe/Stockholm", "17:00 – 19:00 (Europe/London"}, ""},
		{"unknown", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=Mars/%3Cb%3E", []string{"18:00 – 20:00 (Europe/Berlin", "not known here", "Mars/&lt;b&gt;"}, "<b>"},
		{"a file", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=../../etc/passwd", []string{"not known here", "18:00"}, "For you"},
		{"very long", berlin + "20261120T180000", berlin + "20261120T200000", "?zone=" + strings.Repeat("x", 4000), []string{"not known here", "18:00"}, strings.Repeat("x", 100)},
	} {
		put(c.start, c.end)
		before := o.stored("alice", "party.ics")
		r := b.get("/rsvp/t1" + c.query)
		body := html.UnescapeString(text(t, r))
		for _, want := range c.want {
			if !strings.Contains(body, html.UnescapeString(want)) {
				t.Errorf("%s: the page lacks %q:\n%.3000s", c.name, want, body)
			}
		}
		if c.not != "" && c.name != "unknown" && strings.Contains(body, c.not) {
			t.Errorf("%s: the page has %q", c.name, c.not)
		}
		if r.StatusCode != http.StatusOK || o.stored("alice", "party.ics") != before {
			t.Errorf("%s: %s; or looking changed the event", c.name, r.Status)
		}
	}
	put(berlin+"20261120T180000", berlin+"20261120T200000")
	if body := text(t, b.get("/rsvp/t1?zone=Mars/%3Cb%3E")); strings.Contains(body, "<b>") {
		t.Error("the name of a zone gets into the page as it is")
	}
	body := text(t, b.form("/rsvp/t1", url.Values{"answer": {"ACCEPTED"}, "zone": {"America/New_York"}}))
	if !strings.Contains(body, "Your answer was sent") || !strings.Contains(body, "12:00 – 14:00") || strings.Contains(body, "data-ask-zone") {
		t.Errorf("after an answer:\n%.3000s", body)
	}
}

// A guest answers single occurrences of a series; the others stay as they are.
func TestGuestAnswersOneOccurrence(t *testing.T) {
	o := newOffice(t, fixed)
	series := func(more ...string) {
		t.Helper()
		o.put("alice", "standup.ics", strings.Join(append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:standup", "DTSTAMP:20261001T080000Z",
			"DTSTART;TZID=America/New_York:20261005T090000", "DTEND;TZID=America/New_York:20261005T093000", "RRULE:FREQ=WEEKLY;COUNT=40", "EXDATE;TZID=America/New_York:20261130T090000", "SUMMARY:Standup",
			"ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test"},
			append(more, "END:VEVENT", "END:VCALENDAR", "")...), "\n"))
	}
	series()
	o.invited["t1"] = store.Entry{ID: 1, Account: o.people["alice"].Account, UID: "standup", To: "mailto:dave@elsewhere.test"}
	b := o.browser()
	answers := func() map[string]string { // by recurrence id
		t.Helper()
		cal, err := ical.Parse([]byte(strings.ReplaceAll(o.stored("alice", "standup.ics"), "\n", "\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, c := range cal.Main() {
			if me, ok := among(c, []ical.Address{"mailto:dave@elsewhere.test"}); ok {
				out[c.Value("RECURRENCE-ID")] = me.PartStat
			}
		}
		return out
	}
	expect := func(when string, want map[string]string) {
		t.Helper()
		if got := answers(); !maps.Equal(got, want) {
			t.Errorf("%s: the organizer has %v, want %v", when, got, want)
		}
	}

	before := o.stored("alice", "standup.ics")
	body := text(t, b.get("/rsvp/t1?zone=Europe/Berlin&occurrence=20261116T140000Z&answer=DECLINED"))
	if got := strings.Count(body, `name="occurrence" value=`); got != maxGuestOccurrences {
		t.Errorf("%d occurrences are listed", got)
	}
	for _, want := range []string{"Monday, 16 November 2026, 09:00 – 09:30 (America/New_York", "15:00 – 15:30 (Europe/Berlin", `value="20261116T140000Z"`, `value="20270125T140000Z"`} {
		if !strings.Contains(html.UnescapeString(body), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, not := range []string{`value="20261130T140000Z"`, `value="20261109T140000Z"`} { // an exception; over
		if strings.Contains(body, not) {
			t.Errorf("the page has %q", not)
		}
	}
	if o.stored("alice", "standup.ics") != before {
		t.Error("looking changed the series")
	}

	for _, bad := range []string{"20261117T140000Z", "20261130T140000Z", "20261117", "tomorrow", "20261116T140000Z,20261123T140000Z", strings.Repeat("9", 5000)} {
		if r := b.form("/rsvp/t1", url.Values{"answer": {"ACCEPTED"}, "occurrence": {bad}}); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text(t, r), "has no occurrence at that time") {
			t.Errorf("occurrence %.40q: %s", bad, r.Status)
		}
	}
	expect("what is not in the series", map[string]string{"": "NEEDS-ACTION"})

	r := b.form("/rsvp/t1", url.Values{"answer": {"DECLINED"}, "occurrence": {"20261123T140000Z"}, "zone": {"Europe/Berlin"}})
	if body := text(t, r); r.StatusCode != http.StatusOK || !strings.Contains(body, "one occurrence was sent: declined") || !strings.Contains(body, "<dt>Your answer</dt><dd>declined</dd>") {
		t.Errorf("one occurrence: %s\n%.2500s", r.Status, body)
	}
	expect("one occurrence", map[string]string{"": "NEEDS-ACTION", "20261123T090000": "DECLINED"})
	b.form("/rsvp/t1", url.Values{"answer": {"ACCEPTED"}})
	expect("then all", map[string]string{"": "ACCEPTED", "20261123T090000": "DECLINED"})
	b.form("/rsvp/t1", url.Values{"answer": {"TENTATIVE"}, "occurrence": {"20261214T140000Z"}})
	expect("another", map[string]string{"": "ACCEPTED", "20261123T090000": "DECLINED", "20261214T090000": "TENTATIVE"})
	b.form("/rsvp/t1", url.Values{"answer": {"ACCEPTED"}, "occurrence": {"20261123T140000Z"}})
	expect("a change of mind", map[string]string{"": "ACCEPTED", "20261123T090000": "ACCEPTED", "20261214T090000": "TENTATIVE"})
	b.form("/rsvp/t1", url.Values{"answer": {"DECLINED"}})
	expect("all again", map[string]string{"": "DECLINED", "20261123T090000": "DECLINED", "20261214T090000": "TENTATIVE"})

	if status, _ := o.signIn("alice").try("POST", "../rsvp/t1?occurrence=20261116T140000Z&answer=ACCEPTED", nil, "Origin", "https://evil.test"); status != http.StatusForbidden {
		t.Errorf("a form on another site: %d", status)
	}
	delete(o.invited, "t1") // taken back, or expired: the finder of tokens says so
	for _, r := range []*http.Response{b.get("/rsvp/t1?zone=Europe/Berlin"), b.form("/rsvp/t1", url.Values{"answer": {"ACCEPTED"}, "occurrence": {"20261116T140000Z"}})} {
		if body := text(t, r); r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusUnprocessableEntity || strings.Contains(body, "Standup") {
			t.Errorf("taken back: %s\n%.800s", r.Status, body)
		}
	}
	expect("taken back", map[string]string{"": "DECLINED", "20261123T090000": "DECLINED", "20261214T090000": "TENTATIVE"})
}

// The event can be taken along as a file: the same UID, nobody's answers, and
// nothing changes by it.
func TestGuestTakesTheEventAlong(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.people["alice"]
	o.put("alice", "plan.ics", strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:plan", "DTSTAMP:20261116T080000Z", "DTSTART:20261120T180000Z", "DTEND:20261120T190000Z",
		"SUMMARY:Plan", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:eve@elsewhere.test", "END:VEVENT", "END:VCALENDAR", ""}, "\n"))
	o.invited["t"] = store.Entry{ID: 1, Account: alice.Account, UID: "plan", To: "mailto:dave@elsewhere.test"}
	before := o.stored("alice", "plan.ics")
	b := o.browser()
	if page := text(t, b.get("/rsvp/t")); !strings.Contains(page, `href="/rsvp/t/event.ics"`) {
		t.Error("the page has no link to it")
	}
	r := b.get("/rsvp/t/event.ics")
	file := text(t, r)
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/calendar; charset=utf-8; method=PUBLISH" || r.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s %v", r.Status, r.Header)
	}
	for want, is := range map[string]bool{"METHOD:PUBLISH": true, "UID:plan": true, "SUMMARY:Plan": true, "ATTENDEE": false, "eve@elsewhere": false} {
		if strings.Contains(file, want) != is {
			t.Errorf("%s: not %v in\n%s", want, is, file)
		}
	}
	if r := b.get("/rsvp/other/event.ics"); r.StatusCode != http.StatusNotFound {
		t.Errorf("a wrong address: %s", r.Status)
	}
	if o.stored("alice", "plan.ics") != before {
		t.Error("taking it along changed the event")
	}
}

// Who has the page from somebody else asks to be invited, and answers neither
// for the guest nor for anybody who is invited.
func TestSomebodyElseOnTheGuestsPage(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.people["alice"]
	o.put("alice", "plan.ics", strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:plan", "DTSTAMP:20261116T080000Z", "DTSTART:20261120T180000Z", "DTEND:20261120T190000Z",
		"SUMMARY:Plan", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION;EMAIL=eva@home.test:mailto:eve@elsewhere.test", "END:VEVENT", "END:VCALENDAR", ""}, "\n"))
	o.invited["t"] = store.Entry{ID: 1, Account: alice.Account, UID: "plan", To: "mailto:dave@elsewhere.test"}
	before := o.stored("alice", "plan.ics")
	b := o.browser()
	ask := func(email string) string {
		return html.UnescapeString(text(t, b.form("/rsvp/t", url.Values{"answer": {"SOMEBODY"}, "email": {email}, "name": {"Fay \"x\""}, "comment": {"may I?"}})))
	}
	b.get("/rsvp/t?answer=SOMEBODY&email=fay@away.test")
	for email, says := range map[string]string{
		"dave@elsewhere.test": "unless this address is invited", "eve@elsewhere.test": "unless this address is invited", "EVE+x@elsewhere.test": "unless this address is invited", "eva@home.test": "unless this address is invited",
		"alice@example.test": "unless this address is invited", "bob@example.test": "unless this address is invited", "nobody@example.test": "unless this address is invited",
		"": "Write the mail address", "fay": "Write the mail address", "fay@away.test, eve@elsewhere.test": "Write the mail address",
		"fay@away.test?cc=eve@elsewhere.test": "Write the mail address", "fay%3fcc=x@away.test": "Write the mail address", "e\u200bve@elsewhere.test": "Write the mail address",
	} {
		if body := ask(email); !strings.Contains(body, says) {
			i := strings.Index(body, `role="alert"`)
			t.Errorf("%q: lacks %q: %.300s", email, says, body[max(i, 0):])
		}
	}
	held := func() []store.Entry {
		rows, err := o.journal.List(t.Context(), store.EntryFilter{Account: alice.Account, Direction: journal.In})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if n := len(held()); n != 0 {
		t.Fatalf("%d messages of refused ones", n)
	}
	if body := ask("fay@away.test"); !strings.Contains(body, "The organizer was asked") {
		t.Errorf("%.2000s", body)
	}
	rows := held()
	if len(rows) != 1 || rows[0].State != "held" || rows[0].Reason != "party-crasher" || rows[0].From != "mailto:fay@away.test" || o.stored("alice", "plan.ics") != before {
		t.Errorf("%+v\n%s", rows, o.stored("alice", "plan.ics"))
	}
	if shown := securityOf(rows[0]); shown == nil || shown.Sign != trust.Warning || shown.By != "" {
		t.Errorf("anybody who has a guest's page is shown as who they say they are: %+v", shown)
	}
	for i := range 30 {
		ask(fmt.Sprintf("f%d@away.test", i))
	}
	if n := len(held()); n > 20 {
		t.Errorf("%d wait for the organizer", n)
	}
}
