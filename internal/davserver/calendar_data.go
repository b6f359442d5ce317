package davserver

import (
	"io"
	"unicode/utf8"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// dataWriter writes CALDAV:calendar-data of one object after the other.
type dataWriter struct {
	q         *request
	want      *caldav.DataRequest
	floating  *tz.Zone // nil until it is needed
	instances int      // in the whole answer so far
}

// parsed is an object's text as a calendar, read when first needed. A large
// text is not there at all until someone needs it in one piece.
type parsed struct {
	q    *request
	o    *resource
	body []byte
	cal  *ical.Calendar
	give func() // what a large text takes of the room that requests have
	at   int    // where it is to be written among the properties, 0: it was
}

// text is the whole text. A large one is counted until done.
func (p *parsed) text() ([]byte, error) {
	if p.body != nil || p.o.obj.Size == 0 {
		return p.body, nil
	}
	size := p.o.obj.Size
	if size < 0 { // it is made for its reader; the stored one has about as much
		size = p.q.s.calendar.Limits().ResourceSize
	}
	var err error
	if p.give, err = p.q.s.flight.take(p.q.ctx, p.q.by.Account, weightOfParsed*size, p.q); err != nil {
		return nil, err
	}
	p.o.obj, p.body, err = p.q.s.calendar.Get(p.q.ctx, p.q.by, calendar.Ref{Owner: p.o.owner.ID, Collection: p.o.coll.Name, Name: p.o.name})
	return p.body, err
}

// done gives back what a large text took.
func (p *parsed) done() {
	if p.give != nil {
		p.give()
	}
}

func (p *parsed) calendar() (*ical.Calendar, error) {
	if p.cal == nil {
		body, err := p.text()
		if err != nil {
			return nil, err
		}
		cal, err := ical.Parse(body)
		if err != nil {
			return nil, err
		}
		p.cal = cal
	}
	return p.cal, nil
}

// respond writes the response for an object with its properties, and a large
// text, as it is stored, between them as the client takes it.
func (m *multistatus) respond(o *resource, p *caldav.Propstats, text *parsed) error {
	if text.at == 0 {
		m.Response(o.href(), p)
		return nil
	}
	return m.ResponseAround(o.href(), p, text.at, func(x *caldav.Writer) error {
		var rest []byte // of a character that goes on in the next part
		for sent := 0; sent < o.obj.Size; {
			part, err := text.q.s.calendar.Part(text.q.ctx, o.obj, sent, partOfText)
			if err == nil && len(part) == 0 {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			if sent += len(part); len(rest) > 0 {
				part = append(rest, part...)
			}
			whole := len(part)
			for back := 1; sent < o.obj.Size && back < utf8.UTFMax && back <= len(part); back++ {
				if c := part[len(part)-back]; utf8.RuneStart(c) {
					if !utf8.FullRune(part[len(part)-back:]) {
						whole = len(part) - back
					}
					break
				}
			}
			x.Data(part[:whole])
			if err := x.Flush(); err != nil {
				return err
			}
			rest = append([]byte(nil), part[whole:]...)
		}
		return nil
	})
}

// partOfText is how much of a large text is in memory.
const partOfText = 128 << 10

func (d *dataWriter) write(x *caldav.Writer, p *parsed) error {
	if d.want != nil {
		if as := syntaxOf(d.want.ContentType); as != nil {
			return d.writeAs(x, p, as)
		}
	}
	if d.want.Whole() {
		x.Start(calendarData)
		if p.body == nil && p.o.obj.Size > inOnePiece && !d.q.zonesByReference() {
			p.at = len(x.Bytes())
			x.End(calendarData)
			return nil
		}
		body, err := p.text()
		if err != nil {
			return err
		}
		if d.q.zonesByReference() {
			body = withoutZones(body)
		}
		x.Data(body)
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
	if _, err := p.text(); err != nil {
		return err
	}
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
