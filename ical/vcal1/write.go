package vcal1

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// Marshal writes a calendar as vCalendar 1.0. What that cannot say is in the
// losses; what only other readers than Parse lose, because it became an X-ICAL-
// property, is not, unless it changes what they show. The error wraps ErrFormat
// when cal is no VCALENDAR. cal is not changed.
func Marshal(cal *ical.Calendar) ([]byte, []Loss, error) {
	if cal == nil || cal.Name != "VCALENDAR" {
		return nil, nil, fmt.Errorf("vcal1: nothing to write: %w", ErrFormat)
	}
	w := newWriter(cal)
	w.survey(w, cal.Components)
	w.everything = true
	w.begin(cal.Properties)
	w.body(cal.Components)
	w.line("END", nil, "VCALENDAR")
	return w.b.Bytes(), w.losses.list, nil
}

// writer is one writing of a calendar.
type writer struct {
	cal    *ical.Calendar // in a stream an object of it
	zones  *tz.Resolver
	b      bytes.Buffer
	losses losses
	head
	vain int // rules that were searched in vain for dates
}

func newWriter(cal *ical.Calendar) *writer {
	return &writer{cal: cal, zones: tz.NewResolver(cal, nil), losses: losses{max: DefaultLimits.Losses}}
}

// begin writes the properties of the calendar.
func (w *writer) begin(properties []*ical.Property) {
	w.line("BEGIN", nil, "VCALENDAR")
	w.line("VERSION", nil, "1.0")
	w.line("PRODID", nil, ProductID)
	w.writeHome()
	if g := w.common(); g != "" {
		w.line("GEO", nil, g)
	}
	for _, p := range properties {
		switch name := p.Name(); {
		case name == "VERSION" || name == "PRODID" || name == "CALSCALE":
		case name == "METHOD":
			w.losses.add(p.Line(), "METHOD:%s: vCalendar has no messages", clip(p.Value()))
		default:
			w.other(p)
		}
	}
}

// body writes components, all that there are of each series.
func (w *writer) body(components []*ical.Component) {
	overrides := map[string][]*ical.Component{}
	for _, c := range w.cal.Overrides() {
		key := c.Name + " " + c.Text("UID")
		overrides[key] = append(overrides[key], c)
	}
	for _, c := range components {
		switch c.Name {
		case "VEVENT", "VTODO":
			e := &writing{writer: w, c: c, owner: c.Prop("ORGANIZER")}
			if key := c.Name + " " + c.Text("UID"); c.Prop("RECURRENCE-ID") == nil {
				e.overrides = overrides[key]
				delete(overrides, key) // a second series of the UID has none
			}
			e.write()
		case "VTIMEZONE":
		default:
			w.losses.add(c.Line(), "%s: vCalendar has events and to-dos only", c.Name)
		}
	}
}

// head is what the properties of a calendar depend on its components for.
type head struct {
	home         *tz.Zone // of TZ and DAYLIGHT: of the first series that has a zone
	from, to     int      // years in which series use it
	geo          string   // of the first component
	surveyed     bool     // there was one
	geoDiffers   bool     // among them
	everything   bool     // all components are known
	floatingLine int      // where times without a zone were seen before home was known, else 0
}

// maxYears is for how many years the changes of the clocks are written.
const maxYears = 10

// survey looks at components of the calendar at hand.
func (h *head) survey(w *writer, components []*ical.Component) {
	for _, c := range components {
		if c.Name == "VTIMEZONE" {
			continue
		}
		if g := geoValue(c.Prop("GEO")); !h.surveyed {
			h.geo, h.surveyed = g, true
		} else if g != h.geo {
			h.geoDiffers = true
		}
		if c.Name != "VEVENT" && c.Name != "VTODO" || !recurring(c) {
			continue
		}
		start, err := start(c)
		if err != nil || start.Kind != ical.Zoned {
			continue
		}
		z, year := w.zones.Find(start.TZID), start.Wall.Year()
		if h.home == nil {
			h.home, h.from, h.to = z, year, year
		}
		if !h.isHome(z) {
			continue
		}
		h.from, h.to = min(h.from, year), max(h.to, year)
		if c.Prop("EXRULE") != nil { // how far it goes is not worth the search
			h.to = 9999
		} else if set, err := recur.New(w.alone(c), w.zones, recur.Options{}); err == nil {
			if _, end, endless := set.Bounds(); endless {
				h.to = 9999
			} else {
				h.to = max(h.to, end.Year())
			}
		}
	}
}

// isHome compares zones, which the objects of a stream have each of their own.
func (h *head) isHome(z *tz.Zone) bool {
	return h.home != nil && (z == h.home || z.Name() == h.home.Name() && z.IANA() == h.home.IANA())
}

// common is the position all components have, in this format's order.
func (h *head) common() string {
	if h.geoDiffers {
		return ""
	}
	return h.geo
}

// writeHome writes TZ and DAYLIGHT.
func (w *writer) writeHome() {
	if w.home == nil {
		return
	}
	standard := 0
	known := false
	var lines []string
	for year := w.from; year <= min(w.to, w.from+maxYears-1); year++ {
		d, ok := changes(w.home, year)
		_, offset := w.home.Wall(time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC))
		if ok {
			_, july := w.home.Wall(time.Date(year, 7, 1, 12, 0, 0, 0, time.UTC))
			offset = min(offset, july)
			lines = append(lines, d.String())
		}
		if known && offset != standard {
			w.losses.add(0, "%s: the offset from UTC changes in %d; TZ gives that of %d", w.home.Name(), year, w.from)
		} else {
			standard, known = offset, true
		}
	}
	w.line("TZ", nil, offsetText(standard, ":"))
	if len(lines) == 0 {
		w.line("DAYLIGHT", nil, "FALSE")
	}
	for _, d := range lines {
		w.line("DAYLIGHT", nil, d)
	}
	if w.home.IANA() {
		w.line("X-ICAL-TZID", nil, w.home.Name())
	}
}

// alone is a calendar with one component and the zones.
func (w *writer) alone(c *ical.Component) *ical.Calendar {
	cal := ical.New(ProductID)
	for _, s := range w.cal.Components {
		if s.Name == "VTIMEZONE" {
			cal.Components = append(cal.Components, s)
		}
	}
	cal.Components = append(cal.Components, c)
	return cal
}

func recurring(c *ical.Component) bool {
	return c.Prop("RECURRENCE-ID") == nil && (c.Prop("RRULE") != nil || c.Prop("RDATE") != nil)
}

func start(c *ical.Component) (ical.Time, error) {
	p := c.Prop("DTSTART")
	if p == nil {
		return ical.Time{}, nil
	}
	return p.Time()
}

func geoValue(p *ical.Property) string {
	if p == nil {
		return ""
	}
	latitude, longitude, ok := strings.Cut(p.Value(), ";")
	if !ok {
		return ""
	}
	return strings.TrimSpace(longitude) + "," + strings.TrimSpace(latitude)
}

// other writes a property that has no counterpart.
func (w *writer) other(p *ical.Property) {
	name := p.Name()
	params, lost := w.params(p)
	if strings.EqualFold(p.Param("ENCODING"), "BASE64") || p.HasParam("TZID") {
		w.losses.add(p.Line(), "%s is left out", name)
		return
	}
	if lost != nil {
		w.losses.add(p.Line(), "%s: parameters %s are left out", name, strings.Join(lost, ", "))
	}
	if !strings.HasPrefix(name, "X-") {
		name = "X-ICAL-" + name
	}
	w.line(name, params, strings.ToValidUTF8(p.Value(), "\ufffd"))
}

// params are the parameters that the format can hold, but those named; and the
// names of the others.
func (w *writer) params(p *ical.Property, but ...string) (params []parameter, lost []string) {
	for name, values := range p.Params() {
		if slices.Contains(but, name) {
			continue
		}
		if len(values) != 1 || !sayable(values[0]) || name == "CHARSET" || name == "ENCODING" {
			lost = append(lost, name)
			continue
		}
		if name != "LANGUAGE" {
			name = "X-ICAL-" + name
		}
		params = append(params, parameter{name, values[0]})
	}
	return params, lost
}

// text writes a property with its parameters under a name of this format.
func (w *writer) text(p *ical.Property, name, value string, but ...string) {
	params, lost := w.params(p, append(but, "VALUE")...)
	if lost != nil {
		w.losses.add(p.Line(), "%s: parameters %s are left out", p.Name(), strings.Join(lost, ", "))
	}
	w.line(name, params, value)
}

// attachment writes an ATTACH.
func (w *writer) attachment(p *ical.Property) {
	value := p.Value()
	if strings.EqualFold(p.Param("VALUE"), "BINARY") {
		data, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			w.losses.add(p.Line(), "ATTACH is no BASE64 and is left out")
			return
		}
		params, _ := w.params(p, "VALUE", "ENCODING")
		w.base64("ATTACH", params, data)
		return
	}
	params, lost := w.params(p, "VALUE")
	if lost != nil {
		w.losses.add(p.Line(), "ATTACH: parameters %s are left out", strings.Join(lost, ", "))
	}
	kind := "URL"
	if cid, ok := strings.CutPrefix(value, "cid:"); ok {
		kind, value = "CONTENT-ID", "<"+cid+">"
	}
	w.line("ATTACH", append([]parameter{{"VALUE", kind}}, params...), value)
}
