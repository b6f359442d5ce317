package itip_test

import (
	"regexp"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

var shorthand = regexp.MustCompile(`([:"])@(\w+)`)

func expand(s string) string { return shorthand.ReplaceAllString(s, "${1}mailto:$2@$2.test") }

// object builds a calendar of content lines; "--" begins another component.
func (w *world) object(block []string, method string) *ical.Calendar {
	kind := "VEVENT"
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Story//EN\r\n")
	if method != "" {
		b.WriteString("METHOD:" + method + "\r\n")
	}
	var comps [][]string
	cur := []string{}
	for _, l := range block {
		switch {
		case strings.HasPrefix(l, "TIMEZONE "): // a definition with one offset
			name, offset := l[len("TIMEZONE "):len(l)-len(" +0000")], l[len(l)-len("+0000"):]
			b.WriteString("BEGIN:VTIMEZONE\r\nTZID:" + name + "\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:" + offset + "\r\nTZOFFSETTO:" + offset + "\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")
		case l == "--":
			comps, cur = append(comps, cur), nil
		case l == "VTODO" || l == "VEVENT" || l == "VJOURNAL" || l == "VFREEBUSY":
			kind = l
		default:
			cur = append(cur, expand(l))
		}
	}
	for _, c := range append(comps, cur) {
		b.WriteString("BEGIN:" + kind + "\r\n")
		if !slices.ContainsFunc(c, func(s string) bool { return strings.HasPrefix(s, "UID:") }) {
			b.WriteString("UID:" + w.uid + "\r\n")
		}
		if !slices.ContainsFunc(c, func(s string) bool { return strings.HasPrefix(s, "DTSTAMP:") || s == "-DTSTAMP" }) {
			b.WriteString("DTSTAMP:" + w.now.UTC().Format("20060102T150405Z") + "\r\n")
		}
		for _, l := range c {
			if l != "-DTSTAMP" {
				b.WriteString(l + "\r\n")
			}
		}
		b.WriteString("END:" + kind + "\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	cal, err := ical.Parse([]byte(b.String()))
	if err != nil {
		w.t.Fatalf("%s:%d: %v", w.file, w.line, err)
	}
	return cal
}

func (w *world) of(who string) *copyOf {
	if w.copies[who] == nil {
		w.copies[who] = map[string]*copyOf{}
	}
	if w.copies[who][w.uid] == nil {
		w.copies[who][w.uid] = &copyOf{}
	}
	return w.copies[who][w.uid]
}

func (w *world) addresses(who string) []ical.Address {
	return append([]ical.Address{address(who)}, w.aliases[who]...)
}

// compose makes what a client saves: a whole object, or the stored one edited.
func (w *world) compose(f, block []string) *ical.Calendar {
	if f[0] != "edit" {
		return w.object(block, "")
	}
	c := w.of(f[1])
	if c.object == nil {
		w.t.Fatalf("%s:%d: %s has nothing to edit", w.file, w.line, f[1])
	}
	cal := c.object.Clone()
	target := pick(cal, "series")
	for _, l := range block {
		l = expand(l)
		switch {
		case strings.HasPrefix(l, "in "):
			target = pick(cal, strings.TrimPrefix(l, "in "))
			if target == nil {
				w.t.Fatalf("%s:%d: no component %q", w.file, w.line, l)
			}
		case strings.HasPrefix(l, "copy "): // an override, made as clients do
			key := strings.TrimPrefix(l, "copy ")
			target = pick(cal, "series").Clone()
			target.Remove("RRULE", "RDATE", "EXDATE")
			cal.Components = append(cal.Components, target)
			target.Add(property(key))
		case strings.HasPrefix(l, "drop "):
			gone := pick(cal, strings.TrimPrefix(l, "drop "))
			cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool { return c == gone })
		case strings.HasPrefix(l, "+"):
			target.Add(property(l[1:]))
		case strings.HasPrefix(l, "-"):
			what := l[1:]
			target.RemoveFunc(func(p *ical.Property) bool {
				return p.Name() == what || "mailto:"+strings.TrimPrefix(what, "@")+"@"+strings.TrimPrefix(what, "@")+".test" == p.Value() && p.Name() == "ATTENDEE"
			})
		case l == "alarm":
			a := ical.NewComponent("VALARM")
			a.Set("ACTION", "DISPLAY")
			a.Set("TRIGGER", "-PT15M")
			target.Components = append(target.Components, a)
		default:
			p := property(l)
			i := slices.IndexFunc(target.Properties, func(q *ical.Property) bool {
				return q.Name() == p.Name() && (p.Name() != "ATTENDEE" || q.Address().Equal(p.Address()))
			})
			if i < 0 {
				target.Add(p)
			} else {
				target.Properties[i] = p
			}
		}
	}
	return cal
}

func property(line string) *ical.Property {
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + line + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil || len(cal.Components) == 0 || len(cal.Components[0].Properties) == 0 {
		panic("bad line in story: " + line)
	}
	return cal.Components[0].Properties[0]
}

// pick finds the series, or the component whose RECURRENCE-ID has that value.
func pick(cal *ical.Calendar, what string) *ical.Component {
	if cal == nil {
		return nil
	}
	for _, c := range cal.Main() {
		if id := c.Prop("RECURRENCE-ID"); id == nil && (what == "series" || what == "") || id != nil && id.Value() == what {
			return c
		}
	}
	return nil
}

func (w *world) localFunc() func(ical.Address) bool {
	if len(w.local) == 0 {
		return nil
	}
	return func(a ical.Address) bool { return w.local[personOf(a)] }
}
