package cip

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/vcal1"
)

// Event is the body of SENDEVENT: an event or to-do for the attendees of one
// server, new, changed or cancelled.
type Event struct {
	Form      Form
	ID        string // event id
	UID       string // the UID that the owner's calendar has where the event id was made of it; else the id
	Version   int64  // 0..2^31
	Cancelled bool
	Owner     Person
	Attendees []Person // in the order of their lines, the owner included
	Trace     []string // server ids that forwarded it on behalf of a group
	// Calendar is the event as an iTIP message: METHOD REQUEST or CANCEL, with
	// UID, SEQUENCE that of iCalendar.
	Calendar *ical.Calendar
}

// ParseEvent reads the body of SENDEVENT. Errors wrap ErrBody.
func ParseEvent(data []byte, r Reading) (*Event, error) {
	r = r.orDefault()
	b, err := readBody(data, r, true)
	if err != nil {
		return nil, err
	}
	e := &Event{Form: b.form, Calendar: b.cal}
	if e.ID, err = b.oneID(); err != nil {
		return nil, err
	}
	if e.Version, err = b.version(1); err != nil {
		return nil, err
	}
	status := strings.ToUpper(b.facts["STATUS"])
	e.Cancelled = status == "CANCELLED" || status == "DECLINED" && b.form != ICal20 || strings.EqualFold(b.cal.Method(), "CANCEL")
	if m := b.cal.Method(); b.form == ICal20 && m != "" && !strings.EqualFold(m, "CANCEL") && !strings.EqualFold(m, "REQUEST") {
		return nil, bad("METHOD:%s is no event sent to attendees", clip(m))
	}
	if !e.Cancelled && b.facts["DTSTART"] == "" && b.cal.Main()[0].Name == "VEVENT" {
		return nil, bad("the event has no DTSTART")
	}
	e.Trace = b.trace()
	if err := e.people(b, r.Attendees); err != nil {
		return nil, err
	}
	e.shape(b, r)
	return e, nil
}

// oneID is the UID that all components have.
func (b *body) oneID() (string, error) {
	if b.facts["UID"] == "" {
		return "", bad("there is no UID")
	}
	id, kind := "", ""
	for _, c := range b.cal.Main() {
		if c.Name != "VEVENT" && c.Name != "VTODO" {
			return "", bad("%s cannot be sent; events and to-dos can", clip(c.Name))
		}
		uid := c.Text("UID")
		if id != "" && uid != id || kind != "" && kind != c.Name {
			return "", bad("more than one event")
		}
		id, kind = uid, c.Name
	}
	switch {
	case id == "":
		return "", bad("there is no UID")
	case len(id) > maxID || !validID(id):
		return "", bad("the UID cannot be an event id")
	}
	return id, nil
}

// people finds the owner and the attendees (R-13, R-14 of the draft's section 1.3).
func (e *Event) people(b *body, most int) error {
	if b.owners > 1 || b.owners == 0 && b.chiefs != 1 {
		return bad("there is not one ATTENDEE with ROLE=OWNER")
	}
	seen := map[string]bool{}
	for _, c := range b.cal.Main() {
		for _, p := range c.Properties {
			switch p.Name() {
			case "ORGANIZER":
				if o := personOf(p); e.Owner.ID == "" {
					e.Owner = o
				} else if !o.Address.Equal(e.Owner.Address) {
					return bad("two owners")
				}
			case "ATTENDEE", "X-VCAL-ATTENDEE":
				w := personOf(p)
				if key := w.ID; w.ID != "" && !seen[key] {
					seen[key] = true
					e.Attendees = append(e.Attendees, w)
				}
			}
		}
	}
	switch {
	case e.Owner.Address == "":
		return bad("the owner has no address")
	case len(e.Attendees) > most:
		return bad("%d attendees; %d are allowed", len(e.Attendees), most)
	}
	if !slices.ContainsFunc(e.Attendees, func(w Person) bool { return w.Address.Equal(e.Owner.Address) }) {
		e.Attendees = slices.Insert(e.Attendees, 0, e.Owner)
	}
	return nil
}

// shape makes an iTIP message of what was read.
func (e *Event) shape(b *body, r Reading) {
	cal := b.cal
	cal.Set("METHOD", "REQUEST")
	if e.Cancelled {
		cal.Set("METHOD", "CANCEL")
	}
	sequence := max(0, e.Version-1)
	if n, err := strconv.ParseInt(b.facts["X-ICAL-SEQUENCE"], 10, 32); err == nil && n >= 0 {
		sequence = n // a peer that knows iCalendar's own count says it
	}
	// By another way the event has the UID of the owner's calendar, and it is to
	// be the same event then. The id shows that it is the owner's to say.
	e.UID = e.ID
	if uid := b.facts["X-ICAL-UID"]; uid != "" {
		if id, ok := EventID(uid, []string{ServerOf(e.Owner.ID)}); ok && id == e.ID {
			e.UID = uid
		}
	}
	stamped := b.form == ICal20 || b.facts["X-ICAL-DTSTAMP"] != ""
	for _, c := range cal.Main() {
		c.Remove("RESPONSE-SEQUENCE", "X-CIP-TRACE", "X-ICAL-SEQUENCE", "X-ICAL-UID", "X-VCAL-ATTENDEE")
		if e.UID != e.ID {
			c.SetText("UID", e.UID)
		}
		c.Components = slices.DeleteFunc(c.Components, func(s *ical.Component) bool { return s.Name == "VALARM" })
		if b.form == ICal20 && b.facts["X-ICAL-SEQUENCE"] == "" {
			if n, err := strconv.ParseInt(c.Value("SEQUENCE"), 10, 64); err == nil {
				sequence = max(0, n-1)
			}
		}
		c.Set("SEQUENCE", strconv.FormatInt(min(sequence, MaxVersion), 10))
		if !stamped || c.Prop("DTSTAMP") == nil {
			p := c.Prop("DTSTAMP")
			if p == nil {
				p = ical.NewProperty("DTSTAMP", "")
				c.Add(p)
			}
			p.SetTime(ical.UTCTime(r.Now))
		}
		if e.Cancelled {
			c.Set("STATUS", "CANCELLED")
			if b.facts["DTSTART"] == "" && b.form != ICal20 {
				c.Remove("DTSTART")
			}
		}
		if b.form == ICal20 {
			continue
		}
		if c.Prop("SUMMARY") == nil {
			if s := firstLine(c.Text("DESCRIPTION")); s != "" {
				c.SetText("SUMMARY", s)
			}
		}
		for p := range c.Props("ATTENDEE") {
			if p.Address().Equal(e.Owner.Address) {
				p.SetParam("PARTSTAT", "ACCEPTED")
				p.SetParam("ROLE", "CHAIR")
				continue
			}
			if p.Param("ROLE") == "NON-PARTICIPANT" { // EXPECT=FYI is vCalendar's default and says nothing
				p.RemoveParam("ROLE")
			}
			if !p.HasParam("RSVP") {
				p.SetParam("RSVP", "TRUE")
			}
		}
	}
}

// firstLine of a description serves as a summary of at most 80 characters.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if r := []rune(strings.TrimSpace(s)); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return strings.TrimSpace(s)
}

// ErrForm is returned by Encode for what the form cannot say: changed
// occurrences in vCalendar 1.0.
var ErrForm = fmt.Errorf("cip: the event cannot be written in this form")

// Encode writes the event: Calendar with ID, Version and Trace. Calendar is not
// changed.
func (e *Event) Encode(form Form) ([]byte, error) {
	cal := e.Calendar.Clone()
	for _, c := range cal.Main() {
		if form != ICal20 && c.Prop("RECURRENCE-ID") != nil {
			return nil, ErrForm
		}
		if c.Prop("SEQUENCE") != nil {
			c.SetText("X-ICAL-SEQUENCE", c.Value("SEQUENCE"))
		}
		if uid := c.Text("UID"); uid != e.ID {
			c.SetText("X-ICAL-UID", uid)
		}
		c.SetText("UID", e.ID)
		c.Set("SEQUENCE", strconv.FormatInt(e.Version, 10))
		if len(e.Trace) > 0 {
			c.Set("X-CIP-TRACE", strings.Join(e.Trace, ","))
		}
		if e.Cancelled && c.Value("STATUS") != "CANCELLED" {
			c.Set("STATUS", "CANCELLED")
		}
		for _, name := range [...]string{"ORGANIZER", "ATTENDEE"} {
			for p := range c.Props(name) {
				p.RemoveParam("SCHEDULE-STATUS", "SCHEDULE-AGENT", "SCHEDULE-FORCE-SEND")
			}
		}
	}
	return encode(cal, form)
}

// encode writes a calendar in a form.
func encode(cal *ical.Calendar, form Form) ([]byte, error) {
	if form == ICal20 {
		return cal.Bytes(), nil
	}
	cal.Remove("METHOD")
	text, _, err := vcal1.Marshal(cal)
	if err != nil {
		return nil, fmt.Errorf("cip: %w", err)
	}
	if form == VCal10 {
		return text, nil
	}
	if bare, ok := unwrap(text, cal); ok {
		return bare, nil
	}
	return text, nil
}

// unwrap takes the frame off a vCalendar of one component. A to-do that could
// be taken for an event, and calendar properties that a component has too,
// keep theirs.
func unwrap(text []byte, cal *ical.Calendar) ([]byte, bool) {
	if len(cal.Main()) != 1 {
		return nil, false
	}
	c := cal.Main()[0]
	if c.Name == "VTODO" && c.Prop("DUE") == nil && c.Prop("COMPLETED") == nil || c.Name == "VTODO" && c.Prop("DTEND") != nil {
		return nil, false
	}
	var out []byte
	inside := false
	for _, line := range physical(text) {
		switch name := headName(line); {
		case name == "BEGIN" && !inside:
			inside = strings.EqualFold(line, "BEGIN:"+c.Name)
		case name == "END" && inside:
			return out, true
		case inside, name == "TZ", name == "DAYLIGHT":
			out = append(append(out, line...), '\r', '\n')
		}
	}
	return nil, false
}
