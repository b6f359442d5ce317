package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

const (
	// roomAhead: a room looks this far for conflicts of an endless series.
	roomAhead = 5 * 366 * 24 * time.Hour
	// roomOccurrences are compared at most: more than any booking has, an endless
	// series apart.
	roomOccurrences = 3000
)

// answerAsRoom answers an invitation for a room or resource by its policy: the
// series, and each occurrence that stands for itself. Look-up, decision and
// reservation are one transaction, and all that reserve a room write to its
// home, so it cannot be booked twice, whichever way the requests came.
func (s *Service) answerAsRoom(tx *store.Tx, a Arrival, who store.Account, o *store.Object, dir *Directory) ([]*store.Entry, error) {
	policy, err := policyOf(tx, who.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.roomRequest(tx, who, o)
	if err != nil {
		return nil, err
	}
	if !a.Approved && !s.mayAsk(tx, policy, r, dir) {
		return nil, nil // a person answers (POL-07)
	}
	var rows []*store.Entry
	answered := r.cal
	status := ""
	var pending []itip.Ruling
	var waits []string
	for _, part := range unanswered(r.cal, r.user, r.zone) {
		b, err := s.booking(tx, r, part)
		if err != nil {
			return nil, err
		}
		ruling := policy.Rule(b)
		if answered, err = itip.Answer(answered, r.memory, r.user, ruling.PartStat, ruling.Sentence, part.id, s.now()); err != nil {
			return nil, forbidden(err)
		}
		for _, id := range ruling.Declined {
			if answered, err = itip.Answer(answered, r.memory, r.user, "DECLINED", fmt.Sprintf("%s is already booked then.", r.name), id, s.now()); err != nil {
				return nil, forbidden(err)
			}
		}
		if ruling.PartStat == "DECLINED" || len(ruling.Declined) > 0 {
			status = ruling.Status
			if len(ruling.Declined) > 0 {
				status = "4.0"
			}
		}
		if ruling.Pending {
			pending, waits = append(pending, ruling), append(waits, part.id)
		}
	}
	if answered == r.cal {
		return nil, nil // it asks for nothing that is not answered
	}
	if err := s.withdrawApprovals(tx, r, "A newer request took its place."); err != nil {
		return nil, err
	}
	e, err := s.answerRoom(tx, r, answered, status)
	if err != nil {
		return nil, err
	}
	rows = append(rows, e.rows...)
	for i, p := range pending {
		if err := s.askApprovers(tx, r, policy, waits[i], p); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// mayAsk reports whether a room answers its organizer by itself: people of this
// service, whom the policy names, and everybody where the service trusts
// everybody.
func (s *Service) mayAsk(tx *store.Tx, policy itip.RoomPolicy, r roomRequest, dir *Directory) bool {
	if s.o.OpenRooms || len(policy.Organizers) > 0 || len(policy.Domains) > 0 {
		return true // the policy decides
	}
	for _, c := range r.cal.Main() {
		if o, ok := itip.Organizer(c); ok {
			return dir.local(o.Address) || s.ourDomain(o.Address)
		}
	}
	return false
}

// answerRoom stores a room's answers and tells the organizer.
func (s *Service) answerRoom(tx *store.Tx, r roomRequest, answered *ical.Calendar, status string) (effect, error) {
	d := &draft{cal: answered, data: answered.Bytes(), kind: r.object.Component, uid: r.object.UID, schedules: true}
	d.etag = etag(d.data)
	var err error
	if d.index, err = s.timeIndex(answered, tz.NewResolver(answered, nil)); err != nil {
		return effect{}, err
	}
	return s.apply(tx, change{by: account.Actor{Account: r.room.ID}, coll: r.coll, old: r.object, name: r.object.Name, new: d, reply: itip.ReplySend, status: status})
}

// roomRequest is an event in a room's calendar that asks for the room.
type roomRequest struct {
	room   store.Account
	name   string // for sentences
	coll   store.Collection
	object *store.Object
	cal    *ical.Calendar
	memory itip.Memory
	user   []ical.Address
	zone   *tz.Zone
}

func (s *Service) roomRequest(tx *store.Tx, who store.Account, o *store.Object) (roomRequest, error) {
	r := roomRequest{room: who, name: nameFor(who), object: o, zone: accountZone(who)}
	var err error
	if r.cal, _, err = s.parse(tx, o); err != nil {
		return r, err
	}
	if r.memory, err = memoryOf(o); err != nil {
		return r, err
	}
	if r.user, err = addresses(tx, who.ID); err != nil {
		return r, err
	}
	if r.coll, err = tx.Collection(o.Account, o.Collection); err != nil {
		return r, fmt.Errorf("calendar of %s: %w", o.Name, err)
	}
	return r, nil
}

func nameFor(a store.Account) string {
	if a.DisplayName != "" {
		return a.DisplayName
	}
	return a.Name
}

// part is one component that waits for an answer.
type part struct {
	id        string // as in itip.Message.RecurrenceID, "" = the master
	component *ical.Component
}

// unanswered lists the components in which the user is asked: occurrences
// first, since the answer to the series answers what is open yet.
func unanswered(cal *ical.Calendar, user []ical.Address, zone *tz.Zone) []part {
	return partsAnswered(cal, user, zone, "", "NEEDS-ACTION")
}

// partsAnswered lists the components in which the user's answer is one of some.
func partsAnswered(cal *ical.Calendar, user []ical.Address, zone *tz.Zone, states ...string) []part {
	zones := tz.NewResolver(cal, zone)
	asked := func(c *ical.Component) bool {
		a, ok := attending(c, user)
		return ok && slices.Contains(states, a.PartStat) && !strings.EqualFold(c.Value("STATUS"), "CANCELLED")
	}
	var out []part
	for _, c := range cal.Overrides() {
		t, err := c.Prop("RECURRENCE-ID").Time()
		if err != nil || !asked(c) {
			continue
		}
		out = append(out, part{idOf(t, zones), c})
	}
	if m := cal.Master(); m != nil && asked(m) {
		out = append(out, part{"", m})
	}
	return out
}

// idOf is a recurrence id as in itip.Message: an instant in UTC, or a date.
func idOf(t ical.Time, zones *tz.Resolver) string {
	if t.IsDate() {
		return t.String()
	}
	return ical.UTCTime(zones.Instant(t)).String()
}

func attending(c *ical.Component, user []ical.Address) (itip.Attendee, bool) {
	for _, a := range itip.Attendees(c) {
		if containsAddress(user, a.Address) {
			return a, true
		}
	}
	return itip.Attendee{}, false
}

// booking is what one component of an event asks a room for, and what stands
// in its way.
func (s *Service) booking(tx *store.Tx, r roomRequest, p part) (itip.Booking, error) {
	b := itip.Booking{Room: r.name, Now: s.now(), Zone: r.zone}
	organizer, ok := itip.Organizer(p.component)
	if !ok && r.cal.Master() != nil {
		organizer, ok = itip.Organizer(r.cal.Master())
	}
	if ok {
		b.Organizer = organizer.Mailbox()
	}
	comes := false
	for _, a := range itip.Attendees(p.component) {
		switch a.CUType {
		case "ROOM", "RESOURCE", "GROUP":
			continue
		}
		if containsAddress(r.user, a.Address) || a.PartStat == "DECLINED" || a.PartStat == "DELEGATED" || a.Role == "NON-PARTICIPANT" {
			continue
		}
		b.People++
		comes = comes || a.Address.Equal(organizer.Address)
	}
	if !comes && ok {
		b.People++ // who invites comes, listed or not
	}
	var err error
	if b.Wanted, err = s.wanted(r.cal, p.component, r.zone); err != nil {
		return b, err
	}
	b.Endless = endless(p.component)
	b.Taken, err = s.taken(tx, r, b.Wanted)
	return b, err
}

func endless(c *ical.Component) bool {
	for p := range c.Props("RRULE") {
		if v := strings.ToUpper(p.Value()); !strings.Contains(v, "COUNT=") && !strings.Contains(v, "UNTIL=") {
			return true
		}
	}
	return false
}

// wanted are the times that a component asks for, from now on.
func (s *Service) wanted(cal *ical.Calendar, c *ical.Component, zone *tz.Zone) ([]itip.Slot, error) {
	if strings.EqualFold(c.Value("STATUS"), "CANCELLED") || strings.EqualFold(c.Value("TRANSP"), "TRANSPARENT") {
		return nil, nil
	}
	zones := tz.NewResolver(cal, zone)
	set, err := recur.New(cal, zones, recur.Options{})
	if err != nil {
		return nil, err
	}
	var out []itip.Slot
	now := s.now()
	until := s.limits.MaxDate
	if endless(c) {
		until = now.Add(roomAhead)
	}
	for o := range set.Between(now, until) {
		if len(out) == roomOccurrences {
			break
		}
		if o.Component == c {
			out = append(out, itip.Slot{RecurrenceID: idOf(o.ID, zones), From: o.From, To: o.To})
		}
	}
	return out, set.Err()
}

// taken are the times that a room has agreed to, or holds for somebody, where
// they could meet what is wanted. What nobody has answered yet takes nothing:
// else a stranger could keep a room from everybody (POL-02).
func (s *Service) taken(tx *store.Tx, r roomRequest, wanted []itip.Slot) ([]itip.Slot, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	from, to := wanted[0].From, wanted[0].To
	for _, w := range wanted {
		from, to = minTime(from, w.From), maxTime(to, w.To)
	}
	all, err := tx.Collections(r.room.ID)
	if err != nil {
		return nil, fmt.Errorf("collections of account %d: %w", r.room.ID, err)
	}
	var out []itip.Slot
	for _, c := range all {
		if c.Kind == store.Inbox && c.Properties[Availability] != "" {
			for _, away := range freebusy.Away(s.availability([]byte(c.Properties[Availability]), r.zone, from, to)) {
				out = append(out, itip.Slot{From: away.From, To: away.To})
			}
		}
		if c.Kind != store.Calendar || c.Transparent {
			continue
		}
		err := candidates(tx, r.room.ID, []int64{c.ID}, "VEVENT", from, to, func(o store.Object, body []byte) error {
			if o.UID == r.object.UID {
				return nil
			}
			slots, err := s.slots(body, r, from, to)
			if err != nil {
				s.log.Error("a booking of a room cannot be worked out", "room", r.room.Name, "object", o.ID, "error", err)
				return nil // one broken object does not close a room
			}
			out = append(out, slots...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b itip.Slot) int { return a.From.Compare(b.From) })
	return out, nil
}

// slots are the times at which one event holds a room.
func (s *Service) slots(body []byte, r roomRequest, from, to time.Time) ([]itip.Slot, error) {
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		return nil, err
	}
	set, err := recur.New(cal, tz.NewResolver(cal, r.zone), recur.Options{})
	if err != nil {
		return nil, err
	}
	var out []itip.Slot
	for o := range set.Between(from, to) {
		c := o.Component
		if strings.EqualFold(c.Value("STATUS"), "CANCELLED") || strings.EqualFold(c.Value("TRANSP"), "TRANSPARENT") {
			continue
		}
		slot := itip.Slot{From: o.From, To: o.To, Tentative: strings.EqualFold(c.Value("STATUS"), "TENTATIVE")}
		if a, invited := attending(c, r.user); invited {
			switch a.PartStat {
			case "ACCEPTED":
			case "TENTATIVE":
				slot.Tentative = true
			default:
				continue
			}
		}
		out = append(out, slot)
	}
	return out, set.Err()
}
