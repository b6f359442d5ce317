package imip

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip/phrase"
	"github.com/convene-cal/convene/itip"
)

// view is what the texts of a mail say.
type view struct {
	phrase.Language
	Subject     string
	Headline    string // who does what: "Ann invites you to "Planning"."
	Title       string
	Cancelled   bool
	Rows        []row // when, where, who
	Changes     []change
	Comment     string // a note with an answer
	Description string
	RSVPURL     string
	Footer      string
	Markup      *markup
	Left        []string // names of files that are too large for a mail
}

type row struct{ Label, Value string }

type change struct{ Label, Old, New string }

// T gives a phrase in the reader's language (OUT-13).
func (v *view) T(english string) string { return v.Say(english) }

// phrases for each method: how the subject begins and what the first line says.
// In the line %[1]s is who speaks, %[2]s the title, %[3]s "" or "the occurrence
// of Thursday, 2 July 2026, 10:00 (Europe/Berlin, UTC+02:00) of ".
type opening struct{ prefix, line string }

var phrases = map[string]opening{
	"REQUEST":           {"Invitation", "%[1]s invites you to %[3]s\"%[2]s\"."},
	"REQUEST changed":   {"Updated invitation", "%[1]s changed %[3]s\"%[2]s\"."},
	"CANCEL":            {"Canceled", "%[1]s cancelled %[3]s\"%[2]s\"."},
	"CANCEL removed":    {"Canceled", "%[1]s no longer expects you at %[3]s\"%[2]s\"."},
	"ADD":               {"Invitation", "%[1]s added an occurrence to \"%[2]s\"."},
	"PUBLISH":           {"Event", "%[1]s sends you the event \"%[2]s\"."},
	"DECLINECOUNTER":    {"Proposal declined", "%[1]s does not take up your proposal for %[3]s\"%[2]s\"; it stays as it was."},
	"REFRESH":           {"Update asked for", "%[1]s asks for the current version of %[3]s\"%[2]s\"."},
	"COUNTER":           {"New time proposed", "%[1]s proposes a change to %[3]s\"%[2]s\"."},
	"REPLY":             {"Answer", "%[1]s answered about %[3]s\"%[2]s\"."},
	"REPLY ACCEPTED":    {"Accepted", "%[1]s accepted %[3]s\"%[2]s\"."},
	"REPLY TENTATIVE":   {"Tentative", "%[1]s tentatively accepted %[3]s\"%[2]s\"."},
	"REPLY DECLINED":    {"Declined", "%[1]s declined %[3]s\"%[2]s\"."},
	"REPLY DELEGATED":   {"Delegated", "%[1]s delegated %[3]s\"%[2]s\" to someone else."},
	"REPLY COMPLETED":   {"Completed", "%[1]s completed %[3]s\"%[2]s\"."},
	"REPLY IN-PROCESS":  {"In progress", "%[1]s has begun %[3]s\"%[2]s\"."},
	"REQUEST VFREEBUSY": {"Free/busy request", "%[1]s asks when you are free."},
	"REPLY VFREEBUSY":   {"Free/busy time", "%[1]s tells when they are busy."},
	"PUBLISH VFREEBUSY": {"Free/busy time", "%[1]s tells when they are busy."},
}

// phraseOf picks the most particular phrase.
func phraseOf(m itip.Message, o Options, c *ical.Component) opening {
	method := string(m.Method)
	keys := []string{method}
	switch {
	case c == nil:
	case c.Name == "VFREEBUSY":
		keys = append(keys, method+" VFREEBUSY")
	case m.Method == itip.Request && len(m.Changes) > 0: // an invitation sent once more changes nothing
		keys = append(keys, method+" changed")
	case m.Method == itip.Cancel && !strings.EqualFold(c.Value("STATUS"), "CANCELLED"):
		// RFC 5546 3.2.5: without STATUS only these attendees are removed.
		keys = append(keys, method+" removed")
	case m.Method == itip.Reply:
		list := itip.Attendees(c)
		for _, a := range list {
			if a.Address.Equal(m.From) || len(list) == 1 {
				keys = append(keys, method+" "+strings.ToUpper(a.PartStat))
			}
		}
	}
	for i := len(keys) - 1; i >= 0; i-- {
		if p, ok := phrases[keys[i]]; ok {
			return p
		}
	}
	return opening{method, "%[1]s sends you a message about %[3]s\"%[2]s\"."}
}

// describe says in words what a message is.
func describe(m itip.Message, o Options, w words) *view {
	v := &view{Language: w.language, RSVPURL: o.RSVPURL}
	var c *ical.Component
	if main := m.Calendar.Main(); len(main) > 0 {
		c = main[0]
	}
	if c == nil {
		c = ical.NewComponent(m.Calendar.Kind())
	}
	v.Title = oneLine(cmp.Or(w.own.Title, o.Title))
	if v.Title == "" {
		v.Title = v.T(cmp.Or(map[string]string{"VTODO": "a task", "VJOURNAL": "a journal entry"}[c.Name], "an event without a title"))
	}
	who := o.From.Name
	if who == "" {
		who = o.From.Address
	}
	occurrence, short := w.occurrence()
	p := phraseOf(m, o, c)
	prefix := v.T(p.prefix)
	v.Headline = fmt.Sprintf(v.T(p.line), oneLine(who), v.Title, occurrence)
	v.Subject = prefix + ": " + clip(v.Title, 160)
	if short != "" {
		v.Subject += " (" + short + ")"
	}
	if c.Name == "VFREEBUSY" {
		v.Subject = prefix
	}
	v.Cancelled = m.Method == itip.Cancel
	v.Markup = markupOf(m, c, w.plain, v.Title)
	v.Rows = w.rows(c, m)
	for _, d := range itip.Brief(m.Changes) {
		if v.Cancelled && d.RecurrenceID == m.RecurrenceID {
			continue // the headline says it
		}
		v.Changes = append(v.Changes, w.difference(d))
	}
	if m.Method != itip.Reply && m.Method != itip.Refresh {
		v.Description = clip(w.own.Description, 8<<10)
	}
	v.Comment = strings.TrimSpace(clip(c.Text("COMMENT"), 8<<10))
	switch m.Method {
	case itip.Request, itip.Add:
		v.Footer = "Answer with your calendar program: the invitation is attached. Without one, just reply to this mail."
		if v.RSVPURL != "" {
			v.Footer = "Answer with your calendar program, or at the address above."
		}
	case itip.Cancel:
		v.Footer = "Your calendar program can remove the event with the attached message."
	}
	v.Footer = v.T(v.Footer)
	return v
}

// oneLine makes a text of users fit for a heading.
func oneLine(s string) string { return strings.Join(strings.Fields(strings.Map(printable, s)), " ") }
