package itip

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical/tz"
)

// Booking policies of rooms and resources. No standard has them; the words are
// those of the field: what hours a room is open, how far ahead it can be booked,
// who must agree. The answer goes out as an ordinary REPLY (RFC 5546 3.2.3).

// Hours is a span of one day, in minutes from midnight: [From, To), at most
// 24*60.
type Hours struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// RoomPolicy says when a room or resource accepts. It is plain data for JSON;
// the zero value accepts everything that is free.
type RoomPolicy struct {
	// Open are the hours of each day, Sunday = 0, by the clock of the room; nil =
	// always. A day that has no entry is closed.
	Open map[time.Weekday][]Hours `json:"open,omitempty"`
	// Ahead is how far from now a booking may begin, Notice how soon at least;
	// 0 = no bound. Occurrences beyond Ahead are not counted as conflicts where
	// EndlessAllowed, else decline a series that reaches there.
	Ahead          time.Duration `json:"ahead,omitempty"`
	Notice         time.Duration `json:"notice,omitempty"`
	EndlessAllowed bool          `json:"endlessAllowed,omitempty"`
	Shortest       time.Duration `json:"shortest,omitempty"` // 0 = no bound
	Longest        time.Duration `json:"longest,omitempty"`  // 0 = no bound
	Capacity       int           `json:"capacity,omitempty"` // people; 0 = not counted
	// Organizers and Domains say who may book at all; both empty = everybody.
	Organizers []string `json:"organizers,omitempty"` // mail addresses
	Domains    []string `json:"domains,omitempty"`
	// Approvers decide instead of the policy: what it would accept stays pending
	// (tentative) until one of them answers. Their own bookings need nobody.
	Approvers []string `json:"approvers,omitempty"` // mail addresses
	// Conflicts is how many per cent of the occurrences of a series may be taken
	// already: the series is accepted then, and those are declined one by one.
	Conflicts int `json:"conflicts,omitempty"`
	// Overlapping bookings that may run at the same time (seats, cars); 0 and 1 =
	// one.
	Overlapping int `json:"overlapping,omitempty"`
	// Tentative holds the place where a conflict is only tentative, instead of
	// declining.
	Tentative bool `json:"tentative,omitempty"`
}

// Slot is one occurrence that a booking asks for, or that is taken already.
type Slot struct {
	RecurrenceID string // as in [Message]; of a taken one: anything
	From, To     time.Time
	Tentative    bool // of a taken one: not agreed yet
}

// Booking is what somebody asks a room for: the occurrences of one component
// from now on, in order.
type Booking struct {
	Room      string // for sentences
	Organizer string // mail address
	People    int    // who are to come, the room and other resources not counted
	Wanted    []Slot
	Endless   bool   // the series goes on behind the last slot
	Taken     []Slot // by others, overlapping Wanted, in order of From
	Now       time.Time
	Zone      *tz.Zone // the room's; nil = UTC
}

// Ruling is what a room answers.
type Ruling struct {
	PartStat string   // ACCEPTED, DECLINED or TENTATIVE
	Pending  bool     // an approver must decide
	Declined []string // recurrence ids of occurrences to decline by themselves
	Status   string   // REQUEST-STATUS code (RFC 5546 3.6): 2.0; 4.0 for a conflict, 3.8 for who may not
	Sentence string   // for the organizer; "" = nothing to say
}

// Rule decides a booking by the policy. It is a pure function: the caller looks
// up what is taken, rules, and keeps the answer in one transaction, so that no
// room is booked twice.
func (p RoomPolicy) Rule(b Booking) Ruling {
	decline := func(status, format string, args ...any) Ruling {
		return Ruling{PartStat: partStatDeclined, Status: status, Sentence: fmt.Sprintf(format, args...)}
	}
	z := b.Zone
	if z == nil {
		z = tz.UTC
	}
	at := func(t time.Time) string { return moment(instantKey(t), z) }
	if !p.mayBook(b.Organizer) {
		return decline("3.8", "%s cannot be booked by %s.", b.Room, b.Organizer)
	}
	if p.Capacity > 0 && b.People > p.Capacity {
		return decline("4.0", "%s holds %d people; %d are invited.", b.Room, p.Capacity, b.People)
	}
	if len(b.Wanted) == 0 {
		return Ruling{PartStat: partStatAccepted, Status: statusSuccess} // all of it is past
	}
	if b.Endless && p.Ahead > 0 && !p.EndlessAllowed {
		return decline("4.0", "%s can be booked for %s ahead; the series does not end by then.", b.Room, days(p.Ahead))
	}
	for _, s := range b.Wanted {
		lasts := s.To.Sub(s.From)
		switch {
		case p.Ahead > 0 && s.From.Sub(b.Now) > p.Ahead && !p.EndlessAllowed:
			return decline("4.0", "%s can be booked for %s ahead; %s is later.", b.Room, days(p.Ahead), at(s.From))
		case p.Notice > 0 && s.From.Sub(b.Now) < p.Notice && s.To.After(b.Now):
			return decline("4.0", "%s must be booked %s before; %s is too soon.", b.Room, span(p.Notice), at(s.From))
		case p.Longest > 0 && lasts > p.Longest:
			return decline("4.0", "%s can be booked for %s at a time, not for %s.", b.Room, span(p.Longest), span(lasts))
		case p.Shortest > 0 && lasts < p.Shortest:
			return decline("4.0", "%s is booked for %s at least, not for %s.", b.Room, span(p.Shortest), span(lasts))
		case !p.open(s, z):
			return decline("4.0", "%s is not open all the time from %s to %s.", b.Room, at(s.From), at(s.To))
		}
	}
	return p.ruleConflicts(b, at)
}

func (p RoomPolicy) ruleConflicts(b Booking, at func(time.Time) string) Ruling {
	r := Ruling{PartStat: partStatAccepted, Status: statusSuccess}
	seats := max(p.Overlapping, 1)
	var firm, loose []Slot // what stands in the way
	var taken []string
	for _, s := range b.Wanted {
		sure, maybe := crossing(b.Taken, s)
		switch {
		case len(sure) >= seats || len(sure)+len(maybe) >= seats && !p.Tentative:
			firm, taken = append(firm, append(sure, maybe...)[0]), append(taken, s.RecurrenceID)
		case len(sure)+len(maybe) >= seats:
			loose = append(loose, maybe[0])
		}
	}
	if n := len(firm); n > 0 {
		// A single booking, or all of them, or more than the policy lets pass.
		if n == len(b.Wanted) || n*100 > p.Conflicts*len(b.Wanted) {
			r.PartStat, r.Status = partStatDeclined, "4.0"
			r.Sentence = fmt.Sprintf("%s is already booked from %s to %s.", b.Room, at(firm[0].From), at(firm[0].To))
			if n > 1 {
				r.Sentence = strings.TrimSuffix(r.Sentence, ".") + fmt.Sprintf(", and at %d further times.", n-1)
			}
			return r
		}
		r.Declined = taken
		r.Sentence = fmt.Sprintf("%s is taken at %d of %d times; the first is %s.", b.Room, n, len(b.Wanted), at(firm[0].From))
	}
	if len(loose) > 0 {
		r.PartStat = partStatTentative
		r.Sentence = strings.TrimSpace(r.Sentence + fmt.Sprintf(" Somebody else may need %s from %s to %s.", b.Room, at(loose[0].From), at(loose[0].To)))
	}
	if len(p.Approvers) > 0 && !among(p.Approvers, b.Organizer) {
		r.PartStat, r.Pending = partStatTentative, true
		r.Sentence = strings.TrimSpace(r.Sentence + fmt.Sprintf(" %s is yours when %s agrees.", b.Room, strings.Join(p.Approvers, " or ")))
	}
	return r
}

// crossing are the taken slots that overlap one, agreed and tentative. How many
// overlap at the same moment is what counts for more than one seat.
func crossing(taken []Slot, s Slot) (sure, maybe []Slot) {
	end, _ := slices.BinarySearchFunc(taken, s.To, func(t Slot, to time.Time) int { return t.From.Compare(to) })
	for _, t := range taken[:end] {
		if !t.To.After(s.From) {
			continue
		}
		if t.Tentative {
			maybe = append(maybe, t)
		} else {
			sure = append(sure, t)
		}
	}
	return atOnce(sure), atOnce(maybe)
}

// atOnce are those of the slots that run at the busiest moment.
func atOnce(list []Slot) []Slot {
	var most []Slot
	for _, s := range list {
		var now []Slot
		for _, t := range list {
			if !t.From.After(s.From) && t.To.After(s.From) {
				now = append(now, t)
			}
		}
		if len(now) > len(most) {
			most = now
		}
	}
	return most
}

func (p RoomPolicy) mayBook(organizer string) bool {
	if len(p.Organizers) == 0 && len(p.Domains) == 0 || among(p.Organizers, organizer) || among(p.Approvers, organizer) {
		return true
	}
	_, domain, _ := strings.Cut(organizer, "@")
	return slices.ContainsFunc(p.Domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

func among(list []string, address string) bool {
	return slices.ContainsFunc(list, func(a string) bool { return strings.EqualFold(a, address) })
}

// open reports whether a slot lies within the hours, day by day.
func (p RoomPolicy) open(s Slot, z *tz.Zone) bool {
	if p.Open == nil {
		return true
	}
	from, _ := z.Wall(s.From)
	to, _ := z.Wall(s.To)
	for !from.After(to) {
		midnight := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
		next := midnight.AddDate(0, 0, 1)
		end := to
		if next.Before(to) {
			end = next
		}
		begins, ends := int(from.Sub(midnight)/time.Minute), int((end.Sub(midnight)+time.Minute-1)/time.Minute)
		if ends > begins && !within(p.Open[from.Weekday()], begins, ends) {
			return false
		}
		from = next
	}
	return true
}

// within reports whether hours, which may touch each other, cover a span.
func within(hours []Hours, from, to int) bool {
	list := slices.Clone(hours)
	slices.SortFunc(list, func(a, b Hours) int { return a.From - b.From })
	for _, h := range list {
		if h.From <= from && h.To > from {
			from = h.To
		}
	}
	return from >= to
}

func days(d time.Duration) string {
	n := int(d / (24 * time.Hour))
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

func span(d time.Duration) string {
	if d >= 48*time.Hour && d%(24*time.Hour) == 0 {
		return days(d)
	}
	h, m := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case h == 0:
		return fmt.Sprintf("%d minutes", m)
	case m == 0 && h == 1:
		return "1 hour"
	case m == 0:
		return fmt.Sprintf("%d hours", h)
	}
	return fmt.Sprintf("%d:%02d hours", h, m)
}
