package imip

import (
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/imip/phrase"
	"github.com/convene-cal/convene/itip"
)

// words puts one calendar object into text. Times are told in the zone they
// are written in, and in the reader's where that reads differently.
type words struct {
	language phrase.Language
	plain    itip.Summary // as it is written
	own      itip.Summary // in the event's own zone
	reader   itip.Summary // in the reader's, zero where that is not known
	home     *tz.Zone     // for what changed
}

func newWords(cal *ical.Calendar, reader *tz.Zone, language phrase.Language) words {
	to := itip.Reader{Translate: language.Translate()}
	w := words{language: language, own: to.Summarize(cal), home: reader}
	w.plain = w.own
	if reader != nil {
		to.Zone = reader
		w.reader = w.own.For(cal, to)
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
	return fmt.Sprintf(w.language.Say("the occurrence of %s of "), ascii(w.own.Occurrence)), day
}

// ascii writes the dashes of a time span in ASCII: a mail that needs no more
// travels unencoded, and can be read in its source.
func ascii(s string) string { return strings.ReplaceAll(s, "–", "-") }

// rows are the facts: when, where, who.
func (w words) rows(c *ical.Component, m itip.Message) []row {
	var rows []row
	add := func(label, value string) {
		if value = oneLine(value); value != "" {
			rows = append(rows, row{w.language.Say(label), clip(value, 1000)})
		}
	}
	add("When", ascii(w.own.When))
	if w.reader.When != w.own.When {
		add("", ascii(w.reader.When))
	}
	add("Repeats", ascii(w.own.Repeats))
	add("Where", w.own.Where)
	for p := range c.Props("CONFERENCE") { // RFC 7986 5.11
		add("Online", w.conference(p))
	}
	add("Link", w.own.URL)
	add("Organizer", w.own.Organizer)
	if m.Method != itip.Reply {
		add("Attendees", w.roster())
	}
	return rows
}

// conference is where and how people who are elsewhere take part (RFC 7986 5.11,
// 6.3, 6.6): few programs show it, so the text does (OUT-15).
func (w words) conference(p *ical.Property) string {
	about := []string{}
	if label := p.Param("LABEL"); label != "" {
		about = append(about, label)
	}
	for _, feature := range p.ParamValues("FEATURE") {
		if known := strings.ToLower(feature); features[known] {
			about = append(about, w.language.Say(known))
		}
	}
	address := strings.TrimSpace(p.Value())
	if number, ok := cutFold(address, "tel:"); ok {
		address = number
	}
	if len(about) == 0 {
		return address
	}
	return address + " (" + strings.Join(about, ", ") + ")"
}

// features of a conference (RFC 7986 6.3).
var features = map[string]bool{"audio": true, "chat": true, "feed": true, "moderator": true, "phone": true, "screen": true, "video": true}

// roles that are worth a word (RFC 5545 3.2.16).
var roles = map[string]string{"OPT-PARTICIPANT": " (optional)", "NON-PARTICIPANT": " (for information)", "CHAIR": " (chair)"}

func (w words) roster() string {
	list := w.own.Attendees
	var names []string
	const most = 30 // more names than a person reads
	for i, a := range list {
		if i == most {
			names = append(names, fmt.Sprintf(w.language.Say("and %d more"), len(list)-most))
			break
		}
		names = append(names, firstOf(a.CN, a.Mailbox(), string(a.Address))+w.language.Say(roles[strings.ToUpper(a.Role)]))
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
	label, old, new := itip.Reader{Zone: w.home, Translate: w.language.Translate()}.Words(d)
	if d.Property == "RRULE" && w.language.Translate() != nil { // what it was is known in English only
		old, new = "", firstOf(w.own.Repeats, new)
	}
	if d.Attendee != "" && d.Property == "PARTSTAT" && w.own.Method != itip.Reply {
		label = fmt.Sprintf(w.language.Say("%[1]s of %[2]s"), label, firstOf(ical.Address(d.Attendee).Email(), d.Attendee))
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
