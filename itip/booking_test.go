package itip_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

// What a room answers, by policy and by what is taken.
func TestRoomPolicy(t *testing.T) {
	berlin, err := tz.Load("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC) // a Monday
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 2, 2+day, hour, minute, 0, 0, time.UTC) }
	slot := func(day, from, to int) itip.Slot {
		s := itip.Slot{From: at(day, from, 0), To: at(day, to, 0)}
		s.RecurrenceID = s.From.Format("20060102T150405Z")
		return s
	}
	maybe := slot(1, 9, 10)
	maybe.Tentative = true
	series := []itip.Slot{slot(1, 9, 10), slot(2, 9, 10), slot(3, 9, 10), slot(4, 9, 10), slot(7, 9, 10)}
	office := map[time.Weekday][]itip.Hours{}
	for d := time.Monday; d <= time.Friday; d++ {
		office[d] = []itip.Hours{{From: 8 * 60, To: 12 * 60}, {From: 12 * 60, To: 18 * 60}}
	}
	for _, c := range []struct {
		name    string
		policy  itip.RoomPolicy
		booking itip.Booking
		want    string // PARTSTAT, status, "pending", what the sentence says
	}{
		{"free", itip.RoomPolicy{}, itip.Booking{Wanted: series}, "ACCEPTED 2.0"},
		{"all past", itip.RoomPolicy{Ahead: time.Hour}, itip.Booking{}, "ACCEPTED 2.0"},
		{"taken", itip.RoomPolicy{}, itip.Booking{Wanted: series[:1], Taken: []itip.Slot{slot(1, 8, 11)}}, "DECLINED 4.0 already booked from Tuesday, 3 February 2026, 09:00 (Europe/Berlin"},
		{"neighbours", itip.RoomPolicy{}, itip.Booking{Wanted: series[:1], Taken: []itip.Slot{slot(1, 8, 9), slot(1, 10, 11)}}, "ACCEPTED 2.0"},
		{"one of five, none allowed", itip.RoomPolicy{}, itip.Booking{Wanted: series, Taken: []itip.Slot{slot(2, 9, 10)}}, "DECLINED 4.0"},
		{"one of five, a fifth allowed", itip.RoomPolicy{Conflicts: 20}, itip.Booking{Wanted: series, Taken: []itip.Slot{slot(2, 9, 10)}}, "ACCEPTED 2.0 taken at 1 of 5 times declined=20260204T090000Z"},
		{"two of five, a fifth allowed", itip.RoomPolicy{Conflicts: 20}, itip.Booking{Wanted: series, Taken: []itip.Slot{slot(2, 9, 10), slot(3, 9, 10)}}, "DECLINED 4.0 1 further times"},
		{"all of five, all allowed", itip.RoomPolicy{Conflicts: 100}, itip.Booking{Wanted: series[:1], Taken: []itip.Slot{slot(1, 9, 10)}}, "DECLINED 4.0"},
		{"tentative in the way, declines", itip.RoomPolicy{}, itip.Booking{Wanted: series[:1], Taken: []itip.Slot{maybe}}, "DECLINED 4.0"},
		{"tentative in the way, waits", itip.RoomPolicy{Tentative: true}, itip.Booking{Wanted: series[:1], Taken: []itip.Slot{maybe}}, "TENTATIVE 2.0 Somebody else"},
		{"two seats", itip.RoomPolicy{Overlapping: 2}, itip.Booking{Wanted: series[:1], Taken: []itip.Slot{slot(1, 9, 10)}}, "ACCEPTED 2.0"},
		{"two seats, one after the other", itip.RoomPolicy{Overlapping: 2}, itip.Booking{Wanted: []itip.Slot{slot(1, 9, 12)}, Taken: []itip.Slot{slot(1, 9, 10), slot(1, 10, 11)}}, "ACCEPTED 2.0"},
		{"two seats, both taken", itip.RoomPolicy{Overlapping: 2}, itip.Booking{Wanted: series[:1], Taken: []itip.Slot{slot(1, 9, 10), slot(1, 9, 11)}}, "DECLINED 4.0"},
		{"too far ahead", itip.RoomPolicy{Ahead: 48 * time.Hour}, itip.Booking{Wanted: series}, "DECLINED 4.0 2 days ahead"},
		{"endless", itip.RoomPolicy{Ahead: 900 * time.Hour}, itip.Booking{Wanted: series, Endless: true}, "DECLINED 4.0 does not end"},
		{"endless, allowed", itip.RoomPolicy{Ahead: 48 * time.Hour, EndlessAllowed: true}, itip.Booking{Wanted: series, Endless: true}, "ACCEPTED 2.0"},
		{"too soon", itip.RoomPolicy{Notice: 48 * time.Hour}, itip.Booking{Wanted: series}, "DECLINED 4.0 2 days before"},
		{"too long", itip.RoomPolicy{Longest: 30 * time.Minute}, itip.Booking{Wanted: series}, "DECLINED 4.0 for 30 minutes at a time, not for 1 hour"},
		{"too short", itip.RoomPolicy{Shortest: 90 * time.Minute}, itip.Booking{Wanted: series}, "DECLINED 4.0 1:30 hours"},
		{"capacity", itip.RoomPolicy{Capacity: 4}, itip.Booking{Wanted: series, People: 5}, "DECLINED 4.0 holds 4 people; 5"},
		{"in hours", itip.RoomPolicy{Open: office}, itip.Booking{Wanted: []itip.Slot{slot(1, 7, 17)}}, "ACCEPTED 2.0"},
		{"before hours, by the room's clock", itip.RoomPolicy{Open: office}, itip.Booking{Wanted: []itip.Slot{slot(1, 6, 8)}}, "DECLINED 4.0 not open"},
		{"on a closed day", itip.RoomPolicy{Open: office}, itip.Booking{Wanted: []itip.Slot{slot(5, 9, 10)}}, "DECLINED 4.0 not open"},
		{"over night", itip.RoomPolicy{Open: office}, itip.Booking{Wanted: []itip.Slot{{From: at(1, 10, 0), To: at(2, 10, 0)}}}, "DECLINED 4.0 not open"},
		{"stranger", itip.RoomPolicy{Domains: []string{"one.test"}}, itip.Booking{Organizer: "x@two.test", Wanted: series}, "DECLINED 3.8"},
		{"colleague", itip.RoomPolicy{Domains: []string{"one.test"}}, itip.Booking{Organizer: "x@ONE.test", Wanted: series}, "ACCEPTED 2.0"},
		{"approval", itip.RoomPolicy{Approvers: []string{"desk@one.test"}}, itip.Booking{Organizer: "x@one.test", Wanted: series}, "TENTATIVE 2.0 pending when desk@one.test agrees"},
		{"approver", itip.RoomPolicy{Approvers: []string{"desk@one.test"}}, itip.Booking{Organizer: "desk@one.test", Wanted: series}, "ACCEPTED 2.0"},
		{"taken, approval or not", itip.RoomPolicy{Approvers: []string{"desk@one.test"}}, itip.Booking{Wanted: series[:1], Taken: []itip.Slot{slot(1, 9, 10)}}, "DECLINED 4.0"},
	} {
		c.booking.Room, c.booking.Now, c.booking.Zone = "Library", now, berlin
		r := c.policy.Rule(c.booking)
		got := r.PartStat + " " + r.Status
		if r.Pending {
			got += " pending"
		}
		if r.Sentence != "" {
			got += " " + r.Sentence
		}
		if len(r.Declined) > 0 {
			got += " declined=" + strings.Join(r.Declined, ",")
		}
		for i, word := range strings.SplitN(c.want, " ", 3) {
			if i < 2 && !strings.HasPrefix(got, strings.Join(strings.SplitN(c.want, " ", 3)[:2], " ")) {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
				break
			}
			for _, part := range strings.Split(word, " declined=") {
				if rest, ok := strings.CutPrefix(part, "pending "); ok {
					part = rest
				}
				if !strings.Contains(got, part) {
					t.Errorf("%s: %q lacks %q", c.name, got, part)
				}
			}
		}
	}
}
