package itip_test

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// What other makes write into events: each stays in the organizer's own object,
// and only what means something to a guest goes out. Whatever is not named here
// stays at home too.
func TestForeignPropertiesStayAtHome(t *testing.T) {
	for _, c := range []struct {
		line string
		goes bool
	}{
		{"X-MICROSOFT-CDO-IMPORTANCE:2", true},
		{"X-MICROSOFT-DISALLOW-COUNTER:TRUE", true},
		{"X-ALT-DESC;FMTTYPE=text/html:<b>Lunch</b>", true},
		{"X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Hall:geo:52.5,13.4", true},
		{"X-MICROSOFT-CDO-INTENDEDSTATUS:OOF", false},
		{"X-MICROSOFT-CDO-INSTTYPE:1", false},
		{"X-MICROSOFT-CDO-APPT-SEQUENCE:4", false},
		{"X-MICROSOFT-CDO-OWNERAPPTID:17", false},
		{"X-MICROSOFT-CDO-ATTENDEE-CRITICAL-CHANGE:20260101T000000Z", false},
		{"X-MICROSOFT-CDO-OWNER-CRITICAL-CHANGE:20260101T000000Z", false},
		{"X-MICROSOFT-CDO-REPLYTIME:20260101T000000Z", false},
		{"X-MICROSOFT-DONOTFORWARDMEETING:TRUE", false},
		{"X-MICROSOFT-REQUESTEDATTENDANCEMODE:DEFAULT", false},
		{"X-MICROSOFT-ISRESPONSEREQUESTED:FALSE", false},
		{"X-MICROSOFT-RRULE;SKIP=OMIT:FREQ=YEARLY", false},
		{"X-MICROSOFT-CALSCALE:Hebrew Lunar", false},
		{"X-MS-OLK-FORCEINSPECTOROPEN:TRUE", false},
		{"X-MS-OLK-CONFTYPE:0", false},
		{"X-GOOGLE-CONFERENCE:https://meet.test/x", false},
		{"X-GOOGLE-CALENDAR-CONTENT-TITLE:x", false},
		{"X-APPLE-TRAVEL-START:x", false},
		{"X-APPLE-CREATOR-IDENTITY:com.apple.calendar", false},
		{"X-APPLE-DEFAULT-ALARM:TRUE", false},
		{"X-APPLE-EWS-BUSYSTATUS:FREE", false},
		{"X-CALENDARSERVER-PRIVATE-COMMENT:secret", false},
		{"X-CALENDARSERVER-ATTENDEE-COMMENT:secret", false},
		{"X-CALENDARSERVER-ACCESS:RESTRICTED", false},
		{"X-MOZ-RECEIVED-SEQUENCE:1", false},
		{"X-MOZ-RECEIVED-DTSTAMP:20260101T000000Z", false},
		{"X-MOZ-INVITED-ATTENDEE:mailto:alice@alice.test", false},
		{"X-MOZ-LASTACK:20260101T000000Z", false},
		{"X-MOZ-SNOOZE-TIME:20260101T000000Z", false},
		{"X-YAHOO-YID:alice", false},
		{"X-YAHOO-EVENT-STATUS:BUSY", false},
		{"X-PM-SHARED-EVENT-ID:abc", false},
		{"X-PM-SESSION-KEY:c2VjcmV0", false},
		{"X-PM-PROTON-REPLY;VALUE=BOOLEAN:TRUE", false},
		{"X-EVOLUTION-CALDAV-ETAG:1", false},
		{"X-RADICALE-NAME:x.ics", false},
		{"X-SYNOLOGY-EVT-ID:9", false},
		{"X-CONVENE-HIDE-GUESTS:FALSE", false},
		{"X-WHATEVER:1", false},
	} {
		name, _, _ := strings.Cut(strings.ReplaceAll(c.line, ";", ":"), ":")
		e := lunch(t)
		cal, err := ical.Parse([]byte(strings.Replace(lunchText("bob"), "SUMMARY:", c.line+"\r\nSUMMARY:", 1)))
		if err != nil {
			t.Fatal(err)
		}
		sent := e.save(cal)["bob"]
		if len(sent) != 1 {
			t.Fatalf("%s: %d messages", name, len(sent))
		}
		if !strings.Contains(string(e.object.Bytes()), c.line) {
			t.Errorf("%s is lost from the organizer's own object", name)
		}
		// Ours are written from what the event says, and not copied.
		if goes := sent[0].Calendar.Main()[0].Prop(name) != nil; goes != c.goes {
			t.Errorf("%s goes out: %v", name, goes)
		}
	}
	// What a parser noted is not kept at all.
	e := lunch(t)
	cal, err := ical.Parse([]byte(strings.Replace(lunchText("bob"), "SUMMARY:", "X-LIC-ERROR;X-LIC-ERRORTYPE=VALUE-PARSE-ERROR:No value\r\nSUMMARY:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range e.save(cal)["bob"] {
		if strings.Contains(string(m.Calendar.Bytes()), "X-LIC-ERROR") {
			t.Error("X-LIC-ERROR goes out")
		}
	}
}

// Addresses that stand for nobody are never written to, though they stand in
// invitations as organizer.
func TestNobodyIsAnswered(t *testing.T) {
	for _, organizer := range []string{"mailto:unknownorganizer@calendar.google.com", "mailto:UnknownOrganizer@calendar.google.com", "invalid:nomail", "mailto:invalid:nomail"} {
		text := strings.Replace(lunchText("bob"), "mailto:alice@alice.test", organizer, 1)
		old, err := ical.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		answered, err := ical.Parse([]byte(strings.Replace(text, "RSVP=TRUE", "PARTSTAT=ACCEPTED", 1)))
		if err != nil {
			t.Fatal(err)
		}
		out, err := itip.Plan(itip.Change{Old: old, New: answered, User: []ical.Address{address("bob")}, Now: benchNow})
		if err != nil {
			t.Errorf("%s: %v", organizer, err)
			continue
		}
		if len(out.Send) != 0 {
			t.Errorf("%s is answered: %+v", organizer, out.Send[0])
		}
	}
}
