package cip

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/ical/vcal1"
)

// Form is how a body is written.
type Form string

// The forms. The draft's examples are bare; its text speaks of vCalendar.
const (
	Bare   Form = "bare"   // property lines of one event or to-do, without BEGIN and END
	VCal10 Form = "vcal10" // vCalendar 1.0
	ICal20 Form = "ical20" // iCalendar (RFC 5545) with METHOD
)

// Reading is what the reader of a body knows beside it.
type Reading struct {
	Now       time.Time // when it arrived
	Zone      *tz.Zone  // of times without any; nil = UTC
	Attendees int       // the most of one body; 0 = 5000
}

const defaultAttendees = 5000

func (r Reading) orDefault() Reading {
	if r.Zone == nil {
		r.Zone, _ = tz.Load("UTC")
	}
	if r.Attendees <= 0 {
		r.Attendees = defaultAttendees
	}
	return r
}

// ErrBody is wrapped by the errors of bodies that cannot be read; its text is
// for the other side's log.
var ErrBody = errors.New("cip: bad body")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBody, fmt.Sprintf(format, args...))
}

// Person is an attendee.
type Person struct {
	ID      string       // user id as CIP writes it; what was written when it is no address
	Address ical.Address // "" when it is no address
	Name    string
}

func personOf(p *ical.Property) Person {
	w := Person{Address: p.Address(), Name: p.Param("CN")}
	id, ok := UserID(w.Address)
	if !ok {
		return Person{ID: wireText(clip(strings.Join(strings.Fields(p.Text()), " "))), Name: w.Name}
	}
	w.ID = id
	return w
}

// body is a body that was read.
type body struct {
	form Form
	cal  *ical.Calendar
	// facts are the values of properties that the conversion to iCalendar does
	// not keep, by name; the first of each.
	facts  map[string]string
	owners int // attendees with ROLE=OWNER
	chiefs int // attendees with ROLE=ORGANIZER
	zoned  bool
}

// noTime is the DTSTART of what needs none, while it is converted.
const noTime = "DTSTART:19700101T000000Z"

// readBody reads a body in any form. timeless bodies need no DTSTART.
func readBody(data []byte, r Reading, timeless bool) (*body, error) {
	b := &body{form: formOf(data), facts: map[string]string{}}
	if b.form == ICal20 {
		return b, b.icalendar(data)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, bad("there are no data")
	}
	if n := countAttendees(data); n > r.Attendees {
		return nil, bad("%d attendees; %d are allowed", n, r.Attendees)
	}
	text := b.normalize(data, timeless)
	cals, lost, err := vcal1.ParseOptions(text, vcal1.Options{Zone: r.Zone, Now: r.Now, Limits: vcal1.Limits{Components: 1000, Calendars: 2, Losses: 1}})
	if err != nil {
		return nil, bad("%v", err)
	}
	if len(cals) != 1 || len(cals[0].Main()) == 0 {
		if len(lost) > 0 {
			return nil, bad("there is no event or to-do: %s", strings.TrimSuffix(lost[0].What, "."))
		}
		return nil, bad("one event or to-do is expected")
	}
	b.cal = cals[0]
	if !b.zoned {
		toUTC(b.cal, r.Zone)
	}
	return b, nil
}

// formOf tells the form by the first line.
func formOf(data []byte) Form {
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !strings.EqualFold(string(bytes.TrimSpace(name)), "BEGIN") || !strings.EqualFold(string(bytes.TrimSpace(value)), "VCALENDAR") {
			return Bare
		}
		break
	}
	// Only what says so is iCalendar: vCalendar's VERSION may be missing.
	for line := range bytes.Lines(data) {
		name, value, _ := strings.Cut(strings.ToUpper(string(bytes.TrimSpace(line))), ":")
		if name, _, _ = strings.Cut(name, ";"); strings.TrimSpace(name) == "VERSION" && strings.TrimSpace(value) != "1.0" {
			return ICal20
		}
	}
	if vcal1.Detect(data) {
		return VCal10
	}
	for _, word := range []string{"METHOD:", "BEGIN:VTIMEZONE", "BEGIN:VFREEBUSY"} {
		if bytes.Contains(bytes.ToUpper(data), []byte(word)) {
			return ICal20
		}
	}
	return VCal10
}

func countAttendees(data []byte) (n int) {
	for line := range bytes.Lines(data) {
		if len(line) > 8 && strings.EqualFold(string(bytes.TrimSpace(line[:8])), "ATTENDEE") {
			n++
		}
	}
	return n
}

// icalendar reads the third form: UTF-8 where it is valid, else ISO 8859-1.
func (b *body) icalendar(data []byte) error {
	if !utf8.Valid(data) {
		data = []byte(latin1(data))
	}
	cal, err := ical.Parse(data)
	if err != nil {
		return bad("%v", err)
	}
	if v := cal.Value("VERSION"); v != "" && v != "2.0" && !strings.HasSuffix(v, ";2.0") {
		return bad("VERSION:%s is neither 1.0 nor 2.0", clip(v))
	}
	b.cal = cal
	for _, c := range cal.Main() {
		for _, name := range taken {
			if v := c.Value(name); v != "" && (b.facts[name] == "" || c.Prop("RECURRENCE-ID") == nil) {
				b.facts[name] = v
			}
		}
		if c.Prop("ORGANIZER") != nil {
			b.owners = 1
		}
	}
	return nil
}

// taken are the properties that are read beside the conversion.
var taken = []string{"UID", "SEQUENCE", "RESPONSE-SEQUENCE", "STATUS", "DTSTART", "DTEND", "DUE", "COMPLETED", "X-CIP-TRACE", "X-ICAL-SEQUENCE", "X-ICAL-DTSTAMP", "X-ICAL-UID"}

// dropped are those of them that the conversion would misunderstand.
var dropped = []string{"SEQUENCE", "RESPONSE-SEQUENCE", "X-CIP-TRACE", "X-ICAL-SEQUENCE", "X-ICAL-UID", "METHOD"}

// normalize makes a whole vCalendar 1.0 of bare lines, with one line for what
// may be broken over several, and takes down what the conversion loses.
func (b *body) normalize(data []byte, timeless bool) []byte {
	lines := physical(data)
	summary := slices.ContainsFunc(lines, func(l string) bool { return headName(l) == "SUMMARY" })
	wrapped := b.form == VCal10 || slices.ContainsFunc(lines, func(l string) bool { return headName(l) == "BEGIN" })
	var calendar, component strings.Builder
	out := &component
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		name := headName(line)
		if name == "" {
			out.WriteString(line + "\r\n")
			continue
		}
		// What belongs to the line: folds, soft line breaks of quoted-printable,
		// and, among bare lines, anything without a colon (the draft's examples
		// are broken so).
		head, value, _ := cutHead(line)
		quoted := strings.Contains(strings.ToUpper(head), "QUOTED-PRINTABLE")
		binary := strings.Contains(strings.ToUpper(head), "BASE64")
		end := i + 1
		for end < len(lines) {
			next := lines[end]
			switch {
			case quoted && strings.HasSuffix(strings.TrimRight(lines[end-1], " \t"), "="), next != "" && (next[0] == ' ' || next[0] == '\t'):
			case b.form == Bare && next != "" && !strings.Contains(next, ":") && (i > 0 || name != ""):
				if !binary {
					lines[end] = " " + next
				}
			default:
				next = "\x00"
			}
			if next == "\x00" {
				break
			}
			end++
		}
		rest := lines[i+1 : end]
		i = end - 1
		b.note(name, head, value, rest)
		switch {
		case slices.Contains(dropped, name):
			continue
		case name == "SUBJECT" && !summary:
			line = "SUMMARY" + strings.TrimLeft(line, " \t")[len("SUBJECT"):]
			summary = true
		case name == "STATUS" && strings.EqualFold(strings.TrimSpace(value), "DECLINED"):
			continue // a cancellation (see Event), not a state of the event
		case name == "ATTENDEE" && !quoted:
			line, rest = head+":"+joinAddress(value, rest), nil
		case b.form == Bare && !wrapped && (name == "TZ" || name == "DAYLIGHT"):
			calendar.WriteString(line + "\r\n")
			continue
		}
		out.WriteString(line + "\r\n")
		for _, l := range rest {
			out.WriteString(l + "\r\n")
		}
	}
	todo := b.form == Bare && (b.facts["DUE"] != "" || b.facts["COMPLETED"] != "") && b.facts["DTEND"] == ""
	kind := "VEVENT"
	if todo {
		kind = "VTODO"
	}
	text := component.String()
	if timeless && b.facts["DTSTART"] == "" && !todo {
		if wrapped {
			text = strings.Replace(text, "END:VEVENT", noTime+"\r\nEND:VEVENT", 1)
		} else {
			text += noTime + "\r\n"
		}
	}
	switch {
	case b.form == VCal10:
		return []byte(text)
	case wrapped:
		return []byte("BEGIN:VCALENDAR\r\nVERSION:1.0\r\n" + text + "END:VCALENDAR\r\n")
	}
	return []byte("BEGIN:VCALENDAR\r\nVERSION:1.0\r\n" + calendar.String() + "BEGIN:" + kind + "\r\n" + text + "\r\nEND:" + kind + "\r\nEND:VCALENDAR\r\n")
}

// bareHead takes out of parameters what does not count.
var bareHead = strings.NewReplacer(" ", "", "\t", "", `"`, "")

// note takes down facts of one property.
func (b *body) note(name, head, value string, rest []string) {
	if slices.Contains(taken, name) {
		if _, known := b.facts[name]; !known {
			value = joined(value, "\r\n", rest)
			if strings.Contains(strings.ToUpper(head), "QUOTED-PRINTABLE") {
				text, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(value))) // as far as it can be read
				value = string(text)
			}
			b.facts[name] = strings.TrimSpace(strings.ReplaceAll(value, "\r\n", ""))
		}
	}
	switch name {
	case "ATTENDEE":
		params := strings.ToUpper(bareHead.Replace(head)) + ";"
		if strings.Contains(params, ";ROLE=OWNER;") || strings.Contains(params, ";OWNER;") {
			b.owners++
		} else if strings.Contains(params, ";ROLE=ORGANIZER;") || strings.Contains(params, ";ORGANIZER;") {
			b.chiefs++
		} else if status := parameter(head, "STATUS"); status != "" && b.facts[attendeeStatus] == "" {
			b.facts[attendeeStatus] = status
		}
	case "X-ICAL-TZID":
		b.zoned = true
	}
}

func joined(value, by string, rest []string) string {
	if len(rest) == 0 {
		return value
	}
	parts := make([]string, 0, len(rest)+1)
	parts = append(parts, value)
	for _, l := range rest {
		parts = append(parts, strings.TrimSpace(l))
	}
	return strings.Join(parts, by)
}

// attendeeStatus is the fact of an attendee's own STATUS: of an event's attendee
// the conversion does not keep COMPLETED, and an answer does not say what it is
// an answer to.
const attendeeStatus = "ATTENDEE;STATUS"

// parameter is the value of a parameter of a line's head, "" when absent.
func parameter(head, name string) string {
	for _, p := range strings.Split(head, ";")[1:] {
		if n, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(n), name) {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return ""
}

// joinAddress joins a broken ATTENDEE: an address without a name has no blanks.
func joinAddress(value string, rest []string) string {
	value = strings.TrimSpace(joined(value, " ", rest))
	if len(rest) > 0 && !strings.Contains(value, "<") {
		value = strings.Join(strings.Fields(value), "")
	}
	return value
}

func physical(data []byte) []string {
	var list []string
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		list = append(list, strings.TrimRight(string(line), "\r\n"))
	}
	return list
}

// headName is the property of a line in upper case, "" for a line that is a
// fold or has no colon.
func headName(line string) string {
	if line == "" || line[0] == ' ' || line[0] == '\t' {
		return ""
	}
	head, _, ok := cutHead(line)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(head, ";")
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 { // a group prefix
		name = name[dot+1:]
	}
	return strings.ToUpper(strings.TrimSpace(name))
}

// cutHead splits at the first colon outside of quotes.
func cutHead(line string) (head, value string, ok bool) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"':
			quoted = !quoted
		case ':':
			if !quoted {
				return line[:i], line[i+1:], true
			}
		}
	}
	return strings.Cut(line, ":")
}

// toUTC writes the times of what does not recur in UTC: the zone in which they
// were read is a guess of ours, not of the sender's choice. A series keeps it,
// so that it stays at its hour over the year.
func toUTC(cal *ical.Calendar, zone *tz.Zone) {
	zones := tz.NewResolver(cal, zone)
	series := false
	for _, c := range cal.Main() {
		if c.Prop("RRULE") != nil || c.Prop("RDATE") != nil || c.Prop("RECURRENCE-ID") != nil {
			series = true
			continue
		}
		for _, name := range [...]string{"DTSTART", "DTEND", "DUE"} {
			p := c.Prop(name)
			if p == nil {
				continue
			}
			if t, err := p.Time(); err == nil && (t.Kind == ical.Zoned || t.Kind == ical.Floating) {
				p.RemoveParam("TZID")
				p.SetTime(ical.UTCTime(zones.Instant(t)))
			}
		}
	}
	if !series {
		cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool { return c.Name == "VTIMEZONE" })
	}
}

// trace reads X-CIP-TRACE.
func (b *body) trace() (servers []string) {
	for _, s := range strings.FieldsFunc(b.facts["X-CIP-TRACE"], func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		servers = append(servers, strings.ToLower(s))
	}
	return servers
}

// version reads SEQUENCE as an event version (section 1.8). 2^31 itself may be
// named: it is where the count ends.
func (b *body) version(missing int64) (int64, error) {
	s, ok := b.facts["SEQUENCE"]
	if !ok || s == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > MaxVersion+1 {
		return 0, bad("SEQUENCE %q is not a version between 0 and %d", clip(s), MaxVersion+1)
	}
	return n, nil
}

// MaxVersion is the last version of an event: at 2^31 it is cancelled and a new
// one takes its place (section 1.8).
const MaxVersion = 1<<31 - 1
