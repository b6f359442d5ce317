package calendar

import (
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/store"
)

// writtenOut is an object as it goes into rows. A message to the guests of a meeting,
// and what it makes of their copies, is mostly the same object for all of them:
// it is written and indexed once, and must not change meanwhile.
type writtenOut struct {
	cal   *ical.Calendar
	body  []byte
	tag   string // "" until asked for
	index *store.Index
	err   error // of the index
}

func newWritten(cal *ical.Calendar) *writtenOut { return &writtenOut{cal: cal, body: cal.Bytes()} }

// maxWritten objects are at hand: the message and a few kinds of copies.
const maxWritten = 4

// writing gives the octets of an object.
func (d *Directory) writing(cal *ical.Calendar) *writtenOut {
	if d.ahead != nil {
		if w := d.ahead.written[cal]; w != nil {
			return w
		}
	}
	for _, w := range d.written {
		if w.cal == cal {
			return w
		}
	}
	if len(d.written) == maxWritten {
		d.written = append(d.written[:0], d.written[1:]...)
	}
	w := newWritten(cal)
	d.written = append(d.written, w)
	return w
}

func (w *writtenOut) etag() string {
	if w.tag == "" {
		w.tag = etag(w.body)
	}
	return w.tag
}

// timeIndex is [Service.timeIndex] of the object.
func (w *writtenOut) timeIndex(s *Service) (store.Index, error) {
	if w.index == nil {
		ix, err := s.timeIndex(w.cal, tz.NewResolver(w.cal, nil))
		w.index, w.err = &ix, err
	}
	return *w.index, w.err
}

// completed is a message with the definitions of the time zones that the site has
// names for. The one given is the caller's and stays as it is.
func (d *Directory) completed(s *Service, message *ical.Calendar) *ical.Calendar {
	if !s.o.Zones.Lacks(message) {
		return message
	}
	if d.lacking != message {
		d.lacking, d.whole = message, message.Clone()
		s.o.Zones.Complete(d.whole)
	}
	return d.whole
}
