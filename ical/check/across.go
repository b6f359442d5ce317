package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"

	"github.com/convene-cal/convene/ical"
)

// note is the value of a record: where something stands, and what it is
// compared by.
type note struct {
	Kind   string `json:"k,omitempty"` // of the component; empty for a TZID
	ID     string `json:"i,omitempty"` // its RECURRENCE-ID, empty for the whole series
	Line   int    `json:"l"`
	Row    int    `json:"r,omitempty"` // where the RECURRENCE-ID's value stands
	Column int    `json:"c,omitempty"`
	Start  string `json:"s,omitempty"` // describes the time of DTSTART or RECURRENCE-ID
	Form   int    `json:"f,omitempty"` // and its form
}

// The forms of a time that must agree.
const (
	noForm = iota
	dateForm
	floatingForm
	fixedForm // in UTC or in a zone
)

func (m moment) form() int {
	switch {
	case m.IsDate():
		return dateForm
	case m.floating():
		return floatingForm
	}
	return fixedForm
}

// Keys of records: what is compared, its name, and what stands first among
// equal names. No name has a NUL (it is a control).
const (
	zoneKey   = "Z\x00"
	objectKey = "U\x00"
)

func (k *checker) note(prefix, name, order string, n note) error {
	value, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return k.across.Add([]byte(prefix+name+"\x00"+order), value)
}

// knownZones is how many TZIDs are remembered; a calendar with more has its
// references sorted.
const knownZones = 1 << 12

func (k *checker) noteZone(z *ical.Component) error {
	id := z.Text("TZID")
	if id == "" {
		return nil
	}
	if len(k.zones) < knownZones {
		k.zones[id] = true
	}
	return k.note(zoneKey, id, "a", note{Line: z.Line()})
}

// noteTZID notes a reference to a VTIMEZONE that is not there yet.
func (k *checker) noteTZID(l *line, v paramValue) {
	row, column := l.position(v.at)
	k.failed = cmp.Or(k.failed, k.note(zoneKey, v.text, "b", note{Row: row, Column: column}))
}

func (k *checker) noteObject(c *ical.Component, rid *ical.Property) error {
	uid := c.Value("UID")
	if uid == "" {
		return nil
	}
	n := note{Kind: c.Name, Line: c.Line()}
	by := c.Prop("DTSTART")
	if rid != nil {
		by, n.ID = rid, "?"+rid.Value()
		if t, err := rid.Time(); err == nil {
			n.ID = t.String() + t.TZID
		}
	}
	if by != nil {
		l := k.quiet(by)
		if m, ok := momentOf(l); ok {
			n.Start, n.Form = m.describe(), m.form()
			n.Row, n.Column = l.position(l.valueAt)
		}
	}
	return k.note(objectKey, uid, c.Name+"\x00"+n.ID, n)
}

// compare judges what goes across components.
func (k *checker) compare() error {
	if k.failed != nil {
		return k.failed
	}
	var name, order []byte  // of the record before
	var first, master *note // of the UID, of the UID and kind of component
	zone := false           // the TZID has its VTIMEZONE
	return k.across.Each(func(key, value []byte) error {
		var n note
		if err := json.Unmarshal(value, &n); err != nil {
			return errors.Join(errors.New("check: the Sorter gives what was not added"), err)
		}
		cut := bytes.IndexByte(key[len(zoneKey):], 0) + len(zoneKey)
		if cut < len(zoneKey) {
			return errors.New("check: the Sorter gives what was not added")
		}
		same := bytes.Equal(key[:cut], name)
		again := same && bytes.Equal(key[cut:], order)
		name, order = append(name[:0], key[:cut]...), append(order[:0], key[cut:]...)
		if !same {
			first, master, zone = nil, nil, false
		}
		if bytes.HasPrefix(key, []byte(zoneKey)) {
			k.compareZone(string(key[len(zoneKey):cut]), &n, &zone)
			return nil
		}
		if again && k.method != "PUBLISH" {
			k.add(Error, n.Line, 1, "uid-twice", "RFC 5545 3.8.4.7", "there is another %s with this UID and RECURRENCE-ID", n.Kind)
		}
		if first == nil {
			first = &n
		} else if n.Kind != first.Kind && (master == nil || master.Kind != n.Kind) {
			k.add(Warning, n.Line, 1, "uid-shared", "RFC 5545 3.8.4.7", "a %s and a %s have the same UID", first.Kind, n.Kind)
		}
		switch {
		case n.ID == "" && (master == nil || master.Kind != n.Kind):
			master = &n
		case n.ID != "" && master != nil && master.Kind == n.Kind && n.Form != noForm && master.Form != noForm && n.Form != master.Form:
			k.add(Error, n.Row, n.Column, "recurrence-id-type", "RFC 5545 3.8.4.4", "RECURRENCE-ID is %s and DTSTART of the recurring %s is %s", n.Start, n.Kind, master.Start)
		}
		if master == nil || master.Kind != n.Kind {
			master = &note{Kind: n.Kind}
		}
		return nil
	})
}

func (k *checker) compareZone(id string, n *note, zone *bool) {
	switch {
	case n.Line > 0 && *zone:
		k.add(Error, n.Line, 1, "zone-twice", "RFC 5545 3.6.5", "there is another VTIMEZONE with TZID %s", clip(id))
	case n.Line > 0:
		*zone = true
	case !*zone:
		k.add(Error, n.Row, n.Column, "tzid-without-zone", "RFC 5545 3.2.19", "there is no VTIMEZONE with TZID %s", clip(id))
	}
}
