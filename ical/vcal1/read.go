package vcal1

import (
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Parse reads all vCalendars of data with the zero Options. What lies around
// them is not looked at. What iCalendar cannot hold is in the losses, in the
// order in which it was met. The error is a *ParseError.
func Parse(data []byte) ([]*ical.Calendar, []Loss, error) { return ParseOptions(data, Options{}) }

// ParseOptions is Parse with options.
func ParseOptions(data []byte, opt Options) ([]*ical.Calendar, []Loss, error) {
	l := opt.Limits.orDefault()
	if len(data) > l.Size {
		return nil, nil, &ParseError{1, fmt.Sprintf("%d octets are more than %d", len(data), l.Size), ErrLimit}
	}
	r := reader{opt: opt, limits: l, losses: losses{max: l.Losses}}
	var blocks []*block
	s := &scanner{s: strings.TrimPrefix(string(data), "\ufeff")}
	err := r.scan(s, func(in, b *block) error {
		in.blocks = append(in.blocks, b)
		return nil
	}, func(b *block) error {
		blocks = append(blocks, b)
		return nil
	})
	if err != nil {
		return nil, r.losses.list, err
	}
	var cals []*ical.Calendar
	for _, b := range blocks {
		cal, err := r.calendar(b)
		if err != nil {
			return nil, r.losses.list, err
		}
		cals = append(cals, cal)
	}
	return cals, r.losses.list, nil
}

// Detect tells whether the first calendar in text is a vCalendar 1.0. Text may
// be the beginning of a file. Some writers of iCalendar give VERSION:1.0 by
// mistake; what only iCalendar has at that place shows it.
func Detect(text []byte) bool {
	s := scanner{s: string(text)}
	inside, version := false, false
	for {
		l, ok := s.next()
		if !ok {
			return version
		}
		l = strings.ToUpper(strings.TrimSpace(strings.TrimPrefix(l, "\ufeff")))
		switch {
		case l == "BEGIN:VCALENDAR":
			if inside {
				return version
			}
			inside = true
		case !inside:
		case strings.HasPrefix(l, "METHOD:"), strings.HasPrefix(l, "CALSCALE:"), l == "BEGIN:VTIMEZONE":
			return false
		case strings.HasPrefix(l, "VERSION") && strings.HasSuffix(l, ":1.0"):
			version = true
		case strings.HasPrefix(l, "VERSION"), l == "END:VCALENDAR":
			return version
		case strings.HasPrefix(l, "BEGIN:") && version:
			return true
		}
	}
}

// block is a component as it was read.
type block struct {
	name   string
	line   int
	lines  []*line
	blocks []*block
}

// prop is the first line with a name, or nil.
func (b *block) prop(name string) *line {
	for _, l := range b.lines {
		if l.name == name {
			return l
		}
	}
	return nil
}

// reader is one reading of a text.
type reader struct {
	opt                               Options
	limits                            Limits
	losses                            losses
	calendars, components, properties int
}

// maxDepth is what the format needs (a calendar, an event) and some more for
// those who write iCalendar's alarms and zones into it.
const maxDepth = 8

// scan gives the components directly in a calendar, each when it is complete,
// and the calendar after the last of them.
func (r *reader) scan(s *scanner, component func(in, b *block) error, calendar func(b *block) error) error {
	var open []*block
	closeTo := func(at int) error {
		if at <= 1 && len(open) > 1 {
			if err := component(open[0], open[1]); err != nil {
				return err
			}
		}
		if at == 0 && len(open) > 0 {
			if err := calendar(open[0]); err != nil {
				return err
			}
		}
		open = open[:at]
		return nil
	}
	for {
		l, ok := s.logical()
		if !ok {
			break
		}
		switch {
		case l.name == "BEGIN" && l.raw != "":
			name := strings.ToUpper(l.raw)
			if full := "V" + name; name == "EVENT" || name == "TODO" { // the format's own grammar misprints them
				name = full
			}
			if name != "VCALENDAR" && len(open) == 0 {
				continue
			}
			b := &block{name: name, line: l.number}
			if name == "VCALENDAR" {
				if len(open) > 0 {
					r.losses.add(l.number, "the calendar that begins in line %d does not end before the next", open[0].line)
					if err := closeTo(0); err != nil {
						return err
					}
				}
				if r.calendars++; r.calendars > r.limits.Calendars {
					return &ParseError{l.number, fmt.Sprintf("more than %d calendars", r.limits.Calendars), ErrLimit}
				}
			} else {
				if r.components++; r.components > r.limits.Components {
					return &ParseError{l.number, fmt.Sprintf("more than %d components", r.limits.Components), ErrLimit}
				}
				if len(open) == maxDepth {
					return &ParseError{l.number, fmt.Sprintf("components nested deeper than %d", maxDepth), ErrLimit}
				}
				if in := open[len(open)-1]; len(open) > 1 {
					in.blocks = append(in.blocks, b)
				}
			}
			open = append(open, b)
		case len(open) == 0:
			s.reset()
		case l.name == "END":
			name := strings.ToUpper(l.raw)
			at := len(open) - 1
			for at >= 0 && open[at].name != name && open[at].name != "V"+name {
				at--
			}
			if at < 0 {
				r.losses.add(l.number, "END:%s ends nothing that began", clip(name))
				continue
			}
			if at < len(open)-1 {
				r.losses.add(l.number, "%s has no end of its own", open[len(open)-1].name)
			}
			if err := closeTo(at); err != nil {
				return err
			}
		case l.name == "" && l.raw == "":
		case l.raw == "" && l.value == "" && len(l.params) == 0 && !strings.HasPrefix(l.name, "X-"):
			// nothing is said
		default:
			if !validName(l.name) {
				r.losses.add(l.number, "%q is no property", clip(l.name))
				continue
			}
			if r.properties++; r.properties > r.limits.Properties {
				return &ParseError{l.number, fmt.Sprintf("more than %d properties", r.limits.Properties), ErrLimit}
			}
			in := open[len(open)-1]
			in.lines = append(in.lines, l)
		}
	}
	if err := s.failed(); err != nil {
		return err
	}
	if len(open) > 0 {
		r.losses.add(s.number, "END:%s missing at the end of the text", open[0].name)
		return closeTo(0)
	}
	if r.calendars == 0 {
		return &ParseError{1, "there is no BEGIN:VCALENDAR", ErrFormat}
	}
	return nil
}

func validName(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != ""
}
