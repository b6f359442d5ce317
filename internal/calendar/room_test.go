package calendar_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

func (o *office) policy(room string, p itip.RoomPolicy) {
	o.t.Helper()
	if err := o.svc.SetBookingPolicy(o.t.Context(), o.actor(room), o.people[room].ID, p); err != nil {
		o.t.Fatal(err)
	}
}

// says is the room's answer in somebody's event, and its note.
func (o *office) says(who, uid, room string) (partstat, note string) {
	o.t.Helper()
	_, text := o.event(who, uid)
	for _, a := range itip.Attendees(parse(o.t, text).Main()[0]) {
		if a.Address.Key() == room+"@example.test" {
			return a.PartStat, a.Comment
		}
	}
	return "", ""
}

func TestARoomAnswersByItsPolicy(t *testing.T) {
	hours, err := calendar.ParseHours([]string{"mon-fri 08:00-18:00"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		policy   itip.RoomPolicy
		lines    []string // instead of Tuesday, 09:00 to 10:00
		partstat string
		note     string
	}{
		{"no policy", itip.RoomPolicy{}, nil, "ACCEPTED", ""},
		{"open", itip.RoomPolicy{Open: hours}, nil, "ACCEPTED", ""},
		{"closed", itip.RoomPolicy{Open: hours}, []string{"DTSTART:20260303T170000Z", "DTEND:20260303T190000Z"}, "DECLINED", "not open"},
		{"too far", itip.RoomPolicy{Ahead: 7 * 24 * time.Hour}, []string{"DTSTART:20260403T090000Z", "DTEND:20260403T100000Z"}, "DECLINED", "7 days ahead"},
		{"too soon", itip.RoomPolicy{Notice: 48 * time.Hour}, nil, "DECLINED", "too soon"},
		{"too long", itip.RoomPolicy{Longest: time.Hour}, []string{"DTSTART:20260303T090000Z", "DTEND:20260303T120000Z"}, "DECLINED", "1 hour"},
		{"too many", itip.RoomPolicy{Capacity: 1}, nil, "DECLINED", "holds 1 people; 2"},
		{"just enough", itip.RoomPolicy{Capacity: 2}, nil, "ACCEPTED", ""},
		{"not for her", itip.RoomPolicy{Organizers: []string{"boss@example.test"}}, nil, "DECLINED", "cannot be booked by"},
		{"for the house", itip.RoomPolicy{Domains: []string{"example.test"}}, nil, "ACCEPTED", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t, storetest.SQLite(t)).hire("alice", "bob")
			o.hireAs(store.Room, "blue")
			o.policy("blue", c.policy)
			data := meeting("1", 3, 9, "blue@example.test", "bob@example.test")
			if c.lines != nil {
				data = vevent("1", append([]string{"SUMMARY:Plan", "ORGANIZER:mailto:alice@example.test", "ATTENDEE:mailto:blue@example.test"}, c.lines...)...)
			}
			o.put("alice", "default/1.ics", data)
			partstat, note := o.says("alice", "1", "blue")
			if partstat != c.partstat || !strings.Contains(note, c.note) || c.note == "" && note != "" {
				t.Errorf("the room says %s %q, want %s %q", partstat, note, c.partstat, c.note)
			}
			if c.partstat == "DECLINED" {
				_, text := o.event("alice", "1")
				o.expect("the status of the refusal", text, "ATTENDEE", "SCHEDULE-STATUS", ":mailto:blue@example.test")
			}
		})
	}
}

// SC-256 for series: what may be taken of a series, in per cent.
func TestARoomTakesASeriesWithFewConflicts(t *testing.T) {
	for _, c := range []struct {
		percent  int
		partstat string
		declined int
	}{{0, "DECLINED", 0}, {9, "DECLINED", 0}, {10, "ACCEPTED", 1}} {
		o := open(t, storetest.SQLite(t)).hire("alice", "bob")
		o.hireAs(store.Room, "blue")
		o.policy("blue", itip.RoomPolicy{Conflicts: c.percent})
		o.put("bob", "default/b.ics", strings.ReplaceAll(meeting("b", 5, 9, "blue@example.test"), "alice@", "bob@"))
		o.put("alice", "default/s.ics", strings.Replace(meeting("s", 3, 9, "blue@example.test"), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=10\r\nSUMMARY", 1))
		partstat, _ := o.says("alice", "s", "blue")
		_, text := o.event("alice", "s")
		declined := 0
		for _, x := range parse(t, text).Overrides() {
			for _, a := range itip.Attendees(x) {
				if a.Address.Key() == "blue@example.test" && a.PartStat == "DECLINED" {
					declined++
				}
			}
		}
		if partstat != c.partstat || declined != c.declined {
			t.Errorf("with %d per cent: %s and %d declined, want %s and %d\n%s", c.percent, partstat, declined, c.partstat, c.declined, text)
		}
	}
}

func TestApproversDecideAboutARoom(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "janet", "jim")
	o.hireAs(store.Room, "blue")
	o.policy("blue", itip.RoomPolicy{Approvers: []string{"Janet@example.test", "mailto:jim@example.test"}})
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "blue@example.test"))
	if partstat, note := o.says("alice", "1", "blue"); partstat != "TENTATIVE" || !strings.Contains(note, "Janet@example.test or jim@example.test") {
		t.Fatalf("before anybody decided: %s %q", partstat, note)
	}
	janet, jim := o.held("janet"), o.held("jim")
	if len(janet) != 1 || len(jim) != 1 || janet[0].Reason != calendar.ReasonApproval || !strings.Contains(janet[0].Sentence, "alice@example.test asks for Blue") {
		t.Fatalf("held: %+v", janet)
	}
	// The place is held: nobody else gets it meanwhile.
	o.put("bob", "default/2.ics", strings.ReplaceAll(meeting("2", 3, 9, "blue@example.test"), "alice@", "bob@"))
	if partstat, _ := o.says("bob", "2", "blue"); partstat != "DECLINED" {
		t.Errorf("bob got the room that is held: %s", partstat)
	}
	if _, err := o.svc.Approve(t.Context(), o.actor("bob"), o.people["janet"].ID, janet[0].ID); !problem.Has(err, problem.NotFound) {
		t.Errorf("bob decides: %v", err)
	}
	e, err := o.svc.Reject(t.Context(), o.actor("janet"), o.people["janet"].ID, janet[0].ID)
	if err != nil || e.State != calendar.StateRejected {
		t.Fatalf("%s %v", e.State, err)
	}
	if partstat, note := o.says("alice", "1", "blue"); partstat != "DECLINED" || !strings.Contains(note, "says janet") {
		t.Errorf("rejected: %s %q", partstat, note)
	}
	if list := o.held("jim"); len(list) != 0 {
		t.Errorf("jim is still asked: %+v", list)
	}
	// She thinks again.
	if _, err := o.svc.Approve(t.Context(), o.actor("janet"), o.people["janet"].ID, janet[0].ID); err != nil {
		t.Fatal(err)
	}
	if partstat, _ := o.says("alice", "1", "blue"); partstat != "ACCEPTED" {
		t.Errorf("approved: %s", partstat)
	}
	if _, text := o.event("janet", "1"); text != "" {
		t.Error("the approver has the event in her own calendar")
	}
	// Moved: asked anew. Called off: nothing to decide.
	_, text := o.get("alice", "default/1.ics")
	o.put("alice", "default/1.ics", strings.NewReplacer("T090000Z", "T130000Z", "T100000Z", "T140000Z").Replace(text))
	if list := o.held("janet"); len(list) != 1 {
		t.Fatalf("asked anew: %+v", list)
	}
	if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/1.ics")}); err != nil {
		t.Fatal(err)
	}
	if list := o.held("janet"); len(list) != 0 {
		t.Errorf("still asked about what is called off: %+v", list)
	}
	// An approver's own booking needs nobody.
	o.put("jim", "default/3.ics", strings.ReplaceAll(meeting("3", 4, 9, "blue@example.test"), "alice@", "jim@"))
	if partstat, _ := o.says("jim", "3", "blue"); partstat != "ACCEPTED" {
		t.Errorf("jim's own: %s", partstat)
	}
}

// Two requests are held for the same hour; only one can be approved.
func TestWhatWasGivenAwayCannotBeApproved(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "janet")
	o.hireAs(store.Room, "blue")
	o.policy("blue", itip.RoomPolicy{Approvers: []string{"janet@example.test"}, Tentative: true})
	for i, who := range []string{"alice", "bob"} {
		o.put(who, "default/1.ics", strings.ReplaceAll(meeting(fmt.Sprint(i), 3, 9, "blue@example.test"), "alice@", who+"@"))
	}
	list := o.held("janet")
	if len(list) != 2 {
		t.Fatalf("held: %+v", list)
	}
	var wg sync.WaitGroup
	results := make([]error, 2)
	for i, e := range list {
		wg.Go(func() {
			_, results[i] = o.svc.Approve(t.Context(), o.actor("janet"), o.people["janet"].ID, e.ID)
		})
	}
	wg.Wait()
	refused := 0
	for _, err := range results {
		if problem.Has(err, problem.Forbidden) && strings.Contains(err.Error(), "already booked") {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused != 1 {
		t.Errorf("%d of two approvals for one hour were refused", refused)
	}
}

// Whichever way requests come, one hour goes to one of them.
func TestConcurrentBookingsByEveryWay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s, func(co *calendar.Options) { co.OpenRooms = true }).hire("alice", "bob")
		o.hireAs(store.Room, "blue")
		const each = 4
		var wg sync.WaitGroup
		for n := range each {
			for _, who := range []string{"alice", "bob"} {
				wg.Go(func() {
					data := strings.ReplaceAll(meeting(fmt.Sprint(who, n), 3, 9, "blue@example.test"), "alice@", who+"@")
					if _, err := o.tryPut(who, fmt.Sprintf("default/%d.ics", n), data, calendar.Precondition{}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Go(func() {
				data := strings.ReplaceAll(meeting(fmt.Sprint("mail", n), 3, 9, "blue@example.test"), "alice@example.test", "dave@elsewhere.test")
				o.mail("blue", "dave@elsewhere.test", strings.Replace(data, "VERSION", "METHOD:REQUEST\r\nVERSION", 1))
			})
			wg.Go(func() { // an occurrence of a series
				data := strings.ReplaceAll(meeting(fmt.Sprint("series", n), 2, 9, "blue@example.test"), "alice@example.test", "erin@elsewhere.test")
				o.mail("blue", "erin@elsewhere.test", strings.NewReplacer("VERSION", "METHOD:REQUEST\r\nVERSION", "SUMMARY", "RRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY").Replace(data))
			})
		}
		wg.Wait()
		accepted := 0
		for _, ob := range o.list("blue", "default") {
			_, text := o.get("blue", "default/"+ob.Name)
			if find(text, "ATTENDEE", "PARTSTAT=ACCEPTED", "blue@example.test") != "" {
				accepted++
			}
			if find(text, "ATTENDEE", "PARTSTAT=NEEDS-ACTION", "blue@example.test") != "" {
				t.Errorf("not answered:\n%s", text)
			}
		}
		if accepted != 1 {
			t.Errorf("the room went to %d of %d", accepted, 4*each)
		}
	})
}

func TestStrangersGetNoAnswerFromARoomByItself(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	o.hireAs(store.Room, "blue")
	request := func(uid string) string {
		return strings.Replace(strings.ReplaceAll(meeting(uid, 3, 9, "blue@example.test"), "alice@example.test", "dave@elsewhere.test"), "VERSION", "METHOD:REQUEST\r\nVERSION", 1)
	}
	o.mail("blue", "dave@elsewhere.test", request("1"))
	o.courier()
	if got := o.post.letters(); len(got) != 0 {
		t.Errorf("answered a stranger: %v", got)
	}
	// And what they ask for keeps nobody out.
	o.put("alice", "default/2.ics", meeting("2", 3, 9, "blue@example.test"))
	if partstat, _ := o.says("alice", "2", "blue"); partstat != "ACCEPTED" {
		t.Errorf("alice is kept out by a stranger: %s", partstat)
	}
	o.policy("blue", itip.RoomPolicy{Domains: []string{"example.test", "elsewhere.test"}})
	o.mail("blue", "dave@elsewhere.test", request("3"))
	o.courier()
	if got := o.post.letters(); len(got) != 1 || got[0] != "REPLY dave@elsewhere.test" {
		t.Errorf("posted %v", got)
	}
	rows, err := o.journal.List(t.Context(), store.EntryFilter{Account: o.people["blue"].ID, UID: "3", Direction: "out"})
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	o.expect("POL-07", string(rows[0].Calendar), "REQUEST-STATUS:4.0")
}

// A booking years ahead is looked at like any other.
func TestABookingFarAheadMeetsAnother(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.hireAs(store.Room, "blue")
	far := func(uid, who string) string {
		return strings.ReplaceAll(strings.ReplaceAll(meeting(uid, 3, 9, "blue@example.test"), "202603", "203503"), "alice@", who+"@")
	}
	o.put("alice", "default/1.ics", far("1", "alice"))
	o.put("bob", "default/1.ics", far("2", "bob"))
	first, _ := o.says("alice", "1", "blue")
	second, _ := o.says("bob", "2", "blue")
	if first != "ACCEPTED" || second != "DECLINED" {
		t.Errorf("the room says %s and %s", first, second)
	}
}

func TestWhoMaySetAPolicyAndWhat(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.hireAs(store.Room, "blue")
	blue := o.people["blue"].ID
	set := func(by account.Actor, room store.AccountID, p itip.RoomPolicy) error {
		return o.svc.SetBookingPolicy(t.Context(), by, room, p)
	}
	if err := set(o.actor("alice"), blue, itip.RoomPolicy{Capacity: 3}); !problem.Has(err, problem.NeedPrivileges) {
		t.Errorf("a colleague: %v", err)
	}
	if err := set(account.Actor{Account: o.people["alice"].ID, Admin: true}, blue, itip.RoomPolicy{Capacity: 3}); err != nil {
		t.Errorf("an administrator: %v", err)
	}
	if err := o.svc.SetShares(t.Context(), o.actor("blue"), blue, "default", map[store.AccountID]acl.Access{o.people["bob"].ID: acl.Write}); err != nil {
		t.Fatal(err)
	}
	if err := set(o.actor("bob"), blue, itip.RoomPolicy{Capacity: 4}); err != nil {
		t.Errorf("who writes to its calendar: %v", err)
	}
	if p, err := o.svc.BookingPolicy(t.Context(), o.actor("alice"), blue); err != nil || p.Capacity != 4 {
		t.Errorf("read: %+v %v", p, err)
	}
	if err := set(o.actor("alice"), o.people["alice"].ID, itip.RoomPolicy{}); !problem.Has(err, problem.BadInput) {
		t.Errorf("of a person: %v", err)
	}
	for what, p := range map[string]itip.RoomPolicy{
		"negative":        {Ahead: -1},
		"for ever":        {Longest: 1 << 62},
		"upside down":     {Shortest: 2 * time.Hour, Longest: time.Hour},
		"per cent":        {Conflicts: 101},
		"capacity":        {Capacity: -1},
		"a day":           {Open: map[time.Weekday][]itip.Hours{7: nil}},
		"hours backwards": {Open: map[time.Weekday][]itip.Hours{1: {{From: 600, To: 500}}}},
		"an address":      {Approvers: []string{"urn:x"}},
		"a domain":        {Domains: []string{"a b"}},
	} {
		if err := set(o.actor("blue"), blue, p); !problem.Has(err, problem.BadInput) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := set(o.actor("blue"), blue, itip.RoomPolicy{}); err != nil {
		t.Errorf("none: %v", err)
	}
}

func TestHoursAsPeopleWriteThem(t *testing.T) {
	for _, lines := range [][]string{nil, {"mon-fri 08:00-18:00"}, {"mon-thu 08:00-12:00", "mon-thu 13:00-18:00", "sat 09:30-24:00"}, {"mon-sun 00:00-24:00"}} {
		open, err := calendar.ParseHours(lines)
		if err != nil {
			t.Errorf("%q: %v", lines, err)
		}
		if d := cmp.Diff(lines, calendar.HoursText(open)); d != "" {
			t.Errorf("(-given +again)\n%s", d)
		}
	}
	if open, err := calendar.ParseHours([]string{"fri-mon 10:00-11:00"}); err != nil || len(open) != 4 {
		t.Errorf("over the weekend: %v %v", open, err)
	}
	for _, bad := range []string{"", "mon", "mon-fri", "mon 8-9", "mon 25:00-26:00", "mon 09:00-09:00", "foo 08:00-09:00", "mon 08:00", "mon 08:60-09:00", "mon -1:00-09:00"} {
		if open, err := calendar.ParseHours([]string{bad}); !problem.Has(err, problem.BadInput) {
			t.Errorf("%q: %v %v", bad, open, err)
		}
	}
}

func TestBook(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.hireAs(store.Room, "blue")
	book := func(who, uid string, room ical.Address) (calendar.Booked, error) {
		return o.svc.Book(t.Context(), calendar.BookRequest{By: o.actor(who), Owner: o.people[who].ID, UID: uid, Room: room})
	}
	o.put("alice", "default/1.ics", vevent("1", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:Think"))
	if b, err := book("alice", "1", "mailto:blue@example.test"); err != nil || b.PartStat != "ACCEPTED" {
		t.Fatalf("%+v %v", b, err)
	}
	_, text := o.event("alice", "1")
	o.expect("the place", text, "LOCATION:Blue")
	o.expect("the organizer", text, "ORGANIZER", "alice@example.test")
	o.put("bob", "default/2.ics", strings.ReplaceAll(meeting("2", 3, 9, "alice@example.test"), "ORGANIZER:mailto:alice@", "ORGANIZER:mailto:bob@"))
	if b, err := book("bob", "2", "mailto:blue@example.test"); err != nil || b.PartStat != "DECLINED" || !strings.Contains(b.Note, "already booked") {
		t.Errorf("%+v %v", b, err)
	}
	for what, c := range map[string]struct {
		who, uid string
		room     ical.Address
		want     problem.Condition
	}{
		"twice":           {"alice", "1", "mailto:blue@example.test", problem.Exists},
		"no room":         {"alice", "1", "mailto:bob@example.test", problem.NotFound},
		"somebody else's": {"alice", "2", "mailto:blue@example.test", problem.Forbidden},
		"no event":        {"alice", "3", "mailto:blue@example.test", problem.NotFound},
	} {
		if _, err := book(c.who, c.uid, c.room); !problem.Has(err, c.want) {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
}
