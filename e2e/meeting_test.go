package e2e

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/pg"
)

// freePort is a loopback address nobody listens on right now.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// pair starts two services whose relays are each other's SMTP listeners.
func pair(t testing.TB, database func(testing.TB) string) (here, there *service) {
	t.Helper()
	a, b := freePort(t), freePort(t)
	start := func(domain, listen, relay string, people ...string) *service {
		args := []string{"--mail-smtp-listen", listen, "--mail-relay", "smtp://" + relay + "?tls=none"}
		if database != nil {
			args = append([]string{"CONVENE_STORE_URL=" + database(t)}, args...)
		}
		return newService(t, domain, people, args...).start()
	}
	return start("example.test", a, b, "alice", "bob"), start("elsewhere.test", b, a, "dave")
}

func event(uid, lines string) string {
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\nBEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\n" + strings.TrimSpace(lines) + "\nEND:VEVENT\nEND:VCALENDAR\n"
	return strings.ReplaceAll(text, "\n", "\r\n")
}

var unfold = strings.NewReplacer("\r\n ", "", "\r\n\t", "")

// line finds the unfolded content line with the prefix and every part.
func line(text, prefix string, parts ...string) (string, bool) {
next:
	for l := range strings.SplitSeq(unfold.Replace(text), "\r\n") {
		if !strings.HasPrefix(l, prefix) {
			continue
		}
		for _, p := range parts {
			// Quotes around a parameter value that needs none say nothing.
			if !strings.Contains(strings.ReplaceAll(strings.ToLower(l), `"`, ""), strings.ToLower(p)) {
				continue next
			}
		}
		return l, true
	}
	return "", false
}

var hrefPattern = regexp.MustCompile(`<d:href>([^<]*\.ics)</d:href>`)

// find returns path and text of the object with the UID in the user's default calendar.
func (s *service) find(user, uid string) (path, text string) {
	s.t.Helper()
	body := `<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:prop-filter name="UID"><c:text-match collation="i;octet">` + uid + `</c:text-match></c:prop-filter></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`
	r := s.expect(207, s.do(user, "REPORT", "/dav/calendars/"+user+"/default/", body, "Depth", "1", "Content-Type", "application/xml"))
	m := hrefPattern.FindStringSubmatch(r.body)
	if m == nil {
		return "", ""
	}
	return m[1], s.expect(200, s.do(user, "GET", m[1], "")).body
}

// has waits until the user's copy has a line with the prefix and parts.
func (s *service) has(user, uid, prefix string, parts ...string) (path, text string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%s has %s %v", user, prefix, parts), func() (bool, string) {
		path, text = s.find(user, uid)
		_, ok := line(text, prefix, parts...)
		return ok, text
	})
	return path, text
}

// answer saves the user's copy with another PARTSTAT, as a calendar client does.
func (s *service) answer(user, uid, partstat string) {
	s.t.Helper()
	path, text := s.find(user, uid)
	own, ok := line(text, "ATTENDEE", "mailto:"+user+"@")
	if !ok {
		s.t.Fatalf("%s is no attendee of\n%s", user, text)
	}
	changed := regexp.MustCompile(`PARTSTAT=[A-Z-]+`).ReplaceAllString(own, "PARTSTAT="+partstat)
	etag := s.do(user, "GET", path, "").header.Get("ETag")
	r := s.do(user, "PUT", path, strings.Replace(unfold.Replace(text), own, changed, 1), "Content-Type", "text/calendar", "If-Match", etag)
	if r.status != 204 {
		s.t.Fatalf("answer %s: %d %s", partstat, r.status, r.body)
	}
}

func TestMeetingAcrossTwoServices(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { meeting(t, nil) })
	t.Run("PostgreSQL", func(t *testing.T) { meeting(t, pg.Database) })
}

// meeting is the main job: invite, accept, reschedule, answer again, cancel.
func meeting(t *testing.T, database func(testing.TB) string) {
	here, there := pair(t, database)
	const uid = "planning-1@example.test"
	path := "/dav/calendars/alice/default/planning.ics"
	plan := func(seq, start, end string) string {
		return event(uid, "SEQUENCE:"+seq+"\nDTSTART;TZID=Europe/Berlin:"+start+"\nDTEND;TZID=Europe/Berlin:"+end+"\nSUMMARY:Planning\nLOCATION:Blue room\nORGANIZER;CN=Alice:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.test")
	}

	// Invite: the colleague has it when the PUT returns, the outsider by mail.
	here.expect(201, here.do("alice", "PUT", path, plan("0", "20270401T100000", "20270401T110000"), "Content-Type", "text/calendar", "If-None-Match", "*"))
	if _, text := here.find("bob", uid); text == "" {
		t.Error("bob's calendar is not right when alice's PUT returned")
	}
	there.has("dave", uid, "ATTENDEE", "PARTSTAT=NEEDS-ACTION", "dave@elsewhere.test")
	if _, text := there.find("dave", uid); strings.Contains(text, "\nMETHOD:") {
		t.Errorf("a stored object has METHOD:\n%s", text)
	}
	if r := there.do("dave", "PROPFIND", "/dav/calendars/dave/inbox/", "", "Depth", "1"); !strings.Contains(r.body, ".ics") {
		t.Errorf("dave's inbox is empty: %s", r.body)
	}
	here.has("alice", uid, "ATTENDEE", "dave@elsewhere.test", `SCHEDULE-STATUS`)

	// Accept.
	there.answer("dave", uid, "ACCEPTED")
	here.has("alice", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "dave@elsewhere.test")
	here.has("bob", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "dave@elsewhere.test")

	// Move: everyone is asked again.
	_, text := here.find("alice", uid)
	moved := strings.NewReplacer("20270401T100000", "20270402T140000", "20270401T110000", "20270402T150000").Replace(text)
	if r := here.do("alice", "PUT", path, moved, "Content-Type", "text/calendar"); r.status != 204 {
		t.Fatalf("move: %d %s", r.status, r.body)
	}
	there.has("dave", uid, "DTSTART", "20270402T140000")
	there.has("dave", uid, "ATTENDEE", "PARTSTAT=NEEDS-ACTION", "dave@elsewhere.test")
	if _, ok := line(text, "SEQUENCE:0"); !ok {
		t.Errorf("the first version has no SEQUENCE:0:\n%s", text)
	}
	there.has("dave", uid, "SEQUENCE:1")

	// Answer again, the other way.
	there.answer("dave", uid, "DECLINED")
	here.has("alice", uid, "ATTENDEE", "PARTSTAT=DECLINED", "dave@elsewhere.test")

	// Cancel.
	if r := here.do("alice", "DELETE", path, ""); r.status != 204 {
		t.Fatalf("delete: %d %s", r.status, r.body)
	}
	there.has("dave", uid, "STATUS:CANCELLED")

	// What crossed can be looked at, on both sides.
	methods := map[string]int{}
	for _, m := range here.messages("--uid", uid) {
		methods[m.Direction+" "+m.Method+" "+m.State]++
	}
	if methods["out REQUEST sent"] < 2 || methods["out CANCEL sent"] < 1 || methods["in REPLY applied"] < 2 {
		t.Errorf("alice's journal: %v", methods)
	}
	methods = map[string]int{}
	for _, m := range there.messages("--uid", uid) {
		methods[m.Direction+" "+m.Method+" "+m.State]++
	}
	if methods["in REQUEST applied"] < 2 || methods["in CANCEL applied"] < 1 || methods["out REPLY sent"] < 2 {
		t.Errorf("dave's journal: %v", methods)
	}
}

// One occurrence of a series is moved, another cancelled, a third declined.
func TestOccurrencesAcrossTwoServices(t *testing.T) {
	here, there := pair(t, nil)
	const uid = "standup-1@example.test"
	path := "/dav/calendars/alice/default/standup.ics"
	people := "ORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE;RSVP=TRUE:mailto:dave@elsewhere.test"
	series := event(uid, "DTSTART;TZID=Europe/Berlin:20270301T090000\nDTEND;TZID=Europe/Berlin:20270301T091500\nRRULE:FREQ=DAILY;COUNT=10\nSUMMARY:Stand-up\n"+people)
	here.expect(201, here.do("alice", "PUT", path, series, "Content-Type", "text/calendar"))
	there.has("dave", uid, "RRULE")
	there.answer("dave", uid, "ACCEPTED")
	here.has("alice", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "dave@")

	_, text := here.find("alice", uid)
	override := "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20270101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20270303T090000\r\nDTSTART;TZID=Europe/Berlin:20270303T160000\r\nDTEND;TZID=Europe/Berlin:20270303T161500\r\nSUMMARY:Stand-up (late)\r\n" + strings.ReplaceAll(people, "\n", "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR"
	text = strings.Replace(text, "END:VCALENDAR", override, 1)
	text = strings.Replace(text, "RRULE:", "EXDATE;TZID=Europe/Berlin:20270305T090000\r\nRRULE:", 1)
	if r := here.do("alice", "PUT", path, text, "Content-Type", "text/calendar"); r.status != 204 {
		t.Fatalf("PUT with an override: %d %s", r.status, r.body)
	}
	there.has("dave", uid, "DTSTART", "20270303T160000")
	eventually(t, "the fifth of March is gone from dave's series", func() (bool, string) {
		query := `<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><c:calendar-data><c:expand start="20270301T000000Z" end="20270401T000000Z"/></c:calendar-data></prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range start="20270301T000000Z" end="20270401T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`
		r := there.do("dave", "REPORT", "/dav/calendars/dave/default/", query, "Depth", "1", "Content-Type", "application/xml")
		for vevent := range strings.SplitSeq(r.body, "BEGIN:VEVENT") {
			if strings.Contains(vevent, "DTSTART:20270305T080000Z") && !strings.Contains(vevent, "STATUS:CANCELLED") {
				return false, r.body
			}
		}
		return strings.Contains(r.body, "DTSTART:20270304T080000Z"), r.body
	})

	there.cli("", "event", "respond", uid, "--account", "dave@elsewhere.test", "--partstat", "declined", "--recurrence-id", "20270304T080000Z")
	eventually(t, "alice sees that dave declined the fourth", func() (bool, string) {
		_, text := here.find("alice", uid)
		for vevent := range strings.SplitSeq(text, "BEGIN:VEVENT") {
			if _, rid := line(vevent, "RECURRENCE-ID", "20270304T"); rid {
				_, declined := line(vevent, "ATTENDEE", "PARTSTAT=DECLINED", "dave@")
				return declined, text
			}
		}
		return false, text
	})
	if _, text := here.find("alice", uid); !strings.Contains(text, "PARTSTAT=ACCEPTED") {
		t.Errorf("the answer to one occurrence changed the series:\n%s", text)
	}
}
