package web

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
)

// A browser hears of a change that another program made.
func TestChangesAreTold(t *testing.T) {
	o := newOffice(t, fixed)
	b := o.signIn("alice")
	req, err := http.NewRequestWithContext(t.Context(), "GET", o.url+"/api/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v", r.Status, r.Header)
	}
	in := bufio.NewScanner(r.Body)
	if !in.Scan() { // the stream is open: from here on nothing is missed
		t.Fatal(in.Err())
	}
	ask[saved](o.signIn("alice"), "POST", "events", meeting("alice", "Dentist", "2026-11-20T13:00", "2026-11-20T14:00"))
	heard := make(chan bool)
	go func() {
		for in.Scan() {
			if in.Text() == "event: change" {
				heard <- true
				return
			}
		}
		heard <- false
	}()
	select {
	case ok := <-heard:
		if !ok {
			t.Error("the stream ended without a word")
		}
	case <-time.After(time.Minute):
		t.Error("no word of the change")
	}
}

// An invitation that nobody vouches for waits for its owner's word.
func TestHeldMessages(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.signIn("alice")
	arrive := func(uid string) {
		t.Helper()
		cal, err := ical.Parse([]byte(strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:"+uid+"\nDTSTAMP:20261115T000000Z\nDTSTART:20261120T100000Z\nDTEND:20261120T110000Z\nSUMMARY:Offer "+uid+"\nORGANIZER:mailto:stranger@far.test\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:alice@example.test\nEND:VEVENT\nEND:VCALENDAR\n", "\n", "\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.calendar.Receive(t.Context(), calendar.Arrival{
			To: o.people["alice"].Account, Recipient: "mailto:alice@example.test", From: "mailto:stranger@far.test", Message: cal, Transport: "mail", AskFirst: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
	arrive("one")
	arrive("two")
	if c := ask[map[string]int](alice, "GET", "counts", nil); c["held"] != 2 || c["invitations"] != 0 {
		t.Errorf("counts: %v", c)
	}
	held := ask[struct{ Messages []messageOnWire }](alice, "GET", "messages?show=held", nil).Messages
	if len(held) != 2 || !held[0].CanApprove || !held[0].CanReject || held[0].Sentence == "" || held[0].Summary != "Offer two" {
		t.Fatalf("held: %+v", held)
	}
	if status, _ := o.signIn("bob").try("POST", "messages/"+jsonNumber(held[0].ID)+"/approve", "{}"); status != 404 {
		t.Errorf("bob decides for alice: %d, want 404", status)
	}
	if m := ask[messageOnWire](alice, "POST", "messages/"+jsonNumber(held[0].ID)+"/approve", "{}"); m.State != "applied" || m.CanApprove {
		t.Errorf("approved: %+v", m)
	}
	if m := ask[messageOnWire](alice, "POST", "messages/"+jsonNumber(held[1].ID)+"/reject", "{}"); m.State != "rejected" || !m.CanApprove || m.CanReject {
		t.Errorf("rejected: %+v", m)
	}
	if c := ask[map[string]int](alice, "GET", "counts", nil); c["held"] != 0 || c["invitations"] != 1 {
		t.Errorf("counts afterwards: %v", c)
	}
	// A second thought: what was rejected is still there.
	if m := ask[messageOnWire](alice, "POST", "messages/"+jsonNumber(held[1].ID)+"/approve", "{}"); m.State != "applied" {
		t.Errorf("applied after all: %+v", m)
	}
}
