package davserver

import (
	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
)

// dataWriter writes CALDAV:calendar-data of one object after the other.
type dataWriter struct {
	q         *request
	want      *caldav.DataRequest
	floating  *tz.Zone // nil until it is needed
	instances int      // in the whole answer so far
}

// parsed is an object's text as a calendar, read when first needed.
type parsed struct {
	body []byte
	cal  *ical.Calendar
}

func (p *parsed) calendar() (*ical.Calendar, error) {
	if p.cal == nil {
		cal, err := ical.Parse(p.body)
		if err != nil {
			return nil, err
		}
		p.cal = cal
	}
	return p.cal, nil
}

func (d *dataWriter) write(x *caldav.Writer, p *parsed) error {
	if d.want != nil {
		if as := syntaxOf(d.want.ContentType); as != nil {
			return d.writeAs(x, p, as)
		}
	}
	if d.want.Whole() {
		x.Start(calendarData)
		if d.q.zonesByReference() {
			x.Data(withoutZones(p.body))
			x.End(calendarData)
			return nil
		}
		x.Data(p.body)
		x.End(calendarData)
		return nil
	}
	cal, err := p.calendar()
	if err != nil {
		return err
	}
	left := 0
	if max := d.q.s.limits.Instances; max > 0 {
		if left = max - d.instances; left <= 0 {
			return caldav.ErrTooManyInstances
		}
	}
	out, err := d.want.Select(cal, tz.NewResolver(cal, d.floating), left)
	if err != nil {
		return err
	}
	if d.want.Expand != nil {
		d.instances += len(out.Components)
	}
	if d.q.zonesByReference() {
		x.Start(calendarData)
		x.Data(withoutZones(out.Bytes()))
		x.End(calendarData)
		return nil
	}
	x.Start(calendarData)
	x.Data(out.Bytes())
	x.End(calendarData)
	return nil
}

// writeAs is write in another syntax.
func (d *dataWriter) writeAs(x *caldav.Writer, p *parsed, as *syntax) error {
	plain := *d.want
	plain.ContentType = ""
	inner := *d
	inner.want = &plain
	var ics caldav.Writer
	ics.StartDocument(calendarData)
	if err := inner.write(&ics, p); err != nil {
		return err
	}
	d.instances, d.floating = inner.instances, inner.floating
	ics.End(calendarData)
	e, err := caldav.ParseElement(ics.Bytes(), caldav.Limits{Size: 1 << 30})
	if err != nil {
		return err
	}
	body, err := as.convert([]byte(e.Child(calendarData).Text()))
	if err != nil {
		return err
	}
	x.Start(calendarData, "content-type", as.mediaType, "version", "2.0")
	x.Data(body)
	x.End(calendarData)
	return nil
}

// floatingZone is the zone of floating times and dates: the one the request
// brings, else the calendar's, else its owner's, else UTC (RFC 4791 7.3).
func (q *request) floatingZone(r *resource, given, id string) (*tz.Zone, error) {
	switch {
	case given != "":
		return parseTimeZone(given)
	case id != "":
		z, err := tz.Load(id)
		if err != nil { // RFC 7809 3.1.6
			return nil, problem.New(validTimeZone, "The time zone %q is not known; send its definition as CALDAV:timezone.", clip(id))
		}
		return z, nil
	}
	if r.coll.TimeZone != "" {
		if z, err := parseTimeZone(r.coll.TimeZone); err == nil {
			return z, nil
		}
	}
	if r.owner.TimeZone != "" {
		if z, err := tz.Load(r.owner.TimeZone); err == nil {
			return z, nil
		}
	}
	return tz.UTC, nil
}
