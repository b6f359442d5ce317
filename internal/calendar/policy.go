package calendar

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// BookingPolicy is what a room or resource answers by itself; the zero policy
// where none was set.
func (s *Service) BookingPolicy(ctx context.Context, by account.Actor, room store.AccountID) (p itip.RoomPolicy, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		if _, err := s.bookable(tx, by, room, false); err != nil {
			return err
		}
		p, err = policyOf(tx, room)
		return err
	})
	return p, err
}

// SetBookingPolicy replaces a room's policy. What was answered before stays.
func (s *Service) SetBookingPolicy(ctx context.Context, by account.Actor, room store.AccountID, p itip.RoomPolicy) error {
	if err := checkPolicy(&p); err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if string(text) == "{}" {
		text = nil
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := s.bookable(tx, by, room, true); err != nil {
			return err
		}
		return tx.SetBookingPolicy(room, text)
	})
}

// MaySetPolicy says whether somebody may change a room's policy.
func (s *Service) MaySetPolicy(ctx context.Context, by account.Actor, room store.AccountID) (may bool, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		_, err := s.bookable(tx, by, room, true)
		if may = err == nil; problem.Has(err, problem.NeedPrivileges) {
			return nil
		}
		return err
	})
	return may, err
}

// bookable finds a room or resource. Its policy is changed by administrators,
// by itself, and by who may write to its calendar.
func (s *Service) bookable(tx *store.Tx, by account.Actor, room store.AccountID, change bool) (store.Account, error) {
	a, err := tx.Account(room)
	if err != nil {
		return a, problem.New(problem.NotFound, "There is no such room.").Because(err)
	}
	if a.Kind != store.Room && a.Kind != store.Resource {
		return a, problem.New(problem.BadInput, "%s is no room or resource (it is of the kind %s); it has no booking policy.", a.Name, a.Kind)
	}
	if !change || by.Admin || by.Account == room {
		return a, nil
	}
	c, err := s.defaultCalendar(tx, room, "VEVENT")
	if err != nil {
		return a, err
	}
	have, err := s.accessTo(tx, by, c, acl.Write)
	if err != nil {
		return a, err
	}
	if have < acl.Write {
		return a, problem.New(problem.NeedPrivileges, "Only administrators, and who may write to the calendar of %s, can change when it is booked.", nameFor(a))
	}
	return a, nil
}

func policyOf(tx *store.Tx, room store.AccountID) (p itip.RoomPolicy, err error) {
	text, err := tx.BookingPolicy(room)
	if err != nil {
		return p, fmt.Errorf("booking policy of account %d: %w", room, err)
	}
	if text != nil {
		if err := json.Unmarshal(text, &p); err != nil {
			return p, fmt.Errorf("booking policy of account %d: %w", room, err)
		}
	}
	return p, nil
}

const (
	maxPolicyList = 500                       // addresses or domains in one list
	maxPolicySpan = 50 * 365 * 24 * time.Hour // nobody books further
)

// checkPolicy refuses a policy that cannot be meant, and writes addresses the
// way they are compared.
func checkPolicy(p *itip.RoomPolicy) error {
	bad := func(format string, args ...any) error { return problem.New(problem.BadInput, format, args...) }
	for name, d := range map[string]time.Duration{"how far ahead": p.Ahead, "how soon": p.Notice, "the shortest booking": p.Shortest, "the longest booking": p.Longest} {
		if d < 0 || d > maxPolicySpan {
			return bad("A room's policy says %s: %s is no time for that.", name, d)
		}
	}
	switch {
	case p.Longest > 0 && p.Shortest > p.Longest:
		return bad("The shortest booking (%s) is longer than the longest (%s).", p.Shortest, p.Longest)
	case p.Conflicts < 0 || p.Conflicts > 100:
		return bad("The conflicts that a series may have are 0 to 100 per cent, not %d.", p.Conflicts)
	case p.Capacity < 0 || p.Overlapping < 0:
		return bad("Capacity and bookings at the same time are 0 (not counted) or more.")
	}
	for day, hours := range p.Open {
		if day < time.Sunday || day > time.Saturday {
			return bad("There is no weekday %d.", int(day))
		}
		for _, h := range hours {
			if h.From < 0 || h.To > 24*60 || h.From >= h.To {
				return bad("%s: hours go from 00:00 to 24:00, and end after they begin.", day)
			}
		}
	}
	for _, list := range []*[]string{&p.Organizers, &p.Approvers} {
		for i, a := range *list {
			mail := ical.ParseAddress(a).Email()
			if mail == "" {
				return bad("%q is not a mail address.", clip(a))
			}
			(*list)[i] = mail
		}
	}
	for i, d := range p.Domains {
		d = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(d)), "@")
		if d == "" || strings.ContainsAny(d, "@ /") {
			return bad("%q is not a mail domain.", clip(p.Domains[i]))
		}
		p.Domains[i] = d
	}
	if len(p.Organizers) > maxPolicyList || len(p.Approvers) > maxPolicyList || len(p.Domains) > maxPolicyList {
		return bad("A list of a room's policy has at most %d entries.", maxPolicyList)
	}
	return nil
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseHours reads when a room is open: "mon-fri 08:00-18:00", "sat
// 09:00-13:00", "always".
func ParseHours(lines []string) (map[time.Weekday][]itip.Hours, error) {
	if len(lines) == 0 || len(lines) == 1 && strings.EqualFold(lines[0], "always") {
		return nil, nil
	}
	out := map[time.Weekday][]itip.Hours{}
	for _, l := range lines {
		days, span, ok := strings.Cut(strings.TrimSpace(strings.ToLower(l)), " ")
		wrong := problem.New(problem.BadInput, "%q are no hours; write mon-fri 08:00-18:00, or always.", clip(l))
		from, to, ok2 := strings.Cut(strings.TrimSpace(span), "-")
		first, last, isRange := strings.Cut(days, "-")
		if !isRange {
			last = first
		}
		a, b := slices.Index(weekdays, first), slices.Index(weekdays, last)
		begin, ok3 := minutes(from)
		end, ok4 := minutes(to)
		if !ok || !ok2 || !ok3 || !ok4 || a < 0 || b < 0 || begin >= end {
			return nil, wrong
		}
		for d := a; ; d = (d + 1) % 7 {
			out[time.Weekday(d)] = append(out[time.Weekday(d)], itip.Hours{From: begin, To: end})
			if d == b {
				break
			}
		}
	}
	return out, nil
}

func minutes(s string) (int, bool) {
	h, m, ok := strings.Cut(strings.TrimSpace(s), ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || hour < 0 || minute < 0 || minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, false
	}
	return hour*60 + minute, true
}

// HoursText writes hours as ParseHours reads them, days with the same hours
// together; nothing for a room that is always open.
func HoursText(open map[time.Weekday][]itip.Hours) []string {
	if open == nil {
		return nil
	}
	text := func(d time.Weekday) string {
		var out []string
		for _, h := range open[d] {
			out = append(out, fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60))
		}
		return strings.Join(out, ",")
	}
	order := []time.Weekday{1, 2, 3, 4, 5, 6, 0} // a week begins on Monday (ISO 8601)
	out := []string{}
	for i := 0; i < len(order); {
		j := i
		for j+1 < len(order) && text(order[j+1]) == text(order[i]) {
			j++
		}
		days := weekdays[order[i]]
		if j > i {
			days += "-" + weekdays[order[j]]
		}
		for _, span := range strings.Split(text(order[i]), ",") {
			if span != "" {
				out = append(out, days+" "+span)
			}
		}
		i = j + 1
	}
	return out
}
