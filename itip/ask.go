package itip

import (
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// Proposal is what an attendee would rather have, for the whole event or one
// occurrence. What is zero or empty stays as it is.
type Proposal struct {
	RecurrenceID string // as in Message; "" = the whole
	Start, End   ical.Time
	Location     string
	Comment      string
}

// Counter is the COUNTER that proposes something else to the organizer (RFC
// 5546 3.2.7), and the memory to keep; stored is the attendee's copy, which
// stays as it is. by is the designate who writes for the attendee, "" = nobody.
// The error is an [*Error].
func (q Proposal) Counter(stored *ical.Calendar, m Memory, user []ical.Address, by ical.Address, now time.Time, z *tz.Zone, local func(ical.Address) bool) (Message, Memory, error) {
	a, err := asking(stored, m, user, by, now, z, local)
	if err != nil {
		return Message{}, m, err
	}
	c, key, err := a.component(q.RecurrenceID)
	if err != nil {
		return Message{}, m, err
	}
	line := a.me.line(c)
	switch {
	case line == nil || dead(c):
		return Message{}, m, refuse(conditionByGuest, q.RecurrenceID, "ATTENDEE", "You are not among the guests of %s, or it is cancelled.", title(a.o))
	case strings.EqualFold(c.Value("X-MICROSOFT-DISALLOW-COUNTER"), "TRUE"):
		return Message{}, m, refuse(conditionByGuest, q.RecurrenceID, "X-MICROSOFT-DISALLOW-COUNTER", "%s wants no proposals for %s. Answer, or write to them.", organizerName(a.o), title(a.o))
	}
	want := c.Clone()
	if err := q.edit(a.o, want); err != nil {
		return Message{}, m, err
	}
	o := newObject(&ical.Calendar{Component: ical.Component{Name: "VCALENDAR", Components: append(zonesOf(a.o.cal), want)}}, z)
	if len(compare(a.o, c, o, want).diffs) == 0 {
		return Message{}, m, refuse(conditionByGuest, q.RecurrenceID, "DTSTART", "The proposal is what %s is already. Give another time or place.", title(a.o))
	}
	mem := a.mem
	l := letter{o: o, stamp: mem.nextStamp(now), sentBy: by, zone: z}
	out := l.request(want, nil)
	out.Remove("SEQUENCE", "ATTENDEE")
	// The proposal says which version it is about: SEQUENCE is the organizer's.
	out.Add(ical.NewProperty("SEQUENCE", strconv.Itoa(a.sequence(c, key))))
	me := outwardAttendee(line)
	me.RemoveParam("RSVP")
	if by != "" && !by.Equal(line.Address()) {
		me.SetParam("SENT-BY", string(by))
		out.Prop("ORGANIZER").RemoveParam("SENT-BY")
	}
	out.Add(me)
	if q.Comment != "" {
		out.Add(ical.NewText("COMMENT", q.Comment))
	}
	if was := c.Prop("DTSTART"); was != nil && c.Name == "VEVENT" {
		// OTH-02: Outlook shows the old time beside the new by these.
		if t, err := was.Time(); err == nil && !t.IsDate() {
			out.Add(ical.NewProperty("X-MS-OLK-ORIGINALSTART", instantKey(a.o.zones.Instant(t))))
			if end, ok := a.o.end(c); ok {
				out.Add(ical.NewProperty("X-MS-OLK-ORIGINALEND", instantKey(a.o.zones.Instant(end))))
			}
		}
	}
	msg := l.message(Counter, line.Address(), a.to, key, l.calendar(Counter, out))
	msg.Changes = compare(a.o, c, o, want).diffs
	return msg, mem, nil
}

// edit writes the proposal into the attendee's copy of the component.
func (q Proposal) edit(o *object, c *ical.Component) error {
	like := ical.UTCTime(time.Time{})
	if p := c.Prop("DTSTART"); p != nil {
		if t, err := p.Time(); err == nil {
			like = t
		}
	}
	end, timed := o.end(c)
	if !q.Start.Wall.IsZero() {
		if q.Start.IsDate() != like.IsDate() && c.Prop("DTSTART") != nil {
			return refuse(conditionByGuest, q.RecurrenceID, "DTSTART", "%s cannot be proposed as an event of whole days where it has times, or the other way round.", title(o))
		}
		if q.End.Wall.IsZero() && timed && c.Name == "VEVENT" {
			// It lasts as long as it did.
			q.End = q.Start
			if q.Start.IsDate() {
				q.End.Wall = q.Start.Wall.Add(end.Wall.Sub(like.Wall))
			} else {
				q.End = ical.UTCTime(o.zones.Instant(q.Start).Add(o.zones.Instant(end).Sub(o.zones.Instant(like))))
			}
		}
		set1(c, "DTSTART", q.Start)
	}
	if !q.End.Wall.IsZero() {
		name := "DTEND"
		if c.Name == "VTODO" {
			name = "DUE"
		}
		start := q.Start
		if start.Wall.IsZero() {
			start = like
		}
		if !o.zones.Instant(start).Before(o.zones.Instant(q.End)) && name == "DTEND" {
			return refuse(conditionByGuest, q.RecurrenceID, name, "The time proposed for %s ends before it begins.", title(o))
		}
		c.Remove("DURATION")
		set1(c, name, q.End)
	}
	if q.Location != "" {
		c.SetText("LOCATION", q.Location)
	}
	return nil
}

func set1(c *ical.Component, name string, t ical.Time) {
	p := c.Prop(name)
	if p == nil {
		p = ical.NewProperty(name, "")
		c.Add(p)
	}
	p.SetTime(t)
}

func zonesOf(cal *ical.Calendar) []*ical.Component {
	var out []*ical.Component
	for _, c := range cal.Components {
		if c.Name == "VTIMEZONE" {
			out = append(out, c)
		}
	}
	return out
}

// AskRefresh is the REFRESH by which an attendee asks the organizer for the
// present state of an event (RFC 5546 3.2.6), and the memory to keep. The error
// is an [*Error].
func AskRefresh(stored *ical.Calendar, m Memory, user []ical.Address, by ical.Address, now time.Time, local func(ical.Address) bool) (Message, Memory, error) {
	a, err := asking(stored, m, user, by, now, nil, local)
	if err != nil {
		return Message{}, m, err
	}
	var line *ical.Property
	var from *ical.Component
	for _, c := range stored.Main() {
		if line = a.me.line(c); line != nil {
			from = c
			break
		}
	}
	if line == nil {
		return Message{}, m, refuse(conditionByGuest, "", "ATTENDEE", "You are not among the guests of %s; only they may ask for its state.", title(a.o))
	}
	mem := a.mem
	out := ical.NewComponent(from.Name)
	out.Add(from.Prop("UID").Clone())
	stamp := ical.NewProperty("DTSTAMP", "")
	stamp.SetTime(ical.UTCTime(mem.nextStamp(now)))
	org := a.o.organizer(from).Clone()
	stripParams(org)
	me := ical.NewProperty("ATTENDEE", string(line.Address()))
	if cn := line.Param("CN"); cn != "" {
		me.SetParam("CN", cn)
	}
	if by != "" && !by.Equal(line.Address()) {
		me.SetParam("SENT-BY", string(by))
	}
	out.Add(stamp, org, me)
	cal := ical.New(ProductID)
	cal.Set("METHOD", string(Refresh))
	cal.Components = append(cal.Components, out)
	cal.Normalize()
	l := letter{o: a.o, sentBy: by}
	return l.message(Refresh, line.Address(), a.to, "", cal), mem, nil
}

// asked is an attendee who writes to the organizer of a stored event.
type asked struct {
	o   *object
	me  people
	mem Memory
	to  ical.Address
}

func asking(stored *ical.Calendar, m Memory, user []ical.Address, by ical.Address, now time.Time, z *tz.Zone, local func(ical.Address) bool) (*asked, error) {
	a := &asked{o: newObject(stored, z), me: peopleOf(user), mem: m.clone()}
	if m.InvitedAs != "" {
		a.me[m.InvitedAs.Key()] = true
	}
	switch roleIn(a.o, a.me) {
	case OrganizerRole:
		return nil, refuse(conditionByOwner, "", "ORGANIZER", "You organize %s yourself; change it as you like.", title(a.o))
	case None:
		return nil, refuse(conditionByGuest, "", "ATTENDEE", "%s is no invitation of yours: there is nobody to ask.", title(a.o))
	}
	if a.to = reachable(a.o.organizer(nil), local); a.to == "" {
		return nil, refuse(conditionByGuest, "", "ORGANIZER", "The organizer of %s cannot be reached: %s is no address for messages.", title(a.o), a.o.organizer(nil).Address())
	}
	return a, nil
}

// component finds what a recurrence id means: the master, an override, or an
// occurrence made for the asking.
func (a *asked) component(recurrenceID string) (*ical.Component, string, error) {
	key := recurrenceID
	if key != "" {
		if t, err := ical.ParseTime(key, "", len(key) == len("20060102")); err == nil {
			key = a.o.key(t, a.o.zones)
		}
	}
	c := a.o.component(key)
	if c == nil && key != "" {
		c = a.o.derive(key)
	}
	if c == nil {
		return nil, key, refuse(conditionByGuest, recurrenceID, "RECURRENCE-ID", "%s has no occurrence at that time, or you are invited to single occurrences only: name one.", title(a.o))
	}
	return c, key, nil
}

func (a *asked) sequence(c *ical.Component, key string) int {
	if v, ok := a.mem.Versions[key]; ok {
		return v.Sequence
	}
	return sequence(c)
}
