package itip

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// labels are the words for properties: as a heading, and within a sentence.
var labels = map[string][2]string{
	"DTSTART":     {"When", "the start"},
	"DTEND":       {"Until", "the end"},
	"DUE":         {"Due", "the due date"},
	"RRULE":       {"Repeats", "how it repeats"},
	"RDATE":       {"Additional date", "an additional date"},
	"EXDATE":      {"Not taking place", "an occurrence"},
	"STATUS":      {"Status", "the status"},
	"SUMMARY":     {"Title", "the title"},
	"LOCATION":    {"Where", "the place"},
	"DESCRIPTION": {"Description", "the description"},
	"URL":         {"Link", "the link"},
	"CONFERENCE":  {"Conference", "the conference link"},
	"ATTACH":      {"Attachment", "the attachments"},
	"GEO":         {"Position", "the position"},
	"PRIORITY":    {"Priority", "the priority"},
	"RESOURCES":   {"Resources", "the resources"},
	"CLASS":       {"Classification", "the classification"},
	"CONTACT":     {"Contact", "the contact"},
	"ATTENDEE":    {"Guests", "the guests"},
	"PARTSTAT":    {"Answer", "an answer"},
	"COMMENT":     {"Note", "a note"},
	"ORGANIZER":   {"Organizer", "the organizer"},
}

func propertyWord(name string) string {
	if l, ok := labels[name]; ok {
		return l[1]
	}
	return name
}

var answerWords = map[string]string{
	partStatAccepted: "accepted", partStatDeclined: "declined", partStatTentative: "may come to",
	partStatDelegated: "delegated", partStatNeeds: "has not decided about", "COMPLETED": "has completed", "IN-PROCESS": "is working on",
}

func answerWord(partstat string) string {
	if w, ok := answerWords[partstat]; ok {
		return w
	}
	return "answered"
}

var (
	answerNouns = map[string]string{partStatAccepted: "accepted", partStatDeclined: "declined", partStatTentative: "tentative",
		partStatDelegated: "delegated", partStatNeeds: "not answered", "COMPLETED": "completed", "IN-PROCESS": "in process"}
	statusNouns = map[string]string{"CONFIRMED": "confirmed", "TENTATIVE": "tentative", "CANCELLED": "cancelled",
		partStatNeeds: "to do", "COMPLETED": "completed", "IN-PROCESS": "in process", "": ""}
)

// Words puts a difference into words for a person in zone z (nil = UTC): a
// heading and both values, of which one is empty where something was added or
// removed.
func (d Difference) Words(z *tz.Zone) (label, old, new string) {
	label = d.Property
	if l, ok := labels[d.Property]; ok {
		label = l[0]
	}
	if d.RecurrenceID != "" {
		label += " (" + moment(d.RecurrenceID, z) + ")"
	}
	old, new = d.Old, d.New
	switch d.Property {
	case "EXDATE":
		if d.New == "" {
			return "Takes place after all", "", moment(d.Old, z)
		}
		return label, "", moment(d.New, z)
	case "DTSTART", "DTEND", "DUE", "RDATE":
		return label, moment(d.Old, z), moment(d.New, z)
	case "PARTSTAT":
		return label, noun(answerNouns, d.Old), noun(answerNouns, d.New)
	case "STATUS":
		return label, noun(statusNouns, d.Old), noun(statusNouns, d.New)
	case "RRULE":
		if old == "" {
			old = "once"
		}
		if new == "" {
			new = "once"
		}
	}
	return label, old, new
}

func noun(table map[string]string, s string) string {
	if w, ok := table[s]; ok {
		return w
	}
	return strings.ToLower(s)
}

// Sentence says the difference in one sentence for a person in zone z (nil =
// UTC), without the full stop.
func (d Difference) Sentence(z *tz.Zone) string {
	_, old, new := d.Words(z)
	of := ""
	if d.RecurrenceID != "" {
		of = " of " + moment(d.RecurrenceID, z)
	}
	switch d.Property {
	case "DTSTART":
		if d.RecurrenceID != "" && d.RecurrenceID == d.Old {
			return fmt.Sprintf("moved the occurrence%s to %s", of, new)
		}
		return fmt.Sprintf("moved%s from %s to %s", ifAny(of, "the occurrence"+of), old, new)
	case "ATTENDEE":
		if d.New != "" {
			return new + " added" + ifAny(of, "to the occurrence"+of)
		}
		return old + " removed" + ifAny(of, "from the occurrence"+of)
	case "EXDATE":
		if d.New != "" {
			return "does not take place on " + new
		}
		return "takes place on " + old + " after all"
	case "RDATE":
		if d.New != "" {
			return "also takes place on " + new
		}
		return "no longer takes place on " + old
	case "STATUS":
		return "is now " + new + ifAny(of, "at the occurrence"+of)
	case "DESCRIPTION", "ATTACH":
		return propertyWord(d.Property) + of + " changed"
	}
	switch {
	case old == "":
		return fmt.Sprintf("%s%s is now %s", propertyWord(d.Property), of, new)
	case new == "":
		return fmt.Sprintf("%s%s (%s) removed", propertyWord(d.Property), of, old)
	}
	return fmt.Sprintf("%s%s changed from %s to %s", propertyWord(d.Property), of, old, new)
}

func ifAny(test, s string) string {
	if test == "" {
		return ""
	}
	return " " + s
}

// maxSentences bounds how many differences one sentence lists.
const maxSentences = 4

// sentences joins differences for a result; "" when there are none.
func sentences(list []Difference, z *tz.Zone) string {
	var parts []string
	list = Brief(list)
	for i, d := range list {
		if left := len(list) - i; i == maxSentences && left > 1 {
			parts = append(parts, fmt.Sprintf("and %d more changes", left))
			break
		}
		s := d.Sentence(z)
		if len(s) > 200 && !moments[d.Property] {
			s = propertyWord(d.Property) + " changed"
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return ""
	}
	s := strings.Join(parts, "; ")
	return " " + strings.ToUpper(s[:1]) + s[1:] + "."
}

// moments are the properties whose words are long but never idle.
var moments = set("DTSTART", "DTEND", "DUE", "RDATE", "EXDATE")

// Brief leaves out what goes without saying: the end of what moved as a whole.
func Brief(list []Difference) []Difference {
	starts := map[string]time.Duration{}
	shift := func(d Difference) (time.Duration, bool) {
		was, _, ok := keyTime(d.Old)
		is, _, ok2 := keyTime(d.New)
		return is.Sub(was), ok && ok2
	}
	for _, d := range list {
		if by, ok := shift(d); ok && d.Property == "DTSTART" {
			starts[d.RecurrenceID] = by
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(d Difference) bool {
		if d.Property != "DTEND" {
			return false
		}
		moved, ok := starts[d.RecurrenceID]
		by, readable := shift(d)
		return ok && readable && by == moved
	})
}

// occurrencesOf lists the occurrences that differences are about.
func occurrencesOf(list []Difference, z *tz.Zone) string {
	var parts []string
	for _, d := range list {
		if d.RecurrenceID != "" {
			parts = append(parts, moment(d.RecurrenceID, z))
		}
	}
	parts = slices.Compact(parts)
	if len(parts) > maxSentences {
		parts = append(parts[:maxSentences], "…")
	}
	if len(parts) == 0 {
		return ""
	}
	return " It is about " + strings.Join(parts, "; ") + "."
}

const (
	dayLayout  = "Monday, 2 January 2006"
	timeLayout = "15:04"
)

// moment writes a key (UTC instant or date) for a person in zone z (nil =
// UTC).
func moment(key string, z *tz.Zone) string {
	at, isDate, ok := keyTime(key)
	if !ok {
		return key
	}
	if isDate {
		return at.Format(dayLayout)
	}
	if z == nil {
		z = tz.UTC
	}
	wall, offset := z.Wall(at)
	return wall.Format(dayLayout+", "+timeLayout) + " " + zoneWords(z.Name(), offset)
}

// zoneWords names a zone and its distance from UTC at a moment.
func zoneWords(name string, offset int) string {
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	if name == "" || name == "UTC" {
		if offset == 0 {
			return "(UTC)"
		}
		return fmt.Sprintf("(UTC%c%02d:%02d)", sign, offset/3600, offset/60%60)
	}
	return fmt.Sprintf("(%s, UTC%c%02d:%02d)", name, sign, offset/3600, offset/60%60)
}

// Summary is an event, or one occurrence of it, for a person: strings to show
// as they are, and the times they were made of.
type Summary struct {
	Title       string
	When        string // "Thursday, 2 July 2026, 10:00 – 11:00 (Europe/Berlin, UTC+02:00)"
	Repeats     string // an English sentence; "" = once
	Occurrence  string // which occurrence of a series it is about; "" = all of it
	Where       string
	Organizer   string // "Ann Example <ann@one.test>"
	Description string
	URL         string
	Status      string // confirmed, tentative, cancelled …
	Method      Method // "" = not a message

	OrganizedBy  Attendee
	Attendees    []Attendee
	Start, End   ical.Time // as written in the object
	From, To     time.Time // the same as instants; a date begins at midnight of the zone shown
	AllDay       bool
	Zone         string // name of the zone that When is in
	RecurrenceID string // as in [Message]
	More         int    // further components of the object (overrides)
}

// Summarize says what an object or message is about, its times in zone z, or
// in the event's own zone when z is nil. Of several components it describes
// the series, or else the first occurrence.
func Summarize(cal *ical.Calendar, z *tz.Zone) Summary {
	o := newObject(cal, z)
	main := o.cal.Main()
	if len(main) == 0 {
		return Summary{}
	}
	c := o.master
	if c == nil {
		c = main[0]
	}
	s := Summary{
		Title: strings.TrimSpace(c.Text("SUMMARY")), Where: strings.TrimSpace(c.Text("LOCATION")),
		Description: strings.TrimSpace(c.Text("DESCRIPTION")), URL: c.Value("URL"),
		Status: noun(statusNouns, statusOf(o, c, "")), Method: Method(cal.Method()),
		Attendees: Attendees(c), RecurrenceID: o.keyOf(c), More: len(main) - 1, Repeats: ruleText(c),
	}
	if org := o.organizer(c); org != nil {
		s.OrganizedBy = person(org)
		s.Organizer = nameOf(s.OrganizedBy)
		if mail := s.OrganizedBy.Mailbox(); mail != "" && mail != s.Organizer {
			s.Organizer += " <" + mail + ">"
		}
	}
	o.summarizeTimes(&s, c, z)
	if id := c.Prop("RECURRENCE-ID"); id != nil {
		show := z
		if show == nil {
			show = o.ownZone(id)
		}
		s.Occurrence = moment(s.RecurrenceID, show)
		if strings.EqualFold(id.Param("RANGE"), "THISANDFUTURE") {
			s.Occurrence += " and all later ones"
		}
	}
	return s
}

// ownZone is the zone a time is written in.
func (o *object) ownZone(p *ical.Property) *tz.Zone {
	if p == nil {
		return tz.UTC
	}
	t, err := p.Time()
	switch {
	case err != nil || t.Kind == ical.UTC:
		return tz.UTC
	case t.Kind == ical.Zoned:
		return o.zones.Find(t.TZID)
	}
	return o.zones.FindFloating()
}

func (o *object) summarizeTimes(s *Summary, c *ical.Component, z *tz.Zone) {
	first := c.Prop("DTSTART")
	if first == nil {
		first = c.Prop("DUE")
	}
	if first == nil {
		return
	}
	start, err := first.Time()
	if err != nil {
		return
	}
	end, ok := o.end(c)
	if !ok {
		end = start
	}
	if z == nil {
		z = o.ownZone(first)
	}
	s.Start, s.End, s.AllDay = start, end, start.IsDate()
	if s.AllDay {
		s.From, s.To = z.Instant(start.Wall), z.Instant(end.Wall)
		last := end.Wall.AddDate(0, 0, -1) // DTEND is the first day after (RFC 5545 3.6.1)
		s.When = start.Wall.Format(dayLayout)
		if last.After(start.Wall) {
			s.When += " – " + last.Format(dayLayout)
		}
		s.When += " (all day)"
		return
	}
	s.From, s.To = o.zones.Instant(start).UTC(), o.zones.Instant(end).UTC()
	s.Zone = z.Name()
	from, offset := z.Wall(s.From)
	to, endOffset := z.Wall(s.To)
	s.When = from.Format(dayLayout + ", " + timeLayout)
	if s.To.After(s.From) {
		layout := timeLayout
		if from.YearDay() != to.YearDay() || from.Year() != to.Year() {
			layout = dayLayout + ", " + timeLayout
		}
		s.When += " – " + to.Format(layout)
	}
	s.When += " " + zoneWords(z.Name(), offset)
	if endOffset != offset {
		s.When += fmt.Sprintf(", ending in %s", strings.Trim(zoneWords("", endOffset), "()"))
	}
}
