package vcal1

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// converting is the conversion of one event or to-do.
type converting struct {
	*reader
	placer
	b          *block
	c          *ical.Component
	start, end ical.Time // as converted; zero when absent
	master     string    // X-ICAL-RECURRENCE-ID: the time in UID after the series' own
}

// taken are the properties that are read before and beside the table.
var taken = map[string]bool{
	"UID": true, "DTSTART": true, "DTEND": true, "DUE": true, "LAST-MODIFIED": true, "DCREATED": true, "RRULE": true, "EXDATE": true, "RDATE": true, "EXRULE": true, "XRULE": true,
	"ATTENDEE": true, "X-ORGANIZER": true, "RNUM": true, "EXNUM": true,
	"X-ICAL-ALLDAY": true, "X-ICAL-TZID": true, "X-ICAL-RECURRENCE-ID": true, "X-ICAL-RRULE": true, "X-ICAL-STATUS": true, "X-ICAL-DTSTAMP": true,
}

// properties convert one line each.
var properties = map[string]func(*converting, *line){
	"SUMMARY":     text,
	"DESCRIPTION": text,
	"LOCATION":    location,
	"CATEGORIES":  list,
	"RESOURCES":   list,
	"CLASS": func(c *converting, l *line) {
		switch v := strings.ToUpper(l.value); v {
		case "PUBLIC", "PRIVATE", "CONFIDENTIAL":
			c.put(c.c, l, ical.NewProperty("CLASS", v))
		default: // what is not known is not for everybody (RFC 5545 3.8.1.3)
			c.put(c.c, l, ical.NewProperty("CLASS", "PRIVATE"))
			c.losses.add(l.number, "CLASS %q is read as PRIVATE", clip(l.value))
		}
	},
	"PRIORITY": func(c *converting, l *line) {
		n, err := strconv.ParseUint(l.value, 10, 31)
		if err != nil {
			c.losses.add(l.number, "PRIORITY %q is no number", clip(l.value))
			return
		}
		if n > 9 {
			c.losses.add(l.number, "PRIORITY %d becomes 9, the lowest", n)
		}
		c.put(c.c, l, ical.NewProperty("PRIORITY", strconv.Itoa(int(min(n, 9)))))
	},
	"SEQUENCE": func(c *converting, l *line) {
		n, err := strconv.ParseUint(l.value, 10, 31)
		if err != nil {
			n = 0
		}
		c.put(c.c, l, ical.NewProperty("SEQUENCE", strconv.Itoa(int(n))))
	},
	"TRANSP": func(c *converting, l *line) {
		v := "OPAQUE"
		if n, err := strconv.ParseUint(l.value, 10, 31); err == nil && n > 0 || strings.EqualFold(l.value, "TRANSPARENT") {
			v = "TRANSPARENT"
		}
		if c.c.Name == "VEVENT" { // a to-do takes no time in iCalendar
			c.put(c.c, l, ical.NewProperty("TRANSP", v))
		}
	},
	"URL": func(c *converting, l *line) {
		if !isURI(l.value) {
			c.losses.add(l.number, "URL %q is none", clip(l.value))
			return
		}
		c.put(c.c, l, ical.NewProperty("URL", l.value))
	},
	"RELATED-TO": func(c *converting, l *line) { c.put(c.c, l, ical.NewText("RELATED-TO", l.value)) },
	"COMPLETED": func(c *converting, l *line) {
		if t, ok := c.read(l, l.value); ok {
			c.put(c.c, l, timeProperty("COMPLETED", c.utc(t)))
		}
	},
	"STATUS": status,
	"GEO":    func(c *converting, l *line) { c.geo(l) },
	"ATTACH": attach,
	"AALARM": alarm, "DALARM": alarm, "MALARM": alarm, "PALARM": alarm,
}

// component converts an event or a to-do; nil when nothing can be made of it.
func (r *reader) component(b *block, h *home, geo *line) *ical.Component {
	c := &converting{reader: r, placer: placer{r: r, home: h}, b: b, c: ical.NewComponent(b.name)}
	c.c.Add(ical.NewText("UID", c.uid()), timeProperty("DTSTAMP", c.stamp()))
	if !c.times() {
		r.losses.add(b.line, "the event has no time and is left out")
		return nil
	}
	c.recurrence()
	if geo != nil && b.prop("GEO") == nil {
		c.geo(geo)
	}
	c.attendees()
	for _, l := range b.lines {
		switch convert := properties[l.name]; {
		case convert != nil:
			convert(c, l)
		case taken[l.name]:
		case strings.HasPrefix(l.name, "X-"):
			r.extension(c.c, l)
		default:
			r.losses.add(l.number, "%s is not a property of vCalendar", l.name)
		}
	}
	for _, s := range b.blocks {
		if s.name == "VALARM" { // of iCalendar
			c.c.Components = append(c.c.Components, verbatim(s, 1))
			continue
		}
		r.losses.add(s.line, "%s within %s is left out", s.name, b.name)
	}
	return c.c
}

// uid is the UID without what Marshal adds for a changed occurrence. One that
// is missing is made of the text, so that reading twice gives the same.
func (c *converting) uid() string {
	l := c.b.prop("UID")
	if l != nil && l.value != "" {
		if id := c.b.prop("X-ICAL-RECURRENCE-ID"); id != nil {
			if series, ok := strings.CutSuffix(l.value, "#"+id.value); ok && series != "" {
				c.master = id.value
				return series
			}
		}
		return l.value
	}
	h := sha1.New()
	io.WriteString(h, c.b.name)
	for _, l := range c.b.lines {
		fmt.Fprintf(h, "\n%s %v:%s", l.name, l.params, l.raw)
	}
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80 // RFC 9562 5.5
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// stamp adds CREATED and LAST-MODIFIED and gives the DTSTAMP.
func (c *converting) stamp() ical.Time {
	stamp := ical.UTCTime(time.Unix(0, 0))
	if !c.opt.Now.IsZero() {
		stamp = ical.UTCTime(c.opt.Now)
	}
	for _, n := range [...]struct{ old, now string }{{"DCREATED", "CREATED"}, {"LAST-MODIFIED", "LAST-MODIFIED"}, {"X-ICAL-DTSTAMP", ""}} {
		l := c.b.prop(n.old)
		if l == nil {
			continue
		}
		if t, ok := c.read(l, l.value); ok {
			stamp = c.utc(t)
			if n.now != "" {
				c.c.Add(timeProperty(n.now, stamp))
			}
		}
	}
	return stamp
}

// times converts the start and the end; false when an event has neither.
func (c *converting) times() bool {
	var start, end ical.Time
	get := func(name string) (t ical.Time) {
		if l := c.b.prop(name); l != nil && l.value != "" {
			t, _ = c.read(l, l.value)
		}
		return t
	}
	start, end = get("DTSTART"), get("DTEND")
	endName := "DTEND"
	if c.b.name == "VTODO" {
		endName = "DUE"
		if due := get("DUE"); !due.IsZero() {
			end = due
		}
	} else if l := c.b.prop("DUE"); l != nil {
		c.losses.add(l.number, "DUE has no meaning in VEVENT")
	}
	if start.IsZero() && c.b.name == "VEVENT" {
		start, end = end, ical.Time{}
	}
	if start.IsZero() && end.IsZero() {
		return c.b.name == "VTODO"
	}
	flag := c.b.prop("X-ICAL-ALLDAY")
	c.allDay = flag != nil && strings.EqualFold(flag.value, "TRUE") || start.Kind == ical.Date || start.IsZero() && end.Kind == ical.Date || c.b.name == "VEVENT" && midnights(start, end)
	if l := c.b.prop("X-ICAL-TZID"); l != nil && !c.allDay {
		if z, err := tz.Load(l.value); err == nil && z.IANA() && !isUTC(z) {
			c.zone = z
		}
	}
	if c.allDay && !end.IsZero() {
		if h, m, _ := end.Wall.Clock(); h == 23 && m == 59 { // the minute before midnight
			end.Wall = end.Wall.Add(time.Minute)
		}
	}
	if !start.IsZero() {
		c.start = c.place(start)
	}
	if !end.IsZero() {
		c.end = c.place(end)
	}
	if !start.IsZero() && !end.IsZero() {
		if c.start.Kind == ical.Floating != (c.end.Kind == ical.Floating) {
			// One with and one without a zone, which nothing relates.
			c.losses.add(c.b.line, "one of start and end has no zone and is read as UTC")
			for _, t := range []*ical.Time{&c.start, &c.end} {
				if t.Kind == ical.Floating {
					*t = ical.UTCTime(t.Wall)
				}
			}
		}
		if !c.instant(c.end).After(c.instant(c.start)) { // RFC 5545 3.8.2.2: later than DTSTART
			if c.instant(c.end).Before(c.instant(c.start)) {
				c.losses.add(c.b.line, "%s before DTSTART is left out", endName)
			}
			if endName == "DUE" {
				c.start = ical.Time{}
			} else {
				c.end = ical.Time{}
			}
		}
	}
	if !c.start.IsZero() {
		c.c.Add(timeProperty("DTSTART", c.start))
	}
	if !c.end.IsZero() {
		c.c.Add(timeProperty(endName, c.end))
	}
	return true
}

// maxExRule and exRuleYears bound the dates that an EXRULE becomes.
const (
	maxExRule   = 1000
	exRuleYears = 5
)

func (c *converting) language(l *line, p *ical.Property) *ical.Property {
	for _, q := range l.params {
		switch name, ours := strings.CutPrefix(q.name, "X-ICAL-"); {
		case q.name == "LANGUAGE":
			p.SetParam("LANGUAGE", q.value)
		case ours:
			def, ok := ical.LookupProperty(p.Name())
			if d, known := ical.LookupParameter(name); ok && known && def.Takes(name) && name != "VALUE" && name != "ENCODING" && name != "TZID" && name != "ALTREP" && (!d.Closed || d.Knows(q.value)) && d.Type == "" && !d.Quoted {
				p.SetParam(name, q.value)
			}
		}
	}
	return p
}

// inline tells whether a value is text in the line and not a reference.
func (l *line) inline() bool {
	v := strings.ToUpper(l.param("VALUE"))
	return v != "URL" && v != "CID" && v != "CONTENT-ID"
}

func text(c *converting, l *line) {
	if l.value == "" {
		return
	}
	c.put(c.c, l, c.language(l, ical.NewText(l.name, strings.ReplaceAll(l.value, `\;`, ";"))))
}

func location(c *converting, l *line) {
	if l.inline() {
		text(c, l)
		return
	}
	if !isURI(l.value) {
		c.losses.add(l.number, "LOCATION %q is no URL", clip(l.value))
		return
	}
	p := ical.NewText("LOCATION", l.value)
	p.SetParam("ALTREP", l.value)
	c.put(c.c, l, p)
}

func list(c *converting, l *line) {
	names := items(l.value)
	if len(names) == 0 {
		return
	}
	for i := range names {
		names[i] = ical.EscapeText(names[i])
	}
	c.put(c.c, l, c.language(l, ical.NewProperty(l.name, strings.Join(names, ","))))
}

// statuses maps STATUS (v§2.3.29); "" is a status that iCalendar has not.
var statuses = map[string]map[string]string{
	"VEVENT": {"TENTATIVE": "TENTATIVE", "CONFIRMED": "CONFIRMED", "CANCELLED": "CANCELLED"},
	"VTODO": {"NEEDS ACTION": "NEEDS-ACTION", "NEEDS-ACTION": "NEEDS-ACTION", "ACCEPTED": "IN-PROCESS", "SENT": "NEEDS-ACTION", "DELEGATED": "NEEDS-ACTION",
		"COMPLETED": "COMPLETED", "DECLINED": "CANCELLED", "CANCELLED": "CANCELLED"},
}

func status(c *converting, l *line) {
	if own := c.b.prop("X-ICAL-STATUS"); own != nil {
		for _, v := range ical.StatusValues(c.c.Name) {
			if v == own.value {
				c.put(c.c, l, ical.NewProperty("STATUS", v))
				return
			}
		}
	}
	v := statuses[c.c.Name][strings.ToUpper(l.value)]
	if v == "" {
		c.losses.add(l.number, "STATUS %q has no counterpart", clip(l.value))
		return
	}
	c.put(c.c, l, ical.NewProperty("STATUS", v))
}

// geo reads "longitude,latitude" (v§2.2.3). The first is the latitude when the
// second cannot be one, as in the format's own example the other way round.
func (c *converting) geo(l *line) {
	a, b, ok := strings.Cut(strings.ReplaceAll(l.value, ";", ","), ",")
	longitude, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	latitude, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if latitude < -90 || latitude > 90 {
		longitude, latitude = latitude, longitude
	}
	if !ok || err1 != nil || err2 != nil || !(-90 <= latitude && latitude <= 90 && -180 <= longitude && longitude <= 180) {
		c.losses.add(l.number, "GEO %q is no position", clip(l.value))
		return
	}
	c.put(c.c, l, ical.NewProperty("GEO", degrees(latitude)+";"+degrees(longitude)))
}

func degrees(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func attach(c *converting, l *line) {
	value := l.value
	switch v := strings.ToUpper(l.param("VALUE")); {
	case l.binary != nil:
		p := ical.NewProperty("ATTACH", base64.StdEncoding.EncodeToString(l.binary))
		p.SetParam("VALUE", "BINARY")
		p.SetParam("ENCODING", "BASE64")
		c.put(c.c, l, c.language(l, p))
		return
	case l.is("ENCODING", "BASE64"):
		c.losses.add(l.number, "ATTACH is no BASE64")
		return
	case v == "CID" || v == "CONTENT-ID":
		value = "cid:" + strings.Trim(strings.TrimPrefix(value, "cid:"), "<>")
	case v == "URL" || isURI(value):
	case value != "":
		value = "data:text/plain;charset=utf-8," + url.PathEscape(value)
	}
	if !isURI(value) {
		c.losses.add(l.number, "ATTACH %q is no URL", clip(value))
		return
	}
	c.put(c.c, l, c.language(l, ical.NewProperty("ATTACH", value)))
}
