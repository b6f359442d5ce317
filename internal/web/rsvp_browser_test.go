package web

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/store"
)

// The page of a guest in a browser of another zone: it opens again with the
// browser's zone, once, and fits a narrow screen.
func TestBrowserGuestPage(t *testing.T) {
	o := newOffice(t, fixed)
	w := openBrowser(t, o.url)()
	o.put("alice", "standup.ics", strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:standup", "DTSTAMP:20261001T080000Z",
		"DTSTART;TZID=America/New_York:20261005T090000", "DTEND;TZID=America/New_York:20261005T093000", "RRULE:FREQ=WEEKLY", "SUMMARY:Standup of all who care to come",
		"ORGANIZER;CN=Alice of the office upstairs:mailto:alice@example.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test", "END:VEVENT", "END:VCALENDAR", ""}, "\n"))
	o.invited["t1"] = store.Entry{ID: 1, Account: o.people["alice"].Account, UID: "standup", To: "mailto:dave@elsewhere.test"}

	w.size(320, 560)
	w.open("/rsvp/t1")
	w.until(`location.search === "?zone=Europe%2FStockholm" && document.body.innerText.includes("15:00 – 15:30 (Europe/Stockholm")`)
	if wide := eval[float64](w, `document.documentElement.scrollWidth`); wide > 320 {
		t.Errorf("the page is %v wide on a screen of 320", wide)
	}
	w.shot("guest-narrow")
	eval[any](w, `(document.querySelectorAll("button[value=DECLINED]")[1].click(), null)`)
	w.until(`document.body.innerText.includes("one occurrence was sent: declined") && document.querySelector("select[name=zone]").value === "Europe/Stockholm"`)
	eval[any](w, `(document.querySelector("input[name=start]").value = "2027-01-05T16:00", document.querySelector("input[name=end]").value = "", document.querySelector("button[value=PROPOSE]").click(), null)`)
	w.until(`document.body.innerText.includes("Your proposal was sent")`)
	w.open("/rsvp/t1?zone=")
	w.until(`document.body.innerText.includes("09:00 – 09:30 (America/New_York")`)
	if eval[string](w, `location.search`) != "?zone=" {
		t.Error("the event's own zone, once chosen, does not stay")
	}
	w.quiet()
}
