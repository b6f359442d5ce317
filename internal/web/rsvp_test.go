package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
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
	if body := text(t, b.get("/rsvp/t1")); !strings.Contains(body, "cancelled") || strings.Contains(body, "<form") {
		t.Errorf("a cancelled event:\n%s", body)
	}
	put(event("SEQUENCE:5"))
	for _, r := range []*http.Response{b.get("/rsvp/t1"), b.form("/rsvp/t1", url.Values{"answer": {"ACCEPTED"}})} {
		if body := text(t, r); !strings.Contains(body, "not valid any more") {
			t.Errorf("taken off the list: %s\n%s", r.Status, body)
		}
	}
}
