package vcal1

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// inAlarm are the properties of a VALARM that its line has room for.
var inAlarm = []string{"ACTION", "TRIGGER", "DESCRIPTION", "SUMMARY", "ATTENDEE", "ATTACH", "REPEAT", "DURATION"}

// alarm writes a VALARM as one line, an e-mail alarm as one for each address.
func (e *writing) alarm(a *ical.Component) {
	run, ok := e.runTime(a)
	if !ok {
		return
	}
	snooze, times := "", a.Value("REPEAT")
	if p := a.Prop("DURATION"); p != nil && times != "" {
		if d, err := p.Duration(); err == nil {
			snooze = d.String()
		}
	}
	switch action := strings.ToUpper(a.Value("ACTION")); action {
	case "DISPLAY", "":
		e.line("DALARM", nil, compound(run, snooze, times, a.Text("DESCRIPTION")))
	case "AUDIO":
		sound, params := "", []parameter(nil)
		if p := a.Prop("ATTACH"); p != nil {
			if strings.EqualFold(p.Param("VALUE"), "BINARY") {
				e.losses.add(p.Line(), "the sound of the alarm is left out")
			} else {
				sound = p.Value()
				for kind, media := range soundTypes {
					if strings.EqualFold(media, p.Param("FMTTYPE")) {
						params = append(params, parameter{"TYPE", kind})
					}
				}
				params = append(params, parameter{"VALUE", "URL"})
			}
		}
		e.line("AALARM", params, compound(run, snooze, times, sound))
	case "EMAIL":
		note := a.Text("DESCRIPTION")
		if s := a.Text("SUMMARY"); s != note {
			e.losses.add(a.Line(), "the SUMMARY %q of an e-mail alarm is left out", clip(s))
		}
		for p := range a.Props("ATTENDEE") {
			address := p.Address().Email()
			if address == "" {
				address = p.Value()
			}
			e.line("MALARM", nil, compound(run, snooze, times, address, note))
		}
		if p := a.Prop("ATTACH"); p != nil {
			e.losses.add(p.Line(), "the attachment of an e-mail alarm is left out")
		}
	default:
		e.losses.add(a.Line(), "an alarm with ACTION:%s is left out", clip(action))
		return
	}
	var lost []string
	for _, p := range a.Properties {
		if !slices.Contains(inAlarm, p.Name()) && !slices.Contains(lost, p.Name()) {
			lost = append(lost, p.Name())
		}
	}
	for _, s := range a.Components {
		lost = append(lost, s.Name)
	}
	if lost != nil {
		e.losses.add(a.Line(), "%s of an alarm left out", strings.Join(lost, ", "))
	}
}

// runTime is when an alarm goes off the first time.
func (e *writing) runTime(a *ical.Component) (string, bool) {
	p := a.Prop("TRIGGER")
	if p == nil {
		e.losses.add(a.Line(), "an alarm without TRIGGER is left out")
		return "", false
	}
	if strings.EqualFold(p.Param("VALUE"), "DATE-TIME") {
		t, err := p.Time()
		if err != nil {
			e.losses.add(p.Line(), "%v", err)
			return "", false
		}
		return e.form(t), true
	}
	d, err := p.Duration()
	if err != nil {
		e.losses.add(p.Line(), "%v", err)
		return "", false
	}
	base := e.start
	if strings.EqualFold(p.Param("RELATED"), "END") && !e.end.IsZero() || base.IsZero() {
		base = e.end
	}
	if base.IsZero() {
		e.losses.add(p.Line(), "an alarm is left out: it is relative to a time that is missing")
		return "", false
	}
	if base.Kind == ical.Date { // its midnight, by the clock on the wall
		base.Kind = ical.Floating
	}
	return e.form(e.after(base, d)), true
}
