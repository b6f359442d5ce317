package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// mail lays a scheduling message on the doorstep of a person, as the mail
// transport would; held says that it was not believed.
func (o *office) mail(to, uid, title, day string, e trust.Evidence, held string) {
	o.t.Helper()
	text := strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:" + uid, "DTSTAMP:20261116T080000Z",
		"DTSTART:" + strings.ReplaceAll(day, "-", "") + "T100000Z", "DTEND:" + strings.ReplaceAll(day, "-", "") + "T110000Z", "SUMMARY:" + title,
		"ORGANIZER;CN=Dave:mailto:dave@elsewhere.test", "ATTENDEE:mailto:dave@elsewhere.test",
		"ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:" + to + "@example.test", "END:VEVENT", "END:VCALENDAR", ""}, "\r\n")
	cal, err := ical.Parse([]byte(text))
	if err != nil {
		o.t.Fatal(err)
	}
	evidence, err := json.Marshal(struct {
		trust.Evidence
		Acting string `json:"acting"`
	}{e, "mailto:dave@elsewhere.test"})
	if err != nil {
		o.t.Fatal(err)
	}
	if held == "" {
		r, err := o.calendar.Receive(o.t.Context(), calendar.Arrival{To: o.people[to].Account, Recipient: ical.Mailto(to + "@example.test"), From: "mailto:dave@elsewhere.test", Message: cal, Transport: "mail", Evidence: evidence})
		if err != nil || r.Err != nil {
			o.t.Fatal(err, r.Err)
		}
		return
	}
	err = o.store.Update(o.t.Context(), func(tx *store.Tx) error {
		return tx.AddEntry(&store.Entry{Account: o.people[to].Account, Direction: journal.In, Transport: "mail", Method: "REQUEST", UID: uid, From: string(e.From), To: "mailto:" + to + "@example.test",
			State: calendar.StateHeld, Reason: "unverified", Sentence: held, Evidence: evidence, Calendar: []byte(text), Digest: fmt.Sprintf("%x", uid), Created: time.Now()})
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

var (
	daveSigned = trust.Evidence{From: "mailto:dave@elsewhere.test", Signatures: []trust.Signature{{Protocol: "smime", Standing: smime.Trusted, Addresses: []ical.Address{"mailto:dave@elsewhere.test"}, Sentence: "Signed by dave@elsewhere.test, whose certificate is known here."}}}
	daveNot    = trust.Evidence{From: "mailto:dave@elsewhere.test"}
)

// What is known of a sender is on the invitation, on the event and on the message.
func TestSecurityIsShown(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	o.mail("alice", "signed", "Signed talk", "2026-11-20", daveSigned, "")
	o.mail("alice", "plain", "Plain talk", "2026-11-21", daveNot, "")
	o.mail("alice", "odd", "Odd talk", "2026-11-22", daveNot, "Nothing proves that dave@elsewhere.test sent this.")
	ask[saved](bob, "POST", "events", meeting("bob", "Lunch", "2026-11-23T12:00", "2026-11-23T13:00", "alice@example.test"))

	want := map[string]securityOnWire{
		"Signed talk": {trust.Lock, "dave@elsewhere.test", "Signed by dave@elsewhere.test, whose certificate is known here."},
		"Plain talk":  {trust.Warning, "", "Not signed. Nothing shows that dave@elsewhere.test sent it."},
		"Lunch":       {trust.Lock, "bob@example.test", "Sent within this service, by somebody who signed in."},
	}
	list := ask[[]invitationOnWire](alice, "GET", "invitations", nil)
	if len(list) != len(want) {
		t.Fatalf("invitations: %+v", list)
	}
	for _, i := range list {
		if i.Security == nil || *i.Security != want[i.Summary] {
			t.Errorf("%s: %+v", i.Summary, i.Security)
		}
		e := ask[eventOnWire](alice, "GET", i.path(), nil)
		if e.Security == nil || *e.Security != want[i.Summary] || len(e.Held) != 0 {
			t.Errorf("the event %s: %+v %+v", i.Summary, e.Security, e.Held)
		}
	}
	journal := ask[struct{ Messages []messageOnWire }](alice, "GET", "messages?show=held", nil)
	if len(journal.Messages) != 1 || *journal.Messages[0].Security != (securityOnWire{trust.Query, "", "Nothing proves that dave@elsewhere.test sent this."}) {
		t.Errorf("held: %+v", journal.Messages)
	}
	// A change that is held waits on the page of the event it is about.
	o.mail("alice", "signed", "Signed talk", "2026-11-27", daveNot, "Nothing proves that dave@elsewhere.test sent the change.")
	for _, i := range list {
		e := ask[eventOnWire](alice, "GET", i.path(), nil)
		if n := len(e.Held); n != map[bool]int{true: 1}[i.Summary == "Signed talk"] {
			t.Errorf("%s: %d messages are held", i.Summary, n)
		}
	}
}

// How far an invitation came is told of each attendee, to the organizer alone.
func TestDeliveriesAreTold(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	guests := []string{"bob@example.test"}
	for _, name := range []string{"queued", "retrying", "sent", "delivered", "bounced", "opened", "answered"} {
		guests = append(guests, name+"@elsewhere.test")
	}
	made := ask[saved](alice, "POST", "events", meeting("alice", "Planning", "2026-11-20T13:00", "2026-11-20T14:00", guests...))
	err := o.store.Update(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Entries(store.EntryFilter{Account: o.people["alice"].Account, Direction: journal.Out})
		if err != nil {
			return err
		}
		for _, e := range list {
			name, _, _ := strings.Cut(ical.Address(e.To).Email(), "@")
			switch name {
			case "retrying":
				e.Attempts = []store.Attempt{{Time: monday, Sentence: "The server is asleep."}}
			case "bounced":
				e.State, e.Sentence = journal.Failed, "The mailbox is full."
			case "sent", "delivered", "opened", "answered":
				e.State, e.Evidence = map[bool]string{true: journal.Delivered, false: journal.Sent}[name == "delivered"], fmt.Appendf(nil, `{"page":"t-%s"}`, name)
			}
			if err := tx.UpdateEntry(e); err != nil {
				return err
			}
			o.invited["t-"+name] = e
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A scanner looks at the page of one, a browser at that of the other.
	o.browser().get("/rsvp/t-sent")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.url+"/rsvp/t-opened", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	for range 2 {
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}
	if err := o.calendar.GuestAnswer(t.Context(), o.people["alice"].Account, made.UID, "", "mailto:answered@elsewhere.test", "ACCEPTED", "", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	for _, p := range ask[eventOnWire](alice, "GET", made.path(), nil).Event.Attendees {
		name, domain, _ := strings.Cut(ical.Address(p.Address).Email(), "@")
		switch {
		case domain == "example.test" && name == "alice":
			if p.Delivery != nil {
				t.Errorf("the organizer: %+v", p.Delivery)
			}
		case p.Delivery == nil:
			t.Errorf("%s: nothing is known", name)
		case domain == "example.test":
			if p.Delivery.State != "delivered" {
				t.Errorf("a colleague: %+v", p.Delivery)
			}
		case p.Delivery.State != name:
			t.Errorf("%s: %+v", name, p.Delivery)
		case name == "bounced" && (!p.Delivery.CanRetry || p.Delivery.Sentence != "The mailbox is full."), name == "retrying" && (!p.Delivery.CanRetry || p.Delivery.Sentence != "The server is asleep."),
			name == "opened" && p.Delivery.Page != o.url+"/rsvp/t-opened":
			t.Errorf("%s: %+v", name, p.Delivery)
		}
	}
	theirs := ask[[]invitationOnWire](bob, "GET", "invitations", nil)
	for _, p := range ask[eventOnWire](bob, "GET", theirs[0].path(), nil).Event.Attendees {
		if p.Delivery != nil {
			t.Errorf("bob is told about %s: %+v", p.Address, p.Delivery)
		}
	}
}

// The lock, the warning and the question in a browser; a bounced invitation is
// sent again, or its attendee taken off.
func TestBrowserSecurityAndDelivery(t *testing.T) {
	chromium(t)
	o := newOffice(t, time.Now)
	day := time.Now().AddDate(0, 0, 14).Format(time.DateOnly)
	o.mail("alice", "signed", "Signed talk", day, daveSigned, "")
	o.mail("alice", "plain", "Plain talk", day, daveNot, "")
	o.mail("alice", "odd", "Odd talk", day, daveNot, "Nothing proves that dave@elsewhere.test sent this.")
	me := o.signIn("alice")
	made := ask[saved](me, "POST", "events", meeting("alice", "Planning", day+"T14:00", day+"T15:00", "erin@elsewhere.test", "bob@example.test"))
	err := o.store.Update(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Entries(store.EntryFilter{Account: o.people["alice"].Account, To: "mailto:erin@elsewhere.test"})
		for _, e := range list {
			e.State, e.Sentence, e.Evidence = journal.Failed, "The mail server of erin@elsewhere.test refused the message: mailbox full.", []byte(`{"page":"t"}`)
			if err := tx.UpdateEntry(e); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	alice := openBrowser(t, o.url)()
	alice.scheme("light")
	alice.signIn("alice")
	alice.press("Invitations")
	alice.says("Sender verified: dave@elsewhere.test")
	alice.says("Sender not verified")
	alice.says("is held for you")
	alice.shot("security-invitations")
	alice.press("A message is")
	alice.press("Held")
	alice.says("Nothing proves that dave@elsewhere.test sent this.")
	alice.shot("security-held")
	alice.press("Apply now")
	alice.until(`!document.querySelector(".message button.primary")`)
	alice.open("/calendar/day/" + day)
	alice.until(`[...document.querySelectorAll(".box")].filter(b => b.innerText.includes("talk")).length === 3`)
	eval[any](alice, `([...document.querySelectorAll(".box")].find(b => b.innerText.includes("Planning")).click(), null)`)
	alice.says("mailbox full")
	alice.shot("delivery")
	alice.tabTo(`f.innerText === "Try again"`)
	alice.keys(kb.Enter)
	alice.until(`document.querySelector(".delivery .chip")?.innerText.includes("could not be sent yet") || document.querySelector("dialog[open]")?.innerText.includes("waits to be sent")`)
	alice.press("Remove: erin@elsewhere.test")
	alice.until(`document.querySelector("dialog[open] .guests") && !document.querySelector("dialog[open] .guests").innerText.includes("erin")`)
	if got := ask[eventOnWire](me, "GET", made.path(), nil); len(got.Event.Attendees) != 2 {
		t.Errorf("attendees: %+v", got.Event.Attendees)
	}
	alice.quiet()
}

// A report of a mail server has the subject of its mail for a title, and no warning
// where it came to the address that was made for the message it is about.
func TestReportInTheJournal(t *testing.T) {
	for evidence, want := range map[string]trust.Sign{
		`{"from":"mailto:MAILER-DAEMON@mx.outside.test","report-on":7,"subject":"Undelivered"}`: trust.Unsigned,
		`{"from":"mailto:MAILER-DAEMON@mx.outside.test","subject":"Undelivered"}`:               trust.Warning,
	} {
		e := store.Entry{Direction: journal.In, Transport: "mail", State: "applied", From: "mailto:MAILER-DAEMON@mx.outside.test", Evidence: []byte(evidence)}
		if got := securityOf(e); got.Sign != want {
			t.Errorf("%s: %+v", evidence, got)
		}
		if m := messageOf(e, tz.UTC, fixed()); m.Summary != "Undelivered" {
			t.Errorf("its title is %q", m.Summary)
		}
	}
}
