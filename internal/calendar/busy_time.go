package calendar

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/store"
)

// busyTime collects the busy time of one calendar from what the time index
// knows of its events for certain, from the patterns of others, and from the
// texts of the rest.
type busyTime struct {
	s        *Service
	tx       *store.Tx
	owner    store.AccountID
	coll     int64
	zone     *tz.Zone // of floating times and dates
	mine     func(ical.Address) bool
	from, to time.Time
	work     *busyWork

	out       []freebusy.Period
	hours     []freebusy.Availability
	byPattern []int64
	byText    []int64
}

// read adds all but the events with the UID mask.
func (b *busyTime) read(mask string) error {
	masked := map[int64]bool{}
	if mask != "" {
		list, err := b.tx.ObjectsByUID(b.owner, mask)
		if err != nil {
			return err
		}
		for _, o := range list {
			masked[o.ID] = true
		}
	}
	look := func(list []store.Occupant) error {
		before := len(b.out)
		for _, o := range list {
			if !masked[o.ID] {
				b.add(o)
			}
		}
		if err := b.work.spend(nil, len(b.out)-before, nil); err != nil {
			return err
		}
		if err := b.patterns(); err != nil {
			return err
		}
		return b.texts()
	}
	from, to := b.from.Unix(), b.to.Unix()
	list, narrow, err := b.tx.Occupying(b.owner, b.coll, from, to)
	if err != nil || narrow {
		if err == nil {
			err = look(list)
		}
		return err
	}
	for after := int64(0); ; {
		if list, err = b.tx.SpanningAfter(b.owner, b.coll, from, to, after, listPage); err != nil {
			return err
		}
		if err := look(list); err != nil || len(list) < listPage {
			return err
		}
		after = list[len(list)-1].ID
	}
}

// add takes what is known of one object.
func (b *busyTime) add(o store.Occupant) {
	k := certaintyOf(o.Known)
	kind := busyTypes[k.busy]
	if kind == freebusy.Free {
		return
	}
	if from, to, ok := k.span(o, b.zone); ok && kind != "" {
		from, to = max(from, b.from.Unix()), min(to, b.to.Unix())
		if from < to {
			b.out = append(b.out, freebusy.Period{From: time.Unix(from, 0).UTC(), To: time.Unix(to, 0).UTC(), Type: kind})
		}
	} else if k.pattern {
		b.byPattern = append(b.byPattern, o.ID)
	} else {
		b.byText = append(b.byText, o.ID)
	}
}

// patterns reads the patterns that are needed. Where one is not there, the text tells.
func (b *busyTime) patterns() error {
	for part := range slices.Chunk(b.byPattern, patternsAtOnce) {
		read := make(map[int64]bool, len(part))
		if err := b.tx.Patterns(b.owner, part, func(id int64, text []byte) error {
			read[id] = true
			return b.busy(id, text)
		}); err != nil {
			return err
		}
		for _, id := range part {
			if !read[id] {
				b.byText = append(b.byText, id)
			}
		}
	}
	b.byPattern = b.byPattern[:0]
	return nil
}

// texts reads the texts that are needed.
func (b *busyTime) texts() error {
	var texts store.Texts
	for part := range slices.Chunk(b.byText, bodiesAtOnce) {
		if err := b.tx.TextsOf(b.owner, b.coll, part, batchText, &texts); err != nil {
			return err
		}
		for i := range texts.List {
			o := &texts.List[i]
			if o.Component == "VTODO" || o.Component == "VJOURNAL" {
				continue
			}
			body := o.Body
			if body == nil && o.Size > 0 {
				var err error
				if body, err = b.tx.Body(b.owner, o.ID); err != nil {
					return fmt.Errorf("object %s: %w", o.Name, err)
				}
			}
			if o.Component == "VAVAILABILITY" {
				b.hours = append(b.hours, b.s.availability(body, b.zone, b.from, b.to)...)
				if err := b.work.spend(nil, 0, recur.ErrLimit); err != nil {
					return err
				}
				continue
			}
			if err := b.busy(o.ID, body); err != nil {
				return err
			}
		}
	}
	b.byText = b.byText[:0]
	return nil
}

// busy adds the busy time of one object by its text, or its pattern.
func (b *busyTime) busy(id int64, text []byte) error {
	var list []freebusy.Period
	cal, err := ical.ParseLimits(text, b.s.parseLimits())
	if err == nil {
		list, err = freebusy.Busy(cal, tz.NewResolver(cal, b.zone), b.mine, b.from, b.to)
	}
	if tooMuch := b.work.spend(cal, len(list), err); tooMuch != nil {
		return tooMuch
	}
	if err != nil && !errors.Is(err, recur.ErrLimit) { // with that, there are those found up to the limit
		b.s.log.Error("free/busy time of an object cannot be worked out", "account", b.owner, "object", id, "error", err)
		return nil // one broken object does not hide a calendar
	}
	b.out = append(b.out, list...)
	return nil
}
