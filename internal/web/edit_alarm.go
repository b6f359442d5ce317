package web

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
)

// The form knows reminders that ring once, some minutes before the start or
// after it. All other alarms (by mail, before the end, repeated) stay as they are.

// maxAlarms of one event that the form sets, and how far from the start one
// may be: a year.
const (
	maxAlarms       = 10
	maxAlarmMinutes = 366 * 24 * 60
)

// reminder is how many minutes before the start an alarm rings; not ok for one
// that the form does not know.
func reminder(c *ical.Component) (minutes int, ok bool) {
	p := c.Prop("TRIGGER")
	action := strings.ToUpper(c.Value("ACTION"))
	if c.Name != "VALARM" || p == nil || action != "DISPLAY" && action != "AUDIO" || c.Prop("REPEAT") != nil || strings.EqualFold(p.Param("RELATED"), "END") || strings.EqualFold(p.Param("VALUE"), "DATE-TIME") {
		return 0, false
	}
	d, err := p.Duration()
	if err != nil {
		return 0, false
	}
	before := -(time.Duration(d.Days)*24*time.Hour + d.Exact)
	return int(before / time.Minute), before%time.Minute == 0
}

// alarmsOf are the reminders of a component, the earliest first.
func alarmsOf(c *ical.Component) []int {
	out := []int{}
	for a := range c.Children("VALARM") {
		if m, ok := reminder(a); ok {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return slices.Compact(out)
}

// alarms adds and removes reminders. A nil list says nothing about them.
func (ed editor) alarms(c *ical.Component, was, list []int, title string) error {
	if list == nil {
		return nil
	}
	if len(list) > maxAlarms {
		return problem.New(problem.BadInput, "An event has at most %d reminders.", maxAlarms)
	}
	c.Components = slices.DeleteFunc(c.Components, func(a *ical.Component) bool {
		m, ok := reminder(a)
		return ok && slices.Contains(was, m) && !slices.Contains(list, m)
	})
	have := alarmsOf(c)
	for _, m := range list {
		if m > maxAlarmMinutes || m < -maxAlarmMinutes {
			return problem.New(problem.BadInput, "A reminder rings within a year of the start.")
		}
		if slices.Contains(was, m) || slices.Contains(have, m) {
			continue
		}
		have = append(have, m)
		a := ical.NewComponent("VALARM")
		a.Set("ACTION", "DISPLAY")
		if title == "" {
			title = "Reminder"
		}
		a.SetText("DESCRIPTION", title) // RFC 5545 3.6.6: DISPLAY must have one
		a.Set("TRIGGER", ical.Duration{Exact: -time.Duration(m) * time.Minute}.String())
		c.Components = append(c.Components, a)
	}
	return nil
}
