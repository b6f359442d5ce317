package itip_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// What no program should send is refused or held with a sentence that says what is
// wrong, and leaves what is stored as it was.
func TestBadMessagesChangeNothing(t *testing.T) {
	const (
		daily = "DTSTART:20260302T100000Z\nDTEND:20260302T110000Z\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:Lunch\nSEQUENCE:2\nORGANIZER:mailto:alice@alice.test\nATTENDEE:mailto:bob@bob.test\nATTENDEE:mailto:carol@carol.test"
		hour  = "DTSTART:20260302T100000Z\nORGANIZER:mailto:alice@alice.test\n"
	)
	message := func(method string, components ...string) *ical.Calendar {
		text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Bad//EN\n"
		if method != "" {
			text += "METHOD:" + method + "\n"
		}
		for _, c := range components {
			text += "BEGIN:VEVENT\nDTSTAMP:20260203T090000Z\n" + strings.TrimSuffix(c, "\n") + "\nEND:VEVENT\n"
		}
		return read(t, strings.ReplaceAll(text+"END:VCALENDAR\n", "\n", "\r\n"))
	}
	stored := message("", "UID:1\n"+daily)
	stored.Master().Set("DTSTAMP", "20260202T090000Z")
	alice, bob := address("alice"), address("bob")
	for _, c := range []struct {
		name   string
		user   ical.Address
		from   string
		method itip.Method // outside
		cal    *ical.Calendar
		want   itip.Decision
		reason string
		words  string
	}{
		{"without UID", bob, "alice", "", message("REQUEST", hour+"SEQUENCE:3\nATTENDEE:mailto:bob@bob.test"), itip.Rejected, itip.ReasonInvalid, "no UID"},
		{"with two organizers", bob, "alice", "", message("REQUEST", "UID:1\n"+hour+"ORGANIZER:mailto:carol@carol.test\nSEQUENCE:3\nATTENDEE:mailto:bob@bob.test"), itip.Rejected, itip.ReasonInvalid, "two organizers"},
		{"with two organizers in two parts", bob, "alice", "", message("REQUEST", "UID:1\n"+hour+"SEQUENCE:3\nATTENDEE:mailto:bob@bob.test",
			"UID:1\nRECURRENCE-ID:20260303T100000Z\nDTSTART:20260303T100000Z\nORGANIZER:mailto:carol@carol.test\nSEQUENCE:3"), itip.Rejected, itip.ReasonInvalid, "two organizers"},
		{"of a foreign method", bob, "alice", "", message("PROPOSE", "UID:1\n"+hour+"SEQUENCE:3\nATTENDEE:mailto:bob@bob.test"), itip.Ignored, itip.ReasonUnsupported, "not understood"},
		{"of another method outside than inside", bob, "alice", itip.Cancel, message("REQUEST", "UID:1\n"+hour+"SEQUENCE:3\nATTENDEE:mailto:bob@bob.test"), itip.Held, itip.ReasonInvalid, "CANCEL outside and REQUEST inside"},
		{"of two versions at once", bob, "alice", "", message("REQUEST", "UID:1\n"+hour+"SEQUENCE:3\nSUMMARY:Three\nATTENDEE:mailto:bob@bob.test", "UID:1\n"+hour+"SEQUENCE:5\nSUMMARY:Five\nATTENDEE:mailto:bob@bob.test"), itip.Rejected, itip.ReasonInvalid, "twice"},
		{"of two versions of an occurrence at once", bob, "alice", "", message("REQUEST", "UID:1\nRECURRENCE-ID:20260303T100000Z\n"+hour+"SEQUENCE:3\nSUMMARY:Three\nATTENDEE:mailto:bob@bob.test",
			"UID:1\nRECURRENCE-ID:20260303T100000Z\n"+hour+"SEQUENCE:5\nSUMMARY:Five\nATTENDEE:mailto:bob@bob.test"), itip.Rejected, itip.ReasonInvalid, "twice"},
		{"of an older SEQUENCE by a later clock", bob, "alice", "", message("REQUEST", "UID:1\n"+hour+"SEQUENCE:1\nATTENDEE:mailto:bob@bob.test"), itip.Ignored, itip.ReasonOutdated, "newer version"},
		{"a cancellation of an older SEQUENCE by a later clock", bob, "alice", "", message("CANCEL", "UID:1\n"+hour+"SEQUENCE:1\nATTENDEE:mailto:bob@bob.test"), itip.Held, itip.ReasonOutdated, "older number"},
		{"about what is no occurrence", alice, "bob", "", message("REPLY", "UID:1\nRECURRENCE-ID:20270303T100000Z\n"+hour+"SEQUENCE:2\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@bob.test"), itip.Ignored, itip.ReasonUnknownInstance, "does not have"},
		{"a cancellation of what is no occurrence", bob, "alice", "", message("CANCEL", "UID:1\nRECURRENCE-ID:20270303T100000Z\n"+hour+"SEQUENCE:2\nSTATUS:CANCELLED\nATTENDEE:mailto:bob@bob.test"), itip.Ignored, itip.ReasonUnknownInstance, "no occurrence"},
		{"about an occurrence at no time", bob, "alice", "", message("REQUEST", "UID:1\nRECURRENCE-ID:tomorrow\n"+hour+"SEQUENCE:3\nATTENDEE:mailto:bob@bob.test"), itip.Rejected, itip.ReasonInvalid, "no time"},
		{"with more attendees than the limit", bob, "alice", "", message("REQUEST", "UID:1\n"+hour+"SEQUENCE:3\n"+strings.Repeat("ATTENDEE:mailto:x@y.test\n", 11)+"ATTENDEE:mailto:bob@bob.test"), itip.Rejected, itip.ReasonTooMany, "12 people; 10 are allowed"},
		{"a delegation back to who sent it", alice, "bob", "", message("REPLY", "UID:1\n"+hour+"SEQUENCE:2\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:bob@bob.test\":mailto:bob@bob.test"), itip.Ignored, itip.ReasonCircle, "passes"},
		{"an answer by a member of a list", alice, "dora", "", message("REPLY", "UID:1\n"+hour+"SEQUENCE:2\nATTENDEE;PARTSTAT=ACCEPTED;MEMBER=\"mailto:bob@bob.test\":mailto:dora@dora.test"), itip.Held, itip.ReasonPartyCrasher, "member of bob"},
	} {
		before := stored.Bytes()
		r, err := itip.Apply(itip.Arrival{Stored: stored, Message: c.cal, Method: c.method, User: []ical.Address{c.user}, From: address(c.from), Received: time.Date(2026, 2, 3, 9, 0, 0, 0, time.UTC), AutoAdd: true, MaxAttendees: 10})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Decision != c.want || r.Reason != c.reason || !strings.Contains(r.Sentence, c.words) {
			t.Errorf("a message %s: %s, %s, %q; not %s, %s, %q", c.name, r.Decision, r.Reason, r.Sentence, c.want, c.reason, c.words)
		}
		if r.Object != nil || len(r.Send) > 0 || !bytes.Equal(before, stored.Bytes()) || fmt.Sprint(r.Memory.Versions) != "map[]" {
			t.Errorf("a message %s leads to %v, %d messages, %v", c.name, r.Object, len(r.Send), r.Memory)
		}
	}
}
