package davserver_test

import (
	"strings"
	"testing"
	"time"
)

const (
	annBox = "/dav/calendars/ann/inbox/"
	bobBox = "/dav/calendars/bob/inbox/"
	bob    = "/dav/calendars/bob/default/"
)

// meeting is ann's, with bob and someone elsewhere.
func meeting(lines string) string {
	return event("m1", lines+"\nSUMMARY:Plans\nORGANIZER;CN=Ann:mailto:ann@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.test\n"+
		"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.test")
}

// only is the one member of a collection that the pattern names.
func (h *house) only(name, coll string) string {
	h.t.Helper()
	a := h.as(name, "PROPFIND", coll, "Depth: 1\nPrefer: depth-noroot", props("getetag")).is(207)
	if n := strings.Count(a.body, "<d:response>"); n != 1 {
		h.t.Fatalf("%d members in %s, want 1\n%s", n, coll, clip(a.body))
	}
	return a.find(`<d:href>(.*?)</d:href>`)
}

// RFC 6638 3.2, 4: saving invites, answering is saving, deleting cancels.
func TestSavingSchedules(t *testing.T) {
	h := open(t, "ann", "bob", "eve")
	a := h.put("ann", ann+"m.ics", meeting("DTSTART:20260310T100000Z\nDTEND:20260310T110000Z"))
	if a.header.Get("Schedule-Tag") == "" { // 3.2.10
		t.Error("no Schedule-Tag for a scheduling object resource")
	}
	if a.header.Get("ETag") != "" && !strings.Contains(h.as("ann", "GET", ann+"m.ics", "", "").body, meeting("DTSTART:20260310T100000Z\nDTEND:20260310T110000Z")) {
		t.Error("an ETag although the stored octets differ (RFC 4791 5.3.4)")
	}
	h.as("ann", "GET", ann+"m.ics", "", "").has("SCHEDULE-STATUS=") // 3.2.9
	// The colleague has it in the calendar and in the inbox.
	copy := h.only("bob", bob)
	got := h.as("bob", "GET", copy, "", "").is(200).has("UID:m1", "PARTSTAT=NEEDS-ACTION")
	item := h.only("bob", bobBox)
	h.as("bob", "GET", item, "", "").is(200).has("METHOD:REQUEST", "UID:m1")
	h.as("bob", "PROPFIND", bobBox, "Depth: 0", props("sync-token", "CS:getctag")).is(207).lacks("404")
	h.as("bob", "REPORT", bobBox, "Depth: 1", query(`<C:time-range start="20200101T000000Z" end="20200102T000000Z"/>`)).is(207).lacks("UID:m1")
	h.as("bob", "REPORT", bobBox, "Depth: 1", query(`<C:time-range start="20260310T000000Z" end="20260311T000000Z"/>`)).is(207).has("METHOD:REQUEST")
	h.as("bob", "REPORT", bobBox, "", multiget("<C:calendar-data/>", item)).is(207).has("METHOD:REQUEST")
	h.as("eve", "GET", item, "", "").is(404)
	h.as("bob", "DELETE", item, "", "").is(204) // 2.2: clients may delete items

	// Bob accepts, by Schedule-Tag (3.2.10).
	h.later(time.Minute)
	yes := strings.Replace(unfold(got.body), "PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED", 1)
	h.as("bob", "PUT", copy, calendarHead+"\nIf-Schedule-Tag-Match: \"x\"", yes).is(412)
	tag := got.header.Get("Schedule-Tag")
	h.as("bob", "PROPFIND", copy, "Depth: 0", props("C:schedule-tag")).has("<c:schedule-tag>" + tag + "</c:schedule-tag>")
	h.as("bob", "PUT", copy, calendarHead+"\nIf-Schedule-Tag-Match: "+tag, yes).is(204)
	mine := h.as("ann", "GET", ann+"m.ics", "", "").is(200)
	if !strings.Contains(attendee(mine.body, "bob"), "PARTSTAT=ACCEPTED") {
		t.Errorf("the organizer does not know of the answer:\n%s", mine.body)
	}
	h.as("ann", "GET", h.only("ann", annBox), "", "").has("METHOD:REPLY")

	// What an attendee may not change (3.2.4.4), and one UID in one place (3.2.4.1).
	now := unfold(h.as("bob", "GET", copy, "", "").body)
	h.as("bob", "PUT", bob+"again.ics", calendarHead, now).is(403).has("<d:href>" + copy + "</d:href>")
	h.as("bob", "PUT", copy, calendarHead, strings.Replace(now, "SUMMARY:Plans", "SUMMARY:Plots", 1)+"").is(403).has("<c:allowed-attendee-scheduling-object-change/>")
	two := strings.Replace(meeting("DTSTART:20260311T100000Z\nRRULE:FREQ=DAILY;COUNT=3"), "UID:m1", "UID:m2", 1)
	two = strings.Replace(two, "END:VEVENT", "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:m2\r\nDTSTAMP:20260302T080000Z\r\nRECURRENCE-ID:20260312T100000Z\r\nDTSTART:20260312T110000Z\r\nORGANIZER:mailto:eve@example.test\r\nATTENDEE:mailto:bob@example.test\r\nEND:VEVENT", 1)
	h.as("ann", "PUT", ann+"two.ics", calendarHead, two).is(403).has("<c:same-organizer-in-all-components/>")

	// Bob drops it without a word (8.1), then ann cancels.
	h.as("bob", "DELETE", copy, "Schedule-Reply: F", "").is(204)
	if after := h.as("ann", "GET", ann+"m.ics", "", "").body; strings.Contains(attendee(after, "bob"), "DECLINED") {
		t.Error("Schedule-Reply: F was not heard")
	}
	h.later(time.Minute)
	h.as("ann", "DELETE", ann+"m.ics", "", "").is(204)
}

func unfold(s string) string { return strings.ReplaceAll(s, "\r\n ", "") }

// attendee is the line of an attendee.
func attendee(text, name string) string {
	for line := range strings.Lines(unfold(text)) {
		if strings.HasPrefix(line, "ATTENDEE") && strings.Contains(line, "mailto:"+name+"@") {
			return line
		}
	}
	return ""
}

func TestDefaultCalendarForInvitations(t *testing.T) { // RFC 6638 4.3, 9.2
	h := open(t, "ann", "bob")
	h.as("bob", "MKCALENDAR", "/dav/calendars/bob/work/", "", "").is(201)
	set := func(href string) *answer {
		return h.as("bob", "PROPPATCH", bobBox, "", "<propertyupdate"+ns+"><set><prop><C:schedule-default-calendar-URL><href>"+href+"</href></C:schedule-default-calendar-URL></prop></set></propertyupdate>").is(207)
	}
	for _, bad := range []string{"/dav/calendars/bob/nothing/", ann, bobBox, "/dav/calendars/bob/tasks/", "http://elsewhere.test/x/", ""} {
		set(bad).has("<c:valid-schedule-default-calendar-URL/>")
	}
	set("/dav/calendars/bob/work/").has("200 OK")
	h.as("bob", "PROPFIND", bobBox, "Depth: 0", props("C:schedule-default-calendar-URL")).has("/dav/calendars/bob/work/")
	h.put("ann", ann+"m.ics", meeting("DTSTART:20260310T100000Z\nDTEND:20260310T110000Z"))
	h.only("bob", "/dav/calendars/bob/work/")
	h.as("bob", "DELETE", "/dav/calendars/bob/work/", "", "").is(403).has("<c:default-calendar-needed/>")
	h.as("bob", "DELETE", "/dav/calendars/bob/default/", "", "").is(204)
}

func freeBusyAsk(lines string) string {
	return crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Test//EN\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:fb1\nDTSTAMP:20260302T080000Z\n" + lines + "\nEND:VFREEBUSY\nEND:VCALENDAR")
}

func TestFreeBusyByOutbox(t *testing.T) { // RFC 6638 5
	h := open(t, "ann", "bob")
	h.put("bob", bob+"1.ics", event("busy", one))
	const out = "/dav/calendars/ann/outbox/"
	const span = "DTSTART:20260310T000000Z\nDTEND:20260311T000000Z\n"
	const who = "ORGANIZER:mailto:Ann@Example.test\nATTENDEE;CN=Bob:mailto:bob@example.test\nATTENDEE:mailto:zoe@example.test\nATTENDEE:mailto:dave@elsewhere.test"
	for _, ct := range []string{calendarHead, "Content-Type: text/calendar", "Content-Type: text/calendar; component=VFREEBUSY; method=REQUEST", ""} {
		h.as("ann", "POST", out, ct+"\nOriginator: mailto:ann@example.test\nRecipient: mailto:bob@example.test", freeBusyAsk(span+who)).is(200).head("Content-Type", "application/xml; charset=utf-8").
			has("<c:schedule-response", "<c:response><c:recipient><d:href>mailto:bob@example.test</d:href></c:recipient><c:request-status>2.0;Success</c:request-status><c:calendar-data>BEGIN:VCALENDAR",
				"METHOD:REPLY", "UID:fb1", "20260310T100000Z/", "ATTENDEE;CN=Bob:mailto:bob@example.test",
				"<d:href>mailto:zoe@example.test</d:href></c:recipient><c:request-status>3.7", "<d:href>mailto:dave@elsewhere.test</d:href></c:recipient><c:request-status>5").lacks("UID:busy", "SUMMARY")
	}
	h.as("ann", "POST", out, calendarHead, freeBusyAsk(span+strings.Replace(who, "Ann@Example.test", "ann", 1))).is(200).has("20260310T100000Z/") // ADR-11
	bare := h.as("ann", "POST", out, calendarHead, strings.ReplaceAll(freeBusyAsk(span+who), "\r\n", "\n")).is(200).find(`(?s)<c:calendar-data>(.*?)</c:calendar-data>`)
	if strings.Count(bare, "\n") != strings.Count(bare, "&#13;\n") {
		t.Errorf("mixed line ends:\n%s", bare)
	}
	h.as("ann", "POST", out, calendarHead, freeBusyAsk(span+"X-CALENDARSERVER-MASK-UID:busy\n"+who)).is(200).lacks("20260310T100000Z/")
	for _, c := range []struct{ what, path, head, data, condition string }{
		{"another's name", out, calendarHead, freeBusyAsk(span + "ORGANIZER:mailto:bob@example.test\nATTENDEE:mailto:bob@example.test"), "valid-organizer"},
		{"no organizer", out, calendarHead, freeBusyAsk(span + "ATTENDEE:mailto:bob@example.test"), "valid-organizer"},
		{"no attendee", out, calendarHead, freeBusyAsk(span + "ORGANIZER:mailto:ann@example.test"), "valid-scheduling-message"},
		{"no start", out, calendarHead, freeBusyAsk("DTEND:20260311T000000Z\n" + who), "valid-scheduling-message"},
		{"backwards", out, calendarHead, freeBusyAsk("DTSTART:20260312T000000Z\nDTEND:20260311T000000Z\n" + who), "valid-scheduling-message"},
		{"an invitation", out, calendarHead, strings.Replace(meeting(one), "VERSION", "METHOD:REQUEST\r\nVERSION", 1), "valid-scheduling-message"},
		{"no method", out, calendarHead, strings.Replace(freeBusyAsk(span+who), "METHOD:REQUEST\r\n", "", 1), "valid-scheduling-message"},
		{"no calendar", out, calendarHead, "hello", "valid-calendar-data"},
		{"no calendar by its type", out, "Content-Type: text/plain", freeBusyAsk(span + who), "supported-calendar-data"},
	} {
		t.Run(c.what, func(t *testing.T) {
			h.t = t
			h.as("ann", "POST", c.path, c.head, c.data).is(403).has("<c:" + c.condition + "/>")
		})
	}
	h.as("bob", "POST", out, calendarHead, freeBusyAsk(span+who)).is(404)
	h.as("ann", "POST", out, calendarHead, freeBusyAsk("DTSTART:19000310T000000Z\nDTEND:29000311T000000Z\n"+who)).is(400)
}

// RFC 5546 2.1.5: a client that takes its deletion back stores what it had, and
// everyone who got the CANCEL, and perhaps deleted the event, is asked again.
func TestDeletionTakenBack(t *testing.T) {
	for _, guestDeletes := range []bool{false, true} {
		h := open(t, "ann", "bob")
		m := meeting("DTSTART:20260310T100000Z\nDTEND:20260310T110000Z")
		for range 2 {
			h.put("ann", ann+"m.ics", m)
			copy := h.only("bob", bob)
			h.as("bob", "GET", copy, "", "").is(200).has("STATUS:CONFIRMED", "PARTSTAT=NEEDS-ACTION").lacks("CANCELLED")
			h.as("ann", "DELETE", ann+"m.ics", "", "").is(204)
			h.as("bob", "GET", copy, "", "").is(200).has("STATUS:CANCELLED")
			if guestDeletes {
				h.as("bob", "DELETE", copy, "", "").is(204)
			}
		}
	}
}

// RFC 7953 7.2: when somebody is available at all counts in free/busy answers.
func TestAvailability(t *testing.T) {
	h := open(t, "ann", "bob")
	hours := func(begin, end string) string {
		return crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Test//EN\nBEGIN:VAVAILABILITY\nUID:v\nDTSTAMP:20260302T080000Z\nBEGIN:AVAILABLE\nUID:a\nDTSTAMP:20260302T080000Z\nDTSTART:20260302T" + begin + "0000Z\nDTEND:20260302T" + end + "0000Z\nRRULE:FREQ=DAILY\nEND:AVAILABLE\nEND:VAVAILABILITY\nEND:VCALENDAR")
	}
	set := func(value string) *answer {
		return h.as("ann", "PROPPATCH", annBox, "", `<propertyupdate`+ns+`><set><prop><C:calendar-availability>`+value+`</C:calendar-availability></prop></set></propertyupdate>`).is(207)
	}
	ask := func() *answer {
		return h.as("bob", "POST", "/dav/calendars/bob/outbox/", calendarHead, crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:f\nDTSTAMP:20260302T080000Z\nDTSTART:20260310T000000Z\nDTEND:20260311T000000Z\nORGANIZER:mailto:bob@example.test\nATTENDEE:mailto:ann@example.test\nEND:VFREEBUSY\nEND:VCALENDAR")).is(200)
	}
	h.put("ann", ann+"m.ics", event("m", "DTSTART:20260310T160000Z\nDTEND:20260310T180000Z"))
	ask().lacks("UNAVAILABLE")
	for _, bad := range []string{"hours", event("e", "DTSTART:20260310T160000Z"), strings.Replace(hours("09", "17"), "DTSTART:20260302T09", "DTSTART:2026XX02T09", 1)} {
		set(bad).has("403 Forbidden", "<c:valid-calendar-data/>")
	}
	set(hours("09", "17")).has("200 OK")
	h.as("ann", "PROPFIND", annBox, "Depth: 0", props("C:calendar-availability")).has("BEGIN:AVAILABLE")
	h.as("ann", "PROPFIND", annBox, "Depth: 0", "").is(207).lacks("AVAILABLE")
	// The meeting lies over the end of the day and shows as what it is.
	got := unfold(strings.ReplaceAll(ask().body, "&#13;", "\r"))
	for _, want := range []string{"FBTYPE=BUSY:20260310T160000Z/20260310T180000Z", "FBTYPE=BUSY-UNAVAILABLE:20260310T000000Z/20260310T090000Z,20260310T180000Z/20260311T000000Z"} {
		if !strings.Contains(got, want) {
			t.Errorf("the answer lacks %s\n%s", want, got)
		}
	}
	// 7.2.3: those in calendars count as well, and in the calendar's own report.
	h.as("ann", "PROPPATCH", annBox, "", `<propertyupdate`+ns+`><remove><prop><C:calendar-availability/></prop></remove></propertyupdate>`).is(207).has("200 OK")
	ask().lacks("UNAVAILABLE")
	h.as("ann", "MKCALENDAR", "/dav/calendars/ann/hours/", "", "").is(201)
	h.put("ann", "/dav/calendars/ann/hours/v.ics", hours("08", "12"))
	ask().has("FBTYPE=BUSY-UNAVAILABLE")
	h.as("ann", "REPORT", "/dav/calendars/ann/hours/", "Depth: 1", `<C:free-busy-query`+ns+`><C:time-range start="20260310T000000Z" end="20260311T000000Z"/></C:free-busy-query>`).is(200).has("20260310T000000Z/20260310T080000Z")
}
