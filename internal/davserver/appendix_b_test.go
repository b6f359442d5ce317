package davserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
)

// The examples of RFC 6638 appendix B by what they mean, with people and events
// of our own: ann organizes, bob and eve are served here, mike elsewhere.

// daily is ann's series with bob.
const daily = "DTSTART;TZID=America/Montreal:20260310T150000\nDTEND;TZID=America/Montreal:20260310T160000\nRRULE:FREQ=DAILY;COUNT=5"

// invitation is of ann, to bob, eve and mike.
func invitation() string {
	return event("lunch", "DTSTART:20260310T120000Z\nDTEND:20260310T130000Z\nTRANSP:OPAQUE\nSUMMARY:Lunch\nORGANIZER;CN=Ann:mailto:ann@example.test\n"+
		"ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.test\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.test\n"+
		"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:eve@example.test\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:mike@elsewhere.test")
}

// B.1 to B.4: an invitation, how it arrives, an answer, how that arrives.
func TestAppendixBInvitationAndAnswer(t *testing.T) {
	h := open(t, "ann", "bob", "eve")
	put := h.as("ann", "PUT", ann+"lunch.ics", calendarHead+"\nIf-None-Match: *", invitation()).is(201)
	tag := put.header.Get("Schedule-Tag")
	if tag == "" {
		t.Error("B.1: no Schedule-Tag")
	}
	got := h.as("ann", "GET", ann+"lunch.ics", "", "").is(200)
	if got.header.Get("Schedule-Tag") != tag {
		t.Error("B.1: the Schedule-Tag changed though nothing of consequence did")
	}
	for who, status := range map[string]string{"bob": "SCHEDULE-STATUS=1.2", "eve": "SCHEDULE-STATUS=1.2", "mike": "SCHEDULE-STATUS=1.0"} {
		if line := attendee(got.body, who); !strings.Contains(line, status) || !strings.Contains(line, "PARTSTAT=NEEDS-ACTION") {
			t.Errorf("B.1: %s is %q, want %s", who, line, status)
		}
	}

	// B.2
	item := h.only("bob", bobBox)
	letter := h.as("bob", "GET", item, "", "").is(200).has("METHOD:REQUEST", "UID:lunch", "SUMMARY:Lunch").lacks("SCHEDULE-STATUS")
	for _, who := range []string{"ann", "bob", "eve", "mike"} {
		if attendee(letter.body, who) == "" {
			t.Errorf("B.2: the invitation does not list %s", who)
		}
	}
	h.as("bob", "DELETE", item, "", "").is(204)
	copy := h.only("bob", bob)
	mine := h.as("bob", "GET", copy, "", "").is(200).has("UID:lunch")

	// B.3: accepted, with an alarm of one's own.
	h.later(time.Minute)
	yes := strings.Replace(unfold(mine.body), attendee(unfold(mine.body), "bob"), strings.Replace(attendee(unfold(mine.body), "bob"), "NEEDS-ACTION", "ACCEPTED", 1), 1)
	yes = strings.Replace(yes, "END:VEVENT", "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\nEND:VALARM\r\nEND:VEVENT", 1)
	h.as("bob", "PUT", copy, calendarHead+"\nIf-Schedule-Tag-Match: "+mine.header.Get("Schedule-Tag"), yes).is(204)
	after := h.as("bob", "GET", copy, "", "").is(200).has("TRIGGER:-PT15M")
	if line := line(after.body, "ORGANIZER"); !strings.Contains(line, "SCHEDULE-STATUS=1.2") {
		t.Errorf("B.3: the organizer is %q, want SCHEDULE-STATUS=1.2", line)
	}

	// B.4
	answer := h.as("ann", "GET", h.only("ann", annBox), "", "").is(200).has("METHOD:REPLY", "UID:lunch", "REQUEST-STATUS:2.0").lacks("VALARM")
	if line := attendee(answer.body, "bob"); !strings.Contains(line, "PARTSTAT=ACCEPTED") || attendee(answer.body, "eve") != "" {
		t.Errorf("B.4: the answer is\n%s", answer.body)
	}
	h.as("ann", "DELETE", h.only("ann", annBox), "", "").is(204)
	hers := h.as("ann", "GET", ann+"lunch.ics", "", "").is(200).lacks("VALARM")
	if line := attendee(hers.body, "bob"); !strings.Contains(line, "PARTSTAT=ACCEPTED") || !strings.Contains(line, "SCHEDULE-STATUS=2.0") {
		t.Errorf("B.4: bob is %q", line)
	}
	// "to share the updated participation status" with the others: in the copy, not in the inbox.
	if line := attendee(h.as("eve", "GET", h.only("eve", "/dav/calendars/eve/default/"), "", "").body, "bob"); !strings.Contains(line, "PARTSTAT=ACCEPTED") {
		t.Errorf("B.4: eve sees bob as %q", line)
	}
	h.as("eve", "GET", h.only("eve", "/dav/calendars/eve/inbox/"), "", "").has("METHOD:REQUEST")
}

// line is the first line of a name, unfolded.
func line(body, name string) string {
	for _, l := range strings.Split(unfold(body), "\r\n") {
		if strings.HasPrefix(l, name) {
			return l
		}
	}
	return ""
}

// B.5: the busy time of people here, and of somebody who cannot be asked.
func TestAppendixBBusyTime(t *testing.T) {
	h := open(t, "ann", "bob", "eve")
	h.put("bob", bob+"1.ics", event("b1", "DTSTART:20260310T100000Z\nDTEND:20260310T113000Z\nSUMMARY:Dentist"))
	h.put("eve", "/dav/calendars/eve/default/1.ics", event("e1", "DTSTART:20260310T140000Z\nDTEND:20260310T150000Z\nSTATUS:TENTATIVE\nSUMMARY:Perhaps"))
	got := h.as("ann", "POST", "/dav/calendars/ann/outbox/", calendarHead, freeBusyAsk("DTSTART:20260310T000000Z\nDTEND:20260311T000000Z\nORGANIZER:mailto:ann@example.test\n"+
		"ATTENDEE:mailto:bob@example.test\nATTENDEE:mailto:eve@example.test\nATTENDEE:mailto:mike@elsewhere.test")).is(200)
	parts := strings.Split(got.body, "<c:response>")[1:]
	if len(parts) != 3 {
		t.Fatalf("%d answers for three people\n%s", len(parts), got.body)
	}
	for i, want := range [][]string{
		{"mailto:bob@example.test", "<c:request-status>2.0;", "METHOD:REPLY", "20260310T100000Z/20260310T113000Z"},
		{"mailto:eve@example.test", "<c:request-status>2.0;", "FBTYPE=BUSY-TENTATIVE:20260310T140000Z/20260310T150000Z"},
		{"mailto:mike@elsewhere.test", "<c:request-status>5.1;"}, // the RFC has 3.7; he exists, but cannot be asked
	} {
		text := strings.ReplaceAll(strings.ReplaceAll(unfold(parts[i]), "&#13;", ""), "\n ", "")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("answer %d lacks %q:\n%s", i, w, parts[i])
			}
		}
	}
	if strings.Contains(parts[2], "calendar-data") || strings.Contains(got.body, "Dentist") {
		t.Errorf("more is told than busy time:\n%s", got.body)
	}
}

// B.6: nobody invites in somebody else's name without the right to it.
func TestAppendixBInvitingForSomebodyElse(t *testing.T) {
	h := open(t, "ann", "bob", "eve")
	h.as("bob", "ACL", bob, "", `<acl`+ns+`><ace><principal><href>/dav/principals/ann/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`).is(200)
	h.as("ann", "PUT", bob+"dinner.ics", calendarHead+"\nIf-None-Match: *", event("dinner", "DTSTART:20260310T190000Z\nSUMMARY:Dinner\nORGANIZER:mailto:bob@example.test\n"+
		"ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.test\nATTENDEE:mailto:eve@example.test")).is(403).has("<d:need-privileges>", "<d:href>"+bob+"</d:href>")
	if a := h.as("eve", "PROPFIND", "/dav/calendars/eve/inbox/", "Depth: 1\nPrefer: depth-noroot", props("getetag")).is(207); strings.Contains(a.body, "<d:response>") {
		t.Errorf("eve is invited all the same\n%s", a.body)
	}
}

// B.7 and B.8: one instance declined, and one taken out of the own copy; the
// organizer hears of each.
func TestAppendixBInstancesDeclined(t *testing.T) {
	h := open(t, "ann", "bob")
	h.put("ann", ann+"review.ics", strings.Replace(meeting(daily), "UID:m1", "UID:review", 1))
	copy := h.only("bob", bob)
	h.as("bob", "DELETE", h.only("bob", bobBox), "", "").is(204)
	series := func() (*answer, string) {
		a := h.as("bob", "GET", copy, "", "").is(200)
		return a, unfold(a.body)
	}
	save := func(a *answer, text string) {
		h.later(time.Minute)
		h.as("bob", "PUT", copy, calendarHead+"\nIf-Schedule-Tag-Match: "+a.header.Get("Schedule-Tag"), text).is(204)
	}
	reply := func(id string) {
		t.Helper()
		item := h.only("ann", annBox)
		got := h.as("ann", "GET", item, "", "").is(200).has("METHOD:REPLY", "UID:review").lacks("COUNT=5")
		if l := line(got.body, "RECURRENCE-ID"); !strings.HasSuffix(l, id) {
			t.Errorf("the answer is about %q, want %s", l, id)
		}
		if l := attendee(got.body, "bob"); !strings.Contains(l, "PARTSTAT=DECLINED") {
			t.Errorf("the answer is %q", l)
		}
		h.as("ann", "DELETE", item, "", "").is(204)
	}
	a, text := series()
	yes := strings.Replace(attendee(text, "bob"), "NEEDS-ACTION", "ACCEPTED", 1)
	save(a, strings.Replace(text, attendee(text, "bob"), yes, 1))
	h.as("ann", "DELETE", h.only("ann", annBox), "", "").is(204)

	// B.7: the second, by an override with TRANSP of his own.
	a, text = series()
	from, to := strings.Index(text, "BEGIN:VEVENT"), strings.Index(text, "END:VCALENDAR")
	override := strings.NewReplacer("20260310T150000", "20260311T150000", "20260310T160000", "20260311T160000",
		"RRULE:FREQ=DAILY;COUNT=5\r\n", "RECURRENCE-ID;TZID=America/Montreal:20260311T150000\r\n", yes, strings.Replace(yes, "ACCEPTED", "DECLINED", 1),
		"END:VEVENT", "TRANSP:TRANSPARENT\r\nEND:VEVENT").Replace(text[from:to])
	save(a, text[:to]+override+text[to:])
	reply("20260311T150000")

	// B.8: the third, by an EXDATE.
	a, text = series()
	save(a, strings.Replace(text, "RRULE:FREQ=DAILY;COUNT=5\r\n", "RRULE:FREQ=DAILY;COUNT=5\r\nEXDATE;TZID=America/Montreal:20260312T150000\r\n", 1))
	reply("20260312T150000")

	cal, err := ical.Parse([]byte(h.as("ann", "GET", ann+"review.ics", "", "").is(200).body))
	if err != nil {
		t.Fatal(err)
	}
	declined := map[string]bool{}
	for _, c := range cal.Overrides() {
		declined[c.Value("RECURRENCE-ID")] = strings.Contains(attendee(string(c.Bytes()), "bob"), "PARTSTAT=DECLINED")
	}
	if len(declined) != 2 || !declined["20260311T150000"] || !declined["20260312T150000"] || !strings.Contains(attendee(string(cal.Master().Bytes()), "bob"), "PARTSTAT=ACCEPTED") {
		t.Errorf("the organizer has\n%s", cal.Bytes())
	}
	if cal.Master().Prop("EXDATE") != nil {
		t.Error("the instance is taken from the organizer as well")
	}
}
