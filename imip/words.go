package imip

import (
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

// words puts one calendar object into text. Times are told in the zone they
// are written in, and in the reader's where that reads differently.
type words struct {
	plain  itip.Summary // as it is written
	own    itip.Summary // in the event's own zone
	reader itip.Summary // in the reader's, zero where that is not known
	home   *tz.Zone     // for what changed
}

func newWords(cal *ical.Calendar, reader *tz.Zone) words {
	w := words{own: itip.Summarize(cal, nil), home: reader}
	w.plain = w.own
	if reader != nil {
		w.reader = w.own.In(cal, reader)
		if w.own.Zone == "UTC" { // a form of writing, nobody's clock
			w.own, w.reader = w.reader, itip.Summary{}
			return w
		}
	}
	for _, c := range cal.Main() {
		if p := c.Prop("DTSTART"); p != nil {
			if t, err := p.Time(); err == nil && t.Kind == ical.Zoned {
				w.home = tz.NewResolver(cal, reader).Find(t.TZID)
			}
			break
		}
	}
	return w
}

// occurrence names the one occurrence that a message is about, for the first
// line and for the subject.
func (w words) occurrence() (long, short string) {
	if w.own.Occurrence == "" {
		return "", ""
	}
	day, _, _ := strings.Cut(w.own.Occurrence, " (")
	return "the occurrence of " + ascii(w.own.Occurrence) + " of ", day
}

// ascii writes the dashes of a time span in ASCII: a mail that needs no more
// travels unencoded, and can be read in its source.
func ascii(s string) string { return strings.ReplaceAll(s, "–", "-") }

// rows are the facts: when, where, who.
func (w words) rows(c *ical.Component, m itip.Message) []row {
	var rows []row
	add := func(label, value string) {
		if value = oneLine(value); value != "" {
			rows = append(rows, row{label, clip(value, 1000)})
		}
	}
	add("When", ascii(w.own.When))
	if w.reader.When != w.own.When {
		add("", ascii(w.reader.When))
	}
	add("Repeats", ascii(w.own.Repeats))
	add("Where", w.own.Where)
	for p := range c.Props("CONFERENCE") { // RFC 7986 5.11
		add("Online", p.Value())
	}
	add("Link", w.own.URL)
	add("Organizer", w.own.Organizer)
	if m.Method != itip.Reply {
		add("Attendees", roster(w.own.Attendees))
	}
	return rows
}

// roles that are worth a word (RFC 5545 3.2.16).
var roles = map[string]string{"OPT-PARTICIPANT": " (optional)", "NON-PARTICIPANT": " (for information)", "CHAIR": " (chair)"}

func roster(list []itip.Attendee) string {
	var names []string
	const most = 30 // more names than a person reads
	for i, a := range list {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(list)-most))
			break
		}
		names = append(names, firstOf(a.CN, a.Mailbox(), string(a.Address))+roles[strings.ToUpper(a.Role)])
	}
	if strings.Contains(strings.Join(names, ""), ",") {
		return strings.Join(names, "; ") // "Example, Bob" is one person
	}
	return strings.Join(names, ", ")
}

// difference words one change; long texts are cut.
func (w words) difference(d itip.Difference) change {
	if d.RecurrenceID == w.own.RecurrenceID {
		d.RecurrenceID = "" // the whole mail is about that occurrence
	}
	label, old, new := d.Words(w.home)
	if d.Attendee != "" && d.Property == "PARTSTAT" && w.own.Method != itip.Reply {
		label += " of " + firstOf(ical.Address(d.Attendee).Email(), d.Attendee)
	}
	return change{Label: label, Old: shorten(old), New: shorten(new)}
}

func shorten(s string) string {
	const most = 300
	if s = oneLine(s); len(s) > most {
		s = clip(s, most) + " ..."
	}
	return ascii(s)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
