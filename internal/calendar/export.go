package calendar

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
)

// Export writes a calendar as iCalendar: one VCALENDAR with every component
// and property of every object, octet for octet, line ends apart. A VTIMEZONE that several
// objects share in the same words, or with the same rules, is written once.
// Objects whose VTIMEZONE gives a TZID other rules follow in a further
// VCALENDAR, since within one a TZID means one thing (RFC 5545 3.6.5). One
// snapshot; memory does not grow with the calendar.
func (s *Service) Export(ctx context.Context, by account.Actor, owner store.AccountID, coll string, w io.Writer) error {
	return s.store.View(ctx, func(tx *store.Tx) error {
		c, v, err := s.openToRead(tx, by, owner, coll)
		if err != nil {
			return err
		}
		return s.export(tx, c, v, w)
	})
}

// export writes a calendar as a reader sees it, with more calendar properties.
func (s *Service) export(tx *store.Tx, c store.Collection, v *reader, w io.Writer, more ...*ical.Property) error {
	owner := c.Account
	head, err := s.exportHead(tx, v, c)
	if err != nil {
		return err
	}
	head = append(head, more...)
	out := bufio.NewWriterSize(w, 64<<10)
	var rest []int64 // objects for a further VCALENDAR
	g := newGroup(out, head)
	err = candidates(tx, owner, []int64{c.ID}, "", time.Time{}, time.Time{}, func(o store.Object, body []byte) error {
		if !v.sees(body) {
			return nil
		}
		cal, err := ical.ParseLimits(v.body(o, body), s.parseLimits())
		if err != nil {
			return fmt.Errorf("stored object %s cannot be read: %w", o.Name, err)
		}
		if !g.takes(cal) {
			rest = append(rest, o.ID)
			return nil
		}
		return g.add(cal)
	})
	if err != nil {
		return err
	}
	if err := g.end(); err != nil {
		return err
	}
	for pass := 0; len(rest) > 0; pass++ {
		part := rest
		if pass >= maxPasses {
			part = rest[:1] // nothing gets along with anything: one by one
		}
		left, err := s.exportRest(tx, v, owner, out, head, part)
		if err != nil {
			return err
		}
		rest = append(left, rest[len(part):]...)
	}
	return out.Flush()
}

// maxPasses through the objects that do not get along, so that the work grows
// with their number and not with its square.
const maxPasses = 16

// exportRest writes one more VCALENDAR with those of the objects that get along.
func (s *Service) exportRest(tx *store.Tx, v *reader, owner store.AccountID, out *bufio.Writer, head []*ical.Property, ids []int64) ([]int64, error) {
	var rest []int64
	g := newGroup(out, head)
	for part := range slices.Chunk(ids, 8) {
		texts, err := tx.Bodies(owner, part)
		if err != nil {
			return nil, fmt.Errorf("read objects: %w", err)
		}
		for _, id := range part {
			cal, err := ical.ParseLimits(v.body(store.Object{Account: owner, ID: id}, texts[id]), s.parseLimits())
			if err != nil {
				return nil, fmt.Errorf("stored object %d cannot be read: %w", id, err)
			}
			if !g.takes(cal) {
				rest = append(rest, id)
				continue
			}
			if err := g.add(cal); err != nil {
				return nil, err
			}
		}
	}
	return rest, g.end()
}

// exportHead gathers the calendar properties: ours, and each distinct one that
// objects carry (X-WR-TIMEZONE and the like), VERSION and PRODID apart.
func (s *Service) exportHead(tx *store.Tx, v *reader, c store.Collection) ([]*ical.Property, error) {
	h := ical.New(s.o.ProdID)
	h.Set("CALSCALE", "GREGORIAN")
	have := map[string]bool{"VERSION:": true, "PRODID:": true, "CALSCALE:": true, "METHOD:": true}
	err := candidates(tx, c.Account, []int64{c.ID}, "", time.Time{}, time.Time{}, func(o store.Object, body []byte) error {
		// Calendar properties come before the first component (RFC 5545 3.6),
		// so only that part is read here.
		if !interesting(headOf(body)) || !v.own && !v.full && mayBeClassified(body) {
			return nil
		}
		cal, err := ical.ParseLimits(body, s.parseLimits())
		if err != nil {
			return fmt.Errorf("stored object %s cannot be read: %w", o.Name, err)
		}
		for _, p := range cal.Properties {
			key := p.Name() + ":" + p.Value()
			if have[p.Name()+":"] || have[key] {
				continue
			}
			have[key] = true
			h.Add(p.Clone())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if c.DisplayName != "" && !slices.ContainsFunc(h.Properties, func(p *ical.Property) bool { return p.Name() == "X-WR-CALNAME" }) {
		h.SetText("X-WR-CALNAME", c.DisplayName)
	}
	return h.Properties, nil
}

// headOf is the part of a stored object before its first component.
func headOf(body []byte) []byte {
	end, begun := 0, false
	for l := range bytes.Lines(body) {
		if len(l) >= len("BEGIN:") && bytes.EqualFold(l[:len("BEGIN:")], []byte("BEGIN:")) {
			if begun {
				break
			}
			begun = true
		}
		end += len(l)
	}
	return body[:end]
}

// interesting reports whether a calendar's head has more than the usual lines.
func interesting(head []byte) bool {
	for l := range bytes.Lines(head) {
		l = bytes.ToUpper(bytes.TrimSpace(l))
		usual := len(l) == 0
		for _, p := range []string{"BEGIN:", "VERSION", "PRODID", "CALSCALE", "METHOD"} {
			usual = usual || bytes.HasPrefix(l, []byte(p))
		}
		if !usual {
			return true
		}
	}
	return false
}

// group is one VCALENDAR of an export.
type group struct {
	out   *bufio.Writer
	head  []*ical.Property
	begun bool
	zones map[string]string // TZID → its rules
	buf   []byte
}

func newGroup(out *bufio.Writer, head []*ical.Property) *group {
	return &group{out: out, head: head, zones: map[string]string{}}
}

// takes reports whether the object's zones mean what they mean here already.
func (g *group) takes(cal *ical.Calendar) bool {
	for z := range cal.Children("VTIMEZONE") {
		if have, ok := g.zones[z.Text("TZID")]; ok && have != rules(z) {
			return false
		}
	}
	return true
}

func (g *group) begin() error {
	if g.begun {
		return nil
	}
	g.begun = true
	return g.write(g.head, nil, true)
}

func (g *group) add(cal *ical.Calendar) error {
	if err := g.begin(); err != nil {
		return err
	}
	var parts []*ical.Component
	for _, c := range cal.Components {
		if c.Name == "VTIMEZONE" {
			id := c.Text("TZID")
			if _, ok := g.zones[id]; ok {
				continue
			}
			g.zones[id] = rules(c)
		}
		parts = append(parts, c)
	}
	return g.write(nil, parts, false)
}

// write puts out components in their own octets: a VCALENDAR around them is
// serialized and its first and last line left out.
func (g *group) write(head []*ical.Property, parts []*ical.Component, first bool) error {
	cal := ical.New("")
	cal.Properties, cal.Components = head, parts
	g.buf = cal.AppendTo(g.buf[:0])
	b := bytes.TrimRight(g.buf, "\r\n")
	if !first {
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	if !bytes.Contains(b, []byte("\r\n")) { // an object with bare LF: one stream has one kind of line end
		b = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
	}
	_, err := g.out.Write(b)
	return err
}

func (g *group) end() error {
	if err := g.begin(); err != nil {
		return err
	}
	_, err := g.out.WriteString("END:VCALENDAR\r\n")
	return err
}

// rules of a VTIMEZONE: what decides about offsets, in a canonical text.
func rules(z *ical.Component) string {
	var observances []string
	for _, o := range z.Components {
		var lines []string
		for _, p := range o.Properties {
			switch p.Name() {
			case "DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO":
				lines = append(lines, p.Name()+":"+strings.ToUpper(p.Value()))
			}
		}
		slices.Sort(lines)
		observances = append(observances, o.Name+"\n"+strings.Join(lines, "\n"))
	}
	slices.Sort(observances)
	return strings.Join(observances, "\n\n")
}
