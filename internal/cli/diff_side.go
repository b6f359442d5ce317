package cli

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/spill"
)

// diffSide is one side of a comparison: its components in the order of their
// names, UIDs and RECURRENCE-IDs, on disk where they are many.
type diffSide struct {
	ignore map[string]bool

	// The components of a calendar, until its zones are known.
	here spill.Sorter
	n    uint64

	sorted   spill.Sorter
	last     string         // octets of the calendar's own properties that came last
	contexts map[string]int // what TZIDs mean, by the octets of the VTIMEZONEs
	heads    []*ical.Head
	known    map[zonesUsed]meaning
}

// zonesUsed is what the zones of a component depend on: where a VTIMEZONE and
// the zone of its name differ, the times that are used decide.
type zonesUsed struct {
	context int
	tzids   string
	year    int
}

// knownZonesUsed bounds what is remembered of zones.
const knownZonesUsed = 512

func (s *diffSide) close() { errors.Join(s.here.Close(), s.sorted.Close()) }

func (s *diffSide) begin(*ical.Head) error { return nil }

func (s *diffSide) component(_ *ical.Head, c *ical.Component) error {
	s.n++
	return s.here.Add(binary.BigEndian.AppendUint64(nil, s.n), c.Bytes())
}

const headKey = "VCALENDAR"

func (s *diffSide) end(head *ical.Head) error {
	context := s.context(head)
	own := ical.Component{Name: headKey, Properties: head.Properties}
	// A stream has a head for each of its calendars; what they share is one.
	if text := string(own.Bytes()); text != s.last {
		s.last = text
		if err := s.add(headKey, context, []byte(text)); err != nil {
			return err
		}
	}
	return s.here.Each(func(_, text []byte) error {
		c, m, err := s.read(context, text)
		if err != nil {
			return err
		}
		return s.add(c.Name+"\x00"+c.Text("UID")+"\x00"+m.identity(c), context, text)
	})
}

func (s *diffSide) add(key string, context int, text []byte) error {
	return s.sorted.Add([]byte(key), append(binary.AppendUvarint(nil, uint64(context)), text...))
}

// context is the number of what TZIDs mean in a calendar.
func (s *diffSide) context(head *ical.Head) int {
	var b strings.Builder
	var zoneName []*ical.Property
	for _, p := range head.Properties {
		if p.Name() == "X-WR-TIMEZONE" { // TZ-05: for names that say nothing
			zoneName = append(zoneName, p)
			b.WriteString(p.Value() + "\n")
		}
	}
	for _, z := range head.Zones {
		b.Write(z.Bytes())
	}
	n, ok := s.contexts[b.String()]
	if !ok {
		n = len(s.heads)
		s.contexts[b.String()] = n
		kept := *head
		kept.Properties = zoneName
		s.heads = append(s.heads, &kept)
	}
	return n
}

// read gives a component that was kept, and what its times mean.
func (s *diffSide) read(context int, text []byte) (*ical.Component, meaning, error) {
	c, err := ical.ParseComponent(text, 1)
	if err != nil {
		return nil, meaning{}, err
	}
	object := s.heads[context].Object(c)
	var tzids []string
	for id := range object.TZIDs() {
		tzids = append(tzids, id)
	}
	slices.Sort(tzids)
	used := zonesUsed{context: context, tzids: strings.Join(slices.Compact(tzids), "\x00")}
	if p := c.Prop("DTSTART"); p != nil {
		if t, err := p.Time(); err == nil {
			used.year = t.Wall.Year()
		}
	}
	m, ok := s.known[used]
	if !ok {
		m = meaning{tz.NewResolver(object, nil), s.ignore, map[zoneYear]string{}}
		if len(s.known) >= knownZonesUsed || s.known == nil {
			s.known = map[zonesUsed]meaning{}
		}
		s.known[used] = m
	}
	return c, m, nil
}

// groups gives the components of each key, reduced to what they mean.
func (s *diffSide) groups() iter.Seq2[diffGroup, error] {
	return func(yield func(diffGroup, error) bool) {
		stopped := errors.New("stopped")
		var g diffGroup
		err := s.sorted.Each(func(key, value []byte) error {
			if g.list != nil && g.key != string(key) {
				if !yield(g, nil) {
					return stopped
				}
				g = diffGroup{}
			}
			g.key = string(key)
			context, used := binary.Uvarint(value)
			one, err := s.compared(g.key, int(context), value[used:])
			if err != nil {
				return err
			}
			if g.key == headKey && len(g.list) > 0 && g.list[len(g.list)-1].sum == one.sum {
				return nil
			}
			g.list = append(g.list, one)
			return nil
		})
		switch {
		case err == stopped || errors.Is(err, stopped):
		case err != nil:
			yield(diffGroup{}, err)
		case g.list != nil:
			yield(g, nil)
		}
	}
}

func (s *diffSide) compared(key string, context int, text []byte) (*compared, error) {
	if key != headKey {
		c, m, err := s.read(context, text)
		if err != nil {
			return nil, err
		}
		return m.component(c, ""), nil
	}
	cal, err := ical.Parse(text)
	if err != nil {
		return nil, err
	}
	head := ical.NewComponent(headKey)
	head.Properties = cal.Properties
	return meaning{tz.NewResolver(nil, nil), s.ignore, map[zoneYear]string{}}.component(head, ""), nil
}

type diffGroup struct {
	key  string
	list []*compared
}

// compareSorted reports components in the order of their names, UIDs and
// RECURRENCE-IDs.
func compareSorted(before, after *diffSide, report func(difference)) error {
	next := [2]func() (diffGroup, error, bool){}
	var heads [2]*diffGroup
	for i, side := range []*diffSide{before, after} {
		pull, stop := iter.Pull2(side.groups())
		defer stop()
		next[i] = pull
	}
	advance := func(i int) error {
		g, err, ok := next[i]()
		heads[i] = nil
		if ok {
			heads[i] = &g
		}
		return err
	}
	if err := errors.Join(advance(0), advance(1)); err != nil {
		return err
	}
	for heads[0] != nil || heads[1] != nil {
		a, b := heads[0], heads[1]
		take := [2]bool{a != nil, b != nil}
		if a != nil && b != nil {
			order := bytes.Compare([]byte(a.key), []byte(b.key))
			take = [2]bool{order <= 0, order >= 0}
		}
		var lists [2][]*compared
		for i := range take {
			if take[i] {
				lists[i] = heads[i].list
			}
		}
		comparePairs(lists[0], lists[1], report)
		for i := range take {
			if take[i] {
				if err := advance(i); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
